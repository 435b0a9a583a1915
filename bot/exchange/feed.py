"""`bot.ports.MarketFeed` over ccxt.pro: marks, closed candles, funding, and what happened to the account.

Streams tell that something happened; the account's truth is read (sweep.py): after every user message, after
every reconnection, and every few seconds whatever the streams say. Marks that nobody looked at yet are
replaced by newer ones, everything else is handed out one by one.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

from bot.core.candles import Candles
from bot.core.event import FeedGap, FundingDue, MarketEvent, MarkPrice, VenueEvent
from bot.core.timeframe import timeframe_text
from bot.errors import Transient, Unavailable
from bot.exchange.candle_book import CandleBook, Missing
from bot.exchange.convert import candles_from
from bot.exchange.gateway import CcxtGateway
from bot.exchange.histories import PAGE
from bot.exchange.lane import Urgency
from bot.exchange.streams import Streams
from bot.exchange.told import AccountTold, CandleTold, MarkTold, Told
from bot.ports import Json

_BUSY_SWEEP_SECONDS: Final = 5.0
_FLAT_SWEEP_SECONDS: Final = 30.0
_BEAT_SECONDS: Final = 1.0
_SILENT_MS: Final = 5_000
_GAP_MS: Final = 30_000
_MOST_CANDLES_A_REQUEST: Final = 1_000
_SWEPT_AGAIN: Final = (Transient, Unavailable)


class CcxtFeed:
    """One market feed of the gateway's symbols on one timeframe."""

    def __init__(self, gateway: CcxtGateway, timeframe_ms: int) -> None:
        self._gateway, self._link, self._dialect = gateway, gateway.link, gateway.dialect
        self._timeframe_ms = timeframe_ms
        self._candles = CandleBook(timeframe_ms)
        self._streams = Streams(self._link, self._dialect, self._hear, self._came_back)
        self._marks: dict[str, MarkPrice] = {}
        self._queue: deque[MarketEvent] = deque()
        self._last: dict[str, float] = {}
        self._rate: dict[str, float] = {}
        self._next_funding_ms: dict[str, int] = {}
        self._due: dict[str, None] = {}
        self._swept_ms: dict[str, int] = {}
        self._heard_mark_ms: dict[str, int] = {}
        self._mark_ms: dict[str, int] = {}
        self._candle_jobs: asyncio.Queue[CandleTold] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._sweep_wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- the market feed port ---------------------------------------------------------------------

    async def events(self) -> AsyncGenerator[MarketEvent | VenueEvent, None]:
        """Yield what happens, venue events first. Ends only when closed."""
        await self._begin()
        outbox = self._gateway.book.outbox
        try:
            while True:
                self._wake.clear()
                self._raise_failure()
                while outbox or self._queue or self._marks:
                    yield self._next()
                await self._wake.wait()
        finally:
            await self._end()

    async def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return up to `count` closed candles; the feed goes on with the one after them."""
        rows = await self._closed_rows(symbol, timeframe_ms, count)
        if rows and timeframe_ms == self._timeframe_ms:
            self._candles.begin(symbol, rows[-1][0] + timeframe_ms)
        return candles_from(rows, self._rate.get(symbol, 0.0))

    def cursor(self) -> Json:
        """Return the candle wanted next per symbol; a feed of the present cannot go back."""
        return {"next_open_ms": {each: self._candles.next_ms(each) for each in self._gateway.symbols}}

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
        self._queue.append(event)
        self._wake.set()

    # --- hearing ----------------------------------------------------------------------------------

    def _hear(self, told: Told) -> None:
        """Take one message. Called in the middle of ccxt's reading: nothing here waits."""
        self._gateway.book.saw(told.ts_ms)
        if isinstance(told, MarkTold):
            self._hear_mark(told)
        elif isinstance(told, CandleTold):
            self._last[told.symbol] = told.close
            self._candle_jobs.put_nowait(told)
        else:
            symbols = told.symbols if isinstance(told, AccountTold) else ()
            self._sweep_soon(*(symbols or self._gateway.symbols))

    def _hear_mark(self, told: MarkTold) -> None:
        symbol = told.symbol
        if told.ts_ms < self._mark_ms.get(symbol, 0):
            return
        self._note_gap(told)
        self._mark_ms[symbol] = told.ts_ms
        self._marks[symbol] = MarkPrice(told.ts_ms, symbol, told.mark, self._last.get(symbol, told.mark))
        if told.next_funding_ms:
            self._note_funding(symbol, told.next_funding_ms)
        self._wake.set()

    def _note_funding(self, symbol: str, next_ms: int) -> None:
        known = self._next_funding_ms.get(symbol, next_ms)
        self._next_funding_ms[symbol] = next_ms
        if next_ms > known:
            self._run(self._settled(symbol, known))

    def _note_gap(self, told: MarkTold) -> None:
        """Say when prices were missing: by the host's clock, because the market's may run faster."""
        now_ms = self._link.clock.now_ms()
        heard_ms = self._heard_mark_ms.get(told.symbol, now_ms)
        self._heard_mark_ms[told.symbol] = now_ms
        if now_ms - heard_ms > _GAP_MS:
            self._put(FeedGap(self._mark_ms[told.symbol], told.symbol, told.ts_ms))

    async def _settled(self, symbol: str, ts_ms: int) -> None:
        client, dialect = self._link.client, self._dialect
        rate, _ = await self._link.read(lambda: dialect.funding_rate_at(client, symbol, ts_ms))
        self._rate[symbol] = rate
        self._gateway.book.settled_ms[symbol] = ts_ms
        self._put(FundingDue(ts_ms, symbol, rate))
        self._sweep_soon(symbol)

    def _came_back(self, name: str) -> None:
        """After a reconnection messages may be missing: look at everything."""
        self._sweep_soon(*self._gateway.symbols)

    # --- candles ----------------------------------------------------------------------------------

    async def _follow_candles(self) -> None:
        while True:
            told = await self._candle_jobs.get()
            missing, closed = self._candles.hear(told)
            if missing is not None:
                await self._fill(missing)
            for each in closed:
                self._close(each)

    def _close(self, told: CandleTold) -> None:
        event = self._candles.close(told, self._rate.get(told.symbol, 0.0))
        if event is not None:
            self._put(event)

    async def _fill(self, missing: Missing) -> None:
        """Fetch candles that were not told, page by page; what the venue does not have is a gap."""
        symbol, length_ms = missing.symbol, self._timeframe_ms
        wanted_ms = since_ms = missing.begin_ms
        while since_ms < missing.end_ms:
            try:
                page = await self._rows(symbol, length_ms, since_ms, _MOST_CANDLES_A_REQUEST)
            except Unavailable:
                break
            since_ms += PAGE[self._link.ccxt_id] * length_ms  # where the venue may have some again
            for row in page:
                if wanted_ms <= row[0] < missing.end_ms:
                    self._gap(symbol, wanted_ms, row[0])
                    self._close(_closed(symbol, length_ms, row))
                    wanted_ms = since_ms = row[0] + length_ms
            if page and page[-1][0] >= missing.end_ms:
                break
        self._gap(symbol, wanted_ms, missing.end_ms)

    def _gap(self, symbol: str, begin_ms: int, end_ms: int) -> None:
        if end_ms > begin_ms:
            self._put(FeedGap(begin_ms, symbol, end_ms))

    async def _closed_rows(self, symbol: str, length_ms: int, count: int) -> list[Any]:
        """Return the newest closed rows, page by page backwards; the last row of the venue still forms."""
        rows: list[Any] = []
        since_ms: int | None = None
        while len(rows) < count + 1:
            page = await self._rows(symbol, length_ms, since_ms, min(count + 1, _MOST_CANDLES_A_REQUEST))
            older = [row for row in page if not rows or row[0] < rows[0][0]]
            if not older:
                break
            rows = older + rows
            since_ms = rows[0][0] - length_ms * len(page)  # a venue may give fewer than asked for
        return rows[:-1][-count:]

    async def _rows(self, symbol: str, length_ms: int, since_ms: int | None, limit: int) -> list[Any]:
        client, timeframe = self._link.client, timeframe_text(length_ms)
        return await self._link.read(lambda: client.fetch_ohlcv(symbol, timeframe, since_ms, limit))

    # --- sweeping and watching over the streams ---------------------------------------------------

    def _sweep_soon(self, *symbols: str) -> None:
        for symbol in symbols:
            if symbol in self._gateway.symbols:
                self._due[symbol] = None
        self._sweep_wake.set()

    async def _sweep(self) -> None:
        while True:
            await self._sweep_wake.wait()
            self._sweep_wake.clear()
            while self._due:
                symbol = next(iter(self._due))
                del self._due[symbol]
                await self._sweep_one(symbol)

    async def _sweep_one(self, symbol: str) -> None:
        self._swept_ms[symbol] = self._link.clock.now_ms()
        try:
            await self._gateway.sweep_behind(symbol)
        except _SWEPT_AGAIN:
            return
        self._wake.set()

    async def _beat(self) -> None:
        """Every second: sweep what is due, replace silent streams, read marks while they are silent."""
        while True:
            await self._link.clock.sleep(_BEAT_SECONDS)
            now_ms = self._link.clock.now_ms()
            for symbol in self._gateway.symbols:
                if now_ms - self._swept_ms.get(symbol, 0) >= self._pause_ms(symbol):
                    self._sweep_soon(symbol)
            if self._streams.silent_ms("marks") > _SILENT_MS:
                await self._read_marks()
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            await self._gateway.refresh()
        except _SWEPT_AGAIN:
            return
        if self._gateway.book.outbox:
            self._wake.set()

    def _pause_ms(self, symbol: str) -> float:
        book = self._gateway.book
        is_busy = symbol in book.positions or book.orders_of(symbol)
        return 1_000.0 * (_BUSY_SWEEP_SECONDS if is_busy else _FLAT_SWEEP_SECONDS)

    async def _read_marks(self) -> None:
        client, dialect, symbols = self._link.client, self._dialect, self._gateway.symbols
        self._streams.renew("marks")
        try:
            marks = await self._link.read(lambda: dialect.marks(client, symbols), Urgency.NORMAL)
        except Unavailable:
            return
        for told in marks:
            self._hear(told)

    # --- life -------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        await self._gateway.account()
        now_ms = self._gateway.book.now_ms or self._link.clock.now_ms()
        for symbol in self._gateway.symbols:
            rate, _ = await self._link.read(
                lambda key=symbol: self._dialect.funding_rate_at(self._link.client, key, now_ms)
            )
            self._rate[symbol] = rate
            if not self._candles.next_ms(symbol):
                await self.history(symbol, self._timeframe_ms, 1)
        self._streams.start(self._gateway.symbols, timeframe_text(self._timeframe_ms))
        for work in (self._follow_candles(), self._sweep(), self._beat()):
            self._run(work)
        self._sweep_soon(*self._gateway.symbols)

    def _run(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)
        self._wake.set()

    def _raise_failure(self) -> None:
        """A background task that failed ends the feed; what is unavailable now is asked for again."""
        for task in [each for each in self._tasks if each.done()]:
            self._tasks.discard(task)
            error = task.exception()
            if error is not None and not isinstance(error, _SWEPT_AGAIN):
                raise error

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._streams.stop()


def _closed(symbol: str, length_ms: int, row: Sequence[Any]) -> CandleTold:
    open_ms, open_, high, low, close, volume = row[:6]
    return CandleTold(open_ms + length_ms, symbol, open_ms, open_, high, low, close, volume, True)
