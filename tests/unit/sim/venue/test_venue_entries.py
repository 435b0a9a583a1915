"""Entering, enlarging and reducing positions: prices, fees, margin and refusals."""

import math

import pytest

from bot.core.event import OrderAccepted, OrderCancelled, OrderFilled
from bot.core.intent import CancelOrder, OpenPosition, ReducePosition, SetLeverage
from bot.core.position import Position
from bot.sim.config import VenueConfig

SYMBOL = "AAA/USDT:USDT"


def config(**changes) -> VenueConfig:
    return VenueConfig(0.0, 0.0, {SYMBOL: 1e9})._replace(**changes)


def test_a_market_entry_pays_its_fee_out_of_the_isolated_wallet(bench) -> None:
    accepted, filled = bench.do(OpenPosition(SYMBOL, 1, 10.0))
    assert isinstance(accepted, OrderAccepted)
    assert isinstance(filled, OrderFilled)
    assert filled.fee_quote == pytest.approx(0.5)
    assert filled.position == Position(SYMBOL, 1, 10.0, 100.0, 49.5, 20.0, bench.ts_ms)
    assert filled.free_quote == bench.free() == pytest.approx(9_950.0)


def test_a_taker_pays_half_the_spread_and_slippage_that_grows_with_size(new_bench) -> None:
    bench = new_bench(
        config(half_spread_fraction=0.001, impact_fraction=0.01, depth_quote={SYMBOL: 10_000.0})
    )
    small = bench.do(OpenPosition(SYMBOL, 1, 1.0))[-1]
    assert small.price == pytest.approx(100.0 * (1 + 0.001 + 0.01 * math.sqrt(100.0 / 10_000.0)))
    sold = bench.do(ReducePosition(SYMBOL, 1, 0.0))[-1]
    assert sold.price == pytest.approx(100.0 * (1 - 0.001 - 0.01 * math.sqrt(100.0 / 10_000.0)))
    large = bench.do(OpenPosition(SYMBOL, 1, 4.0))[-1]
    assert large.price > small.price


def test_an_order_larger_than_the_depth_is_filled_over_several_ticks(new_bench) -> None:
    bench = new_bench(config(depth_quote={SYMBOL: 400.0}))
    first = bench.do(OpenPosition(SYMBOL, 1, 10.0), "big")[-1]
    assert (first.quantity, first.remaining_quantity) == (4.0, 6.0)
    (second,) = bench.tick(101.0)
    assert (second.quantity, second.remaining_quantity, second.price) == (3.9, 2.1, 101.0)
    (third,) = bench.tick(101.0)
    assert (third.quantity, third.remaining_quantity) == (2.1, 0.0)
    assert bench.order_ids() == []
    assert third.position.entry_price == pytest.approx((4.0 * 100.0 + 6.0 * 101.0) / 10.0)


def test_latency_fills_at_the_interpolated_price_of_the_arrival(new_bench) -> None:
    bench = new_bench(config(latency_ms=250))
    assert len(bench.do(OpenPosition(SYMBOL, 1, 1.0))) == 1
    (filled,) = bench.tick(104.0, 108.0)
    assert filled.ts_ms == bench.ts_ms - 750
    assert filled.price == pytest.approx(102.0)


def test_latency_waits_for_the_tick_that_covers_the_arrival(new_bench) -> None:
    bench = new_bench(config(latency_ms=1_500))
    bench.do(OpenPosition(SYMBOL, 1, 1.0))
    assert bench.tick(104.0) == []
    (filled,) = bench.tick(106.0)
    assert filled.price == pytest.approx(105.0)


def test_latency_jitter_is_bounded_and_the_same_every_time(new_bench) -> None:
    def instants(seed: int) -> list[int]:
        bench = new_bench(config(latency_ms=100, latency_jitter_ms=300, seed=seed))
        bench.do(SetLeverage(SYMBOL, 20))
        for _ in range(8):
            bench.do(OpenPosition(SYMBOL, 1, 1.0))
        return [event.ts_ms - 1_000 for event in bench.tick(100.0)]

    assert instants(1) == instants(1) == sorted(instants(1))
    assert instants(1) != instants(2)
    assert all(100 <= instant <= 400 for instant in instants(1))


def test_same_side_fills_average_the_entry(bench) -> None:
    bench.do(OpenPosition(SYMBOL, -1, 1.0))
    bench.tick(102.0)
    position = bench.do(OpenPosition(SYMBOL, -1, 3.0))[-1].position
    assert position.entry_price == pytest.approx(101.5)
    assert position.quantity == 4.0


