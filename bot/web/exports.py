"""Exports of backtests and sweeps on this machine: folders with a result.json, in one folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

_RESULT: Final = "result.json"
_MOST_BYTES: Final = 16 * 2**20
_MOST_SHOWN: Final = 200
_DEPTH: Final = 2  # of the figures shown in the list


def exports(folder: Path) -> list[dict[str, Any]]:
    """Return name, time and top figures of each export, newest first; what cannot be read is left out."""
    found = sorted(_places(folder), key=lambda place: place.stat().st_mtime, reverse=True)[:_MOST_SHOWN]
    rows = []
    for place in found:
        document = _document(place)
        if document is not None:
            written_ms = int(place.stat().st_mtime * 1_000)
            figures = {key: value for key, value in document.items() if _is_figure(value)}
            rows.append({"name": place.parent.name, "written_ms": written_ms, "figures": figures})
    return rows


def export(folder: Path, name: str) -> dict[str, Any] | None:
    """Return the document of an export by its name; None: there is none."""
    place = next((place for place in _places(folder) if place.parent.name == name), None)
    return None if place is None else _document(place)


def _places(folder: Path) -> Iterator[Path]:
    """Only folders that are listed are looked into: a name that leads elsewhere is none of them."""
    if not folder.is_dir():
        return
    for child in folder.iterdir():
        place = child / _RESULT
        if child.is_dir() and not child.is_symlink() and place.is_file() and not place.is_symlink():
            yield place


def _document(place: Path) -> dict[str, Any] | None:
    if place.stat().st_size > _MOST_BYTES:
        return None
    try:
        found = orjson.loads(place.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _is_figure(value: Any, depth: int = _DEPTH) -> bool:
    if isinstance(value, dict):
        return depth > 0 and all(_is_figure(item, depth - 1) for item in value.values())
    return not isinstance(value, list)
