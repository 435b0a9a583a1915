"""What a database failure means to a person: fact, cause, next step."""

import sqlite3
from pathlib import Path

_CAUSES = {
    sqlite3.SQLITE_FULL: (
        "the disk (or its quota) is full",
        "Free some space and start again; everything committed before is intact.",
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
        "Restore a copy made by `ringfence db backup`, or name another file with --db.",
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
_UNNAMED = ("SQLite refused", "Run `ringfence db check`; restore a backup if it reports damage.")


def paragraph(fact: str, path: Path, error: sqlite3.Error) -> str:
    """Return one paragraph: `fact` about the database at `path`, the cause of `error`, the next step."""
    primary_code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    cause, next_step = _CAUSES.get(primary_code, _UNNAMED)
    return f"{fact} {path}: {cause} ({error}). {next_step}"
