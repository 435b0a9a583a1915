"""What a database failure means to a person: fact, cause, next step."""

import sqlite3
from pathlib import Path
from typing import Final

from bot.errors import Fatal, RingfenceError, UserError

# EFBIG and EDQUOT reach SQLite as a failed write; the shared memory file of the log may fail to grow too.
_MAY_NOT_GROW: Final = frozenset({sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})
_NO_SPACE: Final = (
    "the file may not grow: a file size limit (ulimit -f), a quota or a full disk",
    (
        "Everything committed before is intact: lift the limit or free some space, "
        "and the same command continues from there."
    ),
)
_CAUSES = {
    sqlite3.SQLITE_FULL: (
        "the disk (or its quota) is full",
        "Everything committed before is intact: free some space, and the same command continues from there.",
    ),
    sqlite3.SQLITE_BUSY: (
        "another program holds the database locked",
        "Close that program (a database browser, a backup) and start again.",
    ),
    sqlite3.SQLITE_READONLY: (
        "the file or its directory is read-only",
        "Give this user write access to the directory or name another file with --db.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the file or its directory cannot be opened by this user",
        "Check that the directory exists and is writable, or name another file with --db.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "the file is damaged",
        "Put a copy in its place with `ringfence db restore COPY`, or name another file with --db.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "the file is not an SQLite database",
        "Name another file with --db; this one was not touched.",
    ),
    sqlite3.SQLITE_IOERR: (
        "the disk reported an input/output error",
        "Check the disk, then run `ringfence db check` before starting again.",
    ),
}
_UNNAMED = ("SQLite refused", "Run `ringfence db check`; if it reports damage, `ringfence db restore COPY`.")


def paragraph(fact: str, path: Path, error: sqlite3.Error) -> str:
    """Return one paragraph: `fact` about the database at `path`, the cause of `error`, the next step."""
    cause, next_step = _NO_SPACE if _code(error) in _MAY_NOT_GROW else _CAUSES.get(_primary(error), _UNNAMED)
    return f"{fact} {path}: {cause} ({error}). {next_step}"


def failure(fact: str, path: Path, error: sqlite3.Error) -> RingfenceError:
    """Return what to raise when a running journal fails: UserError for want of space, else Fatal."""
    kind = UserError if is_want_of_space(error) else Fatal
    return kind(paragraph(fact, path, error))


def is_want_of_space(error: sqlite3.Error) -> bool:
    """Return whether the write failed because the file could not grow."""
    return _primary(error) == sqlite3.SQLITE_FULL or _code(error) in _MAY_NOT_GROW


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", None) or 0


def _primary(error: sqlite3.Error) -> int:
    return _code(error) & 0xFF
