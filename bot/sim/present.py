"""The market feed of a simulated venue in the present: the prices of an exchange, as they come.

Nobody trades there: prices, candles and funding of the exchange go through the simulated venue first, what
they cause is yielded before them. A market of the present does not wait: what passed while the process or the
connection was gone is read as minute candles, and the venue lives through it before anything else happens.
"""

import heapq
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final, Literal, Protocol

from bot.core.candles import Candles
from bot.core.event import FundingDue, MarketEvent, MarkPrice, VenueEvent
from bot.core.timeframe import MINUTE_MS
from bot.core.timerange import utc_text
from bot.errors import Unavailable, UserError
from bot.ports import Clock, Json
from bot.sim.missed import Extremes, Lived, first_seen, missed_bars, ticks

_MISSED_MS: Final = 15_000  # a still market of OKX is told every ten seconds
_AGAIN_SECONDS: Final = 1.0


class PresentMarket(Protocol):
    """The public data of an exchange. What reads may raise Unavailable."""

    def events(self) -> AsyncGenerator[MarketEvent, None]:
        """Yield market events as they come, each mark too. Ends only when closed."""
        ...

    async def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles: ...

    async def now_ms(self) -> int:
        """Return the market's time."""
        ...

    async def minutes(
        self, symbol: str, kind: Literal["last", "mark"], from_ms: int, until_ms: int
    ) -> Candles:
        """Return the candles of one minute that open in [from_ms, until_ms), the forming one included."""
        ...

    async def settlements(self, symbol: str, from_ms: int, until_ms: int) -> tuple[FundingDue, ...]:
        """Return the funding settlements in [from_ms, until_ms), oldest first."""
        ...


class Venue(Protocol):
    """What the feed needs of the simulated venue."""

    def is_quiet(self, event: MarketEvent) -> bool: ...

    def advance(self, event: MarketEvent) -> Iterator[VenueEvent]: ...

    def live_through(self, events: Iterable[MarketEvent]) -> None:
        """Apply events that nobody saw; what they cause waits."""
        ...

    def undelivered(self) -> Iterator[VenueEvent]:
        """Yield what waits, one by one; what was yielded before a restart does not come again."""
        ...

    def is_exposed(self, symbol: str) -> bool:
        """Return whether prices of the symbol can cause anything."""
        ...

    def position_side(self, symbol: str) -> int: ...


