"""Recorded candles played as ticks. Time order, one symbol after the other at the same instant."""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.core.candles import Candles
from bot.core.event import CandleClosed, FeedGap, FundingDue, MarketEvent, MarkPrice
from bot.errors import UserError
from bot.sim.candle_builder import closed_by, closed_event, resample
from bot.sim.path import Bar, walk, waypoints
from bot.sim.series import Funding, MarketHistory, Series
from bot.sim.source import Place

DEFAULT_MAX_STEP: Final = 0.0025
_TS = itemgetter(0)


class ReplayMarket:
    """A MarketSource over candles in memory.

    `side_of(symbol)` tells the side held (+1, -1, 0) and is asked once a bar, right before its first
    tick; the answers become part of the place, so that a restart in mid-bar walks the same path.
    `max_step` is the largest relative move between two ticks inside a bar.
    """

    def __init__(
        self,
        history: MarketHistory,
        timeframe_ms: int,
        side_of: Callable[[str], int],
        max_step: float = DEFAULT_MAX_STEP,
    ) -> None:
        if timeframe_ms % history.timeframe_ms:
            raise UserError(
                f"Candles of {timeframe_ms // 60_000} minutes cannot be built from recorded candles of "
                f"{history.timeframe_ms // 60_000} minutes: the first is no multiple of the second. "
                "Choose a timeframe that is, or data that is finer."
            )
        self._bar_ms, self._start_ms, self._end_ms = history.timeframe_ms, history.start_ms, history.end_ms
        self._bars = (history.end_ms - history.start_ms) // history.timeframe_ms
        self._series = {series.symbol: series for series in history.series}
        self._timeframe_ms = timeframe_ms
        self._side_of = side_of
        self._tracks = [_Track(series, history, max_step) for series in history.series]
        self._marks = _Boundaries(history)
        self._candles: dict[tuple[str, int], Candles] = {}
        self.seek((0, 0))

    def next(self) -> MarketEvent | None:
        """Return the next event in time order, or None after the last candle of the range has closed."""
        while self._offset == len(self._events):
            if not self._advance():
                return None
        event = self._events[self._offset]
        self._offset += 1
        return event

    def place(self) -> Place:
        """Return (bar, events of it returned, sides held when its path was chosen, if it was)."""
        return (self._bar, self._offset, *self._sides)

    def place_before(self) -> Place:
        """Return the place from which the last returned event comes again."""
        return (self._bar, max(0, self._offset - 1), *self._sides)

    def seek(self, place: Place) -> None:
        """Continue right after `place`. ValueError when it is not a place of this replay."""
        bar, offset, *sides = place
        if not 0 <= bar <= self._bars or len(sides) not in {0, len(self._tracks)}:
            raise ValueError(f"{place} is not a place of this replay of {self._bars} bars")
        self._open_bar(bar)
        if sides:
            self._walk_bar(tuple(sides))
        if not 0 <= offset <= len(self._events):
            raise ValueError(
                f"{place} is not a place of this replay: bar {bar} has {len(self._events)} events"
            )
        self._offset = offset

    def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return up to `count` candles that had closed at the current place; incomplete ones are left out."""
        return closed_by(self._closed(symbol, timeframe_ms), timeframe_ms, self._known_ms(symbol), count)

    def settled_before(self, symbol: str) -> Funding:
        """Return the recorded settlements before the range."""
        funding = self._series[symbol].funding
        is_before = funding.ts_ms < self._start_ms
        return Funding(funding.ts_ms[is_before], funding.rate[is_before])

    def _advance(self) -> bool:
        if self._bar >= self._bars:
            return False
        if self._is_walked:
            self._open_bar(self._bar + 1)
        else:
            self._walk_bar(tuple(self._side_of(track.symbol) for track in self._tracks))
        return True

    def opening(self, bar: int) -> list[MarketEvent]:
        """Return what is due at a bar's first instant, before its prices; also after the last bar."""
        ts_ms = self._start_ms + bar * self._bar_ms
        due = self._marks.at(ts_ms) if bar < self._bars else []
        return [*due, *self._closings(ts_ms)] if ts_ms % self._timeframe_ms == 0 and bar else due

    def prices(self, bar: int, sides: tuple[int, ...]) -> list[MarketEvent]:
        """Return the ticks of a bar, and what is due within it, in time order.

        `sides`: what is held of each symbol when it begins.
        """
        ts_ms = self._start_ms + bar * self._bar_ms
        ticks = self._marks.within(ts_ms, ts_ms + self._bar_ms)
        for track, side in zip(self._tracks, sides, strict=True):
            ticks += track.ticks(bar, ts_ms, side)
        ticks.sort(key=_TS)
        return ticks

    def _open_bar(self, bar: int) -> None:
        self._bar, self._offset, self._sides, self._is_walked = bar, 0, (), False
        self._events = self.opening(bar)
        self._walk_from = len(self._events)

    def _walk_bar(self, sides: tuple[int, ...]) -> None:
        self._sides, self._is_walked = sides, True
        if self._bar < self._bars:
            self._events = [*self._events, *self.prices(self._bar, sides)]

    def _closings(self, ts_ms: int) -> list[CandleClosed]:
        closings = []
        for track in self._tracks:
            candles = closed_by(self._closed(track.symbol, self._timeframe_ms), self._timeframe_ms, ts_ms, 1)
            if candles.open_ms.size and candles.open_ms[0] == ts_ms - self._timeframe_ms:
                closings.append(closed_event(track.symbol, self._timeframe_ms, candles))
        return closings

    def _closed(self, symbol: str, timeframe_ms: int) -> Candles:
        key = (symbol, timeframe_ms)
        if key not in self._candles:
            series = self._series[symbol]
            self._candles[key] = resample(series.candles, self._bar_ms, timeframe_ms, series.funding)
        return self._candles[key]

    def _known_ms(self, symbol: str) -> int:
        """Return the newest instant whose closed candles of `symbol` have all been delivered."""
        ts_ms = self._start_ms + self._bar * self._bar_ms
        coming = self._events[self._offset : self._walk_from]
        is_coming = any(isinstance(event, CandleClosed) and event.symbol == symbol for event in coming)
        return ts_ms - 1 if is_coming else ts_ms


