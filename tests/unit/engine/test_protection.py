"""Stops and take-profits: never absent, never loosened, always inside liquidation."""

from typing import Any

import pytest

from bot.core.event import (
    FundingDue,
    InvariantBroken,
    LeverageSet,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    PositionClosed,
    Refused,
)
from bot.core.intent import CancelOrder, Intent, PlaceStop, PlaceTakeProfit, ReducePosition
from bot.core.margin import liquidation_price
from bot.engine.pending import RestingStop
from tests.unit.engine.desk_builder import A, Bench, actions, kinds


def held_bench(direction: int = 1, **rules: Any) -> Bench:
    bench = Bench(**rules)
    bench.enter(direction)
    bench.tick(100.0)
    return bench


def test_an_entry_whose_stop_is_refused_is_closed_at_market() -> None:
    bench = Bench()
    bench.answers[PlaceStop] = "would_trigger_immediately"
    sent = bench.enter()
    assert "ReducePosition" in kinds(sent)
    assert bench.market().holding is None
    assert [note.cause for note in bench.told(PositionClosed)] == ["protection"]
    assert bench.venue.position_side(A) == 0


def test_a_position_whose_stop_and_close_are_refused_is_tried_again_every_second() -> None:
    bench = Bench(policy="static")
    bench.answers |= {PlaceStop: "position_limit", ReducePosition: "in_liquidation"}
    bench.enter()
    assert kinds(bench.tick(100.0, after_ms=999)) == []
    assert kinds(bench.tick(100.0, after_ms=1)) == ["PlaceStop", "ReducePosition"]
    bench.answers.clear()
    assert kinds(bench.tick(100.0)) == ["PlaceStop"]
    assert bench.stops() == {bench.stop().client_id: 98.0}
    assert bench.engine.state.tally.max_unprotected_ms == 2_000


def test_a_position_past_its_stop_without_one_is_closed() -> None:
    bench = Bench()
    bench.answers |= {PlaceStop: "position_limit", ReducePosition: "in_liquidation"}
    bench.enter()
    bench.answers.clear()
    assert kinds(bench.tick(97.9)) == ["ReducePosition"]


def test_a_refused_trailing_stop_keeps_the_older_one_and_is_not_repeated_within_a_minute() -> None:
    bench = held_bench()
    bench.answers[PlaceStop] = "position_limit"
    assert kinds(bench.tick(102.5)) == ["PlaceStop"]
    assert bench.stops() == {bench.stop().client_id: 98.0}
    assert [kinds(bench.tick(102.5 + 0.01 * n)) for n in range(59)] == [[]] * 59
    bench.answers.clear()
    assert kinds(bench.tick(103.1))[0] == "PlaceStop"


@pytest.mark.parametrize("direction", [1, -1])
def test_trailing_places_the_new_stop_before_it_cancels_the_old_one(direction: int) -> None:
    bench = held_bench(direction)
    old = bench.stop().client_id
    sent = bench.tick(100.0 + direction * 2.5)
    assert kinds(sent) == ["PlaceStop", "CancelOrder"]
    assert sent[1].action.target_client_id == old
    assert list(bench.stops()) == [sent[0].client_id]


@pytest.mark.parametrize("direction", [1, -1])
def test_a_stop_never_loosens(direction: int) -> None:
    bench = held_bench(direction)
    placed = [bench.stop().trigger_price]
    for mark in (100.5, 102.1, 101.0, 102.9, 101.2, 103.4, 102.0, 104.5, 103.0):
        bench.tick(100.0 + direction * (mark - 100.0))
        if bench.market().holding is None:
            break
        placed.append(bench.stop().trigger_price)
    assert len(set(placed)) > 2
    assert placed == sorted(placed, reverse=direction < 0)


def test_a_looser_stop_that_is_accepted_late_is_taken_back() -> None:
    bench = held_bench()
    bench.is_deaf = True
    late = bench.engine.desk.outbox.intend(PlaceStop(A, 1, 97.0), "stop_vanished")
    sent = bench.hear(OrderAccepted(bench.ts_ms, A, late.client_id, "stop"))
    assert actions(sent, CancelOrder)[0].target_client_id == late.client_id
    assert bench.stop().trigger_price == 98.0


def test_a_stop_that_a_start_read_before_its_acceptance_is_told_is_not_cancelled() -> None:
    bench = held_bench()
    bench.is_deaf = True
    placed = bench.engine.desk.outbox.intend(PlaceStop(A, 1, 98.0), "stop_vanished")
    bench.holding().stop = RestingStop(placed.client_id, 98.0)
    bench.engine.desk.outbox.take()
    assert kinds(bench.hear(OrderAccepted(bench.ts_ms, A, placed.client_id, "stop"))) == []
    assert bench.stop().client_id == placed.client_id


