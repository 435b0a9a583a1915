"""A small market that a seed draws: a few lively symbols, one price a second, candles of a minute.

It is made whole at the start, so that every place in it is a number.
"""

from bisect import bisect_right
from random import Random
from typing import Final

import numpy as np

from bot.core.candles import Candles
from bot.core.event import CandleClosed, FundingDue, MarketEvent, MarkPrice
from bot.sim.series import NO_FUNDING, Funding
from bot.sim.source import Place

MINUTE_MS: Final = 60_000
EIGHT_HOURS_MS: Final = 8 * 3_600_000
_HISTORY_MINUTES: Final = 60
_COLUMNS: Final = ("open_ms", "open", "high", "low", "close", "volume", "funding_rate")


class MarketPlan:
    """What a market is like. Fractions of the price; `jumps`: (second, symbol number, fraction)."""

    def __init__(self, symbols: tuple[str, ...], first_prices: tuple[float, ...], seconds: int) -> None:
        self.symbols, self.first_prices, self.seconds = symbols, first_prices, seconds
        self.sigma_per_second = 0.00025
        self.drift_per_second = 0.0
        self.jumps: list[tuple[int, int, float]] = []
        self.funding_rate = 0.0005


class SmallMarket:
    """A `MarketSource`. Seconds before `began_ms` are history: nobody trades in them."""

    def __init__(self, plan: MarketPlan, random: Random, began_ms: int) -> None:
        self.symbols, self._began_ms = plan.symbols, began_ms - began_ms % MINUTE_MS
        self._skipped = (began_ms - self._began_ms) // 1_000
        self._prices = {
            symbol: _walk(plan, number, np.random.default_rng(random.getrandbits(32)))
            for number, symbol in enumerate(plan.symbols)
        }
        self._funding_rate = plan.funding_rate
        self._minutes = {symbol: self._minute_rows(prices) for symbol, prices in self._prices.items()}
        self._events = self._all_events(plan.seconds)
        self._offset = 0

    def next(self) -> MarketEvent | None:
        """Return the next event."""
        if self._offset == len(self._events):
            return None
        self._offset += 1
        return self._events[self._offset - 1]

    def place(self) -> Place:
        return (self._offset,)

    def place_before(self) -> Place:
        return (max(self._offset - 1, 0),)

    def seek(self, place: Place) -> None:
        self._offset = place[0]

    def settled_before(self, symbol: str) -> Funding:
        """Return none: this market has no past."""
        return NO_FUNDING

    def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return up to `count` closed candles, of whole minutes."""
        known_ms = self._events[self._offset - 1].ts_ms if self._offset else self._began_ms
        per = timeframe_ms // MINUTE_MS
        rows = self._minutes[symbol]
        rows = rows[: bisect_right(rows, known_ms - MINUTE_MS, key=_open_ms)]
        rows = rows[: len(rows) - len(rows) % per]
        groups = [rows[i : i + per] for i in range(0, len(rows), per)][-count:]
        merged = [_merged(group) for group in groups] if per > 1 else rows[-count:]
        columns = list(zip(*merged, strict=True)) if merged else [()] * 6
        open_ms = np.array(columns[0], dtype=np.int64)
        open_, high, low, close, volume = (np.array(column, dtype=np.float64) for column in columns[1:])
        rate = np.full(len(merged), self._funding_rate)
        return Candles(open_ms, open_, high, low, close, volume, rate)

    def _minute_rows(self, prices: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[tuple[float, ...]]:
        first_ms = self._began_ms - _HISTORY_MINUTES * MINUTE_MS
        rows = []
        for minute in range(len(prices) // 60):
            part = prices[60 * minute : 60 * minute + 60]
            low, high = float(part.min()), float(part.max())
            rows.append((first_ms + minute * MINUTE_MS, float(part[0]), high, low, float(part[-1]), 10.0))
        return rows

    def _all_events(self, seconds: int) -> list[MarketEvent]:
        events: list[MarketEvent] = []
        start = 60 * _HISTORY_MINUTES
        for second in range(self._skipped, self._skipped + seconds):
            ts_ms = self._began_ms + 1_000 * second
            if second and ts_ms % EIGHT_HOURS_MS == 0:
                events += [FundingDue(ts_ms, symbol, self._funding_rate) for symbol in self.symbols]
            if second and ts_ms % MINUTE_MS == 0:
                events += [self._closed(symbol, start + second, ts_ms) for symbol in self.symbols]
            for symbol in self.symbols:
                price = float(self._prices[symbol][start + second])
                events.append(MarkPrice(ts_ms, symbol, price, price))
        return events

    def _closed(self, symbol: str, second: int, ts_ms: int) -> CandleClosed:
        _, open_, high, low, close, volume = self._minutes[symbol][second // 60 - 1]
        rate = self._funding_rate
        return CandleClosed(ts_ms, symbol, MINUTE_MS, open_, high, low, close, volume, rate)


def _open_ms(row: tuple[float, ...]) -> float:
    return row[0]


def _merged(rows: list[tuple[float, ...]]) -> tuple[float, ...]:
    _, _, highs, lows, _, volumes = zip(*rows, strict=True)
    return rows[0][0], rows[0][1], max(highs), min(lows), rows[-1][4], sum(volumes)


def _walk(
    plan: MarketPlan, number: int, random: np.random.Generator
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    history = 60 * _HISTORY_MINUTES
    steps = random.standard_normal(history + plan.seconds + 120) * plan.sigma_per_second
    steps[history:] += plan.drift_per_second
    for second, symbol, fraction in plan.jumps:
        if symbol == number:
            steps[history + second + 60] += fraction
    path = np.exp(np.cumsum(steps))
    prices = plan.first_prices[number] * path / path[history]
    return np.round(prices, 2)
