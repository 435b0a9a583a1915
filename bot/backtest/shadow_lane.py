"""One symbol of a backtest that was played: its shadows, and the first mark or word that ends one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.kernel.market import ENTERS, IS_LONG, IS_SHORT, LEAVES, Played
from bot.backtest.told_rows import Row
from bot.core.profile import MarginRules
from bot.evidence.book import TradeBook
from bot.evidence.shadow import STAYS, exit_at, is_liquidated_at, liquidation_of
from bot.sim.path import Bar, walk, waypoints
from bot.sim.replay import DEFAULT_MAX_STEP

_WIDER: Final = 2e-9  # liquidation is within float noise of its price; bars are searched a little wider
_NEVER_MS: Final = 2**62
_FAR: Final = 1e300


class End(NamedTuple):
    """When a shadow ends, in the order of what is heard: a candle before the ticks of its instant."""

    ts_ms: int
    is_tick: bool
    lane: int
    mark: float
    direction: int

    @property
    def is_candle(self) -> bool:
        """Whether the strategy's word ends it, and no mark."""
        return not self.is_tick


@dataclass(slots=True)
class Lane:
    """`targets`: resting take-profits of the open position, by order.

    `seen_ms`: marks up to it were looked at. `closed`: how many of the played candles have closed.
    """

    number: int
    symbol: str
    rules: MarginRules
    fee_rate: float
    played: Played
    book: TradeBook | None = None
    orphans: list[TradeBook] = field(default_factory=list)
    targets: dict[int, float] = field(default_factory=dict)
    seen_ms: int = -1
    closed: int = 0
    _rows: Sequence[Row] = ()
    _next: int = 0
    _ending: tuple[End | None] | None = None
    _heard: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    def expect(self, rows: Sequence[Row]) -> None:
        """Take the rows of this symbol, all of them, before the first is heard."""
        self._rows = rows

    def hear(self, row: Row) -> None:
        """A row was told: what the engine had heard by then was looked at."""
        self._next += 1
        self.seen_ms = max(self.seen_ms, row.heard_ms)
        self.closed = max(self.closed, self._closed_by(row.known_row))
        self._ending = None

    def pass_by(self, end: End) -> None:
        """The shadow that ends there is ended."""
        if end.is_tick:
            self.seen_ms = end.ts_ms
        else:
            self.closed = self._candle_at(end.ts_ms) + 1
        self._ending = None

    def books(self) -> Iterator[TradeBook]:
        """Return the open position's book, then those whose shadow outlives its position."""
        if self.book is not None:
            yield self.book
        yield from self.orphans

    def enters(self, known_row: int) -> int:
        """Return the side that the newest candle's word would enter, 0 for none."""
        candle = self._closed_by(known_row) - 1
        word = int(self.played.words[self.number, candle]) if candle >= 0 else 0
        return _direction(word) if word & ENTERS else 0

    def next_end(self) -> End | None:
        """Return what ends a shadow next, before the next row of this symbol is told; None: nothing does."""
        if self._ending is None:
            ends = [end for end in (self._next_word(), self._next_tick()) if end is not None]
            self._ending = (min(ends, default=None),)
        return self._ending[0]

    def _next_word(self) -> End | None:
        """The next candle at which the strategy leaves the side of a shadow without a position."""
        if not self.orphans:
            return None
        last = self._closed_by(self._rows[self._next].known_row) if self._next < len(self._rows) else None
        words = self.played.words[self.number, self.closed : last]
        sides = {orphan.shadow.position.side for orphan in self.orphans}
        for offset in np.flatnonzero((words & LEAVES) != 0).tolist():
            candle, direction = self.closed + offset, _direction(int(words[offset]))
            if self.played.rows[self.number, candle] >= 0 and (direction == 0 or direction in sides):
                ts_ms = self._close_ms(candle)
                return End(ts_ms, False, self.number, self._mark_before(ts_ms), direction)
        return None

    def _next_tick(self) -> End | None:
        """The next tick whose mark ends a shadow."""
        low, high = self._bounds()
        if low <= 0.0 and high >= _FAR:
            return None
        p, until_ms = self.played, self._until_ms()
        first = max(self.seen_ms + 1 - p.start_ms, 0) // p.bar_ms
        last = min((until_ms - p.start_ms) // p.bar_ms + 1, p.bars)
        for bar in _reaching(p, self.number, first, last, low, high):
            for ts_ms, mark in self._ticks(bar):
                if self.seen_ms < ts_ms <= until_ms and self._is_end(mark):
                    return End(ts_ms, True, self.number, mark, 0)
        return None

    def _until_ms(self) -> int:
        return self._rows[self._next].heard_ms if self._next < len(self._rows) else _NEVER_MS

    def _is_end(self, mark: float) -> bool:
        if self.book is not None and is_liquidated_at(self.book.shadow, mark, self.rules):
            return True
        return any(exit_at(each.shadow, each.orders, mark, self.rules) is not STAYS for each in self.orphans)

    def _bounds(self) -> tuple[float, float]:
        """The marks between which nothing ends."""
        low, high = 0.0, _FAR
        for book in self.books():
            side, price = book.shadow.position.side, liquidation_of(book.shadow, self.rules)
            adverse = [price * (1.0 + side * _WIDER)] if 0.0 < price < _FAR else []
            favourable = []
            if book.closed_by:
                adverse += [book.orders.stop_price] if book.orders.stop_price > 0.0 else []
                favourable = [book.orders.take_profit_price] if book.orders.take_profit_price > 0.0 else []
            lows, highs = (adverse, favourable) if side > 0 else (favourable, adverse)
            low, high = max([low, *lows]), min([high, *highs])
        return low, high

    def _ticks(self, bar: int) -> list[tuple[int, float]]:
        """The ticks of a bar, as the loop walks it."""
        p = self.played
        open_ms, side = p.start_ms + bar * p.bar_ms, self._side_at(p.start_ms + bar * p.bar_ms)
        mark = waypoints(Bar(*p.marks[self.number, bar].tolist()), side)
        last = waypoints(Bar(*p.lasts[self.number, bar].tolist()), side)
        prices = walk(mark, last, DEFAULT_MAX_STEP)
        span_ms, steps = p.bar_ms - 1, len(prices) - 1
        return [(open_ms + number * span_ms // steps, price) for number, (price, _) in enumerate(prices)]

    def _side_at(self, open_ms: int) -> int:
        """The side that was held when a bar began: what the last change before its first tick left."""
        for row in reversed(self._rows[: self._next]):
            if row.own_tick_ms < open_ms:
                return row.side if row.is_held else 0
        return 0

    def _mark_before(self, ts_ms: int) -> float:
        p, bar = self.played, (ts_ms - self.played.start_ms) // self.played.bar_ms - 1
        while p.is_there[self.number, bar] == 0:
            bar -= 1
        return float(p.marks[self.number, bar, 3])

    def _close_ms(self, candle: int) -> int:
        p = self.played
        return p.start_ms + p.first_close_ms + candle * p.candle_ms

    def _candle_at(self, ts_ms: int) -> int:
        p = self.played
        return (ts_ms - p.start_ms - p.first_close_ms) // p.candle_ms

    def _closed_by(self, known_row: int) -> int:
        """How many candles had closed when the row of estimates was the newest."""
        if self._heard is None:
            rows = self.played.rows[self.number]
            candles = np.flatnonzero(rows >= 0)
            self._heard = candles + 1, rows[candles]
        closed, rows = self._heard
        count = int(np.searchsorted(rows, known_row, side="right"))
        return int(closed[count - 1]) if count else 0


def _direction(word: int) -> int:
    return (1 if word & IS_LONG else 0) - (1 if word & IS_SHORT else 0)


def _reaching(p: Played, number: int, first: int, last: int, low: float, high: float) -> Iterator[int]:
    """Yield the bars of [first, last) whose marks come to `low` or `high`."""
    chunk = 4_096
    for begin in range(first, last, chunk):
        bars = slice(begin, min(begin + chunk, last))
        is_reached = (p.marks[number, bars, 2] <= low) | (p.marks[number, bars, 1] >= high)
        for offset in np.flatnonzero(is_reached & (p.is_there[number, bars] != 0)).tolist():
            yield begin + offset
