"""Where a database may live: the checks made before any file is touched."""

import os
from pathlib import Path

from bot.errors import UserError


def writable_directory(path: Path) -> Path:
    """Return `path` made absolute, once its directory is known to exist and to be writable.

    UserError: the directory is missing or read-only, or `path` is a directory, a read-only file or
    a file with several hard links.
    """
    full = path.expanduser().resolve()
    directory = full.parent
    if not directory.is_dir():
        raise UserError(
            f"The database {full} cannot be created: the directory {directory} does not exist. "
            "Create it, or name another file with --db."
        )
    if full.is_dir():
        raise UserError(f"{full} is a directory, not a database file. Name a file in it with --db.")
    # A journalled database writes files beside itself, so the file alone is not enough.
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UserError(
            f"The database {full} cannot be used: this user may not write to the directory {directory}. "
            "Give write access to it, or name a file elsewhere with --db."
        )
    if full.exists() and not os.access(full, os.R_OK | os.W_OK):
        raise UserError(
            f"The database {full} cannot be used: this user may not write to the file. "
            "Give write access to it, or name another file with --db."
        )
    _refuse_hard_links(full)
    return full


def _refuse_hard_links(path: Path) -> None:
    """The lock and the write-ahead log are named after the file: two names would hide two writers."""
    links = path.stat().st_nlink if path.exists() else 1
    if links > 1:
        raise UserError(
            f"The database {path} cannot be used: the file has {links} names (hard links), and a process "
            "that writes through another one would damage it unseen. Remove the other names, or make "
            "a copy with `ringfence db backup` and name that with --db."
        )


def existing_file(path: Path) -> Path:
    """Return `path` made absolute. UserError: there is no file."""
    full = path.expanduser().resolve()
    if not full.is_file():
        raise UserError(
            f"There is no database at {full}: nothing has been traded with this file yet. "
            "Run `ringfence trade` first, or name the right file with --db."
        )
    return full
