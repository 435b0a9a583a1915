"""Recorded candles as the columns a trade is walked along: prices, funding, and what was known at a close."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.compiled import compiled
from bot.core.timeframe import DAY_MS, MINUTE_MS
from bot.risk.estimates import MarketEstimates, market_estimates
from bot.sim.candle_builder import pick
from bot.sim.series import Series

WARMUP_MS: Final = 31 * DAY_MS
_WINDOW_MS: Final = 30 * DAY_MS
_ESTIMATED_EVERY_MS: Final = 15 * MINUTE_MS
_ESTIMATES: Final = len(MarketEstimates._fields)


class Bars(NamedTuple):
    """One symbol. `prices`: open, high, low, close of the mark; `rates`: funding settled in the bar and next.

    `estimates` are the fields of MarketEstimates as known at the close, from candles up to it alone.
    """

    close_ms: NDArray[np.int64]
    prices: NDArray[np.float64]
    rates: NDArray[np.float64]
    estimates: NDArray[np.float64]


class Bar(NamedTuple):
    """One row of Bars; `paid_rate` > 0: longs paid it when the bar opened."""

    close_ms: int
    open: float
    high: float
    low: float
    close: float
    paid_rate: float
    next_rate: float


def bars_of(series: Series, timeframe_ms: int, start_ms: int) -> Bars:
    """Return the columns of a symbol; estimates before `start_ms` are left unknown (NaN): nobody asks.

    Estimates are renewed every 15 minutes, or at every close of longer bars.
    """
    candles, marks = series.candles, series.candles if series.mark is None else series.mark
    settled = np.searchsorted(candles.open_ms, series.funding.ts_ms, side="right") - 1
    is_inside = (settled >= 0) & (series.funding.ts_ms < candles.open_ms[-1] + timeframe_ms)
    paid = np.bincount(settled[is_inside], series.funding.rate[is_inside], len(candles.open_ms))
    return Bars(
        candles.open_ms + timeframe_ms,
        np.column_stack((marks.open, marks.high, marks.low, marks.close)),
        np.column_stack((paid.astype(np.float64), candles.funding_rate)),
        _estimates(series, timeframe_ms, start_ms),
    )


@compiled
def bar_at(bars: Bars, row: int) -> Bar:
    """Return one row."""
    prices, rates = bars.prices[row], bars.rates[row]
    return Bar(bars.close_ms[row], prices[0], prices[1], prices[2], prices[3], rates[0], rates[1])


@compiled
def estimates_at(bars: Bars, row: int) -> MarketEstimates:
    """Return what was known of the market at the close of a row."""
    known = bars.estimates[row]
    return MarketEstimates(
        known[0], known[1], known[2], known[3], known[4], known[5] > 0.0, known[6], known[7]
    )


def _estimates(series: Series, timeframe_ms: int, start_ms: int) -> NDArray[np.float64]:
    candles = series.candles
    count, window = len(candles.open_ms), _WINDOW_MS // timeframe_ms
    found = np.full((count, _ESTIMATES), np.nan)
    close_ms = candles.open_ms + timeframe_ms
    for row in range(int(np.searchsorted(close_ms, start_ms)), count):
        if close_ms[row] % max(_ESTIMATED_EVERY_MS, timeframe_ms) == 0 or np.isnan(found[row - 1, 0]):
            known = pick(candles, slice(max(row + 1 - window, 0), row + 1))
            found[row] = market_estimates(known, timeframe_ms)
        else:
            found[row] = found[row - 1]
    return found
