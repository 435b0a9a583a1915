"""A folder of files that is whole, or is not there.

Everything is written into a folder beside the wanted one, which takes its name when it is complete.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

import polars as pl

from bot.errors import UserError


def check_place(folder: Path, names: Collection[str]) -> None:
    """Raise UserError unless an export of files of these names may be written to `folder`.

    It may be new, empty, or hold such files alone.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--export {folder} is a file. Name a folder.")
    foreign = (
        sorted(path.name for path in folder.iterdir() if path.name not in names) if folder.exists() else []
    )
    if foreign:
        raise UserError(
            f"--export {folder} holds files that no such export wrote ({', '.join(foreign[:3])}), and an "
            "export replaces its folder. Name a new one."
        )
    above = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        raise UserError(f"--export {folder} cannot be written: {above} is not writable. Name another folder.")


def fill_place(folder: Path, names: Collection[str], write: Callable[[Path], None]) -> None:
    """Let `write` fill a folder, which then takes the place of `folder` at once. UserError: disk."""
    check_place(folder, names)
    target = folder.absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            write(beside)
            beside.chmod(0o755)
            _take_place(beside, target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise UserError(
            f"The export {folder} could not be written: {error.strerror}. Nothing half-written was left. "
            "Free some space, or name another folder with --export."
        ) from error


def write_frame(frame: pl.DataFrame, folder: Path, name: str) -> None:
    """Write a table as NAME.parquet and NAME.csv."""
    frame.write_parquet(folder / f"{name}.parquet")
    frame.write_csv(folder / f"{name}.csv", datetime_format="%Y-%m-%dT%H:%M:%S%.3fZ")


def _take_place(beside: Path, target: Path) -> None:
    """Rename a complete folder to its name; an earlier export moves away first and is then deleted."""
    if not target.exists():
        beside.rename(target)
        return
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-old-", dir=target.parent) as old:
        target.rename(Path(old) / "export")
        beside.rename(target)
