"""The table of estimates says what the live window says at every close, whatever the market did."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.backtest.estimates_table import estimates_of, estimates_table
from bot.core.candles import Candles
from bot.core.timeframe import HOUR_MS, MINUTE_MS
from bot.engine.window import CandleWindow, candles_kept, is_sound_candle
from bot.risk.estimates import UNKNOWN, MarketEstimates, market_estimates
from bot.sim.candle_builder import closed_event, pick

TIMEFRAMES = (MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, 45 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 24 * HOUR_MS)


def market(seed: int, count: int, timeframe_ms: int, *, has_broken: bool) -> Candles:
    """Candles of a market that is calm, mad and still in turns; some of them broken."""
    draw = np.random.default_rng(seed)
    moods = draw.choice([0.0, 1e-4, 1e-3, 2e-2], size=count // 40 + 1).repeat(40)[:count]
    close = draw.choice([0.01, 3.0, 60_000.0]) * np.exp(np.cumsum(moods * draw.standard_normal(count)))
    open_ = np.concatenate((close[:1], close[:-1])) * np.exp(1e-4 * draw.standard_normal(count))
    wick = np.exp(moods * np.abs(draw.standard_normal((2, count))))
    high, low = np.maximum(open_, close) * wick[0], np.minimum(open_, close) / wick[1]
    if has_broken:
        close[draw.integers(0, count, 3)] = draw.choice([math.nan, 0.0, -1.0, math.inf], 3)
        low[draw.integers(0, count)] = 2.0 * high.max()
    opened = np.arange(count, dtype=np.int64) * timeframe_ms
    return Candles(opened, open_, high, low, close, np.ones(count), np.zeros(count))


def lived(candles: Candles, timeframe_ms: int, size: int) -> list[MarketEstimates]:
    """What the live engine knows after each of the candles."""
    window, known, rows = CandleWindow(size), UNKNOWN, []
    for row in range(len(candles.open_ms)):
        one = pick(candles, slice(row, row + 1))
        candle = closed_event("BTC/USDT:USDT", timeframe_ms, one)
        if is_sound_candle(candle) and window.append(candle):
            known = market_estimates(window.view(), timeframe_ms)
        rows.append(known)
    return rows


def is_same(seen: MarketEstimates, known: MarketEstimates) -> bool:
    for name, is_, was in zip(MarketEstimates._fields, seen, known, strict=True):
        # The score is a difference of mean logarithms: what rounding leaves of them stays.
        slack = 1e-13 / known.sigma_day if name == "trend_score" and known.sigma_day > 0.0 else 0.0
        if not (math.isnan(is_) and math.isnan(was)) and abs(is_ - was) > 1e-12 * abs(was) + slack:
            return False
    return seen.is_high_volatility == known.is_high_volatility


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 900),
    timeframe_ms=st.sampled_from(TIMEFRAMES),
    warmup=st.sampled_from((2, 3, 20, 100, 400)),
    is_short=st.booleans(),
    has_broken=st.booleans(),
)
def test_the_table_says_what_the_live_window_says(
    seed: int, count: int, timeframe_ms: int, warmup: int, is_short: bool, has_broken: bool
) -> None:
    size = warmup if is_short else candles_kept(warmup, timeframe_ms)
    candles = market(seed, count, timeframe_ms, has_broken=has_broken)

    table = estimates_table(candles, timeframe_ms, size)

    for row, known in enumerate(lived(candles, timeframe_ms, size)):
        assert is_same(estimates_of(table, row), known), (row, estimates_of(table, row), known)


def test_a_year_of_candles_forgets_what_left_the_window() -> None:
    timeframe_ms = 5 * MINUTE_MS
    size = candles_kept(0, timeframe_ms)
    candles = market(7, 20_000, timeframe_ms, has_broken=False)

    table = estimates_table(candles, timeframe_ms, size)

    for row in range(0, 20_000, 997):
        begin = max(row + 1 - size, 0)
        window = pick(candles, slice(begin, row + 1))
        assert is_same(estimates_of(table, row), market_estimates(window, timeframe_ms)), row
