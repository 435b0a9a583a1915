"""What a bot writes is for the user it runs as, whatever the umask of the shell."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.ports import Commit
from bot.store.journal import SqliteJournal
from tests.unit.cli.conftest import Outcome


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    assert os.umask(before) == 0o022


def modes(folder: Path) -> dict[str, int]:
    found = sorted(folder.rglob("*"))
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in found}


def test_nobody_else_may_read_what_trading_writes(ringfence: Callable[..., Outcome], workplace: Path) -> None:
    assert ringfence("trade", "--headless", "--no-web", "--for", "1s", "--summary", "told.json").code == 0
    assert ringfence("db", "backup", "copy.db").code == 0
    assert ringfence("halt").code == 0
    found = modes(workplace)
    assert {"var", "paper.db", "paper.db.lock", "copy.db", "told.json"} <= set(found)
    assert {name: mode for name, mode in found.items() if mode & 0o077} == {}


def test_log_lock_and_reserve_of_a_running_bot_are_private(
    ringfence: Callable[..., Outcome], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, int] = {}
    written = SqliteJournal.commit

    def commit(journal: SqliteJournal, what: Commit) -> None:
        written(journal, what)
        seen.update(modes(workplace))

    monkeypatch.setattr(SqliteJournal, "commit", commit)
    assert ringfence("trade", "--headless", "--no-web", "--for", "1s").code == 0
    assert {"paper.db", "paper.db-wal", "paper.db-shm", "paper.db.lock"} <= set(seen)
    assert {name: mode for name, mode in seen.items() if mode & 0o077} == {}
