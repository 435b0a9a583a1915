"""The bot's database in the simulation: the real SQLite file, with deaths and failures at its border.

What SQLite has committed stays; a commit is one step, so that a process dies before, inside or after it.
"""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from bot.ports import Commit, Recovered
from bot.store.journal import SqliteJournal
from tests.simulation.process import Process

Border = Callable[[str, Commit, sqlite3.Connection], None]


class WatchedConnection:
    """A connection that says when a transaction begins."""

    def __init__(self, connection: sqlite3.Connection, begins: Callable[[], None]) -> None:
        self._connection, self._begins = connection, begins

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Run a statement."""
        if statement.startswith("BEGIN"):
            self._begins()
        return self._connection.execute(statement, *values)

    def __enter__(self) -> sqlite3.Connection:
        return self._connection.__enter__()

    def __exit__(self, *ended: Any) -> bool | None:
        return self._connection.__exit__(*ended)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class WatchedJournal:
    """`SqliteJournal` with a border that may kill, delay or spoil.

    `borders` hear "before" and "after", and "between" two transactions that one commit should not take.
    """

    def __init__(self, journal: SqliteJournal, process: Process, borders: list[Border]) -> None:
        self._journal, self._process, self._borders = journal, process, borders
        self.connection: sqlite3.Connection = journal._connection
        self._begun = 0
        self._commit = Commit(0)
        watched: Any = WatchedConnection(self.connection, self._begin)
        journal._connection = watched
        # Waiting for a lock is real time, which the simulation has none of.
        self.connection.execute("PRAGMA busy_timeout = 0")

    def commit(self, commit: Commit) -> None:
        """Write, unless the process dies first."""
        self._tell("before", commit)
        self._begun, self._commit = 0, commit
        self._journal.commit(commit)
        self._tell("after", commit)

    def _begin(self) -> None:
        self._begun += 1
        if self._begun > 1:
            self._tell("between", self._commit)

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


Image = dict[Path, bytes]
_SYNCED_AT_EVERY_COMMIT: Final = 2  # PRAGMA synchronous = FULL


def log_of(database: Path) -> Path:
    """Return the write-ahead log of a database."""
    return database.with_name(f"{database.name}-wal")


class Disk:
    """What of a database would survive a loss of power: its files as they were at the last fsync.

    In WAL mode SQLite syncs the log at each commit when `synchronous` is FULL, and otherwise only when it
    moves the log into the file, which no run here is long enough for.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self.image: Image = {}

    def pass_border(self, where: str, connection: sqlite3.Connection) -> None:
        """Take note of what a commit has made durable; what was there before the first one is."""
        level = connection.execute("PRAGMA synchronous").fetchone()[0]
        if not self.image or (where == "after" and level >= _SYNCED_AT_EVERY_COMMIT):
            self.image = self._files()

    def _files(self) -> Image:
        files = (self._database, log_of(self._database))
        return {path: path.read_bytes() if path.exists() else b"" for path in files}


def rows(path: Any, query: str, values: Mapping[str, Any] | tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return what a database answers to a reader of its own."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()
