"""Putting a copy in the place of a database, which is kept under another name."""

import os
import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from bot.errors import UserError
from bot.store.backup import sync
from bot.store.copies import Copies
from bot.store.header import LOG, check_header
from bot.store.location import writable_directory
from bot.store.lock import DatabaseLock
from bot.store.maintenance import copy_in_use, damage
from bot.store.reader import connect_read_only
from bot.store.schema import HEAD, is_known, revision_of

_SHARED_MEMORY: Final = "-shm"


def restore(copy: Path, path: Path, now: float) -> Path | None:
    """Put `copy` in the place of the database at `path`; return the name that the file before has now.

    None: there was no file. The copy stays where it is. `now` is the wall time in seconds.
    UserError: the database is in use, or the copy is missing, not ours or damaged; nothing was changed then.
    """
    source, full = copy.expanduser().resolve(), writable_directory(path)
    if not source.is_file():
        raise UserError(f"There is no copy {source}. {_newest(full)}")
    if source == full:
        raise UserError(f"{source} is the database itself. Name the copy that is to take its place.")
    check_header(source)
    draft = full.with_name(f"{full.name}.restored")
    with DatabaseLock(full), ExitStack() as undo:
        undo.callback(draft.unlink, missing_ok=True)
        draft.unlink(missing_ok=True)
        copy_in_use(source, draft)
        _check_sound(source, draft)
        _check_fitting(source, draft, full)
        try:
            return _swap(draft, full, now)
        except OSError as error:
            raise UserError(
                f"Cannot put a file in the place of {full}: {error.strerror}. Give this user write access "
                "to its directory, then run the same command again."
            ) from error


def _newest(path: Path) -> str:
    files = Copies(path, None, 0).files()
    if not files:
        return f"Name a file made by `ringfence db backup`, or by a running bot beside {path.name}."
    return f"The newest of {path.name} is {files[-1]}."


def _check_sound(source: Path, draft: Path) -> None:
    findings = damage(draft)
    if findings:
        raise UserError(
            f"The copy {source} is damaged ({findings[0].message}). Nothing was changed. Name an older one."
        )


def _check_fitting(source: Path, draft: Path, path: Path) -> None:
    """Refuse what the next start would refuse, while the database is still in its place."""
    with closing(connect_read_only(draft)) as connection:
        revision = revision_of(connection)
        ours = None if revision is None else _account(connection)
    if revision != HEAD and not is_known(revision):
        raise UserError(
            f"The copy {source} was written by a newer ringfence (revision {revision}). Nothing was changed. "
            "Install the newer version, or name another copy."
        )
    theirs = _account_at(path)
    if theirs is not None and ours is not None and theirs != ours:
        raise UserError(
            f"The copy {source} is of the {ours[1]} account {ours[2]!r} on {ours[0]}, and {path} belongs to "
            f"the {theirs[1]} account {theirs[2]!r} on {theirs[0]}. Nothing was changed. Name a copy of that "
            "account, or another database with --db."
        )


def _account_at(path: Path) -> tuple[str, str, str] | None:
    """Return whose the database is; None: there is none, or it is too damaged to say."""
    if not path.exists():
        return None
    try:
        with closing(connect_read_only(path)) as connection:
            return _account(connection)
    except sqlite3.DatabaseError:
        return None


def _account(connection: sqlite3.Connection) -> tuple[str, str, str] | None:
    row = connection.execute("SELECT venue, mode, name FROM account").fetchone()
    return None if row is None else (row[0], row[1], row[2])


def _swap(draft: Path, path: Path, now: float) -> Path | None:
    """The log of the file before is moved last: until then a start sees that it is not the copy's."""
    kept = path.with_name(f"{path.name}.replaced-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}")
    had_file = path.exists()
    if had_file:
        _keep(path, kept)
    draft.replace(path)
    for ending in (LOG, _SHARED_MEMORY):
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.replace(kept.with_name(kept.name + ending))
    sync(path.parent)
    return kept if had_file else None


def _keep(path: Path, kept: Path) -> None:
    """Give the file a second name, so that there is a database at every instant; else move it."""
    if kept.exists():
        raise UserError(f"{kept} exists already and was left as it is. Run the same command again.")
    try:
        os.link(path, kept)
    except OSError:
        path.replace(kept)
