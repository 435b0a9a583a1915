"""Marks, closed candles, gaps and funding instants of a venue: what both feeds over ccxt are made of.

Public data only. Messages come in by `hear`, events go out by `put`, in the order in which they are known.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from bot.core.candles import Candles
from bot.core.event import FeedGap, MarketEvent, MarkPrice
from bot.core.timeframe import timeframe_text
from bot.errors import Unavailable
from bot.exchange.candle_book import CandleBook, Missing
from bot.exchange.convert import candles_from
from bot.exchange.dialect import Dialect
from bot.exchange.histories import PAGE
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.told import CandleTold, MarkTold

_GAP_MS: Final = 30_000
_MOST_CANDLES_A_REQUEST: Final = 1_000


class Prices:
    """`put` takes every event, `settled` every funding instant that has passed."""

    def __init__(
        self,
        link: Link,
        dialect: Dialect,
        timeframe_ms: int,
        put: Callable[[MarketEvent], None],
        settled: Callable[[str, int], None],
    ) -> None:
        self._link, self._dialect, self._timeframe_ms = link, dialect, timeframe_ms
        self._put, self._settled = put, settled
        self._candles = CandleBook(timeframe_ms)
        self._last: dict[str, float] = {}
        self._next_funding_ms: dict[str, int] = {}
        self._heard_mark_ms: dict[str, int] = {}
        self._mark_ms: dict[str, int] = {}
        self._candle_jobs: asyncio.Queue[CandleTold] = asyncio.Queue()
        self.rate: dict[str, float] = {}

    def next_open_ms(self, symbol: str) -> int:
        """Return the open time of the candle that is wanted next; 0 when any is."""
        return self._candles.next_ms(symbol)

    # --- hearing: called in the middle of ccxt's reading, so that nothing waits --------------------

    def hear_mark(self, told: MarkTold) -> None:
        """Take a mark; one that is older than the last is dropped."""
        symbol = told.symbol
        if told.ts_ms < self._mark_ms.get(symbol, 0):
            return
        self._note_gap(told)
        self._mark_ms[symbol] = told.ts_ms
        if told.next_funding_ms:
            self._note_funding(symbol, told.next_funding_ms)
        self._put(MarkPrice(told.ts_ms, symbol, told.mark, self._last.get(symbol, told.mark)))

    def hear_candle(self, told: CandleTold) -> None:
        """Take a candle as it forms: the last price now, and a job for `follow_candles`."""
        self._last[told.symbol] = told.close
        self._candle_jobs.put_nowait(told)

    def _note_funding(self, symbol: str, next_ms: int) -> None:
        known = self._next_funding_ms.get(symbol, next_ms)
        self._next_funding_ms[symbol] = next_ms
        if next_ms > known:
            self._settled(symbol, known)

    def _note_gap(self, told: MarkTold) -> None:
        """Say when prices were missing: by the host's clock, because the market's may run faster."""
        now_ms = self._link.clock.now_ms()
        heard_ms = self._heard_mark_ms.get(told.symbol, now_ms)
        self._heard_mark_ms[told.symbol] = now_ms
        if now_ms - heard_ms > _GAP_MS:
            self._put(FeedGap(self._mark_ms[told.symbol], told.symbol, told.ts_ms))

    # --- candles ----------------------------------------------------------------------------------

    async def follow_candles(self) -> None:
        """Put closed candles, one by one and without a hole, for ever."""
        while True:
            told = await self._candle_jobs.get()
            missing, closed = self._candles.hear(told)
            if missing is not None:
                await self._fill(missing)
            for each in closed:
                self._close(each)

    async def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return up to `count` closed candles; `follow_candles` goes on with the one after them."""
        rows = await self._closed_rows(symbol, timeframe_ms, count)
        if rows and timeframe_ms == self._timeframe_ms:
            self._candles.begin(symbol, rows[-1][0] + timeframe_ms)
        return candles_from(rows, self.rate.get(symbol, 0.0))

    def _close(self, told: CandleTold) -> None:
        event = self._candles.close(told, self.rate.get(told.symbol, 0.0))
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
        return await self._link.read(
            lambda: client.fetch_ohlcv(symbol, timeframe, since_ms, limit), Urgency.NORMAL
        )

    # --- marks by REST ----------------------------------------------------------------------------

    async def read_marks(self, symbols: Sequence[str]) -> tuple[MarkTold, ...]:
        """Return the marks now, for when their stream is silent. Raises what Link.read does."""
        client, dialect = self._link.client, self._dialect
        return await self._link.read(lambda: dialect.marks(client, symbols), Urgency.NORMAL)


def _closed(symbol: str, length_ms: int, row: Sequence[Any]) -> CandleTold:
    open_ms, open_, high, low, close, volume = row[:6]
    return CandleTold(open_ms + length_ms, symbol, open_ms, open_, high, low, close, volume, True)