def test_a_vanished_stop_is_placed_again_where_it_was() -> None:
    bench = held_bench()
    gone = bench.stop().client_id
    sent = bench.hear(cancelled_at_venue(bench, gone))
    assert actions(sent, PlaceStop) == [PlaceStop(A, 1, 98.0)]
    assert bench.stop().client_id == sent[0].client_id
    assert bench.told(InvariantBroken) == []


def test_a_stop_that_vanishes_again_and_again_is_not_placed_in_a_loop() -> None:
    bench, again = held_bench(), PlaceStop(A, 1, 98.0)
    for _ in range(3):
        assert actions(bench.hear(cancelled_at_venue(bench, bench.stop().client_id)), PlaceStop) == [again]
    assert bench.told(InvariantBroken) == []
    assert kinds(bench.hear(cancelled_at_venue(bench, bench.stop().client_id))) == []
    assert actions(bench.tick(100.0, after_ms=1_000), PlaceStop) == []
    assert actions(bench.tick(100.0, after_ms=1_000), PlaceStop) == [again]
    bench.tick(100.0, after_ms=2_000)
    assert actions(bench.hear(cancelled_at_venue(bench, bench.stop().client_id)), PlaceStop) == [again]


def test_a_stop_that_ended_before_it_was_told_to_rest_is_placed_again_at_once() -> None:
    bench = held_bench()
    bench.is_deaf = True
    lost = bench.hear(cancelled_at_venue(bench, bench.stop().client_id))
    bench.tick(100.0, after_ms=2_000)
    sent = bench.hear(OrderCancelled(bench.ts_ms, A, lost[0].client_id, "stop", "expired"))
    assert actions(sent, PlaceStop) == [PlaceStop(A, 1, 98.0)]
    assert bench.told(InvariantBroken) == []


def test_a_trailed_stop_that_vanishes_four_times_is_not_placed_further_away() -> None:
    bench = held_bench()
    bench.tick(102.5)
    trailed = bench.stop().trigger_price
    assert trailed > 98.0
    for _ in range(4):
        bench.hear(cancelled_at_venue(bench, bench.stop().client_id))
    sent = [bench.tick(102.5, after_ms=1_000) for _ in range(3)]
    assert [each.trigger_price for one in sent for each in actions(one, PlaceStop)] == [trailed]


def test_the_time_without_a_stop_is_measured() -> None:
    bench = held_bench()
    bench.is_deaf = True
    sent = bench.hear(cancelled_at_venue(bench, bench.stop().client_id))
    bench.hear(OrderAccepted(bench.ts_ms + 700, A, sent[0].client_id, "stop"))
    assert bench.engine.state.tally.max_unprotected_ms == 700


def test_a_vanished_take_profit_is_forgotten() -> None:
    bench = held_bench()
    gone = next(iter(bench.holding().take_profits))
    assert kinds(bench.hear(OrderCancelled(bench.ts_ms, A, gone, "take_profit", "expired"))) == []
    assert gone not in bench.holding().take_profits


def test_a_partly_filled_take_profit_stays_on_the_ladder() -> None:
    bench = held_bench(depth=600.0)
    bench.tick(100.0, after_ms=1)
    while not bench.holding().is_filled:
        bench.tick(100.0)
    first = next(iter(bench.holding().take_profits))
    whole = bench.holding().position.quantity
    bench.tick(103.1)
    assert bench.holding().position.quantity < whole
    assert first in bench.holding().take_profits


@pytest.mark.parametrize(("refused_rung", "wanted"), [(0, 23.2), (1, 0.0)])
def test_a_take_profit_whose_price_was_passed_is_taken_at_market(refused_rung: int, wanted: float) -> None:
    bench = Bench()
    bench.is_deaf = True
    placed = [intent for intent in fill_entry(bench) if isinstance(intent.action, PlaceTakeProfit)]
    refusal = Refused(bench.ts_ms, A, placed[refused_rung].client_id, "would_trigger_immediately", "")
    sent = bench.hear(refusal)
    assert actions(sent, ReducePosition) == [ReducePosition(A, 1, wanted)]


def test_a_take_profit_refused_for_another_reason_is_left_out() -> None:
    bench = Bench()
    bench.answers[PlaceTakeProfit] = "precision"
    assert "ReducePosition" not in kinds(bench.enter())
    assert bench.holding().take_profits == {}


def test_a_refused_part_of_the_profit_does_not_reopen_a_close_in_progress() -> None:
    bench = held_bench()
    bench.is_deaf = True
    part = bench.engine.desk.outbox.intend(ReducePosition(A, 1, 10.0), "take_profit")
    bench.engine.desk.outbox.take()
    bench.candle(direction=1, is_exit=True)
    bench.hear(Refused(bench.ts_ms, A, part.client_id, "precision", ""))
    assert bench.holding().is_closing


