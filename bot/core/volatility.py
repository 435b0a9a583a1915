"""Volatility from candles: EWMA, Parkinson, Yang-Zhang (of log prices, per bar or per sqrt(day)) and ATR.

All functions read a whole window (float64 columns, oldest first) and return NaN when it is too short.
Sources: Parkinson 1980; Yang and Zhang 2000; Wilder 1978; the EWMA is seeded with the first squared return.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.core.compiled import compiled

DAY_MS: Final = 86_400_000


@compiled
def per_sqrt_day(sigma_bar: float, timeframe_ms: int) -> float:
    """Return a standard deviation per bar as one per sqrt(day), for bars of `timeframe_ms`."""
    return sigma_bar * math.sqrt(DAY_MS / timeframe_ms)


@compiled
def ewma_sigma_day(close: NDArray[np.float64], half_life_ms: float, timeframe_ms: int) -> float:
    """Return the EWMA standard deviation per sqrt(day); NaN for fewer than two closes."""
    return per_sqrt_day(ewma_sigma_bar(close, half_life_ms / timeframe_ms), timeframe_ms)


@compiled
def ewma_sigma_bar(close: NDArray[np.float64], half_life_bars: float) -> float:
    """Return the EWMA standard deviation of close-to-close log returns; NaN for fewer than two closes.

    variance = d * variance + (1 - d) * return^2, d = 0.5^(1/half_life), written as one weighted sum.
    """
    return weighted_sigma_bar(close, ewma_weights(len(close) - 1, half_life_bars))


@compiled
def ewma_weights(count: int, half_life_bars: float) -> NDArray[np.float64]:
    """Return the weights of `count` returns, oldest first, which sum to 1; empty for none."""
    decay = 0.5 ** (1.0 / half_life_bars)
    weights = (1.0 - decay) * decay ** np.arange(count - 1, -1, -1)
    if count > 0:
        weights[0] = decay ** (count - 1)
    return weights


@compiled
def weighted_sigma_bar(close: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the standard deviation of log returns under `weights`, one for each; NaN for none."""
    if len(weights) < 1:
        return math.nan
    returns = np.log(close[1:] / close[:-1])
    return math.sqrt(np.sum(weights * returns * returns))


@compiled
def parkinson_sigma_day(high: NDArray[np.float64], low: NDArray[np.float64], timeframe_ms: int) -> float:
    """Return Parkinson's standard deviation per sqrt(day); NaN for an empty window."""
    return per_sqrt_day(parkinson_sigma_bar(high, low), timeframe_ms)


@compiled
def parkinson_sigma_bar(high: NDArray[np.float64], low: NDArray[np.float64]) -> float:
    """Return Parkinson's standard deviation from the ranges of all bars; NaN for an empty window."""
    if len(high) < 1:
        return math.nan
    ranges = np.log(high / low)
    return math.sqrt(np.mean(ranges * ranges) / (4.0 * math.log(2.0)))


@compiled
def yang_zhang_sigma_bar(
    open_: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    close: NDArray[np.float64],
) -> float:
    """Return Yang and Zhang's standard deviation over all bars but the first; NaN for fewer than three."""
    count = len(close) - 1
    if count < 2:
        return math.nan
    overnight = np.log(open_[1:] / close[:-1])
    daytime = np.log(close[1:] / open_[1:])
    up, down = np.log(high[1:] / open_[1:]), np.log(low[1:] / open_[1:])
    rogers_satchell = np.mean(up * (up - daytime) + down * (down - daytime))
    share = 0.34 / (1.34 + (count + 1) / (count - 1))
    return math.sqrt(
        _sample_variance(overnight) + share * _sample_variance(daytime) + (1.0 - share) * rogers_satchell
    )


@compiled
def _sample_variance(values: NDArray[np.float64]) -> float:
    deviations = values - np.mean(values)
    return float(np.sum(deviations * deviations)) / (len(values) - 1)


@compiled
def average_true_range(
    high: NDArray[np.float64], low: NDArray[np.float64], close: NDArray[np.float64], period: int
) -> float:
    """Return Wilder's average true range, in price units; NaN for fewer than period + 1 bars.

    The first bar only lends its close, the next `period` ranges are averaged plainly, and from then on
    average = ((period - 1) * average + range) / period, written as one weighted sum.
    """
    count = len(close) - 1
    if count < period:
        return math.nan
    ranges = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
    keep, later = (period - 1) / period, count - period
    weights = keep ** np.arange(later - 1, -1, -1) / period
    return float(np.mean(ranges[:period]) * keep**later + np.sum(weights * ranges[period:]))
