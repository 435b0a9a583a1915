"""What was known of a market at every close: the live engine's estimates, for all candles at once.

A window that slides is the end of one block and the beginning of the next: both sums only grow, so nothing
is subtracted that was added before, and a crash that leaves the window leaves no rounding behind.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.compiler import can_compile, compiler
from bot.core.candles import Candles
from bot.core.timeframe import DAY_MS, HOUR_MS
from bot.risk.estimates import (
    ATR_HOURS,
    ATR_PERIOD,
    FAST_HALF_LIFE_MS,
    FAST_TREND_HOURS,
    FLOOR,
    FLOOR_HALF_LIFE_MS,
    HIGH_VOLATILITY_RATIO,
    LEAST_MEMORY_MS,
    NORMAL_HALF_LIFE_MS,
    RANGE_WINDOW_MS,
    SLOW_HALF_LIFE_MS,
    SLOW_TREND_HOURS,
    TREND_SCALE,
    MarketEstimates,
)
from bot.sim.candle_builder import pick

_Column = NDArray[np.float64]
_COLUMNS: Final = len(MarketEstimates._fields)


def estimates_table(candles: Candles, timeframe_ms: int, window: int) -> NDArray[np.float64]:
    """Return a row per candle: market_estimates of the last `window` candles up to it, fields in their order.

    Equal to 1e-12, trend_score to 1e-12 of the logarithms it is the difference of. A candle that the live
    window would not take repeats the row before it. `window`: see bot.engine.window.candles_kept.
    """
    sound = sound_rows(candles)
    known = _table(pick(candles, sound), timeframe_ms, window)
    if sound.all():
        return known
    newest = np.cumsum(sound) - 1
    table = known[np.maximum(newest, 0)] if len(known) else np.zeros((len(sound), _COLUMNS))
    table[newest < 0] = _unknown(1)
    return table


def estimates_of(table: NDArray[np.float64], row: int) -> MarketEstimates:
    """Return one row of the table as the estimates it holds."""
    return estimates_in(table[row].tolist())


def estimates_in(values: list[float]) -> MarketEstimates:
    """Return the values of a row as the estimates they are."""
    day, quarter, ten, atr, score, wild, parkinson, yang_zhang = values
    return MarketEstimates(day, quarter, ten, atr, score, wild > 0.0, parkinson, yang_zhang)


def sound_rows(candles: Candles) -> NDArray[np.bool_]:
    """Return which candles the live window takes: prices that are positive numbers and fit together."""
    inner_low, inner_high = np.minimum(candles.open, candles.close), np.maximum(candles.open, candles.close)
    is_range = (candles.low > 0.0) & (candles.low <= inner_low) & (inner_high <= candles.high)
    is_finite = np.isfinite(candles.volume) & np.isfinite(candles.funding_rate)
    return is_range & (candles.high < math.inf) & is_finite


def _unknown(count: int) -> NDArray[np.float64]:
    table = np.full((count, _COLUMNS), np.nan)
    table[:, 4:6] = 0.0
    return table


def _table(candles: Candles, timeframe_ms: int, window: int) -> NDArray[np.float64]:
    count = len(candles.close)
    table = _unknown(count)
    if count < 2 or window < 2:
        return table
    logs = np.log(candles.close)
    day, quarter, ten = _sigmas(np.diff(logs), timeframe_ms, window)
    table[1:, 0], table[1:, 1] = day, quarter
    is_long = np.minimum(np.arange(1, count), window - 1) * timeframe_ms >= LEAST_MEMORY_MS
    table[1:, 2] = np.where(is_long, ten, np.nan)
    table[:, 3] = _hourly_atr(candles, timeframe_ms, window)
    table[1:, 4] = _trend_scores(logs, day, timeframe_ms, window)[1:]
    with np.errstate(invalid="ignore"):
        table[1:, 5] = table[1:, 1] > HIGH_VOLATILITY_RATIO * table[1:, 2]
    table[1:, 6] = _parkinson(candles, timeframe_ms, window)[1:]
    table[2:, 7] = _yang_zhang(candles, timeframe_ms, window)
    return table


def _sigmas(returns: _Column, timeframe_ms: int, window: int) -> tuple[_Column, _Column, _Column]:
    """sigma_day, and those of 6 hours and of what is normal, from the second candle on."""
    squares = returns * returns
    lives = (FAST_HALF_LIFE_MS, SLOW_HALF_LIFE_MS, NORMAL_HALF_LIFE_MS, FLOOR_HALF_LIFE_MS)
    quarter, five, ten, thirty = (
        np.sqrt(_means(squares, 0.5 ** (timeframe_ms / life), window - 1)) * math.sqrt(DAY_MS / timeframe_ms)
        for life in lives
    )
    return np.maximum(np.sqrt(0.5 * (quarter * quarter + five * five)), FLOOR * thirty), quarter, ten


def _trend_scores(logs: _Column, sigma_day: _Column, timeframe_ms: int, window: int) -> _Column:
    from_first = logs - logs[0]
    fast, slow = (
        _means(from_first, max(1.0 - 2.0 / (hours * HOUR_MS / timeframe_ms + 1.0), 0.0), window)
        for hours in (FAST_TREND_HOURS, SLOW_TREND_HOURS)
    )
    scores = np.zeros(len(logs))
    is_moving = sigma_day > 0.0
    scores[1:][is_moving] = (fast - slow)[1:][is_moving] / (TREND_SCALE * sigma_day[is_moving])
    return scores


def _hourly_atr(candles: Candles, timeframe_ms: int, window: int) -> _Column:
    bars = max(HOUR_MS // timeframe_ms, 1)
    scale = math.sqrt(HOUR_MS / (bars * timeframe_ms))
    loop = _jitted(_hourly_ranges)
    values = loop(candles.high, candles.low, candles.close, bars, window) * scale
    return np.where(values > 0.0, values, np.nan)


def _parkinson(candles: Candles, timeframe_ms: int, window: int) -> _Column:
    ranges = np.log(candles.high / candles.low)
    variances = _means(ranges * ranges, 1.0, min(_recent(timeframe_ms), window))
    return np.sqrt(variances / (4.0 * math.log(2.0))) * math.sqrt(DAY_MS / timeframe_ms)


def _yang_zhang(candles: Candles, timeframe_ms: int, window: int) -> _Column:
    """From the third candle on."""
    size = min(_recent(timeframe_ms), window - 1)
    open_ = candles.open[1:]
    overnight, daytime = np.log(open_ / candles.close[:-1]), np.log(candles.close[1:] / open_)
    up, down = np.log(candles.high[1:] / open_), np.log(candles.low[1:] / open_)
    rogers_satchell = _means(up * (up - daytime) + down * (down - daytime), 1.0, size)
    counts = np.minimum(np.arange(1, len(open_) + 1), size)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 0.34 / (1.34 + (counts + 1) / (counts - 1))
        night, day = _jitted(_variances)(overnight, size), _jitted(_variances)(daytime, size)
        found = np.sqrt(night + share * day + (1.0 - share) * rogers_satchell)
    return found[1:] * math.sqrt(DAY_MS / timeframe_ms) if size > 1 else np.full(len(open_) - 1, np.nan)


def _recent(timeframe_ms: int) -> int:
    return max(RANGE_WINDOW_MS // timeframe_ms, 1)


def _means(values: _Column, decay: float, size: int) -> _Column:
    """Exponential means of the last `size` values at every one, weights summing to 1."""
    powers = decay ** np.arange(min(size, len(values)) + 1, dtype=np.float64)
    weights = np.cumsum(powers)
    rows = np.minimum(np.arange(len(values)), size - 1)
    return _jitted(_weighted_sums)(values, decay, powers, size) / weights[rows]


@lru_cache(maxsize=8)
def _jitted(function: Callable[..., Any]) -> Callable[..., Any]:
    return compiler()(function, cache=True) if can_compile() else function


def _weighted_sums(values: _Column, decay: float, powers: _Column, size: int) -> _Column:
    """Sums of decay^age * value over the last `size` values: what is left of a block, and the next one."""
    count = len(values)
    sums, left = np.empty(count), np.zeros(size)
    for begin in range(0, count, size):
        end, total = min(begin + size, count), 0.0
        for row in range(begin, end):
            total = decay * total + values[row]
            place = row - begin
            before = powers[place + 1] * left[place + 1] if begin > 0 and place + 1 < size else 0.0
            sums[row] = total + before
        total = 0.0
        for row in range(end - 1, begin - 1, -1):
            total += powers[end - 1 - row] * values[row]
            left[row - begin] = total
    return sums


def _variances(values: _Column, size: int) -> _Column:
    """Sample variances of the last `size` values, of block parts merged (Chan, Golub, LeVeque 1979)."""
    count = len(values)
    found, means, squares = np.full(count, np.nan), np.zeros(size), np.zeros(size)
    for begin in range(0, count, size):
        end, mean, square = min(begin + size, count), 0.0, 0.0
        for row in range(begin, end):
            seen = row - begin + 1
            away = values[row] - mean
            mean += away / seen
            square += away * (values[row] - mean)
            rest = size - seen if begin > 0 else 0
            total = square
            if rest > 0:
                gap = means[seen] - mean
                total += squares[seen] + gap * gap * seen * rest / size
            if seen + rest > 1:
                found[row] = total / (seen + rest - 1)
        mean, square = 0.0, 0.0
        for row in range(end - 1, begin - 1, -1):
            away = values[row] - mean
            mean += away / (end - row)
            square += away * (values[row] - mean)
            means[row - begin], squares[row - begin] = mean, square
    return found


def _hourly_ranges(high: _Column, low: _Column, close: _Column, bars: int, window: int) -> _Column:
    """Wilder's average true range of groups of `bars` candles that end at every row; NaN while too few."""
    count, keep = len(close), (ATR_PERIOD - 1) / ATR_PERIOD
    ranges, smooth, found = np.zeros(count), np.zeros(count), np.full(count, np.nan)
    for row in range(2 * bars - 1, count):
        top = bottom = close[row - bars]
        for each in range(row - bars + 1, row + 1):
            top, bottom = max(top, high[each]), min(bottom, low[each])
        ranges[row] = top - bottom
        smooth[row] = keep * smooth[row - bars] + ranges[row]
        hours = min(min(row + 1, window) // bars, ATR_HOURS)
        if hours <= ATR_PERIOD:
            continue
        later = hours - 1 - ATR_PERIOD
        first, weight = 0.0, keep**later
        for age in range(later, later + ATR_PERIOD):
            first += ranges[row - age * bars]
        recent = smooth[row] - weight * smooth[row - later * bars]
        found[row] = (first * weight + recent) / ATR_PERIOD
    return found
