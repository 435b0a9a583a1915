"""One reading of a symbol: position, orders, fills since the last, and what became of orders that are gone.

The venue answers each question at another instant. A reading counts only when it agrees with itself: the
position known before, plus the fills since, is the position now.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

from bot.core.position import Position
from bot.errors import Rejected, Unavailable
from bot.exchange.book import START, Book, Owner
from bot.exchange.dialect import Dialect
from bot.exchange.glance import Glancer
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.rows import Money, Payment, Trade, VenueOrder

_QUANTITY_TOLERANCE: Final = 1e-9
WALLET_TOLERANCE: Final = 5e-8
_STRANGER: Final = Owner("", "exit", 0.0)  # an order the venue has forgotten
_HOUR_MS: Final = 3_600_000
# After a settlement was seen, by the clock: so long a payment may be missing in the history, and so long a
# position may not show one that is there. Together with two readings less than a minute.
_PAID_WITHIN_MS: Final = 45_000
_PAYMENT_SHOWN_WITHIN_MS: Final = 30_000
# Payments are settled at whole hours. That none is there is believed so long: marks may stand still.
_UNPAID_HOLDS_MS: Final = 10_000
_SHOWN_WITHIN_MS: Final = 30_000  # of its acceptance an order is in every list and history


class Settlement(NamedTuple):
    """A funding payment with the rate and the mark it was counted at."""

    payment: Payment
    rate: float
    mark: float


class Sight(NamedTuple):
    """What a reading of one symbol found. `ended`: orders that rest no more, None if the venue forgot one.

    `is_payment_due`: a settlement has just passed and its payment is not in the history yet.
    """

    symbol: str
    money: Money
    position: Position | None
    orders: Mapping[str, VenueOrder]
    trades: tuple[Trade, ...]
    ended: Mapping[str, VenueOrder | None]
    owners: Mapping[str, Owner]
    settlements: tuple[Settlement, ...]
    is_payment_due: bool
    is_consistent: bool

    def unexplained_quote(self, before: Position | None) -> float:
        """Return the change of the wallet since `before` that no payment explains; after fills 0.0.

        A wallet that did not change did not pay: then funding came out of the free balance.
        """
        if before is None or self.position is None or self.trades:
            return 0.0
        change = self.position.isolated_wallet - before.isolated_wallet
        rest = change - sum(each.payment.amount_quote for each in self.settlements)
        return 0.0 if min(abs(change), abs(rest)) <= WALLET_TOLERANCE else rest


class Observer:
    """Reads a symbol through a dialect, comparing with the book."""

    def __init__(self, link: Link, dialect: Dialect, book: Book) -> None:
        self._link, self._dialect, self._book = link, dialect, book
        self.glancer = Glancer(link, dialect, book)
        self._unpaid: dict[str, tuple[int, int]] = {}  # the market's hour, and when by the clock
        self._hour_began: tuple[int, int] = (-1, 0)  # the same of the first look within it

    async def look(self, symbol: str, urgency: Urgency, moved_quote: float) -> Sight:
        """Return one reading. `moved_quote`: margin that a request of ours has moved since the last one."""
        seen = await self.glancer.glance(symbol, urgency)
        if seen is None:
            return self._as_it_was(symbol)
        orders, new, position, money = seen
        resting = self.by_our_id(orders, self._book.owners)
        ended, money = await asyncio.gather(
            self.ended(symbol, resting, new, urgency, is_left=position is not None),
            self._money_after(symbol, new, money, urgency),
        )
        resting = self.by_our_id(orders, {**self._book.owners, **_children(ended)})
        ended = {key: row for key, row in ended.items() if key not in resting}
        owners = await self._owners(symbol, new, ended, resting, urgency)
        is_consistent = self._is_consistent(symbol, position, new, ended)
        self.glancer.note(symbol, seen, is_consistent=is_consistent)
        settlements: tuple[Settlement, ...] = ()
        is_proof = urgency is Urgency.PROOF and self.glancer.is_as_known(symbol, position)
        if is_consistent and not is_proof and self._may_have_been_paid(symbol, position, new, moved_quote):
            settlements = await self._settlements(symbol, urgency)
            # Money that was paid after the position was read would look like margin moved by a person.
            is_consistent = not settlements or position == await self.position(symbol, urgency)
        is_due = self._is_payment_due(symbol, settlements) or self._may_just_have_paid(symbol, settlements)
        paid_quote = sum(each.payment.amount_quote for each in settlements)
        if settlements and self._is_late(symbol, position, new, moved_quote, paid_quote):
            settlements, is_due = (), True  # told when the position shows it
        return Sight(symbol, money, position, resting, new, ended, owners, settlements, is_due, is_consistent)

    def _as_it_was(self, symbol: str) -> Sight:
        """Return what is known, as a reading that proves nothing."""
        held, money = self._book.positions.get(symbol), Money(self._book.free_quote, 0.0)
        return Sight(symbol, money, held, {}, (), {}, {}, (), is_payment_due=False, is_consistent=False)

    async def _money_after(
        self, symbol: str, new: tuple[Trade, ...], money: Money, urgency: Urgency
    ) -> Money:
        """Return money that is no older than trades, or than an entry's end, which frees what it reserved.

        Of one instant's answers any may be the first.
        """
        if not new and all(each.leg != "entry" for each in self._book.orders_of(symbol).values()):
            return money
        return await self.glancer.money(urgency)

    async def position(self, symbol: str, urgency: Urgency) -> Position | None:
        """Return the symbol's position now."""
        return await self.glancer.position(symbol, urgency)

    async def unshown_quote(self, held: Position, urgency: Urgency) -> float:
        """Return payments that the history tells and a reading of the position may not show yet; else 0.0.

        Such a wallet is that of before a settlement: a target that is reached from there is missed by them.
        """
        before = self._book.positions.get(held.symbol)
        if before is None or self._since_settled_ms(held.symbol) > _PAYMENT_SHOWN_WITHIN_MS:
            return 0.0
        if abs(held.isolated_wallet - before.isolated_wallet) > WALLET_TOLERANCE:
            return 0.0
        return sum(each.amount_quote for each in await self.payments(held.symbol, urgency))

    async def payments(self, symbol: str, urgency: Urgency = Urgency.POLL) -> tuple[Payment, ...]:
        """Return the symbol's funding payments that were not reported yet.

        Where none was ever read they are asked for from the position's beginning: without a beginning a venue
        tells the last week only.
        """
        cursor, held = self._book.payments.get(symbol, START), self._book.positions.get(symbol)
        since_ms = cursor.since_ms or (held.opened_ms if held is not None else 0) or None
        client = self._link.client
        rows = await self._link.read(lambda: self._dialect.funding(client, symbol, since_ms), urgency)
        return tuple(sorted(row for row in rows if cursor.is_new(row.ts_ms, row.payment_id)))

    async def order(self, symbol: str, client_id: str, kinds: tuple[bool, ...]) -> VenueOrder | None:
        """Return an order by our id among plain (False) and conditional (True) ones; None: absent."""
        for is_conditional in kinds:
            found = await self._order_of_kind(symbol, client_id, is_conditional, Urgency.URGENT)
            if found is not None:
                return found
        return None

    def by_our_id(self, orders: tuple[VenueOrder, ...], owners: Mapping[str, Owner]) -> dict[str, VenueOrder]:
        """What a fired trigger became may carry an id of the venue's own: it stays ours."""
        found = {}
        for order in orders:
            owner = owners.get(order.venue_id)
            if owner is not None:
                order = order._replace(client_id=owner.client_id, leg=owner.leg)  # noqa: PLW2901
            found[order.client_id] = order
        return found

    async def ended(
        self,
        symbol: str,
        resting: Mapping[str, VenueOrder],
        trades: tuple[Trade, ...],
        urgency: Urgency,
        *,
        is_left: bool,
    ) -> dict[str, VenueOrder | None]:
        """Ask by id for each order that left the lists: lists lag, so that absence proves nothing."""
        gone = [order for key, order in self._book.orders_of(symbol).items() if key not in resting]
        asked = [self._fate(each, trades, urgency, is_left=is_left) for each in gone]
        rows = await asyncio.gather(*asked)
        return {each.client_id: row for each, row in zip(gone, rows, strict=True)}

    async def _fate(
        self, order: VenueOrder, trades: tuple[Trade, ...], urgency: Urgency, *, is_left: bool
    ) -> VenueOrder | None:
        """Return what became of an order; for a trigger that fired, of the order it became.

        ccxt calls a fired trigger "closed" and filled, also when what it became was rejected. Where one over
        the whole position has left some of it (`is_left`), that may fill still.
        """
        row = await self._order_of_kind(order.symbol, order.client_id, order.is_conditional, urgency)
        if row is None and self._may_show_late(order):
            return order
        if row is None or not row.is_conditional or row.status != "done":
            return row
        has_traded = any(trade.venue_order_id == row.child_id for trade in trades)
        if has_traded and not (is_left and order.quantity == 0.0):
            return row
        child = await self._by_venue_id(order.symbol, row.child_id, urgency) if row.child_id else None
        if child is None:
            return row if has_traded else row._replace(status="cancelled")
        return row._replace(status=child.status, filled_quantity=child.filled_quantity)

    def _may_show_late(self, order: VenueOrder) -> bool:
        """Whether the venue may not tell yet of what it just accepted; what we cancel may be forgotten.

        A stop that a list has shown is not late any more: another costs less than to be without one.
        """
        if order.client_id in self._book.cancelling | self._book.shown:
            return False
        return self._link.clock.now_ms() - order.created_ms < _SHOWN_WITHIN_MS

    async def _by_venue_id(self, symbol: str, venue_id: str, urgency: Urgency) -> VenueOrder | None:
        client = self._link.client
        try:
            return await self._link.read(
                lambda: self._dialect.order_by_venue_id(client, symbol, venue_id), urgency
            )
        except Rejected as refusal:
            return _absent(refusal)

    async def _order_of_kind(
        self, symbol: str, client_id: str, is_conditional: bool, urgency: Urgency
    ) -> VenueOrder | None:
        client = self._link.client
        try:
            return await self._link.read(
                lambda: self._dialect.order(client, symbol, client_id, is_conditional), urgency
            )
        except Rejected as refusal:
            return _absent(refusal)

    async def _owners(
        self,
        symbol: str,
        trades: tuple[Trade, ...],
        ended: Mapping[str, VenueOrder | None],
        resting: Mapping[str, VenueOrder],
        urgency: Urgency,
    ) -> dict[str, Owner]:
        """Return whose the new trades are. The venue's order id leads to our id, or to a stranger's."""
        known = dict(self._book.owners)
        for order in (*self._book.orders_of(symbol).values(), *ended.values(), *resting.values()):
            if order is not None:
                owner = Owner(order.client_id, order.leg, order.quantity)
                known.setdefault(order.venue_id, owner)
                if order.child_id:
                    known[order.child_id] = owner
        wanted = {trade.venue_order_id for trade in trades} - known.keys()
        for venue_id in sorted(wanted):
            row = await self._by_venue_id(symbol, venue_id, urgency)
            known[venue_id] = _STRANGER if row is None else Owner(row.client_id, row.leg, row.quantity)
        used = {trade.venue_order_id for trade in trades}
        return {key: owner for key, owner in known.items() if key in used or _is_child(key, ended)}

    def _is_consistent(
        self,
        symbol: str,
        position: Position | None,
        trades: tuple[Trade, ...],
        ended: Mapping[str, VenueOrder | None],
    ) -> bool:
        if not self.glancer.adds_up(symbol, position, trades):
            return False
        traded = {trade.venue_order_id for trade in trades}
        return all(
            order is None
            or order.status != "done"
            or order.filled_quantity <= self._book.filled.get(key, 0.0) + _QUANTITY_TOLERANCE
            or not traded.isdisjoint((order.venue_id, order.child_id))
            for key, order in ended.items()
        )

    def _may_have_been_paid(
        self, symbol: str, position: Position | None, trades: tuple[Trade, ...], moved_quote: float
    ) -> bool:
        before = self._book.positions.get(symbol)
        if before is None:
            return False
        if self._is_payment_due(symbol, ()):
            return True
        if self._is_known_unpaid(symbol):
            return False
        if position is not None and not trades:
            unexplained = position.isolated_wallet - before.isolated_wallet - moved_quote
            return abs(unexplained) > WALLET_TOLERANCE
        now_ms = max((self._book.now_ms, *(trade.ts_ms for trade in trades)))
        return now_ms // _HOUR_MS > self._book.payments_read_ms.get(symbol, 0) // _HOUR_MS

    def _is_known_unpaid(self, symbol: str) -> bool:
        """Whether the history was just asked and no whole hour has come since: it weighs as much as a sweep.

        A wallet that nothing explains is looked at again and again within a second.
        """
        hour, asked_ms = self._unpaid.get(symbol, (-1, 0))
        is_fresh = self._link.clock.now_ms() - asked_ms < _UNPAID_HOLDS_MS
        return is_fresh and hour == self._book.now_ms // _HOUR_MS

    def _note_unpaid(self, symbol: str) -> None:
        hour, since_ms = divmod(self._book.now_ms, _HOUR_MS)
        if since_ms > _PAID_WITHIN_MS:
            self._unpaid[symbol] = (hour, self._link.clock.now_ms())

    def _is_payment_due(self, symbol: str, settlements: tuple[Settlement, ...]) -> bool:
        """Bybit takes funding out of the free balance first: the wallet need not show it."""
        settled_ms, held = self._book.settled_ms.get(symbol, 0), self._book.positions.get(symbol)
        if held is not None and held.opened_ms > settled_ms:
            return False
        read_ms = self._book.payments.get(symbol, START).since_ms
        is_read = max((read_ms, *(each.payment.ts_ms for each in settlements))) >= settled_ms
        return not is_read and self._since_settled_ms(symbol) <= _PAID_WITHIN_MS

    def _may_just_have_paid(self, symbol: str, settlements: tuple[Settlement, ...]) -> bool:
        """Whether an hour has just turned: a process that began after it saw no settlement pass."""
        hour, since_ms = divmod(self._book.now_ms, _HOUR_MS)
        if hour != self._hour_began[0]:
            self._hour_began = (hour, self._link.clock.now_ms())
        held = self._book.positions.get(symbol)
        if held is None or max(since_ms, self._link.clock.now_ms() - self._hour_began[1]) > _PAID_WITHIN_MS:
            return False
        told_ms = (
            self._book.payments.get(symbol, START).since_ms,
            *(each.payment.ts_ms for each in settlements),
        )
        return max(held.opened_ms, *told_ms) < hour * _HOUR_MS

    def _is_late(
        self,
        symbol: str,
        position: Position | None,
        trades: tuple[Trade, ...],
        moved_quote: float,
        paid_quote: float,
    ) -> bool:
        """Whether the position may be older than a payment that the history tells.

        A wallet that never shows it did not pay: then it came out of the free balance. After fills that
        reduce it is seen in what they left of the wallet; after one that adds no wallet shows what was paid.
        """
        before = self._book.positions.get(symbol)
        share = share_left(before, position, trades)
        if before is None or position is None or share is None:
            return False
        if self._since_settled_ms(symbol) > _PAYMENT_SHOWN_WITHIN_MS:
            return False
        moves = (moved_quote,) if moved_quote else (0.0, self._doubtful_quote(symbol))
        changes = [position.isolated_wallet - share * (before.isolated_wallet + each) for each in moves]
        is_exact = not trades and len(set(moves)) == 1
        noise_quote = 0.0 if is_exact else 0.5 * share * abs(paid_quote)
        return min(map(abs, changes)) <= max(noise_quote, WALLET_TOLERANCE)

    def _doubtful_quote(self, symbol: str) -> float:
        """Return what a margin move of ours that no position has shown yet would move; 0.0 without one."""
        client_id = self._book.doubts.get(symbol, "")
        return self._book.acknowledged.get(client_id, 0.0) or self._book.wanted.get(client_id, 0.0)

    def _since_settled_ms(self, symbol: str) -> float:
        """Return how long ago a settlement was seen, by the clock; endless when none was."""
        seen_ms = self._book.settled_at_ms.get(symbol)
        return float("inf") if seen_ms is None else float(self._link.clock.now_ms() - seen_ms)

    async def _settlements(self, symbol: str, urgency: Urgency) -> tuple[Settlement, ...]:
        client, found = self._link.client, []
        for payment in await self.payments(symbol, urgency):
            rate, mark = await self._link.read(
                lambda ts_ms=payment.ts_ms: self._dialect.funding_rate_at(client, symbol, ts_ms), urgency
            )
            found.append(Settlement(payment, rate, mark))
        if not found:
            self._note_unpaid(symbol)
        return tuple(found)


def share_left(before: Position | None, now: Position | None, trades: tuple[Trade, ...]) -> float | None:
    """Return what fills left of a position; None where the wallet after them cannot be worked out."""
    if before is None or now is None or now.side != before.side:
        return None
    if any(trade.order_side == before.side for trade in trades):
        return None
    return now.quantity / before.quantity


def _absent(refusal: Rejected) -> None:
    """Return None where the venue knows no such order; any other answer is no proof of absence."""
    if refusal.args[0] != "unknown_order":
        raise Unavailable(f"an order could not be read: {refusal.args[1]}") from refusal


def _children(ended: Mapping[str, VenueOrder | None]) -> dict[str, Owner]:
    return {
        order.child_id: Owner(order.client_id, order.leg, order.quantity)
        for order in ended.values()
        if order is not None and order.child_id
    }


def _is_child(venue_id: str, ended: Mapping[str, VenueOrder | None]) -> bool:
    return any(order is not None and order.child_id == venue_id for order in ended.values())
