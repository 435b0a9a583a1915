"""One process per account on a machine, whatever database each of two was given."""

import stat
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.store.account_lock import AccountLock, state_folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def test_a_second_process_on_an_account_is_refused_and_told_who_trades(home: Path) -> None:
    first, second = (AccountLock("live-okx-1", home / name) for name in ("one.db", "two.db"))
    assert first.acquire() == ""
    with pytest.raises(UserError, match=r"trades on this account \(process \d+, database .*one\.db\)"):
        second.acquire()
    first.release()
    assert second.acquire() == ""
    second.release()


def test_another_account_is_another_lock(home: Path) -> None:
    first, second = AccountLock("live-okx-1", home / "one.db"), AccountLock("live-okx-2", home / "two.db")
    assert first.acquire() == second.acquire() == ""
    first.release()
    second.release()


def test_nobody_else_may_read_the_folder_and_the_file(home: Path) -> None:
    lock = AccountLock("live-okx-1", home / "one.db")
    lock.acquire()
    lock.release()
    folder = home / "state" / "ringfence"
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "live-okx-1.lock")]
    assert modes == [0o700, 0o600]


def test_no_place_for_the_lock_is_said_and_ends_no_start(home: Path) -> None:
    (home / "state").write_text("a file")
    assert "would not be refused" in AccountLock("live-okx-1", home / "one.db").acquire()


def test_a_relative_folder_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "somewhere")
    assert state_folder() == Path.home() / ".local" / "state" / "ringfence"
