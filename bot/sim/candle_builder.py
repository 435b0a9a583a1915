"""Candles of a longer timeframe from candles of a shorter one, on the grid, complete ones only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.core.candles import Candles
from bot.core.event import CandleClosed
from bot.sim.series import Funding


def resample(candles: Candles, base_ms: int, timeframe_ms: int, funding: Funding) -> Candles:
    """Return the complete candles of `timeframe_ms` in `candles` of `base_ms`, oldest first.

    A candle with a missing part is left out. `funding_rate` is the last rate settled at or before its
    close. Raises ValueError when `timeframe_ms` is no multiple of `base_ms`.
    """
    if timeframe_ms % base_ms:
        raise ValueError(f"candles of {timeframe_ms} ms cannot be built from candles of {base_ms} ms")
    first = _first_rows(candles.open_ms, timeframe_ms)
    if not first.size:
        return with_funding(candles, timeframe_ms, funding)
    counts = np.diff(first, append=candles.open_ms.size)
    built = Candles(
        candles.open_ms[first],
        candles.open[first],
        np.maximum.reduceat(candles.high, first),
        np.minimum.reduceat(candles.low, first),
        candles.close[first + counts - 1],
        np.add.reduceat(candles.volume, first),
        candles.funding_rate[first],
    )
    is_complete = counts == timeframe_ms // base_ms
    return with_funding(pick(built, is_complete), timeframe_ms, funding)


def with_funding(candles: Candles, timeframe_ms: int, funding: Funding) -> Candles:
    """Return `candles` with the funding rate that was last settled when each of them closed."""
    return candles._replace(funding_rate=settled_rate(candles.open_ms + timeframe_ms, funding))


def settled_rate(ts_ms: NDArray[np.int64], funding: Funding) -> NDArray[np.float64]:
    """Return the last rate settled at or before each instant, 0.0 where there was none."""
    rates = np.concatenate(([0.0], funding.rate))
    return rates[np.searchsorted(funding.ts_ms, ts_ms, side="right")]


def closed_by(candles: Candles, timeframe_ms: int, known_ms: int, count: int) -> Candles:
    """Return up to `count` newest candles whose close is at or before `known_ms` (views)."""
    end = int(np.searchsorted(candles.open_ms, known_ms - timeframe_ms, side="right"))
    return pick(candles, slice(max(0, end - count), end))


def pick(candles: Candles, rows: slice | NDArray[np.bool_] | NDArray[np.intp]) -> Candles:
    """Return the chosen rows; views for a slice."""
    return Candles(
        candles.open_ms[rows],
        candles.open[rows],
        candles.high[rows],
        candles.low[rows],
        candles.close[rows],
        candles.volume[rows],
        candles.funding_rate[rows],
    )


def join(parts: Sequence[Candles]) -> Candles:
    """Return the rows of all parts, in their order. ValueError when there is no part."""
    return Candles(
        np.concatenate([part.open_ms for part in parts]),
        np.concatenate([part.open for part in parts]),
        np.concatenate([part.high for part in parts]),
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.close for part in parts]),
        np.concatenate([part.volume for part in parts]),
        np.concatenate([part.funding_rate for part in parts]),
    )


def closed_event(symbol: str, timeframe_ms: int, candles: Candles) -> CandleClosed:
    """Return the event of the first of `candles`, at its close."""
    return CandleClosed(
        int(candles.open_ms[0]) + timeframe_ms,
        symbol,
        timeframe_ms,
        float(candles.open[0]),
        float(candles.high[0]),
        float(candles.low[0]),
        float(candles.close[0]),
        float(candles.volume[0]),
        float(candles.funding_rate[0]),
    )


def _first_rows(open_ms: NDArray[np.int64], timeframe_ms: int) -> NDArray[np.intp]:
    group = open_ms // timeframe_ms
    return np.flatnonzero(np.diff(group, prepend=group[:1] - 1))
