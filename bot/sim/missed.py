"""The way of the price while nobody listened, from minute candles: adverse first, as the replay walks them.

The first candle had begun before, and its extremes may lie in what was already lived through. They count only
where they exceed what was seen of that minute: a stop placed since must not be met by a price before it.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from bot.core.candles import Candles
from bot.core.event import MarkPrice
from bot.core.timeframe import MINUTE_MS
from bot.sim.path import Bar, walk, waypoints

_MAX_STEP: Final = 0.0025


class Extremes(NamedTuple):
    low: float
    high: float


class Lived(NamedTuple):
    """One symbol's newest price that the venue has seen, and the extremes of its minute up to then."""

    tick: MarkPrice
    mark: Extremes
    last: Extremes

    def after(self, tick: MarkPrice) -> "Lived":
        """Return what has been seen after one more tick."""
        if tick.ts_ms // MINUTE_MS != self.tick.ts_ms // MINUTE_MS:
            return first_seen(tick)
        return Lived(tick, _with(self.mark, tick.mark), _with(self.last, tick.last))


class MissedBar(NamedTuple):
    """The part of a minute from `begin_ms` up to and with `end_ms`."""

    begin_ms: int
    end_ms: int
    mark: Bar
    last: Bar


def first_seen(tick: MarkPrice) -> Lived:
    """Return what has been seen of a minute after its first tick."""
    return Lived(tick, Extremes(tick.mark, tick.mark), Extremes(tick.last, tick.last))


def missed_bars(lived: Lived, marks: Candles, lasts: Candles, until_ms: int) -> Iterator[MissedBar]:
    """Yield the minutes after what was lived through up to, not including, `until_ms`, oldest first.

    Minutes without a mark candle are left out; where only the last price is unknown, the mark stands in.
    """
    traded = {int(open_ms): _bar(lasts, row) for row, open_ms in enumerate(lasts.open_ms.tolist())}
    for row, open_ms in enumerate(marks.open_ms.tolist()):
        begin_ms = max(open_ms, lived.tick.ts_ms + 1)
        end_ms = min(open_ms + MINUTE_MS, until_ms) - 1
        if begin_ms > end_ms:
            continue
        mark = _bar(marks, row)
        last = traded.get(open_ms, mark)
        if open_ms <= lived.tick.ts_ms:
            mark = _rest(mark, lived.tick.mark, lived.mark)
            last = _rest(last, lived.tick.last, lived.last)
        yield MissedBar(begin_ms, end_ms, mark, last)


def ticks(symbol: str, bars: Iterator[MissedBar], side_of: Callable[[str], int]) -> Iterator[MarkPrice]:
    """Yield the ticks of the bars. The side held is asked for when a bar begins, so consume one by one."""
    for bar in bars:
        side = side_of(symbol)
        prices = walk(waypoints(bar.mark, side), waypoints(bar.last, side), _MAX_STEP)
        steps, span_ms = len(prices) - 1, bar.end_ms - bar.begin_ms
        for number, (mark, last) in enumerate(prices):
            yield MarkPrice(bar.begin_ms + number * span_ms // steps, symbol, mark, last)


def _bar(candles: Candles, row: int) -> Bar:
    columns = (candles.open, candles.high, candles.low, candles.close)
    return Bar(*(float(column[row]) for column in columns))


def _rest(bar: Bar, now: float, seen: Extremes) -> Bar:
    """Return the rest of a candle that goes on from `now`."""
    high = bar.high if bar.high > seen.high else max(now, bar.close)
    low = bar.low if bar.low < seen.low else min(now, bar.close)
    return Bar(now, max(high, now), min(low, now), bar.close)


def _with(seen: Extremes, price: float) -> Extremes:
    return Extremes(min(seen.low, price), max(seen.high, price))
