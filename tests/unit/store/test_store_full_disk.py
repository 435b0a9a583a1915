"""A full disk: the reserve is given up for the commit that did not fit, and only then is it the end."""

from pathlib import Path

import pytest

from bot.errors import UserError
from bot.ports import Checkpoint, Commit
from bot.store.database import open_journal
from bot.store.journal import SqliteJournal
from bot.store.maintenance import check
from bot.store.reserve import Reserve
from tests.unit.store.story import BINDING, add_margin

LARGE = Checkpoint({"blob": "x" * 100_000}, {}, {})


class FullDisk:
    """A disk that is full while the reserve lies on it: the file may grow only after it was given up."""

    def __init__(self, path: Path) -> None:
        self.journal = open_journal(path, BINDING)
        self.reserve = self.journal.reserve = Reserve(path, size_bytes=2**20)
        assert self.reserve.hold()
        self._release = self.reserve.release
        self.reserve.release = self._give_up
        with self.journal.read() as reader:
            self._pages = reader.exec_driver_sql("PRAGMA page_count").scalar_one()
        self.limit(self._pages)

    def limit(self, pages: int) -> None:
        with self.journal.read() as reader:
            reader.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def _give_up(self) -> bool:
        was_there = self._release()
        if was_there:
            self.limit(self._pages + 100)
        return was_there


def commit_of(journal: SqliteJournal, ts_ms: int, cut: Checkpoint = LARGE) -> None:
    journal.commit(Commit(ts_ms, intents=(add_margin(ts_ms),), checkpoint=cut))


def test_the_commit_that_found_no_space_is_written_into_the_reserve_s_place(path: Path) -> None:
    disk = FullDisk(path)
    commit_of(disk.journal, 1)
    recovered = disk.journal.recover()
    with disk.journal.read() as reader:
        pages = reader.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one()
    disk.journal.close()
    assert recovered is not None
    assert (recovered.checkpoint, recovered.pending) == (LARGE, (add_margin(1),))
    assert pages == 128
    assert not disk.reserve.is_held()
    assert check(path) == []


def test_without_a_reserve_left_nothing_is_written_and_a_person_is_told(path: Path) -> None:
    disk = FullDisk(path)
    commit_of(disk.journal, 1)
    too_large = Checkpoint({"blob": "x" * 900_000}, {}, {})
    with pytest.raises(UserError, match="full"):
        commit_of(disk.journal, 2, too_large)
    recovered = disk.journal.recover()
    disk.journal.close()
    assert recovered is not None
    assert [intent.seq for intent in recovered.pending] == [1]


def test_another_failure_leaves_the_reserve_alone(path: Path) -> None:
    disk = FullDisk(path)
    disk.limit(10_000)
    with disk.journal.read() as reader:
        reader.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(Exception, match="could not be written to"):
        commit_of(disk.journal, 1)
    assert disk.reserve.is_held()
    disk.journal.close()


def test_a_reserve_that_does_not_fit_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None: ...

        def write(self, _: bytes) -> int:
            raise OSError(28, "No space left on device")

    reserve = Reserve(path)
    monkeypatch.setattr(Path, "open", lambda *_, **__: Full())
    assert reserve.hold() is False
    assert list(path.parent.iterdir()) == []
    assert reserve.release() is False


def test_a_reserve_cut_short_by_a_kill_is_made_whole(path: Path) -> None:
    path.with_name(f"{path.name}.reserve").write_bytes(b"x" * 1000)
    reserve = Reserve(path, size_bytes=2**20)
    assert not reserve.is_held()
    assert reserve.hold()
    assert path.with_name(f"{path.name}.reserve").stat().st_size == 2**20
