"""A store of market data: a folder for each venue, with a note of whose prices these are and in which form.

    candles/binanceusdm/store.json, BTCUSDT_1m.parquet, BTCUSDT_1m_mark.parquet, BTCUSDT_funding.parquet

Folders without a note (files from elsewhere) are read as they are.
"""

import json
import os
from pathlib import Path
from typing import Final

from bot.errors import UserError

NOTE: Final = "store.json"
FORM: Final = 1


def folder_to_read(directory: Path, *, holds_files: bool) -> Path:
    """Return the folder whose files are meant by `directory`: itself, or the one venue's folder within it.

    `holds_files`: whether market data lies in `directory` itself. UserError: several venues have one there,
    or the note is of a newer version or damaged.
    """
    if holds_files or (directory / NOTE).exists():
        _venue_of(directory)
        return directory
    venues = sorted(path.parent for path in directory.glob(f"*/{NOTE}"))
    if len(venues) > 1:
        names = ", ".join(str(folder) for folder in venues)
        raise UserError(
            f"{directory} holds the prices of several exchanges. Name the folder of one with --data: {names}."
        )
    if not venues:
        return directory
    _venue_of(venues[0])
    return venues[0]


def folder_to_fill(directory: Path, venue_id: str, *, holds_files: bool) -> Path:
    """Return the folder for a venue's files, made and noted as its own.

    UserError: the folder is another venue's, was written by a newer version, or cannot be made.
    """
    is_own = holds_files or (directory / NOTE).exists()
    folder = directory if is_own else directory / venue_id
    whose = _venue_of(folder)
    if whose not in ("", venue_id):
        raise UserError(
            f"{folder} holds the prices of {whose}, not of {venue_id}: two exchanges must not mix. Nothing "
            "was fetched. Name the folder above it, or another, with --data."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not whose:
            _write(folder / NOTE, {"form": FORM, "venue": venue_id})
    except OSError as error:
        raise UserError(
            f"The folder {folder} cannot be made: {error.strerror}. Nothing was fetched. Name another with "
            "--data."
        ) from error
    return folder


def _venue_of(folder: Path) -> str:
    """Return whose prices the folder's note says there are, "" without a note."""
    note = folder / NOTE
    try:
        said = json.loads(note.read_bytes())
        form, venue_id = int(said["form"]), str(said["venue"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{note} is not the note of a store ({type(error).__name__}). Delete it: it is written anew when "
            "download-data goes on there."
        ) from error
    if form > FORM:
        raise UserError(
            f"{folder} was written by a newer version (form {form}; this one reads up to {FORM}). Use that "
            "version, or fetch the data into another folder."
        )
    return venue_id


def _write(path: Path, said: dict[str, object]) -> None:
    beside = path.with_name(f".{path.name}.part")
    with beside.open("w") as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
