"""Laws of the estimators: streaming equals the window form, and a window alone decides the estimates."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from bot.core.candles import Candles
from bot.core.timeframe import DAY_MS, HOUR_MS, MINUTE_MS
from bot.core.volatility import (
    average_true_range,
    ewma_sigma_bar,
    parkinson_sigma_bar,
    per_sqrt_day,
    yang_zhang_sigma_bar,
)
from bot.risk import estimators as stream
from bot.risk.estimates import MarketEstimates, market_estimates

_EQUAL = 1e-9


@st.composite
def walks(draw: st.DrawFn) -> Candles:
    seed, bars = draw(st.integers(0, 2**32 - 1)), draw(st.integers(40, 300))
    sigma = draw(st.floats(1e-5, 0.05))
    return random_candles(np.random.default_rng(seed), bars, sigma)


def random_candles(chance: np.random.Generator, bars: int, sigma: float) -> Candles:
    steps = chance.standard_t(4, (bars, 4)) * sigma
    close = 100.0 * np.exp(np.cumsum(steps[:, 0]))
    open_ = np.concatenate(([100.0], close[:-1])) * np.exp(0.2 * steps[:, 1])
    high = np.maximum(open_, close) * np.exp(np.abs(steps[:, 2]))
    low = np.minimum(open_, close) * np.exp(-np.abs(steps[:, 3]))
    return candles_of(open_, high, low, close)


def candles_of(open_: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Candles:
    zeros = np.zeros(len(close))
    return Candles(np.arange(len(close)) * MINUTE_MS, open_, high, low, close, zeros, zeros)


def bars_of(candles: Candles) -> list[stream.Bar]:
    """Every candle but the first, with the close before it."""
    columns = (candles.close[:-1], candles.open[1:], candles.high[1:], candles.low[1:], candles.close[1:])
    return [stream.Bar(*map(float, row)) for row in zip(*columns, strict=True)]


def assert_streams_equal_windows(candles: Candles, window: int) -> None:
    bars = bars_of(candles)
    ewma, atr = stream.EwmaState(0.5 ** (1.0 / window)), stream.RangeState(14)
    ranges, yang_zhang = stream.ParkinsonState(), stream.YangZhangState()
    for index, bar in enumerate(bars):
        ewma = stream.ewma_after(ewma, math.log(bar.close / bar.previous_close))
        atr = stream.range_after(atr, bar)
        ranges = stream.parkinson_entered(ranges, bar)
        yang_zhang = stream.yang_zhang_entered(yang_zhang, bar)
        if index >= window:
            ranges = stream.parkinson_left(ranges, bars[index - window])
            yang_zhang = stream.yang_zhang_left(yang_zhang, bars[index - window])
    tail, with_first = candles.tail(window), candles.tail(window + 1)
    assert stream.ewma_sigma(ewma) == pytest.approx(ewma_sigma_bar(candles.close, window), rel=_EQUAL)
    wilder = average_true_range(candles.high, candles.low, candles.close, 14)
    assert stream.average_true_range_of(atr) == pytest.approx(wilder, rel=_EQUAL)
    parkinson = parkinson_sigma_bar(tail.high, tail.low)
    assert stream.parkinson_sigma(ranges) == pytest.approx(parkinson, rel=_EQUAL)
    whole = yang_zhang_sigma_bar(with_first.open, with_first.high, with_first.low, with_first.close)
    assert stream.yang_zhang_sigma(yang_zhang) == pytest.approx(whole, rel=_EQUAL)


@given(walks(), st.integers(2, 30))
def test_streaming_equals_the_window_form(candles: Candles, window: int) -> None:
    assert_streams_equal_windows(candles, window)


@given(walks(), st.integers(2, 30))
def test_a_crash_that_left_the_window_leaves_no_trace(candles: Candles, window: int) -> None:
    candles.low[1] = candles.low[1] * 1e-6
    assert_streams_equal_windows(candles, window)


@pytest.mark.parametrize("name", ["BTCUSDT_1m_2025-02", "SOLUSDT_1m_2025-02"])
def test_streaming_equals_the_window_form_on_real_candles(shared: Path, name: str) -> None:
    assert_streams_equal_windows(real_candles(shared, name, 4_000), 1_440)


def real_candles(shared: Path, name: str, bars: int) -> Candles:
    frame = pl.read_parquet(shared / "data" / "binance_usdm_perp" / f"{name}.parquet").tail(bars)
    return candles_of(
        *(frame[field].to_numpy().astype(np.float64) for field in ("open", "high", "low", "close"))
    )


@given(walks(), st.integers(2, 30))
def test_average_true_range_is_that_of_the_indicator_library(candles: Candles, period: int) -> None:
    known = talib.ATR(candles.high, candles.low, candles.close, period)[-1]
    got = average_true_range(candles.high, candles.low, candles.close, period)
    assert got == pytest.approx(known, rel=_EQUAL)


@given(st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=50), st.floats(0.0, 0.999))
def test_the_weights_of_an_exponential_mean_sum_to_one(values: list[float], decay: float) -> None:
    state = stream.MeanState(decay)
    for value in values:
        state = stream.mean_after(state, value)
    weights = decay ** np.arange(len(values) - 1, -1, -1)
    assert stream.mean_of(state) == pytest.approx(np.average(values, weights=weights), rel=1e-9, abs=1e-9)


def test_nothing_seen_is_nothing_known() -> None:
    assert math.isnan(stream.ewma_sigma(stream.EwmaState(0.9)))
    assert math.isnan(stream.mean_of(stream.MeanState(0.9)))
    assert math.isnan(stream.average_true_range_of(stream.RangeState(14)))
    assert math.isnan(stream.parkinson_sigma(stream.ParkinsonState()))
    assert math.isnan(stream.yang_zhang_sigma(stream.YangZhangState()))
    short = np.array([100.0, 101.0])
    assert math.isnan(average_true_range(short, short, short, 2))


def recomputed(candles: Candles, timeframe_ms: int) -> MarketEstimates:
    """The estimates bar by bar, from the streaming forms; volatilities and trend only."""
    logs = [math.log(price) for price in candles.close]

    def sigma(half_life_ms: int) -> float:
        state = stream.MeanState(0.5 ** (timeframe_ms / half_life_ms))
        for before, after in pairwise(logs):
            state = stream.mean_after(state, (after - before) ** 2)
        return per_sqrt_day(math.sqrt(stream.mean_of(state)), timeframe_ms)

    def mean(hours: int) -> float:
        state = stream.MeanState(1.0 - 2.0 / (hours * HOUR_MS / timeframe_ms + 1.0))
        for value in logs:
            state = stream.mean_after(state, value)
        return stream.mean_of(state)

    blend = math.sqrt(0.5 * (sigma(DAY_MS // 4) ** 2 + sigma(5 * DAY_MS) ** 2))
    sigma_day = max(blend, math.sqrt(0.5) * sigma(30 * DAY_MS))
    trend = (mean(4) - mean(24)) / (0.36 * sigma_day)
    quarter, ten = sigma(DAY_MS // 4), sigma(10 * DAY_MS)
    return MarketEstimates(sigma_day, quarter, ten, 0.0, trend, quarter > 1.6 * ten, 0.0, 0.0)


@pytest.mark.parametrize("timeframe_ms", [15 * MINUTE_MS, HOUR_MS])
@given(walks())
def test_market_estimates_are_the_recursions_over_the_window(timeframe_ms: int, candles: Candles) -> None:
    got, known = market_estimates(candles, timeframe_ms), recomputed(candles, timeframe_ms)
    assert got.sigma_day == pytest.approx(known.sigma_day, rel=_EQUAL)
    assert got.sigma_6h == pytest.approx(known.sigma_6h, rel=_EQUAL)
    assert got.trend_score == pytest.approx(known.trend_score, rel=1e-6, abs=1e-6)
    if (len(candles.close) - 1) * timeframe_ms >= DAY_MS:
        assert got.sigma_10d == pytest.approx(known.sigma_10d, rel=_EQUAL)
        assert got.is_high_volatility == known.is_high_volatility
    else:
        assert math.isnan(got.sigma_10d)
        assert not got.is_high_volatility


@given(walks(), st.floats(0.01, 100.0))
def test_market_estimates_ignore_the_scale_of_prices(candles: Candles, factor: float) -> None:
    columns = (column * factor for column in (candles.open, candles.high, candles.low, candles.close))
    scaled = market_estimates(candles_of(*columns), 15 * MINUTE_MS)
    known = market_estimates(candles, 15 * MINUTE_MS)
    assert scaled.sigma_day == pytest.approx(known.sigma_day, rel=1e-6)
    assert scaled.sigma_yang_zhang == pytest.approx(known.sigma_yang_zhang, rel=1e-6)
    assert scaled.atr == pytest.approx(known.atr * factor, rel=1e-6, nan_ok=True)