def test_a_partial_close_returns_its_share_of_the_wallet_with_the_profit(bench) -> None:
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    bench.tick(102.0)
    filled = bench.do(ReducePosition(SYMBOL, 1, 4.0))[-1]
    assert filled.realised_pnl_quote == pytest.approx(8.0)
    assert bench.wallet() == pytest.approx(49.5 * 0.6)
    assert bench.free() == pytest.approx(9_950.0 + 49.5 * 0.4 + 8.0 - 4.0 * 102.0 * 0.0005)
    assert filled.position.quantity == 6.0


def test_a_loss_beyond_the_share_of_a_partial_close_comes_from_the_wallet_that_stays(bench) -> None:
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    bench.tick(97.0, 93.0)
    free = bench.free()
    bench.do(ReducePosition(SYMBOL, 1, 5.0))
    assert bench.free() == free
    fee = 5.0 * 93.0 * 0.0005
    assert bench.wallet() == pytest.approx(49.5 - 35.0 - fee)


def test_a_close_beyond_bankruptcy_costs_the_wallet_and_no_more(bench) -> None:
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    bench.tick(97.0, 80.0)
    free = bench.free()
    bench.do(ReducePosition(SYMBOL, 1, 0.0))
    assert bench.free() == free
    assert bench.venue.balances()["insurance"] == pytest.approx(49.5 - 200.0 - 0.4)
    assert bench.venue.position_side(SYMBOL) == 0


def test_reducing_more_than_is_held_closes_and_never_flips(bench) -> None:
    bench.do(OpenPosition(SYMBOL, 1, 1.0))
    filled = bench.do(ReducePosition(SYMBOL, 1, 5.0))[-1]
    assert (filled.quantity, filled.remaining_quantity, filled.position) == (1.0, 0.0, None)
    assert bench.code(ReducePosition(SYMBOL, 1, 0.0)) == "no_position"


def test_a_limit_order_rests_until_the_book_reaches_it_and_pays_the_maker_fee(new_bench) -> None:
    bench = new_bench(config(half_spread_fraction=0.001))
    bench.do(OpenPosition(SYMBOL, 1, 10.0, "limit", 99.0), "limit")
    assert bench.free() == pytest.approx(10_000.0 - 49.5 - 990.0 * 0.0005)
    assert bench.tick(98.95) == []
    (filled,) = bench.tick(98.0)
    assert (filled.price, filled.is_maker) == (99.0, True)
    assert filled.fee_quote == pytest.approx(990.0 * 0.0002)
    assert bench.free() == pytest.approx(10_000.0 - 49.5)


def test_a_marketable_limit_order_takes_but_never_beyond_its_limit(new_bench) -> None:
    bench = new_bench(config(impact_fraction=0.5, depth_quote={SYMBOL: 1_000.0}))
    filled = bench.do(OpenPosition(SYMBOL, 1, 10.0, "limit", 101.0))[-1]
    assert (filled.price, filled.is_maker) == (101.0, False)


def test_a_limit_order_in_flight_rests_from_its_arrival(new_bench) -> None:
    bench = new_bench(config(latency_ms=500))
    bench.do(OpenPosition(SYMBOL, 1, 1.0, "limit", 99.0))
    assert bench.tick(101.0) == []
    assert bench.tick(99.5) == []
    (filled,) = bench.tick(98.0)
    assert filled.is_maker


def test_cancelling_a_limit_order_frees_its_margin(bench) -> None:
    bench.do(OpenPosition(SYMBOL, 1, 10.0, "limit", 99.0), "limit")
    (cancelled,) = bench.do(CancelOrder(SYMBOL, "limit"))
    assert cancelled == OrderCancelled(bench.ts_ms, SYMBOL, "limit", "entry", "requested", 10_000.0)
    assert bench.free() == 10_000.0
    assert bench.code(CancelOrder(SYMBOL, "limit")) == "unknown_order"


