"""The prices of one symbol as the venue lives through them: the tick before, the tick being applied."""

from typing import Any

from bot.core.event import MarkPrice


class Tape:
    """`now` is the price that orders meet: on its way from `previous` to `tick`, never back.

    `number` counts distinct ticks. `is_done`: everything the tick causes has happened, so applying it
    again does nothing.
    """

    __slots__ = ("is_done", "now", "number", "previous", "symbol", "tick")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.number = 0
        self.is_done = True
        self.previous: MarkPrice | None = None
        self.now: MarkPrice | None = None
        self.tick: MarkPrice | None = None

    def begin(self, tick: MarkPrice) -> None:
        """Take up a new tick, or take up the interrupted one again."""
        if tick == self.tick:
            return
        self.previous = self.tick or tick
        self.now = self.now or tick
        self.tick = tick
        self.number += 1
        self.is_done = False

    def jump(self, tick: MarkPrice) -> None:
        """Record a tick that causes nothing."""
        if tick != self.tick:
            self.number += 1
        self.tick = self.previous = self.now = tick
        self.is_done = True

    def walk_to(self, ts_ms: int) -> MarkPrice:
        """Move `now` to the instant between `previous` and `tick` and return it; never backwards."""
        self.now = self.price_at(ts_ms)
        return self.now

    def price_at(self, ts_ms: int) -> MarkPrice:
        """Return the linearly interpolated price; not before `now`, not after `tick`."""
        start, now, tick = self.previous, self.now, self.tick
        if start is None or now is None or tick is None:
            raise ValueError(f"no price of {self.symbol} yet")
        ts_ms = max(ts_ms, now.ts_ms)
        if ts_ms >= tick.ts_ms or tick.ts_ms <= start.ts_ms:
            return tick
        share = (ts_ms - start.ts_ms) / (tick.ts_ms - start.ts_ms)
        if share <= 0.0:
            return now
        mark = start.mark + share * (tick.mark - start.mark)
        last = start.last + share * (tick.last - start.last)
        return MarkPrice(ts_ms, self.symbol, mark, last)

    def finish(self) -> None:
        """Everything the tick causes has happened."""
        self.previous = self.now = self.tick
        self.is_done = True

    def snapshot(self) -> list[Any]:
        """Return the state as plain values."""
        return [self.number, self.is_done, _row(self.previous), _row(self.now), _row(self.tick)]

    def restore(self, values: list[Any]) -> None:
        """Take up the state of a snapshot."""
        self.number, self.is_done = values[0], values[1]
        prices = [self._price(row) for row in values[2:]]
        self.previous, self.now, self.tick = prices

    def _price(self, row: list[Any] | None) -> MarkPrice | None:
        return None if row is None else MarkPrice(row[0], self.symbol, row[1], row[2])


def _row(price: MarkPrice | None) -> list[Any] | None:
    return None if price is None else [price.ts_ms, price.mark, price.last]
