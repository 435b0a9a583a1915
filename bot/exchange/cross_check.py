"""Two clocks, two liquidation prices: what the venue says beside what we reckon, compared now and then.

What differs is reported, the engine decides what follows. Nothing here changes anything at the venue.
"""

from collections.abc import Mapping
from typing import Any, Final

from bot.core.event import VenueDiffers
from bot.core.instrument import Instrument, margin_rules
from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.exchange.book import Book
from bot.exchange.dialect import Dialect
from bot.exchange.link import Link

CLOCK: Final = "clock"
LIQUIDATION: Final = "liquidation_price"

CLOCK_EVERY_MS: Final = 300_000
LIQUIDATION_EVERY_MS: Final = 60_000
_TOLERABLE_SKEW_MS: Final = 1_000
_TOLERABLE_FRACTION: Final = 0.001
# Where the price in the position's row was compared with ours on an exchange that sends it.
_TELL_LIQUIDATION: Final = ("binanceusdm", "bybit", "okx")


class CrossCheck:
    """Asks at most every minute. A liquidation price counts when it differs twice in a row."""

    def __init__(
        self, link: Link, dialect: Dialect, book: Book, instruments: Mapping[str, Instrument]
    ) -> None:
        self._link, self._dialect, self._book, self._instruments = link, dialect, book, instruments
        self._clock_ms = self._liquidation_ms = link.clock.now_ms()
        self._suspected: dict[str, Position] = {}
        self._told: dict[str, Position] = {}

    async def look(self) -> None:
        """Compare what is due; differences go to the book's outbox. Raises what Link.read does."""
        now_ms = self._link.clock.now_ms()
        if now_ms - self._clock_ms >= CLOCK_EVERY_MS and self._link.client.has.get("fetchTime"):
            self._clock_ms = now_ms
            await self._clocks()
        if now_ms - self._liquidation_ms >= LIQUIDATION_EVERY_MS:
            self._liquidation_ms = now_ms
            await self._liquidations()

    async def _clocks(self) -> None:
        clock = self._link.clock
        before_ms = clock.now_ms()
        venue_ms = await self._link.read(self._link.client.fetch_time)
        ours_ms = (before_ms + clock.now_ms()) / 2.0
        if abs(ours_ms - venue_ms) > _TOLERABLE_SKEW_MS:
            self._say(next(iter(self._instruments)), CLOCK, ours_ms, float(venue_ms))

    async def _liquidations(self) -> None:
        held = [each for symbol, each in self._book.positions.items() if symbol in self._instruments]
        if not held or self._link.ccxt_id not in _TELL_LIQUIDATION:
            return
        client, version = self._link.client, self._book.version
        for position in held:
            # One by one: ccxt takes no list of several for Bybit.
            rows = await self._link.read(lambda symbol=position.symbol: client.fetch_positions([symbol]))
            if version != self._book.version:
                return  # something was sent meanwhile: what was read belongs to another position
            told = {row["symbol"]: _price(row) for row in rows}
            self._compare(position, told.get(position.symbol, 0.0))

    def _compare(self, position: Position, venue: float) -> None:
        symbol, instrument = position.symbol, self._instruments[position.symbol]
        profile = self._dialect.profile(instrument.taker_fee_rate)
        ours = liquidation_price(position, margin_rules(instrument, profile))
        if venue <= 0.0 or abs(venue - ours) <= _TOLERABLE_FRACTION * venue:
            self._suspected.pop(symbol, None)
        elif self._suspected.get(symbol) != position:
            self._suspected[symbol] = position
        elif self._told.get(symbol) != position:
            self._told[symbol] = position
            self._say(symbol, LIQUIDATION, ours, venue)

    def _say(self, symbol: str, what: str, ours: float, venue: float) -> None:
        self._book.outbox.append(VenueDiffers(self._book.handed_ms, symbol, what, ours, venue))


def _price(row: Mapping[str, Any]) -> float:
    return float(row.get("liquidationPrice") or 0.0)
