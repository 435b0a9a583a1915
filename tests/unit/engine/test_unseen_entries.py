"""An entry that was sent and whose fill nobody tells may be open: its stop does not wait for the news."""

import json

import pytest

from bot.core.event import InvariantBroken, LeverageSet, OrderAccepted, OrderCancelled, OrderFilled
from bot.core.intent import CancelOrder, Intent, PlaceStop
from bot.core.position import Position
from bot.engine.state import restore, snapshot
from tests.unit.engine.desk_builder import A, Bench, actions, kinds

LONG = Position(A, 1, 10.0, 100.0, 50.0, 20.0)


def unseen(bench: Bench) -> Intent:
    """Send an entry that is accepted, and tell no more."""
    bench.is_deaf = True
    asked = bench.enter()
    if kinds(asked) == ["SetLeverage"]:
        asked = bench.hear(LeverageSet(bench.ts_ms, A, asked[0].client_id, asked[0].action.leverage))
    bench.hear(OrderAccepted(bench.ts_ms, A, asked[0].client_id, "entry"))
    return asked[0]


def stopped(bench: Bench) -> tuple[Intent, Intent]:
    """Let the stop of such an entry be accepted too."""
    entry = unseen(bench)
    (stop,) = bench.tick(100.0, after_ms=2_000)
    bench.hear(OrderAccepted(bench.ts_ms, A, stop.client_id, "stop"))
    return entry, stop


def filled(bench: Bench, entry: Intent) -> list[Intent]:
    fill = OrderFilled(
        bench.ts_ms, A, entry.client_id, 1, "entry", 1, 100.0, 10.0, 0.0, 0.5, False, 0.0, LONG, 9_950.0
    )
    return bench.hear(fill)


def test_a_fill_that_is_not_told_for_two_seconds_gets_its_stop_all_the_same() -> None:
    bench = Bench()
    unseen(bench)
    assert kinds(bench.tick(100.0, after_ms=1_999)) == []
    sent = bench.tick(100.0, after_ms=1)
    assert actions(sent, PlaceStop) == [PlaceStop(A, 1, 98.0)]
    assert bench.told(InvariantBroken) == []


def test_a_stop_that_was_refused_is_asked_for_again_every_four_seconds() -> None:
    bench = Bench()
    unseen(bench)
    assert kinds(bench.tick(100.0, after_ms=2_000)) == ["PlaceStop"]
    (flying,) = [key for key, each in bench.engine.state.in_flight.items() if each.reason == "entry_unseen"]
    del bench.engine.state.in_flight[flying]
    assert kinds(bench.tick(100.0, after_ms=3_999)) == []
    assert kinds(bench.tick(100.0, after_ms=1)) == ["PlaceStop"]


def test_the_fill_that_is_told_at_last_finds_its_stop_at_rest() -> None:
    bench = Bench()
    entry, stop = stopped(bench)
    assert "PlaceStop" not in kinds(filled(bench, entry))
    assert bench.stop().client_id == stop.client_id
    assert bench.holding().unprotected_since_ms == 0
    assert bench.told(InvariantBroken) == []


@pytest.mark.parametrize("is_early", [True, False])
def test_the_stop_of_an_entry_that_came_to_nothing_is_taken_back(is_early: bool) -> None:
    bench = Bench()
    if is_early:
        entry, stop = stopped(bench)
        sent = bench.hear(OrderCancelled(bench.ts_ms, A, entry.client_id, "entry", "expired"))
    else:
        entry = unseen(bench)
        (stop,) = bench.tick(100.0, after_ms=2_000)
        bench.hear(OrderCancelled(bench.ts_ms, A, entry.client_id, "entry", "expired"))
        sent = bench.hear(OrderAccepted(bench.ts_ms, A, stop.client_id, "stop"))
    assert actions(sent, CancelOrder) == [CancelOrder(A, stop.client_id)]
    assert bench.market().entry is None


def test_a_stop_that_the_venue_took_back_is_forgotten_and_the_fill_gets_another() -> None:
    bench = Bench()
    entry, stop = stopped(bench)
    bench.hear(OrderCancelled(bench.ts_ms, A, stop.client_id, "stop", "expired"))
    assert actions(filled(bench, entry), PlaceStop) == [PlaceStop(A, 1, 98.0)]


def test_a_restart_remembers_the_stop_of_an_entry_on_its_way() -> None:
    bench, again = Bench(), Bench()
    _, stop = stopped(bench)
    restore(again.engine.state, json.loads(json.dumps(snapshot(bench.engine.state))))
    entry = again.market().entry
    assert entry is not None
    assert entry.stop is not None
    assert (entry.stop.client_id, entry.stop.trigger_price) == (stop.client_id, 98.0)
