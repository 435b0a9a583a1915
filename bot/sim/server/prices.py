"""The market as a client may ask for it: quotes, candles with the forming one, funding, the last day."""

from typing import Any, Final, NamedTuple

from bot.core.candles import Candles
from bot.core.event import CandleClosed, FundingDue, MarketEvent, MarkPrice
from bot.core.timeframe import DAY_MS, HOUR_MS
from bot.sim.source import MarketSource

_NO_PRICE: Final = 0.0


class Quote(NamedTuple):
    """The newest prices of a symbol; `funding_rate` is the last one settled."""

    ts_ms: int
    mark: float
    last: float
    funding_rate: float


class Bar(NamedTuple):
    """A candle; `is_closed` False while it forms."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    is_closed: bool


class Day(NamedTuple):
    """The last 24 hours, by closed hours and the newest price."""

    open: float
    high: float
    low: float
    close: float
    volume: float


class Prices:
    """Follows the market events. `base_ms` is the finest candle the source has."""

    def __init__(self, source: MarketSource, symbols: tuple[str, ...], base_ms: int) -> None:
        self._source, self.base_ms = source, base_ms
        self._quotes = {symbol: Quote(0, _NO_PRICE, _NO_PRICE, 0.0) for symbol in symbols}
        self._forming: dict[str, Bar] = {}
        self._closed_ms: dict[str, int] = {}
        self._days: dict[str, tuple[int, Day]] = {}
        self._parts: dict[tuple[str, int], tuple[tuple[int, int], list[Bar]]] = {}

    def of(self, symbol: str) -> Quote:
        """Return the symbol's newest prices; zeros before its first tick."""
        return self._quotes[symbol]

    def apply(self, event: MarketEvent) -> None:
        """Take note of a market event."""
        if isinstance(event, MarkPrice):
            quote = self._quotes[event.symbol]
            self._quotes[event.symbol] = Quote(event.ts_ms, event.mark, event.last, quote.funding_rate)
            self._closed_ms.setdefault(event.symbol, event.ts_ms)
            self._form(event)
        elif isinstance(event, CandleClosed | FundingDue):
            rate = event.rate if isinstance(event, FundingDue) else event.funding_rate
            self._quotes[event.symbol] = self._quotes[event.symbol]._replace(funding_rate=rate)
            if isinstance(event, CandleClosed):
                self._closed_ms[event.symbol] = event.ts_ms

    def bars(self, symbol: str, timeframe_ms: int, count: int) -> list[Bar]:
        """Return up to `count` closed candles, oldest first, and after them the forming one, if any."""
        closed = self._closed(symbol, timeframe_ms, count)
        forming = self.forming(symbol, timeframe_ms)
        if forming is None or (closed and closed[-1].open_ms >= forming.open_ms):
            return closed
        return [*closed, forming]

    def last_closed(self, symbol: str, timeframe_ms: int) -> Bar | None:
        """Return the newest closed candle."""
        closed = self._closed(symbol, timeframe_ms, 1)
        return closed[-1] if closed else None

    def forming(self, symbol: str, timeframe_ms: int) -> Bar | None:
        """Return the candle that is not closed yet: its closed parts and the newest prices."""
        quote = self._quotes[symbol]
        if quote.last == _NO_PRICE:
            return None
        open_ms = quote.ts_ms - quote.ts_ms % timeframe_ms
        parts = self._closed_parts(symbol, timeframe_ms, open_ms, quote.ts_ms)
        newest = self._forming.get(symbol)
        if newest is not None and newest.open_ms >= open_ms:
            parts = [*parts, newest]
        return _joined(open_ms, parts) if parts else None

    def day(self, symbol: str) -> Day:
        """Return the statistics of the last 24 hours."""
        quote = self._quotes[symbol]
        hour = quote.ts_ms // HOUR_MS
        known = self._days.get(symbol)
        if known is None or known[0] != hour:
            known = (hour, self._closed_day(symbol, quote))
            self._days[symbol] = known
        day, newest = known[1], self.forming(symbol, HOUR_MS)
        if newest is None:
            return day
        high, low = max(day.high, newest.high), min(day.low, newest.low)
        return Day(day.open, high, low, quote.last, round(day.volume + newest.volume, 8))

    def snapshot(self) -> dict[str, Any]:
        """Return what cannot be asked of the source again."""
        return {"quotes": self._quotes, "forming": self._forming, "closed_ms": self._closed_ms}

    def restore(self, values: dict[str, Any]) -> None:
        """Take up a snapshot."""
        self._quotes.update({symbol: Quote(*row) for symbol, row in values["quotes"].items()})
        self._forming = {symbol: Bar(*row) for symbol, row in values["forming"].items()}
        self._closed_ms = dict(values["closed_ms"])

    def _form(self, tick: MarkPrice) -> None:
        open_ms = tick.ts_ms - tick.ts_ms % self.base_ms
        bar = self._forming.get(tick.symbol)
        price = tick.last
        if bar is None or bar.open_ms != open_ms:
            self._forming[tick.symbol] = Bar(open_ms, price, price, price, price, 0.0, False)
            return
        self._forming[tick.symbol] = bar._replace(
            high=max(bar.high, price), low=min(bar.low, price), close=price
        )

    def _closed(self, symbol: str, timeframe_ms: int, count: int) -> list[Bar]:
        """Return closed candles, none that closes with an event the source has given but nobody applied."""
        most_ms = self._closed_ms.get(symbol, 0)
        bars = _bars(self._source.history(symbol, timeframe_ms, count + 1))
        known = [bar for bar in bars if bar.open_ms + timeframe_ms <= most_ms]
        return known[max(len(known) - count, 0) :]

    def _closed_parts(self, symbol: str, timeframe_ms: int, open_ms: int, now_ms: int) -> list[Bar]:
        """Return what has closed of the candle that began at `open_ms`, as one bar in a list, or nothing."""
        count = (now_ms - open_ms) // self.base_ms
        if count == 0:
            return []
        key = (symbol, timeframe_ms)
        known = self._parts.get(key)
        if known is None or known[0] != (open_ms, count):
            bars = self._closed(symbol, self.base_ms, count)
            bars = [bar for bar in bars if bar.open_ms >= open_ms]
            known = ((open_ms, count), [_joined(open_ms, bars)] if bars else [])
            self._parts[key] = known
        return known[1]

    def _closed_day(self, symbol: str, quote: Quote) -> Day:
        hours = self._closed(symbol, HOUR_MS, DAY_MS // HOUR_MS)
        whole = _joined(0, hours) if hours else None
        if whole is None:
            return Day(quote.last, quote.last, quote.last, quote.last, 0.0)
        return Day(whole.open, whole.high, whole.low, quote.last, whole.volume)


def _bars(candles: Candles) -> list[Bar]:
    columns = (candles.open_ms, candles.open, candles.high, candles.low, candles.close, candles.volume)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Bar(*row, True) for row in rows]  # pyright: ignore[reportCallIssue]


def _joined(open_ms: int, parts: list[Bar]) -> Bar:
    return Bar(
        open_ms,
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        round(sum(part.volume for part in parts), 8),
        False,
    )
