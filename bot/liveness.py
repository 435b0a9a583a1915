"""Whether a bot is alive on a database: its lock is held and its heartbeat is fresh.

Standard library only: a health check runs every few seconds and must cost almost nothing.
"""

import os
import time
import tomllib
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path("var")
DEFAULT_DATABASE: Final = FOLDER / "paper.db"
DATABASE_VARIABLE: Final = "RINGFENCE__RUN__DB"
FRESH_SECONDS: Final = 60.0


class Liveness(NamedTuple):
    """`age_seconds` is None when the bot never gave a sign; `words` is the finding as a sentence."""

    is_alive: bool
    age_seconds: float | None
    words: str


def beat(database: Path, trouble: str = "") -> None:
    """Say that the bot on `database` is alive now, and what is wrong with what it lives on. OSError passes.

    Call it every few seconds.
    """
    heartbeat_file(database).write_text(trouble, encoding="utf-8")


def heartbeat_file(database: Path) -> Path:
    """Return the file whose modification time is the last sign of life."""
    return database.with_name(database.name + ".heartbeat")


def liveness(database: Path, fresh_seconds: float = FRESH_SECONDS) -> Liveness:
    """Return whether a process holds the lock of `database` and gave a sign within `fresh_seconds`."""
    if not is_locked(database):
        return Liveness(False, None, f"No bot is running on {database}.")
    age = _age_seconds(database)
    if age is None:
        return Liveness(False, None, f"A process holds {database} and never gave a sign of life.")
    if age > fresh_seconds:
        return Liveness(False, age, f"The bot on {database} gave its last sign of life {age:.0f} s ago.")
    words = f"The bot on {database} is alive; its last sign is {age:.0f} s old."
    return Liveness(True, age, words + _trouble(database))


def is_locked(database: Path) -> bool:
    """Return whether a process holds the lock of `database`; asks without taking it for longer than that."""
    import fcntl  # noqa: PLC0415  absent on Windows, where only this question cannot be answered

    try:
        handle = os.open(database.with_name(database.name + ".lock"), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def newest_database() -> Path:
    """Return the database in `var` that was written last, or the default one when there is none."""
    files = sorted(FOLDER.glob("*.db"), key=lambda path: path.stat().st_mtime_ns)
    return files[-1] if files else DEFAULT_DATABASE


def database_path(flag: Path | None, config: Path | None) -> Path:
    """Return the database as the settings name it (flag, variable, file), else the newest one.

    OSError or ValueError when the file cannot be read. A secrets folder is not looked at.
    """
    if flag is not None:
        return flag
    if DATABASE_VARIABLE in os.environ:
        return Path(os.environ[DATABASE_VARIABLE])
    table = {} if config is None else tomllib.loads(config.read_text(encoding="utf-8"))
    named = table.get("run", {}).get("db")
    return newest_database() if named is None else Path(named)


def _trouble(database: Path) -> str:
    """Return what the bot said with its last sign, as a sentence behind others."""
    try:
        said = heartbeat_file(database).read_text(encoding="utf-8")
    except OSError:
        return ""
    return f" But: {said}." if said else ""


def _age_seconds(database: Path) -> float | None:
    """Seconds since the heartbeat, or since the last commit where that is later."""
    signs = (heartbeat_file(database), database.with_name(database.name + "-wal"), database)
    times = [sign.stat().st_mtime for sign in signs if sign.exists()]
    return max(0.0, time.time() - max(times)) if times else None
