"""Estimates by hand, on short and broken windows, and on real markets; the regimes that follow from them."""

import math
from pathlib import Path

import numpy as np
import pytest

from bot.core.candles import Candles
from bot.core.timeframe import DAY_MS, HOUR_MS, MINUTE_MS
from bot.core.volatility import parkinson_sigma_day
from bot.risk.estimates import UNKNOWN, MarketEstimates, market_estimates
from bot.risk.regime import ADVERSE, CALM_FAVOURABLE, NEUTRAL, VOLATILE, RegimeState, next_regime
from tests.property.risk.test_estimator_laws import candles_of, random_candles, real_candles

HALF_HOUR_MS = 1_800_000


def flat(bars: int, price: float = 100.0) -> Candles:
    column = np.full(bars, price)
    return candles_of(column, column, column, column.copy())


def test_a_market_that_does_not_move_has_no_volatility_and_no_trend() -> None:
    seen = market_estimates(flat(200), HOUR_MS)
    assert (seen.sigma_day, seen.sigma_6h, seen.sigma_10d) == (0.0, 0.0, 0.0)
    assert (seen.trend_score, seen.is_high_volatility) == (0.0, False)
    assert math.isnan(seen.atr)


@pytest.mark.parametrize("bars", [0, 1])
def test_fewer_than_two_candles_say_nothing(bars: int) -> None:
    assert market_estimates(flat(bars), HOUR_MS) is UNKNOWN


@pytest.mark.parametrize("price", [math.nan, 0.0, -1.0, math.inf])
def test_a_price_that_is_none_leaves_nothing_known(price: float) -> None:
    candles = random_candles(np.random.default_rng(1), 200, 0.01)
    candles.close[100] = price
    seen = market_estimates(candles, HOUR_MS)
    assert all(math.isnan(value) for value in (seen.sigma_day, seen.sigma_6h, seen.sigma_10d))
    assert (seen.trend_score, seen.is_high_volatility) == (0.0, False)
    candles.high[-5] = price
    broken = market_estimates(candles, HOUR_MS)
    assert math.isnan(broken.atr)
    assert math.isnan(broken.sigma_parkinson)


def test_a_calm_day_does_not_lower_the_volatility_below_its_monthly_floor() -> None:
    steps = np.where(np.arange(720) < 600, 0.01, 1e-5) * np.where(np.arange(720) % 2, 1.0, -1.0)
    close = 100.0 * np.exp(np.cumsum(steps))
    seen = market_estimates(candles_of(close, close * 1.001, close * 0.999, close), HOUR_MS)
    thirty = 0.01 * math.sqrt(24.0) * math.sqrt(0.85)
    assert seen.sigma_day == pytest.approx(math.sqrt(0.5) * thirty, rel=0.05)


def test_a_burst_is_high_volatility_only_where_the_window_knows_what_is_normal() -> None:
    candles = random_candles(np.random.default_rng(2), 600, 0.001)
    burst = np.where(np.arange(600) >= 594, 0.02, 0.0) * np.where(np.arange(600) % 2, 1.0, -1.0)
    close = candles.close * np.exp(np.cumsum(burst))
    loud = candles_of(candles.open, candles.high, candles.low, close)
    assert market_estimates(loud, HOUR_MS).is_high_volatility
    assert not market_estimates(loud.tail(24), HOUR_MS).is_high_volatility


def test_the_trend_score_follows_the_market_up_and_down() -> None:
    noise = np.random.default_rng(3).standard_normal(500) * 0.004
    for side in (1.0, -1.0):
        close = 100.0 * np.exp(np.cumsum(noise + side * 0.004))
        seen = market_estimates(candles_of(close, close, close, close), HOUR_MS)
        assert side * seen.trend_score > 1.0


def test_the_range_of_an_hour_is_made_of_whole_hours_that_end_at_the_newest_close() -> None:
    chance = np.random.default_rng(4)
    hours = random_candles(chance, 40, 0.01)
    minutes = [np.repeat(column, 60) for column in (hours.open, hours.high, hours.low, hours.close)]
    known = market_estimates(hours, HOUR_MS).atr
    assert market_estimates(candles_of(*minutes), MINUTE_MS).atr == pytest.approx(known, rel=1e-12)
    assert market_estimates(hours, 4 * HOUR_MS).atr == pytest.approx(known / 2.0, rel=1e-12)
    assert math.isnan(market_estimates(hours.tail(14), HOUR_MS).atr)


