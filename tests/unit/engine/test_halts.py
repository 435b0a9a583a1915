"""Halts: what each level keeps from being sent, that a latch stays, and that FLATTEN closes everything."""

from typing import Any

import pytest

from bot.core.event import AlertRaised, EntriesHalted, EntriesResumed, OrderAccepted, PositionClosed, Refused
from bot.core.halt import DISCONNECTED, FLATTEN, LEVELS, NO_ENTRY, REDUCE_ONLY, is_permitted
from bot.core.intent import (
    AddMargin,
    CancelOrder,
    Intent,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.engine import halts
from bot.engine.gate import Gate
from bot.engine.state import restore
from bot.risk.limits import AllocationLimits
from bot.risk.policies.distance_band import DistanceBandParams
from tests.unit.engine.desk_builder import A, B, Bench, kinds

ENTRIES = [SetLeverage(A, 20), OpenPosition(A, 1, 1.0)]
RELEASE = ReleaseMargin(A, 50.0)
PROTECTION = [
    PlaceStop(A, 1, 90.0),
    PlaceTakeProfit(A, 1, 0.0, 110.0),
    PlaceTrailingStop(A, 1, 1.0, 0.01),
    CancelOrder(A, "T1S"),
    ReducePosition(A, 1, 0.0),
    AddMargin(A, 100.0),
]


def halted(bench: Bench, level: Any, cause: str = "test") -> None:
    halts.latch(bench.engine.desk, level, cause, "a test wants it")
    bench.perform(bench.engine.obey())


@pytest.mark.parametrize("level", LEVELS)
def test_what_protects_or_reduces_is_sent_under_every_halt(level: str) -> None:
    assert all(is_permitted(level, action) for action in PROTECTION)


@pytest.mark.parametrize("level", LEVELS)
def test_no_entry_is_sent_under_any_halt(level: str) -> None:
    assert not any(is_permitted(level, action) for action in ENTRIES)


@pytest.mark.parametrize("level", LEVELS)
def test_margin_is_released_only_under_no_entry(level: str) -> None:
    assert is_permitted(level, RELEASE) == (level == NO_ENTRY)


def test_without_a_halt_everything_is_sent() -> None:
    assert all(is_permitted("", action) for action in [*ENTRIES, RELEASE, *PROTECTION])


@pytest.mark.parametrize("level", LEVELS)
def test_the_gate_refuses_an_entry_that_was_intended_before_the_halt(level: Any) -> None:
    bench = Bench()
    gate, intent = Gate(bench.engine.desk), Intent(1, "T1E", 0, OpenPosition(A, 1, 1.0), "entry", {})
    assert gate.refusal(intent) is None
    halts.latch(bench.engine.desk, level, "test", "a test wants it")
    refused = gate.refusal(intent)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.client_id) == ("halted", "T1E")
    assert level in refused.message


@pytest.mark.parametrize("level", LEVELS)
def test_a_signal_enters_nothing_under_a_halt_and_the_refusal_names_the_cause(level: Any) -> None:
    bench = Bench()
    halted(bench, level, "drawdown")
    assert bench.enter() == []
    assert "drawdown" in repr(bench.notes[-1])


def test_a_latch_is_journalled_with_level_and_alerted_once() -> None:
    bench = Bench()
    halted(bench, NO_ENTRY)
    halted(bench, NO_ENTRY)
    (note,) = bench.told(EntriesHalted)
    assert (note.level, note.is_latched, note.cause) == (NO_ENTRY, True, "test")
    (alert,) = bench.told(AlertRaised)
    assert (alert.cause, alert.severity) == ("halted", "warning")
    assert "ringfence resume" in alert.message


def test_a_latch_with_a_position_open_is_a_critical_alert() -> None:
    bench = Bench()
    bench.enter()
    halted(bench, NO_ENTRY)
    assert [note.severity for note in bench.told(AlertRaised)] == ["critical"]


def test_the_same_cause_is_raised_to_a_higher_level_and_never_lowered() -> None:
    bench = Bench()
    halted(bench, REDUCE_ONLY)
    halted(bench, NO_ENTRY)
    assert bench.engine.state.halt_level() == REDUCE_ONLY
    halted(bench, FLATTEN)
    assert bench.engine.state.halt_level() == FLATTEN


def test_the_highest_level_of_several_causes_counts() -> None:
    bench = Bench()
    halted(bench, REDUCE_ONLY, "one")
    halted(bench, NO_ENTRY, "two")
    assert bench.engine.state.halt_level() == REDUCE_ONLY


def test_a_condition_ends_and_leaves_the_latch_that_stands_beside_it() -> None:
    bench = Bench()
    desk = bench.engine.desk
    halted(bench, NO_ENTRY, "drawdown")
    halts.begin(desk, DISCONNECTED, "feed_silent", "nothing is heard")
    assert desk.state.halt_level() == DISCONNECTED
    halts.end(desk, "feed_silent")
    halts.end(desk, "drawdown")
    assert list(desk.state.halts) == ["drawdown"]


def test_a_person_lifts_every_latch_and_no_condition() -> None:
    bench = Bench()
    desk = bench.engine.desk
    halted(bench, NO_ENTRY, "drawdown")
    halted(bench, REDUCE_ONLY, "person")
    halts.begin(desk, NO_ENTRY, "strategy_error", "it fails")
    assert halts.lift(desk, "looked into it") == ("drawdown", "person")
    assert list(desk.state.halts) == ["strategy_error"]
    bench.perform(bench.engine.obey())
    assert [(note.cause, note.by) for note in bench.told(EntriesResumed)] == [
        ("drawdown", "person"),
        ("person", "person"),
    ]
    assert bench.told(AlertRaised)[-1].cause == "resumed"


