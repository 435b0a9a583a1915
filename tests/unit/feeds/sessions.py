"""Sources and venues made up in a few lines."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bot.core.candles import Candles
from bot.core.event import CandleClosed, MarketEvent, OrderAccepted, VenueEvent
from bot.sim.candle_builder import pick
from bot.sim.series import NO_FUNDING, Funding, Gap, MarketHistory, Series
from bot.sim.source import MarketSource
from tests.unit.feeds.recorded import MINUTE_MS, START_MS, candle_frame

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def bars_of(seed: int, bars: int, step_ms: int = MINUTE_MS) -> Candles:
    """Return sound random candles from START_MS on."""
    columns = [column.to_numpy() for column in candle_frame(bars=bars, step_ms=step_ms, seed=seed)]
    return Candles(columns[0], *columns[1:], funding_rate=np.zeros(bars))


def without(candles: Candles, first: int, end: int) -> Candles:
    """Return the candles without rows [first, end)."""
    kept = np.r_[0:first, end : candles.open_ms.size]
    return pick(candles, kept)


def market_history(
    candles: Sequence[Candles],
    *,
    start_bar: int = 0,
    marks: Sequence[Candles | None] = (None, None),
    gaps: Sequence[tuple[Gap, ...]] = ((), ()),
    funding: Funding = NO_FUNDING,
    step_ms: int = MINUTE_MS,
) -> MarketHistory:
    """Return a session of BTC and ETH over the candles from `start_bar` on."""
    series = tuple(
        Series(symbol, last, mark, funding, mine)
        for symbol, last, mark, mine in zip((BTC, ETH), candles, marks, gaps, strict=False)
    )
    end_ms = max(int(last.open_ms[-1]) for last in candles) + step_ms
    return MarketHistory(step_ms, START_MS + start_bar * step_ms, end_ms, series, ())


def taken(source: MarketSource, count: int) -> list[MarketEvent]:
    """Return the next `count` events, fewer at the end."""
    events = (source.next() for _ in range(count))
    return [event for event in events if event is not None]


def rest(source: MarketSource) -> list[MarketEvent]:
    """Return all events that are left."""
    return list(iter(source.next, None))


def closed_of(events: Sequence[MarketEvent], symbol: str) -> list[CandleClosed]:
    """Return the closed candles of a symbol."""
    return [event for event in events if isinstance(event, CandleClosed) and event.symbol == symbol]


def as_closed(candles: Candles, symbol: str, timeframe_ms: int) -> list[CandleClosed]:
    """Return history in the form of the events that delivered it."""
    rows = zip(*(column.tolist() for column in candles), strict=True)
    return [CandleClosed(row[0] + timeframe_ms, symbol, timeframe_ms, *row[1:]) for row in rows]


class ScriptedVenue:
    """Causes `count_of(event)` venue events for each market event, each once, also across restarts."""

    def __init__(self, count_of: Callable[[MarketEvent], int]) -> None:
        self._count_of = count_of
        self.given: dict[str, int] = {}

    def is_quiet(self, event: MarketEvent) -> bool:
        return self._count_of(event) == 0

    def advance(self, event: MarketEvent) -> Iterator[VenueEvent]:
        key = repr(event)
        for number in range(self.given.get(key, 0), self._count_of(event)):
            self.given[key] = number + 1
            yield OrderAccepted(event.ts_ms, event.symbol, f"{number}", "stop")
