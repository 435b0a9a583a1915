"""Sending orders: one request each, under our own id, checked before and looked at after."""

from collections.abc import Mapping
from typing import Final

from bot.core.event import OrderAccepted
from bot.core.instrument import Instrument
from bot.core.intent import (
    CancelOrder,
    Intent,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
)
from bot.core.position import Position, side_name
from bot.core.steps import is_on_step
from bot.errors import OutcomeUnknown, Rejected
from bot.exchange.book import Book, Owner
from bot.exchange.dialect import Dialect
from bot.exchange.dialects.requests import sent as sent_row
from bot.exchange.glance import DEAR
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.rows import NewOrder, VenueOrder
from bot.exchange.sweep import Sweeper

_PATIENCE_MS: Final = 2_000
_SETTLE_WAITS_SECONDS: Final = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)


class OrderDesk:
    """Turns order intents into requests; what comes of them goes to the book's outbox.

    Each method may raise Rejected, before or instead of anything having happened.
    """

    def __init__(
        self,
        link: Link,
        dialect: Dialect,
        book: Book,
        sweeper: Sweeper,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._link, self._dialect, self._book, self._sweeper = link, dialect, book, sweeper
        self._instruments = instruments

    async def open_position(self, intent: Intent, action: OpenPosition) -> None:
        """Enter, and wait for what is filled at once. Not where the venue has ended trading, or ends it."""
        if self._link.client.market(action.symbol).get("active") is False:
            raise Rejected("unknown_symbol", f"the venue lists {action.symbol} and does not say it is traded")
        await self._clear_left_over(action.symbol)
        price = action.limit_price if action.order == "limit" else 0.0
        order = NewOrder(
            intent.client_id, action.symbol, action.order, action.side, action.quantity, False, price
        )
        await self._trade(order)

    async def _clear_left_over(self, symbol: str) -> None:
        """Cancel what a position left behind: a stop that a venue keeps would close the next one."""
        client, left = self._link.client, self._book.orders_of(symbol).values()
        for order in [each for each in left if each.is_conditional and each.is_reduce_only]:
            if symbol in self._book.positions:
                return
            self._book.cancelling.add(order.client_id)
            self._book.version += 1
            name = order.client_id
            try:
                await self._link.write(
                    lambda name=name: self._dialect.cancel(client, symbol, name, True), Urgency.NORMAL
                )
            except Rejected as refusal:
                if refusal.args[0] != "unknown_order":
                    raise

    async def reduce_position(self, intent: Intent, action: ReducePosition) -> None:
        """Reduce-only, and never more than is held."""
        held = await self._held(action.symbol, action.side, Urgency.URGENT)
        quantity = held.quantity if action.quantity == 0.0 else min(action.quantity, held.quantity)
        order = NewOrder(intent.client_id, action.symbol, "market", -action.side, quantity, True)
        await self._trade(order)

    async def place_stop(self, intent: Intent, action: PlaceStop) -> None:
        """Rest a stop over the whole position, or over what is known or entered and no reading shows."""
        held = None
        if not self._book.is_awaited(action.symbol, self._link.clock.now_ms()):
            held = await self._sweeper.observer.position(action.symbol, Urgency.URGENT)
            if held is None or held.side != action.side:
                held = self._book.positions.get(action.symbol)
            _check_held(held, action.symbol, action.side)
        order = NewOrder(
            intent.client_id,
            action.symbol,
            "stop",
            -action.side,
            0.0,
            True,
            trigger_price=action.trigger_price,
            trigger_on=action.trigger_on,
        )
        await self._rest(order, held)

    async def place_take_profit(self, intent: Intent, action: PlaceTakeProfit) -> None:
        """Rest a take-profit for a part, or for the whole position."""
        held = await self._held(action.symbol, action.side, Urgency.NORMAL)
        order = NewOrder(
            intent.client_id,
            action.symbol,
            "take_profit",
            -action.side,
            action.quantity,
            True,
            trigger_price=action.trigger_price,
            trigger_on=action.trigger_on,
        )
        await self._rest(order, held)

    async def place_trailing_stop(self, intent: Intent, action: PlaceTrailingStop) -> None:
        """Rest a trailing stop; it has no whole-position form, so it is for the quantity held."""
        held = await self._held(action.symbol, action.side, Urgency.URGENT)
        order = NewOrder(
            intent.client_id,
            action.symbol,
            "trailing",
            -action.side,
            action.quantity or held.quantity,
            True,
            trigger_price=action.activation_price,
            callback_rate=action.callback_rate,
        )
        await self._rest(order, held)

    async def cancel_order(self, intent: Intent, action: CancelOrder) -> None:
        """Cancel where the order is kept, then read: the reply of a conditional one has no status.

        OutcomeUnknown: whatever the venue answered, its own list shows the order resting.
        """
        symbol, target = action.symbol, action.target_client_id
        known = self._book.orders.get(target)
        kinds = (False, True) if known is None else (known.is_conditional,)
        found = await self._sweeper.observer.order(symbol, target, kinds) if known is None else known
        if found is None or found.status != "open":
            raise Rejected("unknown_order", f"no open order {target} in {symbol}")
        self._book.orders.setdefault(target, found)
        self._book.cancelling.add(target)
        self._book.version += 1
        refusal = await self._cancelled(symbol, target, found.is_conditional)
        is_over = self._link.ccxt_id in DEAR and await self._is_taken_back(found)
        if not is_over:
            await self._sweeper.sweep(symbol, Urgency.NORMAL)
            is_over = target not in self._book.orders or await self._is_taken_back(found)
        if not is_over and (refusal is None or refusal.args[0] == "unknown_order"):
            raise OutcomeUnknown(f"{target} was to be cancelled, and still rests in {symbol}") from refusal
        if refusal is not None:
            raise refusal

    async def _is_taken_back(self, order: VenueOrder) -> bool:
        """Whether the order's own row says so, and then it is told: lists lag, and some are dear."""
        symbol, kinds = order.symbol, (order.is_conditional,)
        row = await self._sweeper.observer.order(symbol, order.client_id, kinds)
        return self._book.end_taken_back(row)

    async def _cancelled(self, symbol: str, target: str, is_conditional: bool) -> Rejected | None:
        client = self._link.client
        try:
            await self._link.write(
                lambda: self._dialect.cancel(client, symbol, target, is_conditional), Urgency.NORMAL
            )
        except Rejected as refusal:
            return refusal
        return None

    async def _trade(self, order: NewOrder) -> None:
        """Send an order that may trade at once, and look until its fills are told, for a few seconds.

        Whoever waits longer keeps everything else waiting, other positions' stops too.
        """
        sent = await self._send(order)
        self._accept(order, sent)
        patient_until_ms = self._link.clock.now_ms() + _PATIENCE_MS
        for wait_seconds in _SETTLE_WAITS_SECONDS:
            await self._link.clock.sleep(wait_seconds)
            await self._sweeper.sweep(order.symbol, Urgency.URGENT)
            if self._is_told(sent):
                self._book.tell_expired(sent, order.quantity)
                return
            if self._link.clock.now_ms() > patient_until_ms:
                break
        self._book.await_fills(sent, self._link.clock.now_ms())

    def _is_told(self, sent: VenueOrder) -> bool:
        """Whether all that it filled is told; what a thin book left of a market order was cancelled."""
        if sent.client_id in self._book.orders:
            return True
        told = self._book.filled.get(sent.client_id, 0.0)
        return sent.status == "open" or told >= sent.filled_quantity * (1.0 - 1e-9)

    async def _rest(self, order: NewOrder, held: Position | None) -> None:
        """Rest a conditional order.

        A venue keeps one whole-position order per kind and direction: while the old one rests, its
        successor is for the quantity held.
        """
        if held is not None and order.quantity == 0.0 and self._has_whole_order(order):
            order = order._replace(quantity=held.quantity)
        try:
            sent = await self._send(order)
        except Rejected as refusal:
            if held is None or order.quantity > 0.0 or not self._dialect.refuses_second_stop(refusal.args[1]):
                raise
            order = order._replace(quantity=held.quantity)
            sent = await self._send(order)
        self._accept(order, sent)

    def _has_whole_order(self, order: NewOrder) -> bool:
        return any(
            each.is_conditional
            and each.quantity == 0.0
            and each.leg == order.kind
            and each.order_side == order.order_side
            for each in self._book.orders_of(order.symbol).values()
        )

    async def _send(self, order: NewOrder) -> VenueOrder:
        self._check_steps(order)
        urgency = Urgency.URGENT if order.is_reduce_only else Urgency.NORMAL
        self._book.version += 1
        client = self._link.client
        try:
            sent = await self._link.write(lambda: self._dialect.create(client, order), urgency)
        except Rejected as refusal:
            if refusal.args[0] != "duplicate_client_id":
                raise
            # The id names one intent only: that it is taken proves that the order arrived before.
            found = await self._sweeper.observer.order(order.symbol, order.client_id, (order.is_conditional,))
            return sent_row(order, "") if found is None else found  # later readings tell the rest
        if sent.client_id != order.client_id:
            raise OutcomeUnknown(f"sent {order.client_id}, the venue answered for {sent.client_id}")
        return sent

    def _accept(self, order: NewOrder, sent: VenueOrder) -> None:
        book = self._book
        if sent.venue_id:
            book.own(sent.venue_id, Owner(sent.client_id, sent.leg, order.quantity))
        # One that waits for a price may have ended since: the next sweep finds out, for it is in no list.
        if order.is_conditional or sent.status == "open":
            created_ms = sent.created_ms or self._link.clock.now_ms()
            book.orders[sent.client_id] = sent._replace(status="open", created_ms=created_ms)
        book.report(sent.client_id)
        quantity = sent.resting_quantity
        book.outbox.append(OrderAccepted(book.handed_ms, order.symbol, sent.client_id, sent.leg, quantity))

    def _check_steps(self, order: NewOrder) -> None:
        """Refuse what ccxt would round in silence: it truncates quantities and rounds prices."""
        instrument = self._instruments[order.symbol]
        prices = (order.limit_price, order.trigger_price)
        if any(price and not is_on_step(price, instrument.tick_size) for price in prices):
            raise Rejected("precision", f"a price of {prices} is no multiple of {instrument.tick_size}")
        if not is_on_step(order.quantity, instrument.quantity_step):
            message = f"quantity {order.quantity} is no multiple of {instrument.quantity_step}"
            raise Rejected("precision", message)

    async def _held(self, symbol: str, side: int, urgency: Urgency) -> Position:
        return _check_held(await self._sweeper.observer.position(symbol, urgency), symbol, side)


def _check_held(held: Position | None, symbol: str, side: int) -> Position:
    if held is None or held.side != side:
        raise Rejected("no_position", f"there is no {side_name(side)} position in {symbol}")
    return held