def test_entries_go_on_after_the_latch_was_lifted() -> None:
    bench = Bench()
    halted(bench, NO_ENTRY)
    assert bench.enter() == []
    halts.lift(bench.engine.desk, "")
    assert "OpenPosition" in kinds(bench.enter())


def test_a_restored_engine_is_halted_as_before() -> None:
    bench, twin = Bench(), Bench()
    halted(bench, REDUCE_ONLY)
    restore(twin.engine.state, bench.engine.snapshot())
    assert twin.engine.state.halts == bench.engine.state.halts
    assert twin.enter() == []


def moving_bench(**rules: Any) -> Bench:
    bench = Bench(policy="distance_band", params=DistanceBandParams(low=0.9, high=1.1), **rules)
    bench.enter(stop_distance=0.05)
    return bench


def releasing_bench() -> Bench:
    bench = moving_bench()
    bench.tick(97.5)
    return bench


@pytest.mark.parametrize("level", [NO_ENTRY, REDUCE_ONLY, DISCONNECTED])
def test_margin_that_protects_is_added_under_every_halt(level: Any) -> None:
    bench = moving_bench()
    halted(bench, level)
    (intent,) = [each for each in bench.tick(97.5) if isinstance(each.action, AddMargin)]
    assert Gate(bench.engine.desk).refusal(intent) is None


@pytest.mark.parametrize("level", [REDUCE_ONLY, DISCONNECTED])
def test_under_a_halt_a_position_adds_by_itself_though_the_book_is_split_otherwise(level: Any) -> None:
    bench = moving_bench(allocation=AllocationLimits(budget_fraction=0.5))
    halted(bench, level)
    (intent,) = [each for each in bench.tick(97.5) if isinstance(each.action, AddMargin)]
    assert intent.reason != "allocation"


def test_margin_is_released_under_no_entry_and_held_under_reduce_only() -> None:
    free, held = releasing_bench(), releasing_bench()
    halted(free, NO_ENTRY)
    halted(held, REDUCE_ONLY)
    assert "ReleaseMargin" in kinds(free.tick(103.0, after_ms=3_600_000))
    assert "ReleaseMargin" not in kinds(held.tick(103.0, after_ms=3_600_000))
    assert held.holding().last_hold_reason == "halted"


def test_a_held_release_is_made_when_the_halt_is_lifted() -> None:
    bench = releasing_bench()
    halted(bench, REDUCE_ONLY)
    bench.tick(103.0, after_ms=3_600_000)
    halts.lift(bench.engine.desk, "")
    assert "ReleaseMargin" in kinds(bench.tick(103.0))


def test_a_stop_is_still_trailed_under_reduce_only() -> None:
    bench = Bench()
    bench.enter()
    halted(bench, REDUCE_ONLY)
    assert "PlaceStop" in kinds(bench.tick(102.5))


def test_flatten_closes_every_position_at_once_and_stays() -> None:
    bench = Bench()
    bench.enter()
    bench.enter(direction=-1, symbol=B)
    stops = {**bench.stops(A), **bench.stops(B)}
    assert len(stops) == 2
    halted(bench, FLATTEN)
    bench.tick(100.0, A)
    bench.tick(100.0, B)
    assert bench.engine.state.positions() == ()
    assert bench.venue._state.positions == {}
    assert {note.cause for note in bench.told(PositionClosed)} == {"flatten"}
    assert bench.engine.state.halt_level() == FLATTEN
    assert bench.enter() == []


def test_flatten_cancels_no_stop_before_the_position_is_gone() -> None:
    bench = Bench()
    bench.enter()
    before = bench.stops()
    bench.is_deaf = True
    halted(bench, FLATTEN)
    assert kinds(bench.sent)[-1] == "ReducePosition"
    assert bench.stops() == before


def test_a_refused_close_is_tried_again_under_flatten() -> None:
    bench = Bench()
    bench.enter()
    bench.answers[ReducePosition] = "unavailable"
    halted(bench, FLATTEN)
    assert bench.holding().is_closing is False
    bench.answers.clear()
    bench.tick(100.0, after_ms=1_000)
    bench.tick(100.0)
    assert bench.engine.state.positions() == ()


def test_flatten_takes_back_an_entry_that_is_still_being_filled_and_closes_what_was() -> None:
    bench = Bench(depth=500.0)
    bench.enter()
    entry = bench.market().entry
    assert entry is not None
    assert entry.client_id in bench.engine.state.in_flight
    halted(bench, FLATTEN)
    for _ in range(40):
        bench.tick(100.0)
    cancelled = [i.action.target_client_id for i in bench.sent if isinstance(i.action, CancelOrder)]
    assert cancelled.count(entry.client_id) == 1
    assert bench.engine.state.positions() == ()
    assert bench.venue._state.positions == {}


def test_an_entry_filled_after_flatten_is_closed_too() -> None:
    bench = Bench(latency_ms=50)
    bench.enter()
    halted(bench, FLATTEN)
    for _ in range(5):
        bench.tick(100.0)
    assert bench.engine.state.positions() == ()
    assert bench.venue._state.positions == {}
    assert bench.told(OrderAccepted) == []
