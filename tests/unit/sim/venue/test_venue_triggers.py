"""Stops, take-profits, trailing stops and liquidation, in the order the price meets them."""

import math

import pytest

from bot.core.event import (
    FundingDue,
    FundingSettled,
    Liquidated,
    MarkPrice,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
)
from bot.core.intent import (
    AddMargin,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
    SetLeverage,
)
from bot.sim.config import VenueConfig

SYMBOL = "AAA/USDT:USDT"
LIQUIDATION = (1_000.0 - 49.5) / (10.0 * 0.99)  # of a long of 10 at 100 with a wallet of 49.5: 96.01
BANKRUPTCY = 100.0 - 4.95


@pytest.fixture
def held(bench):
    """Return a bench with a long of 10 at 100, leverage 20."""
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    return bench


def config(**changes) -> VenueConfig:
    return VenueConfig(0.0, 0.0, {SYMBOL: 1e9})._replace(**changes)


def test_a_stop_fills_at_the_last_price_of_the_tick_that_met_it(held) -> None:
    held.do(PlaceStop(SYMBOL, 1, 97.0), "stop")
    assert held.tick(97.01) == []
    (filled,) = held.tick(96.5, 96.4)
    assert (filled.leg, filled.price, filled.position) == ("stop", 96.4, None)
    assert held.order_ids() == []


def test_a_stop_is_never_filled_better_than_its_trigger(held) -> None:
    held.do(PlaceStop(SYMBOL, 1, 97.0))
    (filled,) = held.tick(96.5, 98.0)
    assert filled.price == 97.0


def test_a_stop_on_last_ignores_the_mark(held) -> None:
    held.do(PlaceStop(SYMBOL, 1, 97.0, "last"))
    assert held.tick(96.5, 97.5) == []
    (filled,) = held.tick(98.0, 96.9)
    assert filled.price == 96.9


def test_a_take_profit_fills_at_its_trigger_worsened_however_far_the_price_jumps(new_bench) -> None:
    bench = new_bench(config(half_spread_fraction=0.001))
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    bench.do(PlaceTakeProfit(SYMBOL, 1, 4.0, 105.0))
    (filled,) = bench.tick(120.0)
    assert filled.price == pytest.approx(105.0 * 0.999)
    assert (filled.quantity, filled.position.quantity) == (4.0, 6.0)


def test_a_short_is_stopped_above_and_takes_profit_below(bench) -> None:
    bench.do(OpenPosition(SYMBOL, -1, 10.0))
    bench.do(PlaceTakeProfit(SYMBOL, -1, 5.0, 99.0))
    bench.do(PlaceStop(SYMBOL, -1, 102.0))
    (taken,) = bench.tick(98.0)
    assert (taken.price, taken.order_side) == (99.0, 1)
    (stopped,) = bench.tick(103.0)
    assert (stopped.price, stopped.quantity, stopped.position) == (103.0, 5.0, None)


def test_the_close_of_a_position_cancels_what_rests_for_it_but_not_an_entry(held) -> None:
    held.do(PlaceStop(SYMBOL, 1, 97.0), "stop")
    held.do(PlaceTakeProfit(SYMBOL, 1, 0.0, 110.0), "profit")
    held.do(OpenPosition(SYMBOL, 1, 1.0, "limit", 90.0), "entry")
    events = held.do(ReducePosition(SYMBOL, 1, 0.0))
    assert [type(event) for event in events] == [OrderAccepted, OrderFilled, OrderCancelled, OrderCancelled]
    assert {event.cause for event in events[2:]} == {"position_closed"}
    assert held.order_ids() == ["entry"]


def test_take_profits_are_met_nearest_first(held) -> None:
    held.do(PlaceTakeProfit(SYMBOL, 1, 2.0, 108.0), "far")
    held.do(PlaceTakeProfit(SYMBOL, 1, 2.0, 104.0), "near")
    assert [event.client_id for event in held.tick(110.0)] == ["near", "far"]