def test_an_entry_that_the_account_cannot_carry_any_more_expires(bench) -> None:
    bench.do(SetLeverage(SYMBOL, 1))
    bench.do(OpenPosition(SYMBOL, 1, 50.0, "limit", 99.0), "long")
    bench.do(OpenPosition(SYMBOL, -1, 40.0, "limit", 101.0), "short")
    (filled,) = bench.tick(98.0)
    assert filled.client_id == "long"
    (cancelled,) = bench.tick(102.0)
    assert (cancelled.client_id, cancelled.cause) == ("short", "expired")
    assert bench.free() == pytest.approx(10_000.0 - 4_950.0)


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (OpenPosition("ZZZ/USDT:USDT", 1, 1.0), "unknown_symbol"),
        (OpenPosition(SYMBOL, 1, math.nan), "not_finite"),
        (OpenPosition(SYMBOL, 1, math.inf), "not_finite"),
        (OpenPosition(SYMBOL, 1, -1.0), "not_finite"),
        (OpenPosition(SYMBOL, 1, 0.15), "precision"),
        (OpenPosition(SYMBOL, 2, 1.0), "precision"),
        (OpenPosition(SYMBOL, 1, 1.0, "limit", 99.001), "precision"),
        (OpenPosition(SYMBOL, 1, 1.0, "limit", 0.0), "not_finite"),
        (OpenPosition(SYMBOL, 1, 0.1, "limit", 49.99), "below_minimum"),
        (OpenPosition(SYMBOL, 1, 2_000.0), "position_limit"),
        (OpenPosition(SYMBOL, -1, 1.0), "position_limit"),
        (ReducePosition(SYMBOL, -1, 1.0), "no_position"),
        (ReducePosition(SYMBOL, 1, 0.25), "precision"),
        (CancelOrder(SYMBOL, "never"), "unknown_order"),
    ],
)
def test_an_impossible_order_is_refused_and_changes_nothing(bench, action, code) -> None:
    bench.do(OpenPosition(SYMBOL, 1, 1.0))
    before = bench.venue.balances()
    assert bench.code(action) == code
    assert bench.venue.balances() == before
    assert bench.order_ids() == []


def test_a_quantity_below_the_minimum_is_refused(new_bench, instrument) -> None:
    bench = new_bench(instrument=instrument._replace(min_quantity=0.5))
    assert bench.code(OpenPosition(SYMBOL, 1, 0.4)) == "below_minimum"


def test_an_entry_without_margin_and_fee_is_refused(new_bench) -> None:
    bench = new_bench(deposit=50.49)
    assert bench.code(OpenPosition(SYMBOL, 1, 10.0)) == "insufficient_balance"
    assert bench.code(OpenPosition(SYMBOL, 1, 9.9)) == ""


def test_a_client_id_works_once_also_after_the_order_is_gone(bench) -> None:
    bench.do(OpenPosition(SYMBOL, 1, 1.0), "entry")
    assert bench.code(OpenPosition(SYMBOL, 1, 1.0), "entry") == "duplicate_client_id"
    for _ in range(250):
        bench.do(OpenPosition(SYMBOL, 1, 0.1, "limit", 1.0))
    assert len(bench.venue.snapshot()["memory"]["ids"]) == 200


def test_an_open_order_keeps_its_client_id_however_old_it_is(bench) -> None:
    bench.do(OpenPosition(SYMBOL, 1, 1.0, "limit", 90.0), "old")
    for _ in range(250):
        bench.do(CancelOrder(SYMBOL, "never"))
    assert bench.code(OpenPosition(SYMBOL, 1, 1.0), "old") == "duplicate_client_id"


def test_leverage_is_raised_but_not_lowered_under_a_position(bench) -> None:
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    wallet = bench.wallet()
    assert bench.code(SetLeverage(SYMBOL, 10)) == "leverage_refused"
    assert bench.code(SetLeverage(SYMBOL, 50)) == ""
    assert bench.wallet() == wallet
    assert bench.venue.snapshot()["positions"][0][5] == 50.0
    assert bench.code(SetLeverage(SYMBOL, 51)) == "leverage_refused"


@pytest.mark.parametrize("leverage", [0, -1, 51, 2.5])
def test_a_leverage_the_symbol_does_not_have_is_refused(bench, leverage) -> None:
    assert bench.code(SetLeverage(SYMBOL, leverage)) == "leverage_refused"


def test_leverage_above_the_tier_of_the_open_notional_is_refused(new_bench) -> None:
    bench = new_bench(deposit=100_000.0)
    bench.do(SetLeverage(SYMBOL, 10))
    bench.do(OpenPosition(SYMBOL, 1, 200.0))
    assert bench.code(SetLeverage(SYMBOL, 11)) == "leverage_refused"
