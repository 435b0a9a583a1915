"""A consistent copy of an open database, whatever is being written to it meanwhile."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from bot.errors import UserError
from bot.store.faults import paragraph


def copy_database(connection: sqlite3.Connection, to: Path) -> None:
    """Write a copy of the open database to the new file `to`, which is either complete or absent.

    UserError: the file exists, or cannot be written.
    """
    draft = to.with_name(f"{to.name}.new")
    if to.exists():
        raise UserError(f"The backup {to} exists already and was left as it is. Name another file.")
    with ExitStack() as undo:
        undo.callback(draft.unlink, missing_ok=True)
        try:
            draft.unlink(missing_ok=True)
            with closing(sqlite3.connect(draft)) as target:
                connection.backup(target)
            draft.replace(to)
        except sqlite3.Error as error:
            raise UserError(paragraph("Cannot write the backup", to, error)) from error
        except OSError as error:
            raise UserError(
                f"Cannot write the backup {to}: {error.strerror}. Name a file in a directory that exists "
                "and that this user may write to."
            ) from error