def test_two_stops_may_rest_while_one_replaces_the_other_but_not_three(held) -> None:
    assert held.code(PlaceStop(SYMBOL, 1, 97.0)) == ""
    assert held.code(PlaceStop(SYMBOL, 1, 98.0)) == ""
    assert held.code(PlaceStop(SYMBOL, 1, 98.5)) == "position_limit"
    filled, cancelled = held.tick(97.9)
    assert (filled.client_id, cancelled.client_id) == ("id3", "id2")


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (PlaceStop(SYMBOL, 1, 100.0), "would_trigger_immediately"),
        (PlaceStop(SYMBOL, 1, 101.0), "would_trigger_immediately"),
        (PlaceStop(SYMBOL, -1, 101.0), "no_position"),
        (PlaceStop(SYMBOL, 1, 97.001), "precision"),
        (PlaceStop(SYMBOL, 1, math.nan), "not_finite"),
        (PlaceTakeProfit(SYMBOL, 1, 1.0, 99.0), "would_trigger_immediately"),
        (PlaceTakeProfit(SYMBOL, 1, 0.11, 110.0), "precision"),
        (PlaceTakeProfit(SYMBOL, -1, 1.0, 90.0), "no_position"),
        (PlaceTrailingStop(SYMBOL, 1, 0.0, 0.0), "not_finite"),
        (PlaceTrailingStop(SYMBOL, 1, 0.0, 0.2), "precision"),
        (PlaceTrailingStop(SYMBOL, 1, 0.0, 0.01, 110.001), "precision"),
    ],
)
def test_an_impossible_protective_order_is_refused(held, action, code) -> None:
    assert held.code(action) == code
    assert held.order_ids() == []


def test_a_stop_without_a_position_is_refused(bench) -> None:
    assert bench.code(PlaceStop(SYMBOL, 1, 90.0)) == "no_position"


def test_a_trailing_stop_follows_the_mark_and_never_goes_back(held) -> None:
    held.do(PlaceTrailingStop(SYMBOL, 1, 0.0, 0.02), "trail")
    assert held.tick(110.0) == []
    assert held.tick(108.0) == []
    (filled,) = held.tick(107.79)
    assert (filled.leg, filled.price) == ("trailing", 107.79)


def test_a_trailing_stop_sleeps_until_its_activation_price(held) -> None:
    held.do(PlaceTrailingStop(SYMBOL, 1, 0.0, 0.02, 105.0), "trail")
    assert held.tick(104.0) == []
    assert held.tick(100.0) == []
    assert held.tick(105.0) == []
    (filled,) = held.tick(102.5)
    assert filled.client_id == "trail"


def test_liquidation_takes_the_wallet_and_pays_fee_and_fund(held) -> None:
    held.do(PlaceTakeProfit(SYMBOL, 1, 1.0, 110.0), "profit")
    free = held.free()
    assert held.tick(LIQUIDATION + 0.001) == []
    liquidated, cancelled = held.tick(LIQUIDATION - 0.001)
    assert isinstance(liquidated, Liquidated)
    assert liquidated.loss_quote == pytest.approx(49.5)
    assert liquidated.liquidation_price == pytest.approx(LIQUIDATION)
    assert liquidated.bankruptcy_price == pytest.approx(BANKRUPTCY)
    left = 49.5 - 10.0 * (100.0 - liquidated.mark)
    assert liquidated.clearance_fee_quote == pytest.approx(left)  # the rate would ask for more
    assert liquidated.insurance_quote == pytest.approx(0.0, abs=1e-9)
    assert (cancelled.client_id, cancelled.cause) == ("profit", "position_closed")
    assert held.free() == free


def test_a_liquidation_with_margin_left_after_the_fee_feeds_the_fund(new_bench, instrument) -> None:
    bench = new_bench(instrument=instrument._replace(liquidation_fee_rate=0.001))
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    (liquidated,) = bench.tick(96.0)
    assert liquidated.clearance_fee_quote == pytest.approx(0.96)
    assert liquidated.insurance_quote == pytest.approx(49.5 - 40.0 - 0.96)


def test_the_fund_pays_a_gap_beyond_bankruptcy(held) -> None:
    free = held.free()
    (liquidated,) = held.tick(90.0)
    assert liquidated.clearance_fee_quote == 0.0
    assert liquidated.insurance_quote == pytest.approx(49.5 - 100.0)
    assert held.free() == free


def test_a_stop_whose_fill_is_short_of_liquidation_wins_the_race(held) -> None:
    held.do(PlaceStop(SYMBOL, 1, 97.0))
    (filled,) = held.tick(95.5, 96.5)
    assert isinstance(filled, OrderFilled)


def test_a_stop_whose_fill_is_beyond_liquidation_loses_the_race(held) -> None:
    held.do(PlaceStop(SYMBOL, 1, 97.0))
    liquidated, cancelled = held.tick(95.5)
    assert isinstance(liquidated, Liquidated)
    assert isinstance(cancelled, OrderCancelled)


