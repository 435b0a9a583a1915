"""Four answers of about one instant. Where lists are dear, no more of them than can tell anything new.

At Hyperliquid a list costs ten times what the position does. What did not add up is looked at again by the
position first: as long as that is the one known before, fills that it does not show are not asked for again.
"""

import asyncio
from typing import Final, NamedTuple

from bot.core.position import Position
from bot.exchange.book import START, Book
from bot.exchange.dialect import Dialect
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.rows import Money, Trade, VenueOrder

DEAR: Final = ("hyperliquid",)
_QUANTITY_TOLERANCE: Final = 1e-9
# Fills that are in no list yet, and a position that is back where it was, look like one that lags.
_OPEN_FOR_MS: Final = 6_000


class Glance(NamedTuple):
    """Four answers of about one instant; the trades are those not reported yet."""

    orders: tuple[VenueOrder, ...]
    trades: tuple[Trade, ...]
    position: Position | None
    money: Money


class Glancer:
    """Reads through a dialect. What it is told did not add up stays open for a few seconds."""

    def __init__(self, link: Link, dialect: Dialect, book: Book) -> None:
        self._link, self._dialect, self._book = link, dialect, book
        self._is_dear = link.ccxt_id in DEAR
        self._open: dict[str, tuple[int, Glance]] = {}

    async def glance(self, symbol: str, urgency: Urgency) -> Glance | None:
        """Return what the venue answers now; None: what did not add up is as it was."""
        opened_ms, last = self._open.get(symbol, (0, None))
        if last is not None and self._link.clock.now_ms() - opened_ms <= _OPEN_FOR_MS:
            return await self._again(symbol, urgency, last, opened_ms)
        if self._is_dear and urgency in (Urgency.PROOF, Urgency.POLL):
            return await self._polled(symbol, urgency)
        return await self.afresh(symbol, urgency)

    async def afresh(self, symbol: str, urgency: Urgency) -> Glance:
        """Return all four answers, asked for at once."""
        self._open.pop(symbol, None)
        return Glance(
            *await asyncio.gather(
                self._orders(symbol, urgency),
                self._trades(symbol, urgency),
                self.position(symbol, urgency),
                self.money(urgency),
            )
        )

    async def _polled(self, symbol: str, urgency: Urgency) -> Glance:
        """Ask for no fills where position and money are the same: each fill changes one of them."""
        self._open.pop(symbol, None)
        orders, position, money = await asyncio.gather(
            self._orders(symbol, urgency), self.position(symbol, urgency), self.money(urgency)
        )
        is_known = money.free_quote == self._book.free_quote and self.adds_up(symbol, position, ())
        return Glance(orders, () if is_known else await self._trades(symbol, urgency), position, money)

    async def _again(self, symbol: str, urgency: Urgency, last: Glance, opened_ms: int) -> Glance | None:
        position, money = await asyncio.gather(self.position(symbol, urgency), self.money(urgency))
        trades = self._new_trades(symbol, last.trades)
        if not self.adds_up(symbol, position, trades):
            if trades and self.adds_up(symbol, position, ()):
                return None
            trades = await self._trades(symbol, urgency)
            if not self.adds_up(symbol, position, trades):
                self._open[symbol] = (opened_ms, last._replace(trades=trades))
                return None
        return Glance(await self._orders(symbol, urgency), trades, position, money)

    def note(self, symbol: str, seen: Glance, *, is_consistent: bool) -> None:
        """Learn whether a glance adds up with everything else."""
        if is_consistent or not self._is_dear:
            self._open.pop(symbol, None)
        else:
            self._open.setdefault(symbol, (self._link.clock.now_ms(), seen))

    def adds_up(self, symbol: str, position: Position | None, trades: tuple[Trade, ...]) -> bool:
        """Return whether the position is the one known before and what was traded since."""
        before = _signed(self._book.positions.get(symbol))
        expected = before + sum(trade.order_side * trade.quantity for trade in trades)
        return abs(expected - _signed(position)) <= _QUANTITY_TOLERANCE * max(abs(expected), 1.0)

    def is_as_known(self, symbol: str, position: Position | None) -> bool:
        """Whether nothing moved; a payment that the wallet does not show can be told later."""
        before = self._book.positions.get(symbol)
        if before is None or position is None:
            return before is position
        return position._replace(opened_ms=before.opened_ms) == before

    async def position(self, symbol: str, urgency: Urgency) -> Position | None:
        """Return the symbol's position now."""
        client = self._link.client
        rows = await self._link.read(lambda: self._dialect.positions(client, self._book.leverage), urgency)
        for row in rows:
            self._book.note_shown(row)
        return next((each for each in rows if each.symbol == symbol), None)

    async def money(self, urgency: Urgency) -> Money:
        """Return the account's money now."""
        return await self._link.read(lambda: self._dialect.money(self._link.client), urgency)

    async def _orders(self, symbol: str, urgency: Urgency) -> tuple[VenueOrder, ...]:
        return await self._link.read(lambda: self._dialect.open_orders(self._link.client, symbol), urgency)

    async def _trades(self, symbol: str, urgency: Urgency) -> tuple[Trade, ...]:
        since_ms = self._book.trades.get(symbol, START).since_ms or None
        client = self._link.client
        rows = await self._link.read(lambda: self._dialect.trades(client, symbol, since_ms), urgency)
        return self._new_trades(symbol, rows)

    def _new_trades(self, symbol: str, trades: tuple[Trade, ...]) -> tuple[Trade, ...]:
        cursor = self._book.trades.get(symbol, START)
        return tuple(sorted(row for row in trades if cursor.is_new(row.ts_ms, str(row.trade_id))))


def _signed(position: Position | None) -> float:
    return 0.0 if position is None else position.side * position.quantity
