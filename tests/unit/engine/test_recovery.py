"""A process that dies anywhere continues as if it had not; a venue that lived on is believed."""

import asyncio
from itertools import count
from typing import Any

import pytest

from bot.core.event import (
    EntriesHalted,
    FundingDue,
    MarkPrice,
    OrderCancelled,
    PositionClosed,
    Reconciled,
    Refused,
    VenueEvent,
)
from bot.core.intent import AddMargin, Intent, OpenPosition, PlaceStop
from bot.engine.reconcile import adopt_truth, resume
from bot.engine.state import restore
from tests.unit.engine.desk_builder import A, Bench, kinds
from tests.unit.engine.session_builder import (
    RUN,
    Fate,
    Killed,
    Process,
    market_history,
    new_memory,
    tables,
)

HISTORY = market_history(seed=2, bars=60)
BOUNDARIES = ("before commit", "after commit", "before execute", "after execute")


def whole_run(**venue: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, int]]:
    """Return final state, tables and how often each boundary was passed by a run that nothing stopped."""
    passed: dict[str, int] = dict.fromkeys(BOUNDARIES, 0)
    memory = new_memory()
    process = Process(memory, HISTORY, Fate(lambda what: passed.__setitem__(what, passed[what] + 1)), **venue)
    assert process.live()
    return process.state(), tables(memory), passed


def deadly(boundary: str, number: int) -> Fate:
    """Return a fate that kills at the given passing of a boundary, the first being 1."""
    passings = count(1)

    def at(what: str) -> None:
        if what == boundary and next(passings) == number:
            raise Killed

    return Fate(at)


def same_state(left: dict[str, Any], right: dict[str, Any]) -> bool:
    return repr(left) == repr(right)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_process_killed_once_at_any_boundary_ends_as_if_it_had_not_been(boundary: str) -> None:
    state, rows, passed = whole_run(latency_ms=50)
    assert passed[boundary] > 40
    for number in (*range(1, 20), *range(20, passed[boundary] + 1, 5), passed[boundary]):
        memory = new_memory()
        assert not Process(memory, HISTORY, deadly(boundary, number), latency_ms=50).live()
        last = Process(memory, HISTORY, latency_ms=50)
        assert last.live(), f"killed {boundary} {number}"
        assert same_state(last.state(), state), f"killed {boundary} {number}"
        assert tables(memory) == rows, f"killed {boundary} {number}"


# Shorter lives make no progress: a start commits once, an end once, and a round of requests as a whole.
@pytest.mark.parametrize(
    ("boundary", "number"),
    [("after commit", 3), ("after commit", 5), ("after execute", 3), ("after execute", 5)],
)
def test_a_process_that_dies_again_and_again_ends_as_if_it_had_not(boundary: str, number: int) -> None:
    state, rows, _ = whole_run()
    memory = new_memory()
    process = Process(memory, HISTORY, deadly(boundary, number))
    while not process.live():
        process = Process(memory, HISTORY, deadly(boundary, number))
    assert same_state(process.state(), state)
    assert tables(memory) == rows


def test_how_often_quiet_marks_are_committed_changes_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    state, rows, passed = whole_run()
    monkeypatch.setattr("bot.engine.run._LONGEST_UNCOMMITTED_SECONDS", -1.0)
    often, rows_often, passed_often = whole_run()
    assert passed_often["after commit"] > 5 * passed["after commit"]
    assert same_state(often, state)
    assert rows_often == rows


def test_recovering_twice_changes_nothing() -> None:
    memory = new_memory()
    process = Process(memory, HISTORY, deadly("after commit", 60))
    assert not process.live()
    first = Process(memory, HISTORY)
    asyncio.run(first.recover())
    before = first.state(), tables(memory)
    second = Process(memory, HISTORY)
    asyncio.run(second.recover())
    assert same_state(second.state(), before[0])
    assert tables(memory) == before[1]


def test_a_venue_that_outlived_the_process_is_asked_before_anything_is_sent_again() -> None:
    state, rows, passed = whole_run()
    for number in range(1, passed["after execute"] + 1, 3):
        memory = new_memory()
        dead = Process(memory, HISTORY, deadly("after execute", number))
        assert not dead.live()
        heir = Process(memory, HISTORY, venue=dead.venue)
        asyncio.run(heir.recover())
        assert_agrees(heir)
        assert duplicates(heir) == set(), f"killed after execute {number}"
        asyncio.run(heir.session.run())
        assert same_state(heir.state(), state), f"killed after execute {number}"
        assert tables(memory) == rows, f"killed after execute {number}"