class PresentFeed:
    """A MarketFeed. Its cursor is what the venue has lived through, not a place to go back to."""

    def __init__(self, market: PresentMarket, venue: Venue, symbols: Sequence[str], clock: Clock) -> None:
        self._market, self._venue, self._symbols, self._clock = market, venue, tuple(symbols), clock
        self._lived: dict[str, Lived] = {}
        self._settled_ms: dict[str, int] = {}

    async def events(self) -> AsyncGenerator[MarketEvent | VenueEvent, None]:
        """Yield every market event, each after the venue events it caused."""
        venue = self._venue
        async for event in self._market.events():
            if type(event) is MarkPrice:
                if self._is_known(event):
                    continue
                if self._has_missed(event):
                    await self._catch_up_surely(event.ts_ms)
            if not venue.is_quiet(event):
                for caused in venue.advance(event):
                    yield caused
            self._note(event)
            yield event

    async def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return up to `count` closed candles up to now."""
        return await self._market.history(symbol, timeframe_ms, count)

    async def missed(self) -> Iterable[VenueEvent]:
        """Let the venue live through what passed since the cursor; return what that caused, one by one.

        Unavailable: the exchange cannot be read now; nothing has happened, ask again. UserError: its time
        is before what was lived through.
        """
        now_ms = await self._market.now_ms()
        self._check_time(now_ms)
        await self._catch_up(now_ms)
        return self._venue.undelivered()

    def cursor(self) -> Json:
        """Return per symbol the last price lived through, its minute so far, and the last settlement."""
        lived = {symbol: _row(each) for symbol, each in self._lived.items()}
        return {"lived": lived, "settled_ms": dict(self._settled_ms)}

    def seek(self, cursor: Json) -> None:
        """Continue from a cursor. ValueError: it is none of this feed."""
        try:
            self._lived = {symbol: _lived(symbol, row) for symbol, row in cursor["lived"].items()}
            self._settled_ms = {symbol: int(ts_ms) for symbol, ts_ms in cursor["settled_ms"].items()}
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError(f"{cursor} is not a cursor of this feed") from None

    def _check_time(self, now_ms: int) -> None:
        newest_ms = max((lived.tick.ts_ms for lived in self._lived.values()), default=0)
        if now_ms < newest_ms - MINUTE_MS:
            raise UserError(
                f"The market's time is {utc_text(now_ms)} UTC, but this database has seen its prices up to "
                f"{utc_text(newest_ms)}. Cause: an exchange on this machine that was started anew. Name "
                "another database with --db, or keep the exchange's state with --state."
            )

    # --- living on --------------------------------------------------------------------------------

    def _note(self, event: MarketEvent) -> None:
        if type(event) is MarkPrice:
            known = self._lived.get(event.symbol)
            self._lived[event.symbol] = first_seen(event) if known is None else known.after(event)
            self._settled_ms.setdefault(event.symbol, event.ts_ms)
        elif type(event) is FundingDue:
            self._settled_ms[event.symbol] = event.ts_ms

    def _is_known(self, event: MarkPrice) -> bool:
        """Return whether the price was lived through already, as part of what was missed."""
        lived = self._lived.get(event.symbol)
        return lived is not None and event.ts_ms < lived.tick.ts_ms

    def _has_missed(self, event: MarkPrice) -> bool:
        lived = self._lived.get(event.symbol)
        return lived is not None and event.ts_ms - lived.tick.ts_ms > _MISSED_MS

    async def _catch_up_surely(self, until_ms: int) -> None:
        """Catch up, as often as it takes: a price after a hole must not be the first one that is seen."""
        while True:
            try:
                await self._catch_up(until_ms)
            except Unavailable:
                await self._clock.sleep(_AGAIN_SECONDS)
            else:
                return

    async def _catch_up(self, until_ms: int) -> None:
        """Read what was missed of every symbol, then live through it in the order of time."""
        behind = [
            symbol
            for symbol, lived in self._lived.items()
            if until_ms - lived.tick.ts_ms > _MISSED_MS and self._venue.is_exposed(symbol)
        ]
        ways = [await self._way(symbol, until_ms) for symbol in behind]
        self._venue.live_through(self._noted(heapq.merge(*ways, key=itemgetter(0))))

    def _noted(self, events: Iterable[MarketEvent]) -> Iterator[MarketEvent]:
        for event in events:
            yield event
            self._note(event)

    async def _way(self, symbol: str, until_ms: int) -> Iterator[MarketEvent]:
        """Return the missed events of one symbol, in the order of time."""
        lived, market = self._lived[symbol], self._market
        from_ms = lived.tick.ts_ms // MINUTE_MS * MINUTE_MS
        marks = await market.minutes(symbol, "mark", from_ms, until_ms)
        lasts = await market.minutes(symbol, "last", from_ms, until_ms)
        # Exchanges write a settlement down some milliseconds late: half a minute tells two apart.
        dues = await market.settlements(symbol, self._settled_ms[symbol] + MINUTE_MS // 2, until_ms)
        path = ticks(symbol, missed_bars(lived, marks, lasts, until_ms), self._venue.position_side)
        return heapq.merge(dues, path, key=itemgetter(0))


def _row(lived: Lived) -> list[Any]:
    tick = lived.tick
    return [tick.ts_ms, tick.mark, tick.last, *lived.mark, *lived.last]


def _lived(symbol: str, row: Sequence[Any]) -> Lived:
    ts_ms, mark, last, low, high, last_low, last_high = row
    tick = MarkPrice(int(ts_ms), symbol, float(mark), float(last))
    return Lived(tick, Extremes(low, high), Extremes(last_low, last_high))
