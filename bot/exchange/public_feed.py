"""The public market of a venue: marks, closed candles and funding rates, without a key or an account.

Every mark is handed out, because a stop of paper money may lie between two. Streams that are silent are
renewed and read by REST meanwhile. A funding rate is told when the venue has published it, some seconds after
its instant: an estimate is another number.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final

from bot.core.candles import Candles
from bot.core.event import FundingDue, MarketEvent
from bot.core.instrument import Instrument
from bot.core.profile import VenueProfile
from bot.core.timeframe import MINUTE_MS, timeframe_text
from bot.errors import Unavailable, UserError
from bot.exchange.background import PASSING, Background
from bot.exchange.convert import candles_from
from bot.exchange.dialect import Dialect, Shipped
from bot.exchange.feed import BEAT_SECONDS, SILENT_MS
from bot.exchange.freshness import Freshness, is_changed
from bot.exchange.histories import FUNDING_WINDOW_MS, CandleKind, Histories, Row
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.prices import Prices
from bot.exchange.streams import Streams
from bot.exchange.symbols import symbol_fault
from bot.exchange.told import CandleTold, MarkTold, Told

PUBLIC_STREAMS: Final = ("marks", "candles")
_DAY_MS: Final = 86_400_000
_PUBLISHED_AGAIN_SECONDS: Final = 5.0
_MOST_LOOKS: Final = 120


class PublicFeed:
    """`symbols` on one timeframe. `meet` must be awaited before anything else."""

    def __init__(self, link: Link, dialect: Dialect, symbols: Sequence[str], timeframe_ms: int) -> None:
        self._link, self._dialect, self._symbols = link, dialect, tuple(symbols)
        self._timeframe_ms = timeframe_ms
        self._wake = asyncio.Event()
        self._tasks = Background(self._wake.set)
        self._streams = Streams(link, dialect, self._hear, _nothing_to_do)
        self._prices = Prices(link, dialect, timeframe_ms, self._put, self._settle_soon)
        self._histories = Histories(link)
        self._queue: deque[MarketEvent] = deque()
        self._freshness = Freshness(self._symbols)
        self._shipped: Shipped | None = None
        self._known: dict[str, Instrument] = {}
        self.on_changed: Callable[[Instrument], None] = _nothing_to_do

    # --- the market -------------------------------------------------------------------------------

    async def meet(self, shipped: Shipped) -> dict[str, Instrument]:
        """Return the venue's own instruments; `shipped` has what takes a key.

        UserError: a symbol is none that is traded there. Unavailable: the venue cannot be reached.
        """
        markets = await self._histories.markets()
        for symbol in self._symbols:
            fault = symbol_fault(symbol, markets)
            if fault is not None:
                raise UserError(f"{fault.fact}. Nothing was started. {fault.next_step}")
        self._shipped = shipped
        found = await self._instruments(self._symbols, shipped)
        self._known.update(found)
        now_ms = await self.now_ms()
        for symbol in self._symbols:
            dues = await self.settlements(symbol, now_ms - _DAY_MS, now_ms)
            self._prices.rate[symbol] = dues[-1].rate if dues else 0.0
        return found

    async def refresh(self) -> None:
        """Read the rules again when an hour has passed, and hand what changed to `on_changed`."""
        due = self._freshness.due(self._link.clock.now_ms())
        if not due or self._shipped is None:
            return
        for symbol, instrument in (await self._instruments(due, self._shipped)).items():
            if is_changed(self._known[symbol], instrument):
                self._known[symbol] = instrument
                self.on_changed(instrument)

    async def _instruments(self, symbols: Sequence[str], shipped: Shipped) -> dict[str, Instrument]:
        client, dialect = self._link.client, self._dialect
        found = await self._link.read(
            lambda: dialect.public_instruments(client, symbols, shipped), Urgency.NORMAL
        )
        self._freshness.read(found, self._link.clock.now_ms())
        return found

    @property
    def profile(self) -> VenueProfile:
        """How the venue counts margin; a fee to close is each instrument's own."""
        return self._dialect.profile(0.0)

    async def events(self) -> AsyncGenerator[MarketEvent, None]:
        """Yield market events as they come. Ends only when closed."""
        self._begin()
        try:
            while True:
                self._wake.clear()
                self._tasks.raise_failure()
                while self._queue:
                    yield self._queue.popleft()
                await self._wake.wait()
        finally:
            await self._tasks.end()
            await self._streams.stop()

    async def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return up to `count` closed candles; the feed goes on with the one after them."""
        return await self._prices.history(symbol, timeframe_ms, count)

    async def now_ms(self) -> int:
        """Return the market's time: that of the newest mark."""
        marks = await self._prices.read_marks(self._symbols)
        return max(told.ts_ms for told in marks)

    async def minutes(self, symbol: str, kind: CandleKind, from_ms: int, until_ms: int) -> Candles:
        """Return the candles of one minute that open in [from_ms, until_ms), the forming one included.

        Last prices stand for marks where the venue keeps no candles of these.
        """
        if not self._histories.has_mark:
            kind = "last"
        rows: list[Row] = []
        for since_ms in range(from_ms, until_ms, self._histories.page * MINUTE_MS):
            page = await self._histories.candles(symbol, MINUTE_MS, kind, since_ms)
            rows += [row for row in page if row[0] < until_ms]
        return candles_from(rows, 0.0)

    async def settlements(self, symbol: str, from_ms: int, until_ms: int) -> tuple[FundingDue, ...]:
        """Return the funding settlements in [from_ms, until_ms), oldest first."""
        found: list[FundingDue] = []
        for since_ms in range(from_ms, until_ms, FUNDING_WINDOW_MS):
            rows = await self._histories.funding(symbol, since_ms)
            found += [FundingDue(int(ts_ms), symbol, rate) for ts_ms, rate in rows if ts_ms < until_ms]
        return tuple(found)

    # --- hearing ----------------------------------------------------------------------------------

    def _hear(self, told: Told) -> None:
        if isinstance(told, MarkTold):
            self._prices.hear_mark(told)
        elif isinstance(told, CandleTold):
            self._prices.hear_candle(told)

    def _put(self, event: MarketEvent) -> None:
        self._queue.append(event)
        self._wake.set()

    def _settle_soon(self, symbol: str, ts_ms: int) -> None:
        self._tasks.run(self._settled(symbol, ts_ms))

    async def _settled(self, symbol: str, ts_ms: int) -> None:
        """Tell a settlement as soon as its rate is published; one that never is did not take place."""
        for _ in range(_MOST_LOOKS):
            try:
                found = await self.settlements(symbol, ts_ms - MINUTE_MS, ts_ms + MINUTE_MS)
            except Unavailable:
                found = ()
            if found:
                self._prices.rate[symbol] = found[-1].rate
                self._put(FundingDue(ts_ms, symbol, found[-1].rate))
                return
            await self._link.clock.sleep(_PUBLISHED_AGAIN_SECONDS)

    # --- life -------------------------------------------------------------------------------------

    def _begin(self) -> None:
        watchers = self._dialect.watchers(
            self._link.client, self._symbols, timeframe_text(self._timeframe_ms)
        )
        self._streams.start({name: watchers[name] for name in PUBLIC_STREAMS})
        self._tasks.run(self._prices.follow_candles())
        self._tasks.run(self._beat())

    async def _beat(self) -> None:
        """Every second: replace a silent stream of marks, and read them meanwhile."""
        while True:
            await self._link.clock.sleep(BEAT_SECONDS)
            if self._streams.silent_ms("marks") > SILENT_MS:
                await self._read_marks()
            with contextlib.suppress(*PASSING):
                await self.refresh()

    async def _read_marks(self) -> None:
        self._streams.renew("marks")
        try:
            marks = await self._prices.read_marks(self._symbols)
        except Unavailable:
            return
        for told in marks:
            self._hear(told)


def _nothing_to_do(_what: object) -> None:
    """What was missed while a stream was gone is seen by the hole in its prices."""
