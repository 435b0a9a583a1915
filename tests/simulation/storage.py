"""The bot's database in the simulation: the real SQLite file, with deaths and failures at its border.

What SQLite has committed stays; a commit is one step, so that a process dies before, inside or after it.
"""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from bot.ports import Commit, Recovered
from bot.store.journal import SqliteJournal
from tests.simulation.process import Process

Border = Callable[[str, Commit, sqlite3.Connection], None]


class WatchedJournal:
    """`SqliteJournal` with a border that may kill, delay or spoil. `borders` hear "before" and "after"."""

    def __init__(self, journal: SqliteJournal, process: Process, borders: list[Border]) -> None:
        self._journal, self._process, self._borders = journal, process, borders
        self.connection: sqlite3.Connection = journal._connection
        # Waiting for a lock is real time, which the simulation has none of.
        self.connection.execute("PRAGMA busy_timeout = 0")

    def commit(self, commit: Commit) -> None:
        """Write, unless the process dies first."""
        self._tell("before", commit)
        self._journal.commit(commit)
        self._tell("after", commit)

    def recover(self) -> Recovered | None:
        """Return what the journal knew."""
        self._process.check()
        return self._journal.recover()

    def _tell(self, where: str, commit: Commit) -> None:
        self._process.check()
        for border in self._borders:
            border(where, commit, self.connection)
        self._process.check()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)


def rows(path: Any, query: str, values: Mapping[str, Any] | tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return what a database answers to a reader of its own."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()
