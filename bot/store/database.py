"""Opening a database: every doubt is a refusal, and a refused file is left as it was."""

import sqlite3
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from bot.errors import UserError
from bot.store import statements as sql
from bot.store.backup import copy_database, sync
from bot.store.faults import paragraph
from bot.store.header import LOG, check_header, has_commits
from bot.store.journal import SqliteJournal
from bot.store.library import library
from bot.store.location import existing_file, writable_directory
from bot.store.schema import HEAD, create_schema, is_known, migrate, revision_of

_BUSY_SECONDS: Final = 5.0
# A fourth as many checkpoints as by default: they, not commits, are what makes p99.
_CHECKPOINT_PAGES: Final = 4000


class Binding(NamedTuple):
    """The one account a database is for, fixed when it is created."""

    venue: str
    mode: str
    account: str


def open_journal(path: Path, binding: Binding, *, create: bool = True) -> SqliteJournal:
    """Return the journal at `path`, creating it when it is missing and `create` is true.

    An older database is backed up beside itself, then upgraded. UserError: the directory or file
    cannot be used, is not ours, is damaged, is newer than this program, or belongs to another
    account. The caller holds `lock.DatabaseLock`.
    """
    library()
    full = writable_directory(path)
    if create and (not full.exists() or full.stat().st_size == 0):
        _create(full, binding)
    connection = open_database(full)
    with ExitStack() as undo:
        undo.callback(connection.close)
        _check_binding(connection, full, binding)
        undo.pop_all()
    return SqliteJournal(connection, full)


def open_database(path: Path) -> sqlite3.Connection:
    """Return the one writer connection of an existing database, checked, upgraded and durable.

    UserError: see `open_journal`.
    """
    library()
    full = existing_file(writable_directory(path))
    check_header(full)
    with ExitStack() as undo:
        try:
            connection = sqlite3.connect(full, timeout=_BUSY_SECONDS, isolation_level=None)
            undo.callback(connection.close)
            check_pages(connection, full)
            bring_up_to_date(connection, full)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error as error:
            raise UserError(paragraph("Cannot open the database", full, error)) from error
        undo.pop_all()
    return connection


def check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Check every page of the file. UserError: one is damaged."""
    findings = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    if findings != ["ok"]:
        raise UserError(
            f"The database {path} is damaged ({_one_line(findings)}). Nothing was changed. "
            "Put a copy in its place with `ringfence db restore COPY`, or name another file with --db."
        )


def _one_line(findings: list[str]) -> str:
    return "; ".join(" ".join(finding.split()) for finding in findings)


def bring_up_to_date(connection: sqlite3.Connection, path: Path) -> Path | None:
    """Upgrade the tables to HEAD after a backup; return the backup, or None when nothing was due.

    UserError: the database is newer than this program.
    """
    revision = revision_of(connection)
    if revision == HEAD:
        return None
    if not is_known(revision):
        raise UserError(
            f"The database {path} was written by a newer ringfence (its revision is {revision}, this "
            f"program knows up to {HEAD}). Nothing was changed; install the newer version, or name "
            "another file with --db."
        )
    copy = _unused(path.with_name(f"{path.name}.before-{HEAD}.backup"))
    copy_database(connection, copy)
    migrate(connection)
    return copy


def _unused(path: Path) -> Path:
    number = 1
    candidate = path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}.{number}")
    return candidate


def _create(path: Path, binding: Binding) -> None:
    """Make the file complete under another name, then give it its own: it never exists half made."""
    _refuse_log(path)
    draft = path.with_name(f"{path.name}.new")
    with ExitStack() as undo:
        undo.callback(draft.unlink, missing_ok=True)
        try:
            draft.unlink(missing_ok=True)
            _fill_draft(draft, binding)
            draft.replace(path)
            sync(path.parent)
        except sqlite3.Error as error:
            raise UserError(paragraph("Cannot create the database", path, error)) from error
        except OSError as error:
            raise UserError(
                f"Cannot create the database {path}: {error.strerror}. "
                "Give write access to its directory, or name another file with --db."
            ) from error


def _refuse_log(path: Path) -> None:
    """SQLite would write the commits of a file that is gone into the new one."""
    if has_commits(path):
        raise UserError(
            f"{path} is gone, but its log {path.name}{LOG} is still there and holds what was committed last. "
            "Nothing was made. Put the database back beside it, or restore a copy with `ringfence db restore "
            "COPY`; for a new database move the log away."
        )


def fill_new(connection: sqlite3.Connection, binding: Binding) -> None:
    """Make the tables and the account row in an empty database."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        create_schema(connection)
        row = {"venue": binding.venue, "mode": binding.mode, "name": binding.account}
        connection.execute(sql.CREATE_ACCOUNT, row)


def _fill_draft(draft: Path, binding: Binding) -> None:
    connection = sqlite3.connect(draft, isolation_level=None)
    with ExitStack() as stack:
        stack.callback(connection.close)
        connection.execute("PRAGMA journal_mode = MEMORY")
        fill_new(connection, binding)


def _check_binding(connection: sqlite3.Connection, path: Path, binding: Binding) -> None:
    row = connection.execute("SELECT venue, mode, name FROM account").fetchone()
    stored = None if row is None else Binding(*row)
    if stored != binding:
        owner = (
            "no account"
            if stored is None
            else f"the {stored.mode} account {stored.account!r} on {stored.venue}"
        )
        raise UserError(
            f"The database {path} belongs to {owner}, and this run is for the {binding.mode} account "
            f"{binding.account!r} on {binding.venue}. Mixing them would spoil its books; "
            "name another file with --db."
        )
