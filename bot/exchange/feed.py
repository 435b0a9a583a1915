"""`bot.ports.MarketFeed` over ccxt.pro: marks, closed candles, funding, and what happened to the account.

Streams tell that something happened; the account's truth is read (sweep.py): after every user message, after
every reconnection, and every few seconds whatever the streams say. Marks that nobody looked at yet are
replaced by newer ones, everything else is handed out one by one.
"""

import asyncio
import contextlib
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
_LONG_MS: Final = 500
# A stop may vanish without a word, and is missed within 10 s.
_UNPROVEN_MS: Final = 7_000
_PROVE_AGAIN_MS: Final = 5_000


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
        self._proved_ms: dict[str, int] = {}
        self._look: asyncio.Task[None] | None = None
        self._looks_as = Urgency.POLL
        self._look_began_ms = 0

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
        elif not isinstance(told, AccountTold):
            self._sweep_soon(*self._gateway.symbols, urgency=Urgency.NORMAL)
        elif not self._gateway.book.asked_for(told.cancelled):
            symbols = told.symbols
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
        by_ms = 0 if urgency is Urgency.PROOF else self._link.clock.now_ms() + patience_ms
        for symbol in symbols:
            if symbol in self._gateway.symbols:
                known = self._due.get(symbol, _Due(by_ms, urgency))
                self._due[symbol] = _Due(min(by_ms, known.by_ms), min(urgency, known.urgency))
        self._let_pass()
        self._sweep_wake.set()

    async def _sweep(self) -> None:
        while True:
            await self._sweep_wake.wait()
            self._sweep_wake.clear()
            while self._due:
                symbol = min(self._due, key=self._due.__getitem__)
                await self._sweep_one(symbol, self._due.pop(symbol).urgency)

    async def _sweep_one(self, symbol: str, urgency: Urgency) -> None:
        """Sweep until something goes first that does not wait with it; then it is due again."""
        self._swept_ms[symbol] = self._look_began_ms = self._link.clock.now_ms()
        self._looks_as = urgency
        self._look = asyncio.create_task(self._gateway.sweep_behind(symbol, urgency))
        try:
            await asyncio.wait({self._look})
        finally:
            self._look.cancel()
        if self._look.cancelled():
            self._sweep_soon(symbol, urgency=urgency)
            return
        with contextlib.suppress(*PASSING):
            self._look.result()
            self._wake.set()

    def _let_pass(self) -> None:
        """End a look that takes long, which then waits for weight, when something goes first."""
        is_long = self._link.clock.now_ms() - self._look_began_ms > _LONG_MS
        is_first = any(self._goes_first(due.urgency) for due in self._due.values())
        if self._look is not None and is_long and is_first:
            self._look.cancel()

    def _goes_first(self, urgency: Urgency) -> bool:
        """Proof does, and news before a poll where lists are dear."""
        if urgency is Urgency.PROOF or (self._link.ccxt_id in DEAR and self._looks_as is Urgency.POLL):
            return urgency < self._looks_as
        return False

    async def _prove(self) -> None:
        """Every second: look first at what is held and was not seen to be covered for long.

        What a beat reads may wait for weight, and so may any other look.
        """
        while True:
            await self._link.clock.sleep(BEAT_SECONDS)
            unproven = [symbol for symbol in self._gateway.symbols if self._is_unproven(symbol)]
            self._proved_ms.update(dict.fromkeys(unproven, self._link.clock.now_ms()))
            self._sweep_soon(*unproven, urgency=Urgency.PROOF)

    def _is_unproven(self, symbol: str) -> bool:
        """Whether stops that are believed to rest were not read for long; one that is missed is seen to."""
        book, now_ms = self._gateway.book, self._link.clock.now_ms()
        if symbol not in book.positions or not book.is_covered(symbol):
            return False
        is_old = now_ms - book.covered_ms.get(symbol, 0) > _UNPROVEN_MS
        return is_old and now_ms - self._proved_ms.get(symbol, 0) >= _PROVE_AGAIN_MS

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
            self._let_pass()
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
        for work in (self.prices.follow_candles(), self._sweep(), self._beat(), self._prove()):
            self._tasks.run(work)
        self._sweep_soon(*symbols, urgency=Urgency.NORMAL)
