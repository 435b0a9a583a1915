"""What policies know of a market: its volatilities, its true range and its trend, from closed candles.

Everything is a function of the window alone, so a restart that loads the same candles sees the same
numbers. A window of 30 days serves every estimate in full; with a shorter one sigma_10d and the floor
speak of what the window holds. Bars are counted, not clocked: a gap in the candles is not seen.
"""

import math
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.candles import Candles
from bot.core.timeframe import DAY_MS, HOUR_MS
from bot.core.volatility import average_true_range, parkinson_sigma_bar, per_sqrt_day, yang_zhang_sigma_bar

HIGH_VOLATILITY_RATIO: Final = 1.6
TREND_SCALE: Final = 0.36  # of sigma_day: makes the standard deviation of the trend score about 1

FAST_HALF_LIFE_MS: Final = DAY_MS // 4
SLOW_HALF_LIFE_MS: Final = 5 * DAY_MS
NORMAL_HALF_LIFE_MS: Final = 10 * DAY_MS
FLOOR_HALF_LIFE_MS: Final = 30 * DAY_MS
FAST_TREND_HOURS: Final = 4
SLOW_TREND_HOURS: Final = 24
FLOOR: Final = math.sqrt(0.5)
RANGE_WINDOW_MS: Final = DAY_MS  # Parkinson and Yang-Zhang
LEAST_MEMORY_MS: Final = DAY_MS  # a shorter window says nothing of what volatility is normal
ATR_PERIOD: Final = 14
ATR_HOURS: Final = 240  # the weight of anything older is below 1e-6


class MarketEstimates(NamedTuple):
    """Volatilities per sqrt(day); `atr` in price units, of one-hour bars; NaN where the window is too short.

    `trend_score` is positive in a rising market and has a standard deviation of about 1; 0.0 while not
    known. `is_high_volatility`: sigma_6h is above 1.6 * sigma_10d (4 to 6 % of the time).
    """

    sigma_day: float
    sigma_6h: float
    sigma_10d: float
    atr: float
    trend_score: float
    is_high_volatility: bool
    sigma_parkinson: float
    sigma_yang_zhang: float


UNKNOWN: Final = MarketEstimates(math.nan, math.nan, math.nan, math.nan, 0.0, False, math.nan, math.nan)


def market_estimates(candles: Candles, timeframe_ms: int) -> MarketEstimates:
    """Return the estimates from a window of closed candles, oldest first; margin-science 3.0 and 3.6.

    sigma_day: root of the mean of two EWMA variances, half-lives 6 hours and 5 days, at least sqrt(0.5)
    times the one of 30 days. Margin-science 3.0 finds it as well calibrated as one of 24 hours; it sees a
    crash within hours, so that margin follows while the position is still open. The weights sum to 1 over
    the window; the seeded form of bot.core.volatility would give the first return of a
    window of two days a quarter of all weight. NaN fields: fewer than two candles, or a price that is
    not a positive number.
    """
    count = len(candles.close) - 1
    if count < 1:
        return UNKNOWN
    with np.errstate(all="ignore"):
        logs = np.log(candles.close)
        returns = np.diff(logs)
        squares = returns * returns
        quarter, five, ten, thirty = (
            _sigma(squares, half_life_ms, timeframe_ms)
            for half_life_ms in (
                FAST_HALF_LIFE_MS,
                SLOW_HALF_LIFE_MS,
                NORMAL_HALF_LIFE_MS,
                FLOOR_HALF_LIFE_MS,
            )
        )
        day = math.sqrt(0.5 * (quarter * quarter + five * five))
        sigma_day = max(day, FLOOR * thirty) if math.isfinite(day) else math.nan
        normal = ten if count * timeframe_ms >= LEAST_MEMORY_MS else math.nan
        return MarketEstimates(
            sigma_day=sigma_day,
            sigma_6h=quarter,
            sigma_10d=normal,
            atr=_hourly_atr(candles, timeframe_ms),
            trend_score=_trend_score(logs, sigma_day, timeframe_ms),
            is_high_volatility=quarter > HIGH_VOLATILITY_RATIO * normal,
            sigma_parkinson=_parkinson(candles, timeframe_ms),
            sigma_yang_zhang=_yang_zhang(candles, timeframe_ms),
        )


def _sigma(squares: NDArray[np.float64], half_life_ms: float, timeframe_ms: int) -> float:
    decay = 0.5 ** (timeframe_ms / half_life_ms)
    variance = float(_weights(len(squares), decay) @ squares)
    return per_sqrt_day(math.sqrt(variance), timeframe_ms) if 0.0 <= variance < math.inf else math.nan


def _trend_score(logs: NDArray[np.float64], sigma_day: float, timeframe_ms: int) -> float:
    """(EMA_4h - EMA_24h of ln p) / (0.36 * sigma_day); an EMA of N bars decays by 1 - 2 / (N + 1)."""
    if not 0.0 < sigma_day < math.inf:
        return 0.0
    fast, slow = (
        _mean(logs, hours * HOUR_MS / timeframe_ms) for hours in (FAST_TREND_HOURS, SLOW_TREND_HOURS)
    )
    return (fast - slow) / (TREND_SCALE * sigma_day)


def _mean(logs: NDArray[np.float64], bars: float) -> float:
    return float(_weights(len(logs), max(1.0 - 2.0 / (bars + 1.0), 0.0)) @ logs)


def _hourly_atr(candles: Candles, timeframe_ms: int) -> float:
    """Wilder's ATR of 14 one-hour bars that end at the newest close; longer bars are scaled to an hour."""
    bars = max(HOUR_MS // timeframe_ms, 1)
    hours = min(len(candles.close) // bars, ATR_HOURS)
    if hours <= ATR_PERIOD:
        return math.nan
    newest = candles.tail(hours * bars)
    if not min(newest.high.min(), newest.low.min(), newest.close.min()) > 0.0:
        return math.nan
    first = np.arange(0, hours * bars, bars)
    high, low = np.maximum.reduceat(newest.high, first), np.minimum.reduceat(newest.low, first)
    value = average_true_range(high, low, newest.close[bars - 1 :: bars], ATR_PERIOD)
    value *= math.sqrt(HOUR_MS / (bars * timeframe_ms))
    return value if 0.0 < value < math.inf else math.nan


def _parkinson(candles: Candles, timeframe_ms: int) -> float:
    recent = candles.tail(_recent(timeframe_ms))
    return _known(per_sqrt_day(parkinson_sigma_bar(recent.high, recent.low), timeframe_ms))


def _yang_zhang(candles: Candles, timeframe_ms: int) -> float:
    recent = candles.tail(_recent(timeframe_ms) + 1)
    sigma_bar = yang_zhang_sigma_bar(recent.open, recent.high, recent.low, recent.close)
    return _known(per_sqrt_day(sigma_bar, timeframe_ms))


def _recent(timeframe_ms: int) -> int:
    return max(RANGE_WINDOW_MS // timeframe_ms, 1)


def _known(sigma: float) -> float:
    return sigma if 0.0 <= sigma < math.inf else math.nan


@lru_cache(maxsize=32)
def _weights(count: int, decay: float) -> NDArray[np.float64]:
    """The weights decay^age of `count` values, oldest first, summing to 1. Read-only: it is shared."""
    weights = decay ** np.arange(count - 1, -1, -1, dtype=np.float64)
    weights /= weights.sum()
    weights.flags.writeable = False
    return weights
