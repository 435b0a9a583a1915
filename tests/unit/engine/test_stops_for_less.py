"""A stop that is for less than the position does not protect it: the rest is stopped, or closed."""

from typing import Any

import pytest

from bot.core.event import (
    InvariantBroken,
    LeverageSet,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    Refused,
)
from bot.core.intent import CancelOrder, Intent, PlaceStop, ReducePosition
from bot.core.position import Position
from bot.engine.protection import protect
from bot.engine.reconcile import adopt_truth
from bot.engine.state import restore, snapshot
from bot.ports import Account, OpenOrder
from tests.unit.engine.desk_builder import A, Bench, actions, kinds

WHOLE = Position(A, 1, 26.5, 100.0, 132.5, 20.0)


def filled(bench: Bench, client_id: str, quantity: float, held: float, left: float) -> list[Intent]:
    """Tell a fill of the entry after which so much is held."""
    position = WHOLE._replace(quantity=held, isolated_wallet=5.0 * held)
    number = round(held * 10)
    return bench.hear(
        OrderFilled(
            bench.ts_ms,
            A,
            client_id,
            number,
            "entry",
            1,
            100.0,
            quantity,
            left,
            0.1,
            False,
            0.0,
            position,
            9e3,
        )
    )


def entered(bench: Bench) -> Intent:
    """Let an entry be sent; return it."""
    (asked,) = bench.enter()
    if kinds([asked]) == ["SetLeverage"]:
        (asked,) = bench.hear(LeverageSet(bench.ts_ms, A, asked.client_id, asked.action.leverage))
    return asked


def filling(*, rested: float = 6.5) -> tuple[Bench, str]:
    """Return a bench that holds 6.5 of 26.5, under a stop for `rested` of it, and its entry's id."""
    bench = Bench()
    bench.is_deaf = True
    entry = entered(bench)
    (stop,) = filled(bench, entry.client_id, 6.5, 6.5, 20.0)
    bench.hear(OrderAccepted(bench.ts_ms, A, stop.client_id, "stop", rested))
    return bench, entry.client_id


def test_what_is_filled_after_a_stop_for_a_quantity_rested_is_stopped_too() -> None:
    bench, entry = filling()
    small = bench.stop().client_id
    (placed,) = filled(bench, entry, 10.0, 16.5, 10.0)
    assert (placed.action, placed.reason) == (PlaceStop(A, 1, 98.0), "stop_too_small")
    (cancelled,) = bench.hear(OrderAccepted(bench.ts_ms, A, placed.client_id, "stop"))
    assert cancelled.action == CancelOrder(A, small)
    assert bench.told(InvariantBroken) == []


def test_a_stop_that_the_venue_makes_as_small_again_is_placed_again_a_second_later() -> None:
    bench, entry = filling()
    (placed,) = filled(bench, entry, 10.0, 16.5, 10.0)
    answered = bench.hear(OrderAccepted(bench.ts_ms, A, placed.client_id, "stop", 6.5))
    assert actions(answered, PlaceStop) == [], "the engine and the venue would answer each other without end"
    assert bench.told(InvariantBroken) == [], "a larger one is due"
    assert actions(bench.tick(100.0, after_ms=500), PlaceStop) == []
    assert actions(bench.tick(100.0, after_ms=600), PlaceStop) == [PlaceStop(A, 1, 98.0)]
    assert actions(filled(bench, entry, 5.0, 21.5, 5.0), PlaceStop) == [], "one is on its way"


def tightened(*, elder: float, tighter: float) -> tuple[Bench, str, Intent]:
    """Return a bench that holds 6.5 under two stops; the id of the elder, and what the younger one led to."""
    bench, _ = filling(rested=elder)
    market, first = bench.market(), bench.stop().client_id
    holding = market.holding
    assert holding is not None
    protect(bench.engine.desk, market, holding, 99.0, "trailing")
    (asked,) = bench.engine.desk.outbox.take().intents
    sent = bench.hear(OrderAccepted(bench.ts_ms, A, asked.client_id, "stop", tighter))
    (last,) = sent or (asked,)
    return bench, first, last


def test_a_stop_over_all_of_it_rests_until_a_tighter_one_is_over_all_of_it_too() -> None:
    bench, whole, placed = tightened(elder=0.0, tighter=5.0)
    part = bench.stop().client_id
    assert (placed.action, placed.reason) == (PlaceStop(A, 1, 99.0), "stop_too_small")
    cancelled = bench.hear(OrderAccepted(bench.ts_ms, A, placed.client_id, "stop", 6.5))
    assert {each.action for each in cancelled} == {CancelOrder(A, whole), CancelOrder(A, part)}
    assert bench.stop().client_id == placed.client_id
    assert bench.told(InvariantBroken) == []


def test_an_elder_stop_goes_when_the_position_has_become_as_small_as_the_tighter_one() -> None:
    bench, whole, _ = tightened(elder=0.0, tighter=5.0)
    left = WHOLE._replace(quantity=5.0, isolated_wallet=25.0)
    fill = OrderFilled(bench.ts_ms, A, "T", 9, "take_profit", -1, 101.0, 1.5, 0.0, 0.1, False, 1.0, left, 9e3)
    sent = [*bench.hear(fill), *bench.tick(100.0)]
    assert actions(sent, CancelOrder) == [CancelOrder(A, whole)]


