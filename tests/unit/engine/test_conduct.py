"""What may never be decided: each invariant on intents fires on a planted one, and the gate keeps it back."""

import math
from collections.abc import Callable

import pytest

from bot.core.event import InvariantBroken
from bot.core.intent import (
    Action,
    AddMargin,
    CancelOrder,
    OpenPosition,
    PlaceStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.engine.conduct import check_intents
from bot.engine.gate import Gate
from bot.engine.state import PendingEntry
from bot.risk.view import EntryPlan
from tests.unit.engine.desk_builder import A, B, Bench


def told_for(bench: Bench, *actions: Action) -> list[str]:
    """Plant intents as the engine would decide them; return the invariants that were found broken."""
    desk = bench.engine.desk
    for action in actions:
        desk.outbox.intend(action, "planted")
    check_intents(desk)
    return [note.invariant for note in desk.outbox.take().notes if isinstance(note, InvariantBroken)]


def held() -> Bench:
    bench = Bench()
    bench.enter()
    bench.tick(100.0)
    return bench


def blind() -> Bench:
    bench = Bench()
    bench.engine.state.now_ms += 10_000_000
    return bench


def closing() -> Bench:
    """A holding whose stop is being placed again: nothing may be released before that has an outcome."""
    bench = held()
    bench.engine.desk.outbox.intend(PlaceStop(A, 1, 98.0), "planted")
    bench.engine.desk.outbox.take()
    return bench


_NEEDS_MORE = EntryPlan(A, 1, 1.0, 2, 100.0, 98.0, (), 20_000.0, 9.0, 50.0, 2.0, 100.0, 1.5, {})
PLANTED: dict[str, tuple[Callable[[], Bench], Action, str]] = {
    "an add beyond the agreed loss": (held, AddMargin(A, 9_999.0), "I3"),
    "a release beside an open request": (closing, ReleaseMargin(A, 50.0), "I4"),
    "an exit for the other side": (held, ReducePosition(A, -1, 1.0), "I9"),
    "a stop where nothing is held": (Bench, PlaceStop(A, 1, 98.0), "I13"),
    "an exit where nothing is held": (held, ReducePosition(B, 1, 0.0), "I13"),
    "margin into what is not ours": (Bench, AddMargin(A, 50.0), "I13"),
    "an order of somebody else cancelled": (held, CancelOrder(A, "web_17"), "I13"),
    "an entry on an old mark": (blind, OpenPosition(A, 1, 1.0), "I14"),
    "a release on an old mark": (blind, ReleaseMargin(A, 50.0), "I14"),
    "a quantity that is no number": (Bench, OpenPosition(A, 1, math.nan), "I15"),
    "a quantity of nothing": (Bench, OpenPosition(A, 1, 0.0), "I15"),
    "a quantity off the step": (Bench, OpenPosition(A, 1, 1.05), "I15"),
    "a stop at no price": (held, PlaceStop(A, 1, 0.0), "I15"),
    "a stop off the tick": (held, PlaceStop(A, 1, 98.005), "I15"),
    "an infinite wallet": (held, AddMargin(A, math.inf), "I15"),
    "more leverage than configured": (Bench, SetLeverage(A, 26), "I15"),
    "an entry of too much value": (Bench, OpenPosition(A, 1, 1_000.0), "I16"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_may_not_be_decided_is_told_and_halts(name: str) -> None:
    build, action, invariant = PLANTED[name]
    bench = build()
    assert invariant in told_for(bench, action)
    assert f"invariant_{invariant}" in bench.engine.state.halts


@pytest.mark.parametrize(
    "action",
    [
        PlaceStop(A, 1, 98.0),
        ReducePosition(A, 1, 0.0),
        ReducePosition(A, 1, 1.0),
        ReleaseMargin(A, 50.0),
        AddMargin(A, 60.0),
    ],
)
def test_what_may_be_decided_is_told_by_nobody(action: Action) -> None:
    assert told_for(held(), action) == []


def test_entries_that_need_more_than_is_free_are_told() -> None:
    bench = Bench()
    bench.market(A).entry = PendingEntry(_NEEDS_MORE)
    assert told_for(bench, OpenPosition(A, 1, 1.0)) == ["I3"]


def test_the_same_enlarging_request_may_come_three_times_a_minute() -> None:
    bench = Bench()
    bench.is_deaf = True
    assert told_for(bench, *[SetLeverage(A, 5)] * 3) == []
    assert told_for(bench, SetLeverage(A, 5)) == ["I16"]
    bench.engine.state.now_ms += 60_001
    bench.market(A).mark_ms = bench.engine.state.now_ms
    assert told_for(bench, SetLeverage(A, 5)) == []


@pytest.mark.parametrize(
    "action", [OpenPosition(A, 1, math.nan), PlaceStop(A, 1, math.inf), AddMargin(A, -1.0)]
)
def test_the_gate_sends_no_number_that_is_none(action: Action) -> None:
    desk = held().engine.desk
    intent = desk.outbox.intend(action, "planted")
    refused = Gate(desk).refusal(intent)
    assert refused is not None
    assert refused.code == "not_finite"