def test_a_stop_beyond_liquidation_never_wins(held) -> None:
    held.do(PlaceStop(SYMBOL, 1, 96.0))
    assert isinstance(held.tick(95.9, 96.5)[0], Liquidated)


def test_a_partly_filled_stop_leaves_the_rest_to_liquidation(new_bench) -> None:
    bench = new_bench(config(depth_quote={SYMBOL: 400.0}))
    bench.do(OpenPosition(SYMBOL, 1, 4.0))
    bench.tick(100.0)
    bench.do(OpenPosition(SYMBOL, 1, 4.0))
    bench.do(PlaceStop(SYMBOL, 1, 98.0))
    filled, liquidated, cancelled = bench.tick(95.0, 97.0)
    assert (filled.quantity, filled.remaining_quantity) == (4.1, 3.9)
    assert isinstance(liquidated, Liquidated)
    assert liquidated.quantity == 3.9
    assert cancelled.cause == "position_closed"


def test_a_partly_filled_stop_goes_on_at_the_next_tick(new_bench) -> None:
    bench = new_bench(config(depth_quote={SYMBOL: 400.0}))
    bench.do(OpenPosition(SYMBOL, 1, 8.0))
    bench.tick(100.0)
    bench.do(PlaceStop(SYMBOL, 1, 99.0))
    (first,) = bench.tick(98.0)
    (second,) = bench.tick(99.5)
    assert (first.price, second.price) == (98.0, 99.5)
    assert (second.ts_ms, second.position) == (bench.ts_ms, None)


def test_an_exit_that_arrives_after_liquidation_comes_too_late(new_bench) -> None:
    bench = new_bench(config(latency_ms=900))
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    bench.tick(100.0)
    bench.do(ReducePosition(SYMBOL, 1, 0.0))
    liquidated, cancelled = bench.tick(95.0)
    assert isinstance(liquidated, Liquidated)
    assert cancelled.leg == "exit"


def test_an_exit_that_arrives_before_the_liquidation_price_is_filled(new_bench) -> None:
    bench = new_bench(config(latency_ms=500))
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    bench.tick(100.0)
    bench.do(ReducePosition(SYMBOL, 1, 0.0))
    (filled,) = bench.tick(95.0)
    assert filled.price == pytest.approx(97.5)


def test_a_stop_placed_between_two_events_of_a_tick_takes_part_in_it(new_bench) -> None:
    bench = new_bench(config(latency_ms=500))
    bench.do(SetLeverage(SYMBOL, 5))
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    bench.ts_ms += 1_000

    events = bench.venue.advance(MarkPrice(bench.ts_ms, SYMBOL, 96.0, 96.0))
    entry = next(events)
    assert (entry.leg, entry.price) == ("entry", 98.0)
    bench.ts_ms = entry.ts_ms
    assert isinstance(bench.do(PlaceStop(SYMBOL, 1, 97.0))[0], OrderAccepted)
    (stopped,) = list(events)
    assert (stopped.leg, stopped.price) == ("stop", 96.0)


def test_funding_is_settled_into_the_isolated_wallet_at_the_mark(held) -> None:
    held.tick(101.0, 150.0)
    (settled,) = held.venue.advance(FundingDue(held.ts_ms, SYMBOL, 0.001))
    assert isinstance(settled, FundingSettled)
    assert settled.amount_quote == pytest.approx(-1.01)
    assert held.wallet() == pytest.approx(49.5 - 1.01)
    assert list(held.venue.advance(FundingDue(held.ts_ms, SYMBOL, 0.001))) == []


def test_funding_due_before_a_position_is_not_paid_by_it(bench) -> None:
    due = FundingDue(bench.ts_ms, SYMBOL, 0.001)
    assert bench.venue.is_quiet(due)
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    assert list(bench.venue.advance(due)) == []


def test_funding_can_trigger_liquidation(held) -> None:
    held.tick(96.2)
    settled, liquidated = held.venue.advance(FundingDue(held.ts_ms, SYMBOL, 0.01))
    assert isinstance(settled, FundingSettled)
    assert isinstance(liquidated, Liquidated)


def test_margin_is_refused_once_funding_has_put_the_position_into_liquidation(held) -> None:
    held.tick(96.2)
    events = held.venue.advance(FundingDue(held.ts_ms, SYMBOL, 0.003))
    next(events)
    assert held.code(AddMargin(SYMBOL, 100.0)) == "in_liquidation"
    assert isinstance(next(events), Liquidated)


def test_an_impossible_tick_is_an_error(bench) -> None:
    with pytest.raises(ValueError, match="impossible price"):
        bench.tick(math.nan)