def duplicates(process: Process) -> set[str]:
    """Return the client ids that the venue refused because it had seen them."""
    return {
        event.client_id
        for commit in process.commits
        for event in commit.events
        if isinstance(event, Refused) and event.code == "duplicate_client_id"
    }


def assert_agrees(process: Process) -> None:
    """Positions, margin, free money and stops are the same on both sides."""
    account = asyncio.run(process.venue.account())
    state = process.engine.state
    assert {p.symbol: p for p in state.positions()} == {p.symbol: p for p in account.positions}
    assert state.free_quote == account.free_quote
    for symbol, market in state.markets.items():
        stops = {
            o.client_id: o.trigger_price for o in account.orders if o.symbol == symbol and o.leg == "stop"
        }
        if market.holding is None:
            assert stops == {}
        elif not market.holding.is_closing:
            assert market.holding.stop is not None
            assert stops == {market.holding.stop.client_id: market.holding.stop.trigger_price}
        assert market.leverage == account.leverage[symbol]


class Outage:
    """An engine that hears nothing of what its venue does, until it adopts the truth."""

    def __init__(self, **rules: Any) -> None:
        self.bench = Bench(**rules)

    def tick(self, mark: float) -> None:
        """The venue trades on; nobody listens."""
        self.bench.ts_ms += 1_000
        list(self.bench.venue.advance(MarkPrice(self.bench.ts_ms, A, mark, mark)))

    def adopt(self, *doubtful: Intent) -> list[Any]:
        """Return what was sent to make it right, while nobody knows what became of `doubtful`."""
        bench, before = self.bench, len(self.bench.sent)
        account = asyncio.run(bench.venue.account())
        session: Any = StandIn(bench, frozenset(each.client_id for each in doubtful))
        asyncio.run(adopt_truth(session, account))
        return bench.sent[before:]


class StandIn:
    """As much of a session as adopting needs, over a bench."""

    def __init__(self, bench: Bench, doubtful: frozenset[str] = frozenset()) -> None:
        self.engine, self._bench, self._doubtful = bench.engine, bench, doubtful

    def doubtful_ids(self) -> frozenset[str]:
        return self._doubtful

    def commit(self, commit: Any) -> None:
        self._bench.notes.extend(commit.notes)

    async def perform(self, intents: tuple[Intent, ...]) -> None:
        from bot.engine.outbox import Decision

        self._bench.perform(Decision(intents, ()))


def held_outage(**rules: Any) -> Outage:
    outage = Outage(**rules)
    outage.bench.enter()
    return outage


def test_nothing_is_done_where_nothing_happened() -> None:
    outage = held_outage()
    before = repr(outage.bench.engine.snapshot())
    notes = len(outage.bench.notes)
    assert outage.adopt() == []
    assert repr(outage.bench.engine.snapshot()) == before
    assert len(outage.bench.notes) == notes


def test_a_position_closed_while_away_is_booked() -> None:
    outage = held_outage()
    outage.tick(97.0)
    assert outage.adopt() == []
    bench = outage.bench
    assert bench.market().holding is None
    assert [note.cause for note in bench.told(PositionClosed)] == ["closed_while_away"]
    assert bench.engine.state.tally.trades == 1
    assert bench.engine.state.in_flight == {}
    assert bench.engine.state.free_quote == bench.venue.balances()["free"]


def test_a_stop_that_is_gone_is_placed_again() -> None:
    outage = held_outage()
    cancel(outage.bench, outage.bench.stop().client_id)
    assert [intent.action for intent in outage.adopt()] == [PlaceStop(A, 1, 98.0)]
    assert list(outage.bench.stops().values()) == [98.0]


def test_of_two_stops_the_tighter_one_stays() -> None:
    outage = held_outage()
    bench, mine = outage.bench, outage.bench.stop().client_id
    bench.venue.handle(Intent(90, "other", bench.ts_ms, PlaceStop(A, 1, 98.5), "", {}))
    assert kinds(outage.adopt()) == ["CancelOrder"]
    assert bench.stops() == {"other": 98.5}
    assert bench.stop().client_id == "other"
    assert mine not in bench.stops()


def test_a_position_that_changed_while_away_is_taken_as_it_is() -> None:
    outage = held_outage()
    bench = outage.bench
    list(bench.venue.advance(FundingDue(bench.ts_ms, A, 0.001)))
    assert outage.adopt() == []
    assert bench.holding().position == asyncio.run(bench.venue.account()).positions[0]
    assert [note.what for note in bench.told(Reconciled)] == ["position"]


def test_take_profits_that_are_gone_are_forgotten() -> None:
    outage = held_outage()
    bench = outage.bench
    gone = next(iter(bench.holding().take_profits))
    cancel(bench, gone)
    outage.adopt()
    assert gone not in bench.holding().take_profits


