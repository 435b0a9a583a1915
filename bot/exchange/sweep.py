"""Reading the account again and turning the difference into events.

Readings overlap with writes: one that began before a write or another reading ended is thrown away.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.core.instrument import Instrument
from bot.errors import OutcomeUnknown
from bot.exchange.book import START, Book
from bot.exchange.changes import NO_MOVE, Changes, Move
from bot.exchange.dialect import Dialect
from bot.exchange.glance import Glance
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.rows import VenueOrder
from bot.exchange.sight import Observer, Sight, share_left

_WAITS_SECONDS: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5)
_TRIES_WHEN_AWAITED: Final = 2  # another sweep follows within seconds
# Where a reading costs 42 of 1200 a minute, eight that contradict each other would be a quarter of it.
_DEAR_WAITS_SECONDS: Final = {"hyperliquid": (0.0, 0.1, 0.5, 1.5)}
_LULL_SECONDS: Final = 0.1
_ROUGHLY: Final = 0.05  # what an earlier process wanted to move is worked out from its target


class Sweeper:
    """Keeps the book. `instruments` are those of the session."""

    def __init__(
        self, link: Link, dialect: Dialect, book: Book, instruments: Mapping[str, Instrument]
    ) -> None:
        self._link, self._dialect, self._book = link, dialect, book
        self._instruments = instruments
        self.observer = Observer(link, dialect, book)

    async def start(self, symbols: Sequence[str]) -> None:
        """Take what the venue holds in these symbols as known: nothing before now will be reported."""
        book, client = self._book, self._link.client
        leverage = await self._link.read(lambda: self._dialect.leverages(client, symbols), Urgency.NORMAL)
        book.leverage.update(leverage)
        for symbol in symbols:
            seen = await self._steady(symbol)
            paid = await self.observer.payments(symbol)
            trades = [(trade.ts_ms, str(trade.trade_id)) for trade in seen.trades]
            book.trades[symbol] = START.after(trades)
            book.payments[symbol] = START.after((each.ts_ms, each.payment_id) for each in paid)
            book.orders.update({order.client_id: order for order in seen.orders})
            if seen.position is not None:
                book.positions[symbol] = seen.position
            book.free_quote = seen.money.free_quote
            book.saw(book.trades[symbol].since_ms)
        book.is_started = True
        book.version += 1

    async def resting(self, symbol: str) -> list[VenueOrder]:
        """Return the orders that rest: lists lag, so that one they lack is asked for by its id."""
        client, now = self._link.client, Urgency.URGENT
        rows = await self._link.read(lambda: self._dialect.open_orders(client, symbol), now)
        found = self.observer.by_our_id(rows, self._book.owners)
        missed = await self.observer.ended(symbol, found, (), now, is_left=True)
        still = [row for row in missed.values() if row is not None and row.status == "open"]
        return [*found.values(), *still]

    async def sweep(
        self, symbol: str, urgency: Urgency = Urgency.POLL, move: Move = NO_MOVE, *, is_behind: bool = False
    ) -> None:
        """Put what happened to the symbol since the last sweep into the outbox.

        `move`: margin that we know to have moved. `is_behind`: let writes of ours finish first. Nothing
        when the venue contradicts itself for seconds: its fills lag, and the next sweep will tell. A wallet
        that nothing explains is believed when it is seen twice.
        """
        suspected_quote, version = 0.0, None
        waits_seconds = _DEAR_WAITS_SECONDS.get(self._link.ccxt_id, _WAITS_SECONDS)
        is_awaited = is_behind and self._book.is_awaited(symbol, self._link.clock.now_ms())
        for wait_seconds in waits_seconds[: _TRIES_WHEN_AWAITED if is_awaited else None]:
            await self._link.clock.sleep(wait_seconds)
            if is_behind:
                await self._calm(is_writing=version not in (None, self._book.version))
            version, began_ms = self._book.version, self._link.clock.now_ms()
            sight = await self.observer.look(symbol, urgency, move.amount_quote)
            if sight.trades or sight.ended:  # from here on it is news that is read
                urgency = min(urgency, Urgency.NORMAL)
            move = move if move.amount_quote else _shown_move(sight, self._book)
            if sight.is_consistent and sight.position is None and not move.amount_quote:
                move = await self._ended_move(symbol, urgency)
            if (
                sight.is_consistent
                and version == self._book.version
                and _has_arrived(sight, self._book, move)
            ):
                rest_quote = _unexplained(sight, self._book, move)
                if rest_quote in (0.0, suspected_quote):
                    instrument = self._instruments[symbol]
                    self._book.read_ms[symbol] = began_ms
                    self._book.outbox += Changes(self._book, sight, self._dialect, instrument, move).apply()
                    self._book.end_awaited(symbol)
                    if self._book.is_covered(symbol):
                        self._book.covered_ms[symbol] = began_ms
                    return
                suspected_quote = rest_quote

    async def _ended_move(self, symbol: str, urgency: Urgency) -> Move:
        """Return our move of unknown fate that ended with its position, as far as the history tells it.

        Once the closing is told there is no position that it could be told of.
        """
        book, link = self._book, self._link
        client_id = book.doubts.get(symbol, "")
        wanted, held = book.wanted.get(client_id, 0.0), book.positions.get(symbol)
        if held is None or not wanted or client_id in book.acknowledged:
            return NO_MOVE
        since_ms = book.decided_ms.get(client_id, held.opened_ms)
        try:
            moves = await link.read(
                lambda: self._dialect.margin_moves(link.client, symbol, since_ms), urgency
            )
        except OutcomeUnknown:
            return NO_MOVE
        mine = [
            each.amount_quote
            for each in moves or ()
            if each.ts_ms >= since_ms and abs(each.amount_quote - wanted) <= _ROUGHLY * abs(wanted)
        ]
        return Move(client_id, mine[-1]) if mine else NO_MOVE

    async def _calm(self, *, is_writing: bool) -> None:
        """Wait until our writes have finished and none follows: a reading between two is for nothing."""
        while is_writing or not self._book.calm.is_set():
            await self._book.calm.wait()
            version = self._book.version
            await self._link.clock.sleep(_LULL_SECONDS)
            if self._book.calm.is_set() and version == self._book.version:
                return

    async def _steady(self, symbol: str) -> Glance:
        """Two equal answers: nothing was filled in between."""
        last = await self.observer.glancer.afresh(symbol, Urgency.NORMAL)
        for wait_seconds in _WAITS_SECONDS:
            await self._link.clock.sleep(wait_seconds)
            seen = await self.observer.glancer.afresh(symbol, Urgency.NORMAL)
            if (seen.trades, seen.position) == (last.trades, last.position):
                break
            last = seen
        return last


def _has_arrived(sight: Sight, book: Book, move: Move) -> bool:
    """Whether a margin move shows in the position; fills that add to it make that unknowable."""
    share = share_left(book.positions.get(sight.symbol), sight.position, sight.trades)
    return not move.amount_quote or share is None or _shows(sight, book, move.amount_quote, share)


def _shown_move(sight: Sight, book: Book) -> Move:
    """Return the acknowledged move that a reading with fills shows at last; none otherwise.

    Without fills the wallet's change is the move; with them nothing else would tell.
    """
    client_id = book.doubts.get(sight.symbol, "")
    amount_quote = book.acknowledged.get(client_id, 0.0)
    share = share_left(book.positions.get(sight.symbol), sight.position, sight.trades)
    if not amount_quote or share is None or not sight.trades:
        return NO_MOVE
    return Move(client_id, amount_quote) if _shows(sight, book, amount_quote, share) else NO_MOVE


def _shows(sight: Sight, book: Book, amount_quote: float, share: float) -> bool:
    """A reduction pays its share of the wallet out: of the move as well, when that came first."""
    now, before = sight.position, book.positions.get(sight.symbol)
    if now is None or before is None:
        return True
    paid = sum(each.payment.amount_quote for each in sight.settlements)
    change = now.isolated_wallet - share * before.isolated_wallet
    return abs(change - paid) >= 0.5 * share * abs(amount_quote)


def _unexplained(sight: Sight, book: Book, move: Move) -> float:
    """Return what somebody else seems to have moved; nothing while a payment is due or we moved ourselves."""
    if move.amount_quote or sight.is_payment_due:
        return 0.0
    return sight.unexplained_quote(book.positions.get(sight.symbol))