def test_the_range_volatilities_are_those_of_the_last_day() -> None:
    candles = random_candles(np.random.default_rng(5), 200, 0.01)
    seen, day = market_estimates(candles, HOUR_MS), candles.tail(24)
    assert seen.sigma_parkinson == parkinson_sigma_day(day.high, day.low, HOUR_MS)
    assert 0.5 * seen.sigma_day < seen.sigma_yang_zhang < 2.0 * seen.sigma_day


def window_of(candles: Candles, start: int, end: int) -> Candles:
    columns = (candles.open, candles.high, candles.low, candles.close)
    return candles_of(*(column[start:end] for column in columns))


def test_on_a_real_market_the_trend_score_has_unit_spread_and_bursts_are_rare(shared: Path) -> None:
    candles = real_candles(shared, "BTCUSDT_1h", 50_000)
    ends = range(1_000, 50_000, 49)
    seen = [market_estimates(window_of(candles, end - 720, end), HOUR_MS) for end in ends]
    assert np.std([estimates.trend_score for estimates in seen]) == pytest.approx(1.0, abs=0.1)
    assert 0.03 < np.mean([estimates.is_high_volatility for estimates in seen]) < 0.08


def estimates_of(trend: float = 0.0, ratio: float = 1.0) -> MarketEstimates:
    return UNKNOWN._replace(
        sigma_day=0.03,
        sigma_6h=0.03 * ratio,
        sigma_10d=0.03,
        trend_score=trend,
        is_high_volatility=ratio > 1.6,
    )


@pytest.mark.parametrize(
    ("side", "trend", "ratio", "regime"),
    [
        (1, 0.33, 1.0, CALM_FAVOURABLE),
        (1, 0.31, 1.0, NEUTRAL),
        (1, -0.64, 1.0, NEUTRAL),
        (1, -0.66, 1.0, ADVERSE),
        (-1, -0.33, 1.0, CALM_FAVOURABLE),
        (-1, 0.66, 1.0, ADVERSE),
        (1, 2.0, 1.7, VOLATILE),
        (-1, 2.0, 1.7, VOLATILE),
    ],
)
def test_the_first_regime_is_that_of_the_estimates(
    side: int, trend: float, ratio: float, regime: int
) -> None:
    assert next_regime(RegimeState(side), estimates_of(trend, ratio), 5) == RegimeState(side, regime, 5)


@pytest.mark.parametrize(
    ("regime", "trend", "ratio", "then"),
    [
        (CALM_FAVOURABLE, 0.26, 1.0, CALM_FAVOURABLE),
        (CALM_FAVOURABLE, 0.25, 1.0, NEUTRAL),
        (ADVERSE, -0.53, 1.0, ADVERSE),
        (ADVERSE, -0.51, 1.0, NEUTRAL),
        (VOLATILE, 0.0, 1.29, VOLATILE),
        (VOLATILE, 0.0, 1.27, NEUTRAL),
        (VOLATILE, 1.0, 1.27, CALM_FAVOURABLE),
    ],
)
def test_a_regime_is_left_a_fifth_beyond_where_it_began(
    regime: int, trend: float, ratio: float, then: int
) -> None:
    state = RegimeState(1, regime, 5)
    assert next_regime(state, estimates_of(trend, ratio), 5 + HALF_HOUR_MS).regime == then


def test_a_regime_stays_for_half_an_hour_but_volatility_does_not_wait() -> None:
    state = RegimeState(1, CALM_FAVOURABLE, 5)
    assert next_regime(state, estimates_of(-1.0), 4 + HALF_HOUR_MS) == state
    assert next_regime(state, estimates_of(-1.0), 5 + HALF_HOUR_MS).regime == ADVERSE
    assert next_regime(state, estimates_of(1.0, 1.7), 6) == RegimeState(1, VOLATILE, 6)
    assert next_regime(RegimeState(1, VOLATILE, 5), estimates_of(1.0), 6).regime == VOLATILE


def test_unknown_estimates_change_no_regime() -> None:
    for regime in (CALM_FAVOURABLE, ADVERSE, VOLATILE):
        state = RegimeState(1, regime, 5)
        assert next_regime(state, UNKNOWN, 5 + DAY_MS) == state
    window = UNKNOWN._replace(sigma_day=0.03, sigma_6h=0.03)
    assert next_regime(RegimeState(1, VOLATILE, 5), window, 5 + DAY_MS).regime == VOLATILE