def test_an_elder_stop_that_ended_is_not_cancelled_and_one_that_rests_survives_a_snapshot() -> None:
    bench, whole, placed = tightened(elder=0.0, tighter=5.0)
    state = bench.engine.state
    restore(state, snapshot(state))
    holding = bench.market().holding
    assert holding is not None
    assert holding.elder_stop == whole
    bench.hear(OrderCancelled(bench.ts_ms, A, whole, "stop", "expired"))
    cancelled = bench.hear(OrderAccepted(bench.ts_ms, A, placed.client_id, "stop", 6.5))
    assert whole not in {each.action.target_client_id for each in cancelled}  # pyright: ignore[reportAttributeAccessIssue]


def test_a_stop_for_a_part_is_cancelled_when_a_tighter_one_rests() -> None:
    _, part, sent = tightened(elder=6.5, tighter=6.5)
    assert sent.action == CancelOrder(A, part)


def test_a_stop_over_the_whole_position_is_left_alone_while_more_is_filled() -> None:
    bench, entry = filling(rested=0.0)
    assert filled(bench, entry, 10.0, 16.5, 10.0) == []


def test_a_stop_that_rests_when_more_is_held_already_is_followed_by_another() -> None:
    bench = Bench()
    bench.is_deaf = True
    entry = entered(bench)
    (stop,) = filled(bench, entry.client_id, 6.5, 6.5, 20.0)
    assert filled(bench, entry.client_id, 10.0, 16.5, 10.0) == []
    (placed,) = bench.hear(OrderAccepted(bench.ts_ms, A, stop.client_id, "stop", 6.5))
    assert placed.reason == "stop_too_small"


def test_what_nothing_makes_whole_for_half_a_minute_breaks_the_invariant() -> None:
    bench, entry = filling()
    filled(bench, entry, 10.0, 16.5, 10.0)
    for _ in range(31):
        bench.tick(100.0)
    filled(bench, entry, 1.0, 17.5, 9.0)
    assert [note.invariant for note in bench.told(InvariantBroken)] == ["I1"]


def test_a_position_whose_larger_stop_is_refused_is_closed() -> None:
    bench, entry = filling()
    (placed,) = filled(bench, entry, 10.0, 16.5, 10.0)
    sent = bench.hear(Refused(bench.ts_ms, A, placed.client_id, "position_limit", "by script"))
    assert actions(sent, ReducePosition) == [ReducePosition(A, 1, 0.0)]


def test_what_a_stop_for_a_part_has_left_is_closed_where_the_mark_is_past_it() -> None:
    bench, entry = filling()
    (placed,) = filled(bench, entry, 10.0, 16.5, 10.0)
    bench.engine.state.in_flight.pop(placed.client_id)
    bench.market().mark = 97.0
    left = WHOLE._replace(quantity=10.0, isolated_wallet=50.0)
    stop = bench.stop().client_id
    fill = OrderFilled(bench.ts_ms, A, stop, 9, "stop", -1, 97.0, 6.5, 0.0, 0.1, False, -1.0, left, 9e3)
    sent = bench.hear(fill)
    assert actions(sent, ReducePosition) == [ReducePosition(A, 1, 0.0)]
    assert bench.told(InvariantBroken) == []


def test_what_a_stop_is_for_survives_a_restart() -> None:
    bench, _ = filling()
    second = Bench()
    restore(second.engine.state, snapshot(bench.engine.state))
    assert second.stop() == bench.stop()
    assert second.stop().quantity == 6.5


@pytest.mark.parametrize("looser", [0.0, 26.5], ids=["whole", "as large"])
async def test_a_start_keeps_the_stop_over_all_of_it_and_not_a_tighter_one_over_less(looser: float) -> None:
    bench, entry = filling(rested=0.0)
    filled(bench, entry, 20.0, 26.5, 0.0)
    whole, small = stop_order("T1W", looser, 98.0), stop_order("T1S", 6.5, 99.0)
    sent = await adopted(bench, (whole, small))
    assert bench.stop().client_id == "T1W"
    assert [each.target_client_id for each in actions(sent, CancelOrder)] == ["T1S"]
    assert actions(sent, PlaceStop) == []


async def test_a_start_that_finds_a_stop_for_less_asks_for_one_over_all_of_it() -> None:
    bench, entry = filling(rested=0.0)
    filled(bench, entry, 20.0, 26.5, 0.0)
    sent = await adopted(bench, (stop_order(bench.stop().client_id, 6.5, 98.0),))
    assert actions(sent, PlaceStop) == [PlaceStop(A, 1, 98.0)]


async def test_a_start_knows_the_price_of_a_stop_that_has_fired_and_still_fills() -> None:
    bench, entry = filling(rested=0.0)
    filled(bench, entry, 20.0, 26.5, 0.0)
    name = bench.stop().client_id
    assert actions(await adopted(bench, (stop_order(name, 26.5, 0.0),)), PlaceStop) == []
    assert (bench.stop().client_id, bench.stop().trigger_price) == (name, 98.0)


async def adopted(bench: Bench, orders: tuple[OpenOrder, ...]) -> list[Intent]:
    """Return what a start asks for that finds the believed position and these orders."""
    held, sent = bench.holding().position, list[Intent]()

    class StandIn:
        engine = bench.engine

        def doubtful_ids(self) -> frozenset[str]:
            return frozenset()

        def commit(self, commit: Any) -> None:
            bench.notes.extend(commit.notes)

        async def perform(self, intents: tuple[Intent, ...]) -> None:
            sent.extend(intents)

    session: Any = StandIn()
    await adopt_truth(
        session, Account(bench.ts_ms, 9e3, 9e3 + held.isolated_wallet, (held,), orders, {A: 20})
    )
    return sent


def stop_order(client_id: str, quantity: float, trigger_price: float) -> OpenOrder:
    return OpenOrder(client_id, A, "stop", -1, quantity, trigger_price, "mark", 0.0, True, 0)
