"""The SQLite library that Python was linked with: what of it this program needs, and what is known of it."""

import sqlite3
from typing import Final, NamedTuple

from bot.errors import UserError

# STRICT tables, without which nothing of ours can even be read.
OLDEST: Final = (3, 37, 0)
# From 3.7.0 on, two connections that write or checkpoint the same log at the same instant could damage
# the file (sqlite.org/wal.html#walresetbug). A connection that only reads takes no part in it.
WAL_RESET_FIXED: Final = (3, 51, 3)

Version = tuple[int, int, int]


class Library(NamedTuple):
    """`words` say the version, and why a known defect of it cannot be met."""

    version: Version
    has_wal_reset_bug: bool
    words: str


def library(version: Version = sqlite3.sqlite_version_info) -> Library:
    """Return what is known of the linked library. UserError: it is too old for this program."""
    name = ".".join(map(str, version))
    if version < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise UserError(
            f"Python is linked with SQLite {name}, but ringfence needs {needed} or newer. Nothing was "
            "opened; use a Python with a newer SQLite (any official build of Python 3.11 has one)."
        )
    if version >= WAL_RESET_FIXED:
        return Library(version, False, name)
    words = (
        f"{name}; before 3.51.3 two writers at once may damage a database (WAL reset). Only the bot's one "
        "connection writes; open a running bot's database with nothing else that writes"
    )
    return Library(version, True, words)
