"""`bot.ports.MarketFeed` over ccxt.pro: marks, closed candles, funding, and what happened to the account.

Streams tell that something happened; the account's truth is read (sweep.py): after every user message, after
every reconnection, and every few seconds whatever the streams say. Marks that nobody looked at yet are
replaced by newer ones, everything else is handed out one by one.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from functools import partial
from typing import Final, NamedTuple

from bot.core.candles import Candles
from bot.core.event import FundingDue, MarketEvent, MarkPrice, VenueEvent
from bot.core.timeframe import timeframe_text
from bot.errors import Unavailable
from bot.exchange.background import PASSING, Background
from bot.exchange.gateway import CcxtGateway
from bot.exchange.glance import DEAR
from bot.exchange.lane import Urgency
from bot.exchange.prices import Prices
from bot.exchange.streams import Streams
from bot.exchange.told import AccountTold, CandleTold, MarkTold, Told
from bot.ports import Json

SILENT_MS: Final = 5_000
BEAT_SECONDS: Final = 1.0
_BUSY_SWEEP_SECONDS: Final = 5.0
_FLAT_SWEEP_SECONDS: Final = 30.0
_AWAITED_SWEEP_SECONDS: Final = 2.0  # the stop rests by then; asking more often would spend all weight
_PATIENCE_MS: Final = 2_000
_LONG_POLL_MS: Final = 500


class _Due(NamedTuple):
    """A symbol is to be looked at, the earliest `by_ms` first."""

    by_ms: int
    urgency: Urgency


class CcxtFeed:
    """One market feed of the gateway's symbols on one timeframe."""

    def __init__(self, gateway: CcxtGateway, timeframe_ms: int) -> None:
        self._gateway, self._link, self._dialect = gateway, gateway.link, gateway.dialect
        self._timeframe_ms = timeframe_ms
        self._wake = asyncio.Event()
        self._tasks = Background(self._wake.set)
        self._streams = Streams(self._link, self._dialect, self._hear, self._came_back)
        self.prices = Prices(self._link, self._dialect, timeframe_ms, self._put, self._settle_soon)
        self._marks: dict[str, MarkPrice] = {}
        self._queue: deque[MarketEvent] = deque()
        self._due: dict[str, _Due] = {}
        self._swept_ms: dict[str, int] = {}
        self._sweep_wake = asyncio.Event()
        self._poll: asyncio.Task[None] | None = None
        self._poll_began_ms = 0

    # --- the market feed port ---------------------------------------------------------------------

    async def events(self) -> AsyncGenerator[MarketEvent | VenueEvent, None]:
        """Yield what happens, venue events first. Ends only when closed."""
        await self._begin()
        outbox = self._gateway.book.outbox
        try:
            while True:
                self._wake.clear()
                self._tasks.raise_failure()
                while outbox or self._queue or self._marks:
                    yield self._next()
                await self._wake.wait()
        finally:
            await self._tasks.end()
            await self._streams.stop()

    async def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return up to `count` closed candles; the feed goes on with the one after them."""
        return await self.prices.history(symbol, timeframe_ms, count)

    def cursor(self) -> Json:
        """Return the candle wanted next per symbol; a feed of the present cannot go back."""
        return {"next_open_ms": {each: self.prices.next_open_ms(each) for each in self._gateway.symbols}}

    def seek(self, cursor: Json) -> None:
        """Nothing: candles and payments that were missed are read, and marks of the past help nobody."""

    # --- handing out ------------------------------------------------------------------------------

    def _next(self) -> MarketEvent | VenueEvent:
        outbox = self._gateway.book.outbox
        if outbox:
            event: MarketEvent | VenueEvent = outbox.pop(0)
        elif self._queue:
            event = self._queue.popleft()
        else:
            event = self._marks.pop(next(iter(self._marks)))
        self._gateway.book.hand_out(event.ts_ms)
        return event

    def _put(self, event: MarketEvent) -> None:
        if isinstance(event, MarkPrice):
            self._marks[event.symbol] = event
        else:
            self._queue.append(event)
        self._wake.set()

    # --- hearing ----------------------------------------------------------------------------------

    def _hear(self, told: Told) -> None:
        """Take one message. Called in the middle of ccxt's reading: nothing here waits."""
        self._gateway.book.saw(told.ts_ms)
        if isinstance(told, MarkTold):
            self.prices.hear_mark(told)
        elif isinstance(told, CandleTold):
            self.prices.hear_candle(told)
        else:
            symbols = told.symbols if isinstance(told, AccountTold) else ()
            self._sweep_soon(*(symbols or self._gateway.symbols), urgency=Urgency.NORMAL)

    def _settle_soon(self, symbol: str, ts_ms: int) -> None:
        self._tasks.run(self._settled(symbol, ts_ms))

    async def _settled(self, symbol: str, ts_ms: int) -> None:
        client, dialect = self._link.client, self._dialect
        self._gateway.book.settled(symbol, ts_ms, self._link.clock.now_ms())
        rate, _ = await self._link.read(
            lambda: dialect.funding_rate_at(client, symbol, ts_ms), Urgency.NORMAL
        )
        self.prices.rate[symbol] = rate
        self._put(FundingDue(ts_ms, symbol, rate))
        self._sweep_soon(symbol, urgency=Urgency.NORMAL)

    def _came_back(self, name: str) -> None:
        """After a reconnection messages may be missing: look at everything."""
        self._sweep_soon(*self._gateway.symbols, urgency=Urgency.NORMAL)

    # --- sweeping and watching over the streams ---------------------------------------------------

    def _sweep_soon(self, *symbols: str, urgency: Urgency) -> None:
        """Look at the symbols; what news prompts goes first: a fill may wait for its stop."""
        patience_ms = _PATIENCE_MS if urgency is Urgency.POLL else 0
        due = _Due(self._link.clock.now_ms() + patience_ms, urgency)
        for symbol in symbols:
            if symbol in self._gateway.symbols:
                known = self._due.get(symbol, due)
                self._due[symbol] = _Due(min(due.by_ms, known.by_ms), min(due.urgency, known.urgency))
        self._let_news_pass()
        self._sweep_wake.set()

    async def _sweep(self) -> None:
        while True:
            await self._sweep_wake.wait()
            self._sweep_wake.clear()
            while self._due:
                symbol = min(self._due, key=self._due.__getitem__)
                await self._sweep_one(symbol, self._due.pop(symbol).urgency)

    async def _sweep_one(self, symbol: str, urgency: Urgency) -> None:
        self._swept_ms[symbol] = self._link.clock.now_ms()
        try:
            if urgency is Urgency.POLL and self._link.ccxt_id in DEAR:
                await self._poll_one(symbol)
            else:
                await self._gateway.sweep_behind(symbol, urgency)
        except PASSING:
            return
        self._wake.set()

    async def _poll_one(self, symbol: str) -> None:
        """Sweep with what weight is left over, until news come: they do not wait with it."""
        self._poll_began_ms = self._link.clock.now_ms()
        self._poll = asyncio.create_task(self._gateway.sweep_behind(symbol, Urgency.POLL))
        try:
            await asyncio.wait({self._poll})
        finally:
            self._poll.cancel()
        if not self._poll.cancelled():
            self._poll.result()
        else:
            self._sweep_soon(symbol, urgency=Urgency.POLL)

    def _let_news_pass(self) -> None:
        """End a poll that takes long, which then waits for weight, when something else is due."""
        is_long = self._link.clock.now_ms() - self._poll_began_ms > _LONG_POLL_MS
        is_news = any(due.urgency < Urgency.POLL for due in self._due.values())
        if self._poll is not None and is_long and is_news:
            self._poll.cancel()

    async def _beat(self) -> None:
        """Every second: sweep what is due, replace silent streams, read marks while they are silent."""
        while True:
            await self._link.clock.sleep(BEAT_SECONDS)
            now_ms = self._link.clock.now_ms()
            for symbol in self._gateway.symbols:
                if now_ms - self._swept_ms.get(symbol, 0) >= self._pause_ms(symbol):
                    urgency = Urgency.NORMAL if self._is_awaited(symbol) else Urgency.POLL
                    self._sweep_soon(symbol, urgency=urgency)
            if self._streams.silent_ms("marks") > SILENT_MS:
                await self._read_marks()
            self._let_news_pass()
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            await self._gateway.refresh()
        except PASSING:
            return
        if self._gateway.book.outbox:
            self._wake.set()

    def _is_awaited(self, symbol: str) -> bool:
        return self._gateway.book.is_awaited(symbol, self._link.clock.now_ms())

    def _pause_ms(self, symbol: str) -> float:
        book = self._gateway.book
        if self._is_awaited(symbol):
            return 1_000.0 * _AWAITED_SWEEP_SECONDS
        is_busy = symbol in book.positions or book.orders_of(symbol)
        return 1_000.0 * (_BUSY_SWEEP_SECONDS if is_busy else _FLAT_SWEEP_SECONDS)

    async def _read_marks(self) -> None:
        self._streams.renew("marks")
        try:
            marks = await self.prices.read_marks(self._gateway.symbols)
        except Unavailable:
            return
        for told in marks:
            self._hear(told)

    # --- life -------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        await self._gateway.account()
        client, dialect, symbols = self._link.client, self._dialect, self._gateway.symbols
        now_ms = self._gateway.book.now_ms or self._link.clock.now_ms()
        for symbol in symbols:
            call = partial(dialect.funding_rate_at, client, symbol, now_ms)
            rate, _ = await self._link.read(call, Urgency.NORMAL)
            self.prices.rate[symbol] = rate
            if not self.prices.next_open_ms(symbol):
                await self.history(symbol, self._timeframe_ms, 1)
        self._link.is_starting = False
        self._streams.start(dialect.watchers(client, symbols, timeframe_text(self._timeframe_ms)))
        for work in (self.prices.follow_candles(), self._sweep(), self._beat()):
            self._tasks.run(work)
        self._sweep_soon(*symbols, urgency=Urgency.NORMAL)
