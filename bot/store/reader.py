"""Reading the tables without ever writing: one snapshot, for the command line, the web and the books."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, StaticPool, create_engine
from sqlalchemy.exc import DBAPIError

from bot.errors import UserError
from bot.liveness import is_locked
from bot.store.faults import paragraph
from bot.store.header import check_header
from bot.store.location import existing_file
from bot.store.schema import HEAD, is_known, revision_of

Reader = Connection


@contextmanager
def open_reader(path: Path) -> Iterator[Reader]:
    """Yield a read-only view of the database as it is now, also while another process trades with it.

    UserError: missing, not ours, damaged, or of another version.
    """
    full = existing_file(path)
    check_header(full)
    try:
        with closing(connect_read_only(full)) as connection:
            _check_revision(connection, full)
            with reader_on(connection) as reader:
                reader.exec_driver_sql("BEGIN")  # one snapshot; SQLAlchemy itself begins none for SQLite
                yield reader
    except sqlite3.Error as error:
        raise UserError(paragraph("Cannot read the database", full, error)) from error
    except DBAPIError as error:
        if not isinstance(error.orig, sqlite3.Error):
            raise
        raise UserError(paragraph("Cannot read the database", full, error.orig)) from error


@contextmanager
def open_in_use(path: Path) -> Iterator[Reader]:
    """Yield a read-only view of the database that this very process trades with; briefly.

    Nothing but SQLite may open that file here, so its header is not looked at: the bot has done so.
    UserError: it cannot be read.
    """
    try:
        with closing(connect_shared(path.resolve())) as connection, reader_on(connection) as reader:
            reader.exec_driver_sql("BEGIN")
            yield reader
    except sqlite3.Error as error:
        raise UserError(paragraph("Cannot read the database", path, error)) from error
    except DBAPIError as error:
        if not isinstance(error.orig, sqlite3.Error):
            raise
        raise UserError(paragraph("Cannot read the database", path, error.orig)) from error


@contextmanager
def reader_on(connection: sqlite3.Connection) -> Iterator[Reader]:
    """Yield a view over `connection`, which stays open and belongs to the caller."""
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    with engine.connect() as reader:
        yield reader


def driver_of(reader: Reader) -> sqlite3.Connection:
    """Return the connection that a view reads by, in its snapshot."""
    driver = reader.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(f"{type(driver).__name__} is no connection of SQLite")
    return driver


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write, and leaves nothing beside a file that nobody writes to."""
    return _connect(path, "immutable=1") if _is_idle(path) else connect_shared(path)


def connect_shared(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write and that any writer, also one that begins later, respects."""
    return _connect(path, "mode=ro")


def _connect(path: Path, query: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?{query}", uri=True, timeout=5.0, isolation_level=None)


def _is_idle(path: Path) -> bool:
    """Return whether the file is all there is: no log with commits beside it, and no process trading.

    A bot that starts while an idle file is read commits to its log; the file itself changes only at
    that bot's first checkpoint, thousands of pages later.
    """
    beside = (path.with_name(path.name + ending) for ending in ("-wal", "-journal"))
    return not any(file.exists() and file.stat().st_size for file in beside) and not is_locked(path)


def _check_revision(connection: sqlite3.Connection, path: Path) -> None:
    revision = revision_of(connection)
    if revision != HEAD and not is_known(revision):
        raise UserError(
            f"The database {path} was written by a newer ringfence (its revision is {revision}, this program "
            f"knows up to {HEAD}). Nothing was changed; install the newer version."
        )
    if revision != HEAD:
        raise UserError(
            f"The database {path} has revision {revision}, this program reads {HEAD}. "
            "Run `ringfence db upgrade`."
        )
