"""A look at a database before it is opened: of any revision, changing nothing, and never a refusal.

What cannot be read is None here; opening the file says why.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.ports import Checkpoint
from bot.store import statements as sql
from bot.store.reader import connect_read_only
from bot.store.types import json_value


def committed(path: Path) -> Checkpoint | None:
    """Return the last checkpoint, None where there is none."""
    row = _first(path, sql.SELECT_CHECKPOINT)
    return None if row is None else Checkpoint(*map(json_value, row))


def account_name(path: Path) -> str | None:
    """Return which account the database says it belongs to."""
    row = _first(path, "SELECT name FROM account")
    return None if row is None else str(row[0])


def _first(path: Path, statement: str) -> tuple[Any, ...] | None:
    full = path.resolve()
    if not full.is_file():
        return None
    try:
        with closing(connect_read_only(full)) as connection:
            return connection.execute(statement).fetchone()
    except sqlite3.Error:
        return None
