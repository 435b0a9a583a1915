"""Nothing comes at all: the wall clock notices, entries halt, one alert, and data that comes back ends it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.core.event import AlertRaised, EntriesHalted, EntriesResumed, MarkPrice, Note, SignalSeen
from bot.engine.outage import FEED_SILENT, Outage
from bot.engine.reconcile import begin
from bot.engine.state import restore
from bot.errors import Fatal
from bot.ports import Commit
from tests.unit.engine.desk_builder import START_MS, A, Bench
from tests.unit.engine.session_builder import Process, market_history, new_memory

LIMIT_MS = 30_000
HISTORY = market_history(seed=2, bars=20)


class StillClock:
    """Wall time that passes when the test says so."""

    def __init__(self) -> None:
        self._now_ms = 1_800_000_000_000
        self._waiting: asyncio.Future[None] | None = None

    def now_ms(self) -> int:
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting

    def advance(self, ms: int) -> None:
        self._now_ms += ms

    async def pass_by(self, ms: int) -> None:
        """Let time pass and whoever sleeps wake once."""
        await settle()
        self.advance(ms)
        assert self._waiting is not None
        self._waiting.set_result(None)
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def silent(bench: Bench) -> tuple[Outage, StillClock]:
    clock = StillClock()
    outage = Outage(bench.engine.desk, clock, LIMIT_MS)
    outage.begin()
    return outage, clock


def notes_of(bench: Bench) -> list[Note]:
    return list(bench.engine.desk.outbox.take().notes)


def test_silence_is_an_outage_only_when_it_lasts() -> None:
    bench = Bench()
    outage, clock = silent(bench)
    for _ in range(5):
        clock.advance(LIMIT_MS - 1)
        assert outage.look() is False
        outage.heard += 1
        assert outage.look() is False
    clock.advance(LIMIT_MS)
    assert outage.look() is True


def test_an_outage_is_told_once_with_fact_cause_next_step_and_what_protects() -> None:
    bench = Bench()
    bench.enter()
    outage, clock = silent(bench)
    clock.advance(LIMIT_MS)
    assert outage.look() is True
    halted, alert = notes_of(bench)
    assert isinstance(halted, EntriesHalted)
    assert isinstance(alert, AlertRaised)
    assert (halted.cause, alert.cause, alert.severity) == (FEED_SILENT, FEED_SILENT, "critical")
    for words in ("2027-01-15 08:00 UTC", "its stop at 98 resting", "Check the network", "exchange is"):
        assert words in alert.message
    clock.advance(10 * LIMIT_MS)
    assert outage.look() is False
    assert notes_of(bench) == []


def test_without_a_position_it_is_a_warning() -> None:
    bench = Bench()
    outage, clock = silent(bench)
    clock.advance(LIMIT_MS)
    outage.look()
    alert = notes_of(bench)[1]
    assert isinstance(alert, AlertRaised)
    assert alert.severity == "warning"
    assert "no position is open" in alert.message


def test_entries_stay_halted_until_data_is_back_and_the_next_outage_is_news_again() -> None:
    bench = Bench()
    outage, clock = silent(bench)
    clock.advance(LIMIT_MS)
    outage.look()
    bench.enter()
    assert bench.told(SignalSeen)[-1].is_approved is False
    outage.heard += 1
    assert outage.look() is True
    assert isinstance(notes_of(bench)[-1], EntriesResumed)
    assert outage.words == ""
    bench.enter()
    assert bench.told(SignalSeen)[-1].is_approved is True
    clock.advance(LIMIT_MS)
    assert outage.look() is True
    assert bench.holding().position_id == bench.market().alerts[FEED_SILENT]


def test_a_restart_in_an_outage_goes_on_with_it_and_ends_it_with_the_first_data() -> None:
    bench, again = Bench(), Bench()
    outage, clock = silent(bench)
    clock.advance(LIMIT_MS)
    outage.look()
    restore(again.engine.state, bench.engine.snapshot())
    outage, clock = silent(again)
    clock.advance(LIMIT_MS)
    assert outage.look() is False
    outage.heard += 1
    assert outage.look() is True
    assert again.engine.state.halts == {}


class HangingFeed:
    """Gives one mark whenever it is let."""

    def __init__(self) -> None:
        self.may_give = asyncio.Event()

    async def events(self) -> AsyncIterator[Any]:
        for number in range(100):
            await self.may_give.wait()
            self.may_give.clear()
            yield MarkPrice(START_MS + number, A, 100.0, 100.0)

    def cursor(self) -> dict[str, Any]:
        return {}


class Watched:
    """A session on a feed that hangs, followed until the test is over."""

    def __init__(self, *, is_watched: bool = True) -> None:
        self.process, self.clock, self.feed = Process(new_memory(), HISTORY), StillClock(), HangingFeed()
        session = self.session = self.process.session
        session._feed = self.feed  # pyright: ignore[reportAttributeAccessIssue]
        desk = self.process.engine.desk
        session.outage = Outage(desk, self.clock, LIMIT_MS) if is_watched else None

    async def __aenter__(self) -> "Watched":
        begin(self.process.engine, await self.process.venue.account(), START_MS)
        self.running = asyncio.create_task(self.session.run())
        await settle()
        return self

    async def __aexit__(self, *_: Any) -> None:
        self.session.stop()
        await asyncio.gather(self.running, return_exceptions=True)

    def alerts(self) -> list[str]:
        notes = [note for commit in self.process.commits for note in commit.notes]
        return [note.cause for note in notes if isinstance(note, AlertRaised)]


async def test_a_session_whose_feed_hangs_journals_the_alert_by_itself_and_its_end() -> None:
    async with Watched() as watched:
        await watched.clock.pass_by(LIMIT_MS)
        await watched.clock.pass_by(LIMIT_MS)
        assert watched.alerts() == [FEED_SILENT]
        rows = watched.process.journal._connection.execute("SELECT kind FROM event").fetchall()
        assert [row[0] for row in rows] == ["EntriesHalted", "AlertRaised"]
        watched.feed.may_give.set()
        await watched.clock.pass_by(1_000)
        assert isinstance(watched.process.commits[-1].notes[-1], EntriesResumed)


async def test_while_a_request_is_under_way_nothing_is_committed_in_between() -> None:
    async with Watched() as watched:
        watched.session._is_settling = True
        await watched.clock.pass_by(2 * LIMIT_MS)
        assert watched.alerts() == []
        watched.session._is_settling = False
        await watched.clock.pass_by(1)
        assert watched.alerts() == [FEED_SILENT]


async def test_a_market_of_this_process_is_never_out() -> None:
    async with Watched(is_watched=False) as watched:
        watched.clock.advance(100 * LIMIT_MS)
        await settle()
        assert watched.alerts() == []
        assert not watched.running.done()


async def test_a_journal_that_cannot_be_written_ends_the_session_as_always() -> None:
    async with Watched() as watched:

        def refuse(_commit: Commit) -> None:
            raise Fatal("the disk is full")

        watched.session._journal.commit = refuse  # pyright: ignore[reportAttributeAccessIssue]
        await watched.clock.pass_by(LIMIT_MS)
        with pytest.raises(Fatal, match="the disk is full"):
            await watched.running


async def test_a_feed_that_ends_for_good_is_journalled_with_its_reason() -> None:
    class Refused(HangingFeed):
        async def events(self) -> AsyncIterator[Any]:
            raise Fatal("The exchange refuses the API key")
            yield

    watched = Watched()
    watched.session._feed = Refused()  # pyright: ignore[reportAttributeAccessIssue]
    begin(watched.process.engine, await watched.process.venue.account(), START_MS)
    with pytest.raises(Fatal):
        await watched.session.run()
    (alert,) = watched.process.commits[-1].notes
    assert isinstance(alert, AlertRaised)
    assert (alert.cause, alert.message) == ("stopped", "The exchange refuses the API key")