def test_a_close_that_the_venue_cancelled_is_no_longer_awaited() -> None:
    bench = held_bench()
    bench.is_deaf = True
    sent = bench.candle(direction=1, is_exit=True)
    bench.hear(OrderCancelled(bench.ts_ms, A, sent[0].client_id, "exit", "expired"))
    assert not bench.holding().is_closing
    assert kinds(bench.candle(direction=1, is_exit=True)) == ["ReducePosition"]


@pytest.mark.parametrize("direction", [1, -1])
def test_funding_that_brings_liquidation_to_the_stop_tightens_the_stop(direction: int) -> None:
    bench = held_bench(direction)
    before = bench.stop().trigger_price
    sent = bench.feed(FundingDue(bench.ts_ms, A, direction * 0.042))
    assert kinds(sent) == ["PlaceStop", "CancelOrder"]
    after = bench.stop().trigger_price
    assert direction * (after - before) > 0.0
    held = bench.holding().position
    assert direction * (after - liquidation_price(held, bench.market().rules)) > 0.0
    assert bench.told(InvariantBroken) == []


def test_funding_that_brings_liquidation_past_the_mark_closes() -> None:
    bench = held_bench()
    sent = bench.feed(FundingDue(bench.ts_ms, A, 0.0555))
    assert kinds(sent) == ["ReducePosition"]
    assert [note.cause for note in bench.told(PositionClosed)] == ["liquidation_came_close"]


def test_a_stop_beyond_liquidation_whose_successor_is_refused_closes() -> None:
    bench = held_bench()
    bench.answers[PlaceStop] = "position_limit"
    sent = bench.feed(FundingDue(bench.ts_ms, A, 0.042))
    assert kinds(sent) == ["PlaceStop", "ReducePosition"]
    assert bench.market().holding is None


def test_small_funding_leaves_the_stop_alone() -> None:
    bench = held_bench()
    assert kinds(bench.feed(FundingDue(bench.ts_ms, A, 0.0001))) == []
    assert bench.holding().funding_quote < 0.0


def test_liquidation_closes_the_books() -> None:
    bench = held_bench()
    cancelled_at_venue(bench, bench.stop().client_id)
    wallet = bench.holding().position.isolated_wallet
    bench.tick(90.0)
    assert bench.market().holding is None
    tally = bench.engine.state.tally
    assert (tally.trades, tally.liquidations) == (1, 1)
    closed = bench.told(PositionClosed)[0]
    assert (closed.cause, closed.realised_pnl_quote) == ("liquidation", pytest.approx(-wallet))
    assert bench.engine.state.free_quote == pytest.approx(bench.venue.balances()["free"])


def test_a_later_fill_that_brings_liquidation_to_the_stop_tightens_it() -> None:
    bench = Bench(depth=2_000.0)
    entry = bench.enter()[1]
    bench.is_deaf = True
    after = bench.holding().position._replace(quantity=40.0, isolated_wallet=120.0)
    fill = OrderFilled(
        bench.ts_ms, A, entry.client_id, 9, "entry", 1, 100.0, 20.0, 6.5, 1.0, False, 0.0, after, 9_000.0
    )
    sent = bench.hear(fill)
    assert [intent.reason for intent in sent] == ["liquidation_came_close"]
    assert actions(sent, PlaceStop)[0].trigger_price > 98.0


def test_funding_that_came_while_a_stop_was_on_its_way_is_made_up_for_when_it_rests() -> None:
    bench = held_bench()
    bench.is_deaf = True
    placed = bench.engine.desk.outbox.intend(PlaceStop(A, 1, 98.1), "trailing")
    bench.engine.desk.outbox.take()
    assert kinds(bench.feed(FundingDue(bench.ts_ms, A, 0.042))) == []
    sent = bench.hear(OrderAccepted(bench.ts_ms, A, placed.client_id, "stop"))
    assert kinds(sent) == ["CancelOrder", "PlaceStop"]
    assert sent[1].reason == "liquidation_came_close"


def fill_entry(bench: Bench) -> list[Any]:
    """Let the venue fill an entry while nothing else reaches it."""
    asked = bench.enter()[0]
    sent = bench.hear(LeverageSet(bench.ts_ms, A, asked.client_id, asked.action.leverage))
    before = len(bench.sent)
    bench.venue.handle(asked)
    for outcome in bench.venue.handle(sent[0]):
        bench.hear(outcome)
    return bench.sent[before:]


def cancelled_at_venue(bench: Bench, client_id: str) -> OrderCancelled:
    """Take the order away behind the engine's back and return the news of it."""
    bench.venue.handle(Intent(0, f"X{client_id}", bench.ts_ms, CancelOrder(A, client_id), "", {}))
    return OrderCancelled(bench.ts_ms, A, client_id, "stop", "expired")
