"""The checks of `ringfence doctor`: each says what it found and never changes anything."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Final, NamedTuple

from bot.errors import RingfenceError, UserError

OLDEST_PYTHON: Final = (3, 11)
FIRST_PYTHON_TOO_NEW: Final = (3, 15)
FREE_BYTES: Final = 200 * 2**20
_NEWEST_SANE_YEAR: Final = 2100
_PACKAGES: Final = {
    "ccxt": "ccxt",
    "pydantic-settings": "pydantic_settings",
    "structlog": "structlog",
    "tenacity": "tenacity",
    "sqlmodel": "sqlmodel",
    "alembic": "alembic",
    "filelock": "filelock",
    "numpy": "numpy",
    "orjson": "orjson",
    "polars": "polars",
    "rich": "rich",
    "TA-Lib": "talib",
    "typer": "typer",
}


class Finding(NamedTuple):
    """`verdict`: "ok", "note" (worth knowing) or "wrong" (a run would fail)."""

    verdict: str
    check: str
    finding: str


def diagnose(config: Path | None, database: Path | None) -> Iterator[Finding]:
    """Yield one finding per check, the cheap ones first."""
    yield _python()
    yield _clock()
    yield _library()
    for package, module in _PACKAGES.items():
        yield _package(package, module)
    yield _ccxt()
    yield from _start_files()
    yield from _configuration(config, database)


def _python() -> Finding:
    version = sys.version.split()[0]
    is_fit = OLDEST_PYTHON <= sys.version_info[:2] < FIRST_PYTHON_TOO_NEW
    return Finding("ok" if is_fit else "wrong", "python", f"{version}; 3.11 up to 3.14 is supported")


def _clock() -> Finding:
    """The wall clock must be later than this program and must agree with itself over a moment."""
    now, steady = time.time(), time.monotonic()
    built = Path(__file__).stat().st_mtime
    drift = abs((time.time() - now) - (time.monotonic() - steady))
    utc = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    if now < built - 86_400 or time.gmtime(now).tm_year >= _NEWEST_SANE_YEAR:
        return Finding("wrong", "clock", f"{utc} UTC cannot be right: this program is newer. Set the clock.")
    return Finding("ok" if drift < 1.0 else "note", "clock", f"{utc} UTC")


def _library() -> Finding:
    from bot.store.library import library

    try:
        found = library()
    except UserError as error:
        return Finding("wrong", "sqlite", str(error))
    return Finding("note" if found.has_wal_reset_bug else "ok", "sqlite", found.words)


def _package(package: str, module: str) -> Finding:
    try:
        import_module(module)
        return Finding("ok", package, metadata.version(package))
    except (ImportError, OSError, metadata.PackageNotFoundError) as error:
        return Finding("wrong", package, f"cannot be imported: {error}. Run make setup.")


def _ccxt() -> Finding:
    """The package that gets the keys: its version, where it stands, and each of its files."""
    from bot.installed import CCXT_VERSION, changed_files, check_ccxt

    try:
        check_ccxt()
    except UserError as error:
        return Finding("wrong", "ccxt files", str(error))
    changed = list(changed_files("ccxt"))
    if changed:
        words = f"{len(changed)} files are not as installed, {changed[0]} for one. Run make setup anew."
        return Finding("wrong", "ccxt files", words)
    return Finding("ok", "ccxt files", f"{CCXT_VERSION} as locked, every file as installed")


def _start_files() -> Iterator[Finding]:
    from bot.installed import foreign_start_files

    files = foreign_start_files()
    for file in files:
        yield Finding("note", "start of Python", f"{file.words}. If you do not know it, remove it.")
    if not files:
        yield Finding("ok", "start of Python", "no file from outside the lock is run")


def _configuration(config: Path | None, database: Path | None) -> Iterator[Finding]:
    from bot.cli.options import settings_of
    from bot.cli.readiness import check_ready
    from bot.liveness import newest_database
    from bot.settings import config_hash

    try:
        settings = settings_of(config, {"run.db": ("--db", database)})
        check_ready(settings)
    except UserError as error:
        yield Finding("wrong", "configuration", str(error))
        return
    yield Finding("ok", "configuration", f"{config or 'no file'}: valid, {config_hash(settings)}")
    path = settings.run.db or newest_database()
    yield _disk(path)
    yield _database(path)


def _disk(database: Path) -> Finding:
    folder = _existing_parent(database)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("wrong", "disk", f"{folder} cannot be written by this user. Use --db elsewhere.")
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        return Finding("wrong", "disk", f"{folder} has {free / 2**20:.0f} MB left; free some space.")
    return Finding("ok", "disk", f"{folder} is writable, {free / 2**30:.1f} GB free")


def _database(database: Path) -> Finding:
    if not database.exists():
        return Finding("note", "database", f"{database} does not exist yet; trade creates it")
    from bot.store.maintenance import check

    try:
        findings = check(database)
    except RingfenceError as error:
        return Finding("wrong", "database", str(error))
    if findings:
        faults = "; ".join(finding.message for finding in findings)
        return Finding("wrong", "database", f"{database}: {faults}. Restore a backup.")
    return Finding("ok", "database", f"{database} is sound")


def _existing_parent(path: Path) -> Path:
    folder = path.resolve().parent
    while not folder.exists():
        folder = folder.parent
    return folder
