"""The first bytes of a file tell whose database it is, before SQLite may touch it."""

from pathlib import Path
from typing import Final

from bot.errors import UserError
from bot.store.schema import APPLICATION_ID

_HEADER_BYTES: Final = 100
_MAGIC: Final = b"SQLite format 3\x00"
_APPLICATION_ID_AT: Final = slice(68, 72)


def check_header(path: Path) -> None:
    """Check that the file is a database of this program, reading its first bytes only.

    UserError: unreadable, not SQLite, or another program's.
    """
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
