"""A journal without a file: the same tables and the same code, for exact backtests and tests."""

import sqlite3
from pathlib import Path

from bot.store.database import Binding, fill_new
from bot.store.journal import SqliteJournal


def memory_journal(binding: Binding) -> SqliteJournal:
    """Return an empty journal that is gone when closed; `copy_to` writes it to a file in one go."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    fill_new(connection, binding)
    return SqliteJournal(connection, Path(":memory:"))
