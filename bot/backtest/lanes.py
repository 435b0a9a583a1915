"""One symbol's recorded bars as an exact backtest passes over them: how far the prices of each bar go."""

import math
from bisect import bisect_left
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.core.candles import Candles
from bot.core.event import MarkPrice
from bot.evidence.nearness import NO_PRICE
from bot.sim.series import MarketHistory, Series

_EVERYTHING: Final = (0.0, NO_PRICE, 0.0, math.inf)


class Lane:
    """One symbol's bars as the ranges of their prices. A missing bar has no range: nothing happens in it."""

    def __init__(self, series: Series, history: MarketHistory) -> None:
        self.symbol = series.symbol
        self._start_ms, self._bar_ms = history.start_ms, history.timeframe_ms
        last, mark = series.candles, series.candles if series.mark is None else series.mark
        rows = _rows(last.open_ms, history)
        self._is_there = rows >= 0
        self.count = int(np.count_nonzero(self._is_there))
        self._close, self._mark_close = last.close[rows], mark.close[rows]
        self._ranges = np.array(
            [
                _column(each, side, rows, missing)
                for each in (mark, last)
                for side, missing in (("low", math.inf), ("high", -math.inf))
            ]
        )
        self._within = sorted(_bars_with_something_within(series, history))
        self._ranges[0, self._within] = -math.inf
        self._mark_low, self._mark_high, self._last_low, self._last_high = self._ranges.tolist()

    def quiet_until(
        self, bar: int, stop: int, low: float, high: float, last_low: float, last_high: float
    ) -> int:
        """Return the first bar of [bar, stop) whose prices leave the bounds, `stop` for none."""
        lows, highs, last_lows, last_highs = self._mark_low, self._mark_high, self._last_low, self._last_high
        while (
            bar < stop
            and low < lows[bar]
            and highs[bar] < high
            and last_low < last_lows[bar]
            and last_highs[bar] < last_high
        ):
            bar += 1
        return bar

    def marks_stay(self, bar: int, stop: int, low: float, high: float) -> int:
        """Return the first bar of [bar, stop) whose marks leave the bounds, `stop` for none."""
        lows, highs = self._mark_low, self._mark_high
        while bar < stop and low < lows[bar] and highs[bar] < high:
            bar += 1
        return bar

    def look_ahead(self, stops: NDArray[np.int64]) -> None:
        """Find the lowest and highest prices from each stop to the next, and the newest ones before it."""
        kinds = (np.minimum, np.maximum, np.minimum, np.maximum)
        ranges = [kind.reduceat(row, stops) for kind, row in zip(kinds, self._ranges, strict=True)]
        newest = [
            np.where(stops > 0, closes[stops - 1], math.nan) for closes in (self._mark_close, self._close)
        ]
        self._ahead = np.column_stack((*ranges, *newest))

    def ahead(self, first: int, until: int) -> list[list[float]]:
        """Return a row for each of these stops: four prices after it and two before it.

        The lowest and highest mark and last up to the next stop, then the newest mark and last.
        """
        return self._ahead[first:until].tolist()

    def has_something_within(self) -> NDArray[np.bool_]:
        """Return after which stops, before the next, something is due within a bar."""
        return np.isneginf(self._ahead[:, 0])

    def leaves(self, bar: int, stop: int, low: float, high: float, last_low: float, last_high: float) -> int:
        """Return what `quiet_until` does, over many bars at once."""
        if (low, high, last_low, last_high) == _EVERYTHING:
            at = bisect_left(self._within, bar)
            return min((stop, *self._within[at : at + 1]))
        marks, lasts = self._ranges[:2, bar:stop], self._ranges[2:, bar:stop]
        is_inside = (low < marks[0]) & (marks[1] < high) & (last_low < lasts[0]) & (lasts[1] < last_high)
        return stop if is_inside.all() else bar + int(is_inside.argmin())

    def last_tick(self, bar: int, until: int) -> MarkPrice | None:
        """Return the last tick of the bars from `bar` up to `until`; None when all are missing."""
        newest = until - 1
        while newest >= bar and not self._is_there[newest]:
            newest -= 1
        if newest < bar:
            return None
        ts_ms = self._start_ms + (newest + 1) * self._bar_ms - 1
        return MarkPrice(ts_ms, self.symbol, float(self._mark_close[newest]), float(self._close[newest]))


def _bars_with_something_within(series: Series, history: MarketHistory) -> list[int]:
    """Return the bars that a settlement or gap falls into: they cannot be taken in one jump."""
    gaps = np.array([gap.from_ms for gap in series.gaps], np.int64)
    since_ms = np.concatenate((series.funding.ts_ms, gaps)) - history.start_ms
    inside = since_ms[since_ms % history.timeframe_ms != 0] // history.timeframe_ms
    bars = (history.end_ms - history.start_ms) // history.timeframe_ms
    return inside[(inside >= 0) & (inside < bars)].tolist()


def _rows(open_ms: NDArray[np.int64], history: MarketHistory) -> NDArray[np.int64]:
    """Return the row of each bar of the range, -1 where the bar is missing."""
    rows = np.full((history.end_ms - history.start_ms) // history.timeframe_ms, -1, np.int64)
    inside = np.flatnonzero((open_ms >= history.start_ms) & (open_ms < history.end_ms))
    rows[(open_ms[inside] - history.start_ms) // history.timeframe_ms] = inside
    return rows


def _column(candles: Candles, name: str, rows: NDArray[np.int64], missing: float) -> NDArray[np.float64]:
    return np.where(rows >= 0, getattr(candles, name)[rows], missing)
