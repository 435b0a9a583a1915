"""Whether a bot is alive: the lock, the heartbeat, and which database is asked about."""

import os
import time
from pathlib import Path

import pytest

from bot.liveness import (
    DEFAULT_DATABASE,
    FRESH_SECONDS,
    beat,
    database_path,
    heartbeat_file,
    is_locked,
    liveness,
    newest_database,
)
from bot.store.lock import DatabaseLock


@pytest.fixture
def database(tmp_path) -> Path:
    return tmp_path / "paper.db"


def _age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds, time.time() - seconds))


def test_nobody_is_alive_where_there_is_nothing(database):
    assert not is_locked(database)
    found = liveness(database)
    assert (found.is_alive, found.age_seconds) == (False, None)
    assert list(database.parent.iterdir()) == [], "asking leaves nothing behind"


def test_a_held_lock_with_a_fresh_heartbeat_is_alive(database):
    with DatabaseLock(database):
        beat(database)
        assert liveness(database).is_alive


def test_asking_does_not_take_the_lock(database):
    DatabaseLock(database).acquire()
    with DatabaseLock(database.with_name("other.db")) as lock:
        lock.release()
        assert not is_locked(database.with_name("other.db"))
        lock.acquire()


def test_a_held_lock_with_an_old_heartbeat_is_not_alive(database):
    with DatabaseLock(database):
        beat(database)
        _age(heartbeat_file(database), FRESH_SECONDS + 5)
        found = liveness(database)
        assert not found.is_alive
        assert found.age_seconds is not None
        assert found.age_seconds > FRESH_SECONDS
        assert liveness(database, fresh_seconds=FRESH_SECONDS * 2).is_alive


def test_a_recent_commit_is_a_sign_of_life_too(database):
    with DatabaseLock(database):
        beat(database)
        _age(heartbeat_file(database), 1_000)
        database.with_name("paper.db-wal").write_text("")
        assert liveness(database).is_alive


def test_a_fresh_heartbeat_without_a_lock_is_not_alive(database):
    """A killed process leaves its heartbeat; the system takes its lock back."""
    beat(database)
    assert not liveness(database).is_alive


def test_a_held_lock_without_any_sign_is_not_alive(database):
    with DatabaseLock(database):
        found = liveness(database)
        assert (found.is_alive, found.age_seconds) == (False, None)


def test_a_flag_beats_a_variable_beats_a_file_beats_the_newest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RINGFENCE__RUN__DB", raising=False)
    config = tmp_path / "my.toml"
    config.write_text('[run]\ndb = "file.db"\n')
    assert database_path(None, None) == DEFAULT_DATABASE
    assert database_path(None, config) == Path("file.db")
    monkeypatch.setenv("RINGFENCE__RUN__DB", "variable.db")
    assert database_path(None, config) == Path("variable.db")
    assert database_path(Path("flag.db"), config) == Path("flag.db")


def test_the_newest_database_is_the_one_written_last(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("var").mkdir()
    for name, age in (("paper.db", 50), ("replay-1.db", 5), ("replay-2.db", 500)):
        Path("var", name).write_text("")
        _age(Path("var", name), age)
    assert newest_database() == Path("var/replay-1.db")


def test_what_is_wrong_is_said_with_the_sign_of_life_until_it_is_over(database):
    with DatabaseLock(database):
        beat(database, "no market data of any kind since 12:00")
        found = liveness(database)
        assert found.is_alive
        assert found.words.endswith("But: no market data of any kind since 12:00.")
        beat(database)
        assert "But" not in liveness(database).words
