"""One trading process per account on this machine, whatever database it has.

Two bots on one account undo each other's stops and margin. Another machine cannot be locked: what its bot
orders is noticed while trading (bot/engine/ours.py).
"""

import os
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from bot.errors import UserError

STATE_VARIABLE: Final = "XDG_STATE_HOME"


def state_folder() -> Path:
    """Return where this user's programs keep what outlives a run: ringfence's part of it, made or not.

    RuntimeError: the user has no home folder. Source: XDG Base Directory Specification 0.8.
    """
    named = Path(os.environ.get(STATE_VARIABLE, ""))
    base = named if named.is_absolute() else Path.home() / ".local" / "state"
    return base / "ringfence"


class AccountLock:
    """The lock file of an account, by `name`. Released by the system when its process dies."""

    def __init__(self, name: str, database: Path) -> None:
        self._name, self._database = name, database
        self._lock: FileLock | None = None

    def acquire(self) -> str:
        """Take the lock; return what is wrong where this machine has no place for it, else "".

        UserError: another process trades on the account. A missing place ends no start: what is open there
        would be guarded by nobody.
        """
        file = Path(f"{self._name}.lock")
        try:
            file = state_folder() / file
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch(mode=0o600)
            self._lock = FileLock(file, timeout=0, mode=0o600)
            self._lock.acquire()
            file.write_text(f"{os.getpid()} {self._database.resolve()}\n", encoding="utf-8")
        except Timeout as error:
            raise UserError(
                f"Another ringfence process trades on this account{_holder(file)}. Two bots on one account "
                "undo each other's stops and margin, also with a database each. Nothing was started. Stop "
                "that process first (Ctrl-C there)."
            ) from error
        except (OSError, RuntimeError) as error:
            return (
                f"The lock of this account cannot be kept ({error}): a second bot on it, with another "
                f"database, would not be refused. Name a folder of this user with {STATE_VARIABLE}."
            )
        return ""

    def release(self) -> None:
        """Give the lock back; the file stays, because removing it would let two processes hold it."""
        if self._lock is not None:
            self._lock.release()


def _holder(file: Path) -> str:
    """Return " (process N, database FILE)" as the holder wrote it, or nothing when it is not known."""
    try:
        process_id, _, database = file.read_text(encoding="utf-8").strip().partition(" ")
    except OSError:
        return ""
    return f" (process {process_id}, database {database})" if process_id.isdigit() else ""