def test_an_entry_that_filled_while_away_is_adopted_and_protected() -> None:
    outage = Outage(latency_ms=500)
    bench = outage.bench
    assert kinds(bench.enter()) == ["SetLeverage", "OpenPosition"]
    outage.tick(100.0)
    assert kinds(outage.adopt()) == ["PlaceStop", "PlaceTakeProfit", "PlaceTakeProfit"]
    assert bench.market().entry is None
    assert bench.engine.state.in_flight == {}
    assert list(bench.stops().values()) == [98.0]


def test_an_entry_that_came_and_went_while_away_leaves_the_symbol_free() -> None:
    outage = Outage(latency_ms=500)
    bench = outage.bench
    entry = bench.enter()[-1]
    cancel(bench, entry.client_id)
    assert outage.adopt() == []
    assert bench.market().entry is None
    assert kinds(bench.enter())[-1] == "OpenPosition"


def test_an_entry_still_on_its_way_stays_awaited() -> None:
    outage = Outage(latency_ms=500)
    bench = outage.bench
    entry = bench.enter()[-1]
    assert outage.adopt() == []
    assert bench.market().entry is not None
    assert list(bench.engine.state.in_flight) == [entry.client_id]


def test_a_margin_move_of_unknown_fate_is_not_asked_for_again_by_a_start() -> None:
    outage = held_outage()
    bench = outage.bench
    bench.is_deaf = True
    add = bench.engine.desk.outbox.intend(AddMargin(A, 600.0), "below_band")
    bench.engine.desk.outbox.take()
    outage.adopt(add)
    assert list(bench.engine.state.in_flight) == [add.client_id]
    assert "AddMargin" not in kinds(bench.tick(98.2))


def test_an_entry_of_unknown_fate_stays_awaited_by_a_start() -> None:
    outage = Outage(latency_ms=500)
    bench = outage.bench
    entry = bench.enter()[-1]
    cancel(bench, entry.client_id)
    outage.adopt(entry)
    assert bench.market().entry is not None
    assert list(bench.engine.state.in_flight) == [entry.client_id]


def test_a_stop_of_unknown_fate_counts_as_absent_to_a_start() -> None:
    outage = held_outage()
    bench = outage.bench
    cancel(bench, bench.stop().client_id)
    bench.is_deaf = True
    doubtful = bench.engine.desk.outbox.intend(PlaceStop(A, 1, 98.0), "stop_missing")
    bench.engine.desk.outbox.take()
    assert kinds(outage.adopt(doubtful)) == ["PlaceStop"]
    assert doubtful.client_id in bench.engine.state.in_flight


def test_a_close_that_failed_while_away_is_no_longer_awaited() -> None:
    outage = held_outage()
    bench = outage.bench
    bench.is_deaf = True
    bench.candle(direction=1, is_exit=True)
    bench.is_deaf = False
    outage.adopt()
    assert not bench.holding().is_closing
    assert kinds(bench.candle(direction=1, is_exit=True)) == ["ReducePosition"]


def test_a_position_that_is_not_ours_is_left_alone_and_stops_entries() -> None:
    outage = Outage()
    bench = outage.bench
    bench.venue.handle(Intent(90, "foreign", bench.ts_ms, OpenPosition(A, 1, 10.0), "", {}))
    assert outage.adopt() == []
    assert [note.cause for note in bench.told(EntriesHalted)] == ["foreign_position"]
    assert kinds(bench.enter()) == []
    assert bench.venue.position_side(A) == 1


def cancel(bench: Bench, client_id: str) -> None:
    from bot.core.intent import CancelOrder

    bench.venue.handle(Intent(0, f"X{client_id}", bench.ts_ms, CancelOrder(A, client_id), "", {}))


def test_what_was_missed_is_committed_whole_before_anything_is_sent() -> None:
    """The exchange counts it as told from the first commit on: what a death parts from it would be lost."""
    memory = new_memory()
    Process(memory, HISTORY).live()
    process = Process(memory, HISTORY)
    missed = tuple(OrderCancelled(0, A, client_id, "take_profit", "expired") for client_id in ("X1", "X2"))

    async def start() -> None:
        recovered = process.journal.recover()
        assert recovered is not None
        process.journal.start_run(RUN)
        restore(process.engine.state, recovered.checkpoint.engine)
        process.venue.restore(recovered.checkpoint.venue)
        exchange: Any = process.exchange

        async def tell() -> tuple[VenueEvent, ...]:
            return missed

        await resume(process.session, exchange, recovered, tell)

    asyncio.run(start())
    told = [commit.events for commit in process.commits if missed[0] in commit.events]
    assert told == [missed]
