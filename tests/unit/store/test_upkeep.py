"""A running bot's database is watched, checked and copied, and what is found is said; protection goes on."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.core.event import AlertRaised, SignalSeen
from bot.engine.storage import BACKUP_FAILED, DATABASE_DAMAGED, DISK_LOW
from bot.errors import UserError
from bot.ports import Commit
from bot.settings.model import Storage as Choice
from bot.store.backup import GivenUp
from bot.store.database import open_journal
from bot.store.maintenance import Finding, check, copy_in_use, damage, head
from bot.upkeep import Upkeep
from tests.unit.store.house import DAY_MS, MB, House
from tests.unit.store.story import BINDING, RUN, add_margin, checkpoint


@pytest.fixture
def house(path: Path) -> Iterator[House]:
    house = House(path, backups_kept=2)
    yield house
    house.leave()


def test_a_short_disk_halts_entries_and_alerts_once_and_space_ends_it(house: House) -> None:
    house.upkeep.look()
    assert house.talk.causes() == []
    house.free_mb = 199
    for _ in range(3):
        house.upkeep.look()
    assert house.talk.causes() == [("EntriesHalted", DISK_LOW), ("AlertRaised", DISK_LOW)]
    assert "199 MB left" in house.upkeep.words
    house.talk.bench.enter()
    assert house.talk.bench.told(SignalSeen)[-1].is_approved is False
    house.free_mb = 249  # a little more than the bound is not enough
    house.upkeep.look()
    assert house.talk.causes() == []
    house.free_mb = 250
    house.upkeep.look()
    assert house.talk.causes() == [("EntriesResumed", DISK_LOW)]
    assert house.upkeep.words == ""
    house.talk.bench.enter()
    assert house.talk.bench.told(SignalSeen)[-1].is_approved is True


def test_a_short_disk_stops_no_exit_and_no_margin(house: House) -> None:
    bench = house.talk.bench
    bench.enter()
    house.free_mb = 1
    house.upkeep.look()
    (alert,) = [note for note in house.talk.notes if isinstance(note, AlertRaised)]
    assert alert.severity == "critical"
    assert "stops, exits and margin of open positions go on" in alert.message
    stop = bench.stop().trigger_price
    bench.tick(99.5)
    assert bench.stop().trigger_price == stop
    bench.tick(stop - 0.1)
    assert bench.market().holding is None


def test_a_reserve_in_use_is_a_full_disk_whatever_the_disk_reports(house: House) -> None:
    house.upkeep.look()
    reserve = house.journal.reserve
    assert reserve is not None
    assert reserve.is_held()
    house.free_mb = 205  # a quota: the disk itself has space, but none to make the reserve again
    reserve.release()
    house.upkeep.look()
    assert house.talk.causes() == [("EntriesHalted", DISK_LOW), ("AlertRaised", DISK_LOW)]
    house.free_mb = 10_000
    house.upkeep.look()
    assert house.talk.causes() == [("EntriesResumed", DISK_LOW)]
    assert reserve.is_held()


@pytest.mark.parametrize("free_mb", [16, 100, 203])
def test_a_start_on_a_disk_that_runs_short_makes_its_reserve_and_says_so(path: Path, free_mb: int) -> None:
    house = House(path)
    house.free_mb = free_mb
    house.upkeep.look()
    assert house.journal.reserve is not None
    assert house.journal.reserve.is_held()
    low = [("EntriesHalted", DISK_LOW), ("AlertRaised", DISK_LOW)]
    assert house.talk.causes() == (low if free_mb < 200 else [])
    house.journal.reserve.release()
    house.upkeep.look()
    assert not house.journal.reserve.is_held()  # what a write needs is not taken from it again
    house.leave()


def test_a_start_without_space_for_a_reserve_halts_entries_and_says_that_there_is_none(path: Path) -> None:
    house = House(path)
    house.free_mb = 15
    house.upkeep.look()
    assert house.journal.reserve is not None
    assert not house.journal.reserve.is_held()
    (alert,) = [note for note in house.talk.notes if isinstance(note, AlertRaised)]
    assert "15 MB left" in alert.message
    assert "without a reserve" in alert.message
    house.leave()


def test_news_waits_while_requests_are_under_way(house: House) -> None:
    house.talk.is_busy = True
    house.free_mb = 1
    house.upkeep.look()
    assert house.talk.causes() == []
    house.talk.is_busy = False
    house.upkeep.look()
    assert house.talk.causes() == [("EntriesHalted", DISK_LOW), ("AlertRaised", DISK_LOW)]


def test_a_session_without_news_commits_nothing(house: House) -> None:
    house.talk.failure = UserError("a commit that nobody needed")
    house.upkeep.look()
    house.upkeep.look()


async def test_a_journal_that_cannot_be_written_ends_the_session(house: House) -> None:
    house.free_mb = 1
    house.talk.failure = UserError("full")
    await house.upkeep.keep()
    assert house.upkeep.failure is house.talk.failure
    assert house.talk.is_stopped


async def test_a_check_comes_ten_minutes_after_the_start_and_then_daily(house: House) -> None:
    times = []
    for minute in range(0, 2 * 24 * 60, 5):
        house.clock.ms = RUN.started_ms + minute * 60_000
        house.log.lines.clear()
        await house.upkeep.do_due()
        times += [minute for name, _ in house.log.lines if name == "storage.checked"]
    assert times == [10, 10 + 24 * 60]


async def test_damage_halts_entries_until_a_check_finds_none(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = [Finding("integrity", "row 1 missing from index position_open")]
    monkeypatch.setattr("bot.upkeep.damage", lambda *_: wrong)
    house.clock.ms += 600_000
    await house.upkeep.do_due()
    assert house.talk.causes() == [("EntriesHalted", DATABASE_DAMAGED), ("AlertRaised", DATABASE_DAMAGED)]
    assert "position_open" in house.upkeep.words
    monkeypatch.setattr("bot.upkeep.damage", lambda *_: [])
    house.clock.ms += DAY_MS
    await house.upkeep.do_due()
    assert ("EntriesResumed", DATABASE_DAMAGED) in house.talk.causes()
    assert house.upkeep.words == ""


def test_a_damaged_index_is_found_while_a_bot_trades_on_the_file(house: House) -> None:
    assert damage(house.path) == []
    with house.journal.read() as reader:
        reader.exec_driver_sql("PRAGMA writable_schema = ON")
        hide = "UPDATE sqlite_master SET sql = replace(sql, 'IS NULL', '> 0') WHERE name = 'position_open'"
        reader.exec_driver_sql(hide)
    assert "position_open" in damage(house.path)[0].message


async def test_copies_are_made_on_schedule_checked_and_the_newest_are_kept(house: House) -> None:
    for _ in range(3):
        house.clock.ms += DAY_MS
        await house.upkeep.do_due()
        house.journal.commit(Commit(house.clock.ms, checkpoint=checkpoint(house.clock.ms)))
    copies = house.copies()
    assert [copy.name for copy in copies] == [
        f"{house.path.name}.1970010{day}T000000Z.backup" for day in (3, 4)
    ]
    assert all(check(copy) == [] for copy in copies)


async def test_the_log_names_the_head_of_each_copys_journal(house: House) -> None:
    house.clock.ms += DAY_MS
    await house.upkeep.do_due()
    (told,) = [facts for name, facts in house.log.lines if name == "storage.copied"]
    end = head(house.copies()[0])
    assert (told["journal_rows"], told["journal_link"]) == end
    assert end.last_id > 0


async def test_a_copy_is_restored_by_putting_it_in_the_file_s_place(house: House, tmp_path: Path) -> None:
    house.clock.ms += DAY_MS
    await house.upkeep.do_due()
    was = house.journal.recover()
    house.journal.commit(Commit(9, intents=(add_margin(9),), checkpoint=checkpoint(9)))
    restored = tmp_path / "restored.db"
    restored.write_bytes(house.copies()[0].read_bytes())
    journal = open_journal(restored, BINDING, create=False)
    assert journal.recover() == was
    journal.commit(Commit(10, intents=(add_margin(9),), checkpoint=checkpoint(10)))
    journal.close()
    assert check(restored) == []


async def test_the_next_copy_is_counted_from_the_last_whoever_made_it(path: Path) -> None:
    first = House(path)
    first.clock.ms += DAY_MS
    await first.upkeep.do_due()
    (made,) = first.copies()
    first.leave()
    second = House.__new__(House)
    second.__dict__ |= first.__dict__
    second.lock.acquire()
    second.journal = open_journal(path, BINDING)
    second.clock.ms = int(made.stat().st_mtime * 1000)
    second.upkeep = Upkeep(
        second.talk,  # pyright: ignore[reportArgumentType]
        second.journal,
        path,
        Choice(),
        second.clock,
        second.log,
        lambda _: 10**12,
    )
    second.clock.ms += DAY_MS - 1
    await second.upkeep.do_due()
    assert second.copies() == [made]
    second.clock.ms += 2
    await second.upkeep.do_due()
    assert len(second.copies()) == 2
    second.leave()


async def test_no_copies_are_made_when_none_are_to_be_kept(path: Path) -> None:
    house = House(path, backups_kept=0)
    house.clock.ms += 30 * DAY_MS
    await house.upkeep.do_due()
    assert house.copies() == []
    house.leave()


async def test_a_copy_that_does_not_fit_is_not_begun_and_is_tried_again(house: House) -> None:
    house.clock.ms += DAY_MS
    house.free_mb = 200
    await house.upkeep.do_due()
    assert house.copies() == []
    assert house.talk.causes() == [("AlertRaised", BACKUP_FAILED)]
    house.free_mb = 10_000
    await house.upkeep.do_due()
    assert house.copies() == []
    house.clock.ms += 3_600_000
    await house.upkeep.do_due()
    assert len(house.copies()) == 1


def test_a_copy_that_is_not_wanted_any_more_leaves_nothing(house: House, tmp_path: Path) -> None:
    with pytest.raises(GivenUp):
        copy_in_use(house.path, tmp_path / "copy.db", lambda: False)
    assert not list(tmp_path.glob("copy*"))


async def test_the_bot_ends_at_once_while_a_copy_is_being_made(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = threading.Event()

    def endless(_path: Path, _to: Path, go_on: Any) -> None:
        began.set()
        while go_on():
            pass
        raise GivenUp

    monkeypatch.setattr("bot.upkeep.copy_in_use", endless)
    house.clock.ms += DAY_MS
    keeping = asyncio.create_task(house.upkeep.keep())
    while not began.is_set():
        await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert keeping.cancelled()
    assert house.upkeep.failure is None


async def test_no_care_of_the_file_drops_the_locks_that_keep_other_programs_out(house: House) -> None:
    """A descriptor of the file that is closed in this process would take SQLite's locks with it."""
    house.clock.ms += DAY_MS
    house.upkeep.look()
    await house.upkeep.do_due()
    assert len(house.copies()) == 1
    script = (
        "import sqlite3, sys\n"
        "try:\n"
        "    file = sqlite3.connect(sys.argv[1], timeout=0)\n"
        "    print(file.execute('PRAGMA journal_mode = DELETE').fetchone())\n"
        "except sqlite3.OperationalError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(house.path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "database is locked"


def test_a_reserve_is_given_back_at_the_end(path: Path) -> None:
    house = House(path)
    house.upkeep.look()
    reserve = path.with_name(f"{path.name}.reserve")
    assert reserve.stat().st_size == 8 * MB
    house.leave()
    assert not reserve.exists()


def test_the_copy_of_a_file_that_is_written_to_meanwhile_is_of_one_instant(
    house: House, tmp_path: Path
) -> None:
    """Commits between two steps of the copy neither get into it nor begin it anew."""
    for number in range(10, 40):
        house.journal.commit(
            Commit(number, checkpoint=checkpoint(number)._replace(feed={"x": "y" * 400_000}))
        )
    steps = []

    def commit_more() -> bool:
        steps.append(1)
        house.journal.commit(Commit(100 + len(steps), intents=(add_margin(100 + len(steps)),)))
        return len(steps) < 50

    copy_in_use(house.path, tmp_path / "copy.db", commit_more)
    assert 0 < len(steps) < 50
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM intent WHERE seq > 100").fetchone() == (0,)
    assert check(tmp_path / "copy.db") == []


def test_what_runs_in_the_bot_reads_its_database_through_its_own_connections(root: Path) -> None:
    """`open_reader` and `check_header` open and close the file: they are for other processes."""
    modules = ["app.py", "upkeep.py", "summary.py", "cli/session.py", "cli/live.py"]
    folders = [root / "bot" / folder for folder in ("web", "view", "alerts")]
    modules += [str(path.relative_to(root / "bot")) for folder in folders for path in folder.rglob("*.py")]
    for module in modules:
        text = (root / "bot" / module).read_text(encoding="utf-8")
        assert not any(name in text for name in ("open_reader", "check_header", "findings(")), module
