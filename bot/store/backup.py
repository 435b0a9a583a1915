"""A consistent copy of an open database, whatever is being written to it meanwhile."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from bot.errors import UserError
from bot.store.faults import paragraph

Continue = Callable[[], bool]

# A step of the copy; between two of them it may be given up.
_STEP_PAGES: Final = 2048


class GivenUp(Exception):
    """The copy was not wanted any more; nothing of it is left."""


def copy_database(connection: sqlite3.Connection, to: Path, go_on: Continue = lambda: True) -> None:
    """Write a copy of the open database to the new file `to`, which is either complete or absent.

    UserError: the file exists, or cannot be written. GivenUp: `go_on` became false.
    """
    draft = to.with_name(f"{to.name}.new")
    if to.exists():
        raise UserError(f"The backup {to} exists already and was left as it is. Name another file.")
    with ExitStack() as undo:
        undo.callback(draft.unlink, missing_ok=True)
        try:
            draft.unlink(missing_ok=True)
            with closing(sqlite3.connect(draft)) as target, _snapshot(connection):
                # A file that is thrown away when anything fails needs no journal, and is made durable below.
                target.execute("PRAGMA journal_mode = OFF")
                target.execute("PRAGMA synchronous = OFF")
                connection.backup(target, pages=_STEP_PAGES, progress=_progress(go_on, draft))
            _forget_log(draft)
            sync(draft)
            draft.replace(to)
            sync(to.parent)
        except sqlite3.Error as error:
            raise UserError(paragraph("Cannot write the backup", to, error)) from error
        except OSError as error:
            raise UserError(
                f"Cannot write the backup {to}: {error.strerror}. Name a file in a directory that exists "
                "and that this user may write to."
            ) from error


def _forget_log(draft: Path) -> None:
    """Say in the file that it has no log: one that it is put beside is known to be another's then."""
    with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()


def sync(path: Path) -> None:
    """Make the content of a file, or the names in a directory, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold one reading of the source: without it every commit of another connection begins the copy anew."""
    connection.execute("BEGIN")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield
    finally:
        connection.rollback()


def _progress(go_on: Continue, draft: Path) -> Callable[[int, int, int], None]:
    """Written out step by step: a commit of the bot would wait for all that is dirty on the disk."""

    def progress(_status: int, _remaining: int, _total: int) -> None:
        sync(draft)
        if not go_on():
            raise GivenUp

    return progress
