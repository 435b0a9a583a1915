"""The first bytes of a file tell whose database it is, before SQLite may touch it."""

from pathlib import Path
from typing import Final

from bot.errors import UserError
from bot.store.schema import APPLICATION_ID

_HEADER_BYTES: Final = 100
_MAGIC: Final = b"SQLite format 3\x00"
_APPLICATION_ID_AT: Final = slice(68, 72)
# What SQLite must know to read the file: 2 with a write-ahead log, 1 without (sqlite.org/fileformat2.html).
_READ_VERSION_AT: Final = 19
_WITH_LOG: Final = 2
LOG: Final = "-wal"


def check_header(path: Path) -> None:
    """Check that the file is a database of this program, reading its first bytes only.

    UserError: unreadable, not SQLite, another program's, or beside a log that is not its own.
    """
    has_log = has_commits(path)  # looked at first: a file that gets its first log says so before
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError as error:
        raise UserError(
            f"Cannot read the database {path}: {error.strerror}. "
            "Give this user access to it, or name another file with --db."
        ) from error
    if not header.startswith(_MAGIC):
        raise UserError(
            f"{path} is not a ringfence database: it is not an SQLite file at all, or its beginning is "
            "damaged. Nothing was changed; restore a backup or name another file with --db."
        )
    if int.from_bytes(header[_APPLICATION_ID_AT], "big") != APPLICATION_ID:
        raise UserError(
            f"{path} is not a ringfence database: it is an SQLite file of another program. "
            "Nothing was changed; name another file with --db."
        )
    if has_log and header[_READ_VERSION_AT] != _WITH_LOG:
        raise UserError(
            f"{path} was put beside the log of another file ({path.name}{LOG}), which would be written over "
            "it. Nothing was changed. Put copies in place with `ringfence db restore COPY`, which also moves "
            "the log away, or move it away yourself."
        )


def has_commits(path: Path) -> bool:
    """Return whether a log that holds anything lies beside the file, which need not exist."""
    log = path.with_name(path.name + LOG)
    return log.exists() and log.stat().st_size > 0
