"""Margin numbers that can be checked on paper, and the corners of the formulas."""

import math

import pytest

from bot.core.margin import (
    bankruptcy_price,
    effective_leverage,
    initial_margin,
    liquidation_distance,
    liquidation_price,
    margin_ratio,
    mark_at_distance,
    mark_at_ratio,
    mark_at_removable,
    removable_margin,
)
from bot.core.position import Position, side_name
from bot.core.profile import (
    BINANCE_COINM,
    BINANCE_USDM,
    HYPERLIQUID,
    KEEP_ALL,
    MarginRules,
    VenueProfile,
    bybit,
    bybit_entry_valued,
    gate,
    okx,
)
from bot.core.tiers import LeverageTier, tiers_from_rows

ONE_TIER = tiers_from_rows([LeverageTier(0.0, math.inf, 0.01, 0.0, 50.0)])
LINEAR = MarginRules(ONE_TIER, BINANCE_USDM, False, 0.0)
INVERSE = MarginRules(ONE_TIER, BINANCE_COINM, True, 0.0)
LONG = Position("X", 1, 10.0, 100.0, 100.0, 10.0)
SHORT = LONG._replace(side=-1)


def test_a_ten_times_long_is_liquidated_before_minus_ten_percent() -> None:
    assert liquidation_price(LONG, LINEAR) == pytest.approx(900.0 / 9.9)
    assert bankruptcy_price(LONG, LINEAR) == 90.0
    assert initial_margin(LONG, 100.0, LINEAR) == LONG.isolated_wallet
    assert liquidation_distance(LONG, 100.0, LINEAR) == pytest.approx(1.0 - 9.0 / 9.9)


def test_a_ten_times_short_is_liquidated_before_plus_ten_percent() -> None:
    assert liquidation_price(SHORT, LINEAR) == pytest.approx(1_100.0 / 10.1)
    assert bankruptcy_price(SHORT, LINEAR) == 110.0


def test_a_fully_paid_long_has_no_liquidation_price() -> None:
    paid = LONG._replace(isolated_wallet=1_000.0, leverage=1.0)
    assert liquidation_price(paid, LINEAR) == 0.0
    assert liquidation_distance(paid, 120.0, LINEAR) == 1.0
    assert mark_at_distance(1, 0.0, 0.5) == 0.0


def test_a_fully_paid_inverse_short_has_no_liquidation_price() -> None:
    paid = Position("X", -1, 1_000.0, 100.0, 10.0, 1.0)
    assert liquidation_price(paid, INVERSE) == math.inf
    assert bankruptcy_price(paid, INVERSE) == math.inf
    assert liquidation_price(paid, INVERSE._replace(profile=okx(0.0), tick_size=0.1)) == math.inf


def test_an_entry_valued_inverse_position_is_solved_in_the_coin() -> None:
    rules = MarginRules(ONE_TIER, bybit_entry_valued(0.0), True, 0.0)
    long = Position("X", 1, 1_000.0, 100.0, 1.0, 10.0)
    assert liquidation_price(long, rules) == pytest.approx(1_000.0 / (1.0 + 10.0 - 0.1))


def test_no_mark_is_as_far_as_its_whole_self_from_a_long_liquidation() -> None:
    assert mark_at_distance(1, 90.0, 1.0) == math.inf
    assert mark_at_distance(-1, 110.0, 1.0) == 55.0


def test_ratio_and_leverage_are_infinite_once_equity_is_gone() -> None:
    assert margin_ratio(LONG, 90.0, LINEAR) == math.inf
    assert effective_leverage(LONG, 89.0, LINEAR) == math.inf


def test_a_ratio_below_the_maintenance_rate_is_reached_by_no_falling_mark() -> None:
    assert mark_at_ratio(LONG, 0.005, LINEAR) == 0.0


def test_a_jump_of_maintenance_liquidates_at_the_tier_boundary() -> None:
    rows = [LeverageTier(0.0, 1_000.0, 0.01, 0.0, 50.0), LeverageTier(1_000.0, 5_000.0, 0.2, 0.0, 5.0)]
    rules = LINEAR._replace(tiers=tiers_from_rows(rows, is_continuous=False))
    short = LONG._replace(side=-1, entry_price=99.0)
    assert liquidation_price(short, rules) == 100.0
    long = LONG._replace(entry_price=101.0, isolated_wallet=150.0)
    assert liquidation_price(long, rules) == pytest.approx(860.0 / 8.0)


def test_a_table_that_eases_with_size_liquidates_at_the_boundary_on_the_way_down() -> None:
    rows = [LeverageTier(0.0, 1_000.0, 0.2, 0.0, 5.0), LeverageTier(1_000.0, 5_000.0, 0.01, 0.0, 50.0)]
    rules = LINEAR._replace(tiers=tiers_from_rows(rows, is_continuous=False))
    assert liquidation_price(LONG._replace(entry_price=101.0), rules) == 100.0


def test_a_fee_reserved_from_the_wallet_cannot_be_removed() -> None:
    rules = MarginRules(ONE_TIER, bybit(0.001), False, 0.0)
    position = LONG._replace(isolated_wallet=300.0)
    fee = 1_000.0 * (1.0 - 1.0 / 10.0) * 0.001
    assert removable_margin(position, 100.0, rules) == pytest.approx(300.0 - 100.0 - fee)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [(okx(0.0), 900.0 / 9.9 + 0.5), (gate(0.0), 91.0), (BINANCE_USDM, 900.0 / 9.9)],
)
def test_each_venue_reports_with_its_own_rounding(profile: VenueProfile, expected: float) -> None:
    rules = MarginRules(ONE_TIER, profile, False, 0.5)
    assert liquidation_price(LONG, rules) == pytest.approx(expected, rel=1e-15)


def test_a_rounded_short_is_reported_earlier() -> None:
    assert liquidation_price(SHORT, MarginRules(ONE_TIER, gate(0.0), False, 0.5)) == 108.5


@pytest.mark.parametrize(
    ("profile", "expected"),
    [(BINANCE_USDM, 100.0 - 11.0), (okx(0.0), 100.0), (HYPERLIQUID, 200.0 - 110.0)],
)
def test_removable_margin_follows_the_venues_rule(profile: VenueProfile, expected: float) -> None:
    winner = LONG._replace(leverage=50.0)
    rules = MarginRules(ONE_TIER, profile, False, 0.0)
    assert removable_margin(winner, 110.0, rules) == pytest.approx(expected)
    assert removable_margin(winner._replace(isolated_wallet=0.0), 99.0, rules) == 0.0


def test_a_coin_that_keeps_its_margin_lets_none_out_at_any_mark() -> None:
    rules = MarginRules(ONE_TIER, HYPERLIQUID._replace(removal_rule=KEEP_ALL), False, 0.0)
    assert removable_margin(LONG._replace(leverage=50.0), 110.0, rules) == 0.0
    assert mark_at_removable(LONG, 1.0, 0.001, rules) == math.inf
    assert mark_at_removable(SHORT, 1.0, 0.001, rules) == 0.0


def test_side_names() -> None:
    assert (side_name(1), side_name(-1)) == ("long", "short")