class _Boundaries:
    """Funding settlements and gaps by their instant."""

    def __init__(self, history: MarketHistory) -> None:
        self._at: dict[int, list[MarketEvent]] = {}
        for event in [*_fundings(history), *_gaps(history)]:
            self._at.setdefault(event.ts_ms, []).append(event)
        self._inside = np.array(
            sorted(ts_ms for ts_ms in self._at if ts_ms % history.timeframe_ms), dtype=np.int64
        )

    def at(self, ts_ms: int) -> list[MarketEvent]:
        return self._at.get(ts_ms, [])

    def within(self, after_ms: int, before_ms: int) -> list[MarketEvent]:
        if not self._inside.size:
            return []
        low, high = np.searchsorted(self._inside, (after_ms, before_ms))
        return [event for ts_ms in self._inside[low:high].tolist() for event in self._at[ts_ms]]


class _Track:
    """One symbol's bars by number, and their ticks."""

    def __init__(self, series: Series, history: MarketHistory, max_step: float) -> None:
        self.symbol = series.symbol
        self._max_step, self._bar_ms = max_step, history.timeframe_ms
        self._rows = _rows_of_bars(series.candles.open_ms, history)
        self._last, self._mark = series.candles, series.mark

    def ticks(self, bar: int, open_ms: int, side: int) -> list[MarketEvent]:
        """Return the ticks of `bar`, spread from its open to its last millisecond; none when missing."""
        row = self._rows.item(bar)
        if row < 0:
            return []
        last = waypoints(_bar(self._last, row), side)
        mark = last if self._mark is None else waypoints(_bar(self._mark, row), side)
        prices = walk(mark, last, self._max_step)
        steps, span_ms, symbol = len(prices) - 1, self._bar_ms - 1, self.symbol
        return [
            MarkPrice(open_ms + number * span_ms // steps, symbol, mark, last)
            for number, (mark, last) in enumerate(prices)
        ]


def _rows_of_bars(open_ms: NDArray[np.int64], history: MarketHistory) -> NDArray[np.int64]:
    """Return the row of each bar of the range in a series, -1 where the bar is missing."""
    rows = np.full((history.end_ms - history.start_ms) // history.timeframe_ms, -1, np.int64)
    inside = np.flatnonzero((open_ms >= history.start_ms) & (open_ms < history.end_ms))
    rows[(open_ms[inside] - history.start_ms) // history.timeframe_ms] = inside
    return rows


def _bar(candles: Candles, row: int) -> Bar:
    return Bar(candles.open.item(row), candles.high.item(row), candles.low.item(row), candles.close.item(row))


def _fundings(history: MarketHistory) -> Iterable[FundingDue]:
    for series in history.series:
        for ts_ms, rate in _pairs(series.funding):
            if history.start_ms <= ts_ms < history.end_ms:
                yield FundingDue(ts_ms, series.symbol, rate)


def _pairs(funding: Funding) -> Sequence[tuple[int, float]]:
    return list(zip(funding.ts_ms.tolist(), funding.rate.tolist(), strict=True))


def _gaps(history: MarketHistory) -> Iterable[FeedGap]:
    for series in history.series:
        for gap in series.gaps:
            yield FeedGap(gap.from_ms, series.symbol, gap.until_ms)
