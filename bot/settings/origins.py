"""Where each setting in force was said: a flag, a variable, a file, the preset, or nowhere."""

from collections.abc import Mapping
from typing import Any, Final

from bot.settings.keys import Given, Path, find
from bot.settings.preset import own_values

DEFAULT: Final = "default"

Origins = dict[str, str]


def origins(shown: Mapping[str, Any], given: tuple[Given, ...]) -> Origins:
    """Return by key where each of the effective settings `shown` comes from.

    `given` holds what people wrote, the strongest first. A table that is empty counts as one setting.
    """
    said = tuple(item for item in given if item.value != {})
    own = own_values(shown["preset"])
    preset = f"preset {shown['preset']}"
    return {".".join(path): _origin(path, said, preset if path in own else DEFAULT) for path in _paths(shown)}


def _origin(path: Path, given: tuple[Given, ...], otherwise: str) -> str:
    found = find(given, path)
    return otherwise if found is None else found.where.removesuffix(f": {'.'.join(found.path)}")


def _paths(table: Mapping[str, Any], above: Path = ()) -> list[Path]:
    found: list[Path] = []
    for name, value in table.items():
        path = (*above, name)
        found += _paths(value, path) if isinstance(value, Mapping) and value else [path]
    return found
