"""The difference between the book and a reading, as the events that explain it. Pure, no waiting.

Events carry the position AFTER them: where several things happened in one reading the positions in
between are worked out, and the last one is the venue's own.
"""

import math
from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

from bot.core.event import (
    FundingSettled,
    Liquidated,
    MarginAdjusted,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    VenueEvent,
)
from bot.core.instrument import Instrument, margin_rules
from bot.core.margin import bankruptcy_price, liquidation_price
from bot.core.position import Position
from bot.core.steps import step_down
from bot.exchange.book import START, Book, Owner
from bot.exchange.dialect import Dialect
from bot.exchange.rows import Trade, VenueOrder
from bot.exchange.sight import WALLET_TOLERANCE, Settlement, Sight

_NONE_LEFT = 1e-12
_FLOAT_NOISE = 1e-9
_ROUGHLY = 0.05  # what is worked out of a wallet after fills may be off by fees and rounding


class Move(NamedTuple):
    """Margin that a request of ours moved just now."""

    client_id: str
    amount_quote: float


NO_MOVE = Move("", 0.0)


class Changes:
    """Applies one reading of one symbol to the book and collects the events."""

    def __init__(
        self, book: Book, sight: Sight, dialect: Dialect, instrument: Instrument, move: Move
    ) -> None:
        self._book, self._sight, self._dialect, self._instrument = book, sight, dialect, instrument
        self._move = move
        self._position = book.positions.get(sight.symbol)
        self._truth = self._without_unpaid()
        self._events: list[VenueEvent] = []
        self._has_closed = False

    def apply(self) -> list[VenueEvent]:
        """Bring the book up to the reading and return what happened, in time order."""
        book, sight = self._book, self._sight
        book.version += 1
        book.free_quote = sight.money.free_quote
        for venue_id, owner in sight.owners.items():
            book.own(venue_id, owner)
        self._accepted()
        self._margin_of_the_ended()
        for happened in self._in_time_order():
            self._happen(happened)
        self._margin()
        self._cancelled()
        self._keep()
        return self._last_position_is_the_venues()

    def _accepted(self) -> None:
        known = self._book.orders
        for key, order in self._sight.orders.items():
            if not (key in known or key in self._book.filled or key in self._book.reported):
                ts_ms = self._now(order.created_ms)
                self._emit(OrderAccepted(ts_ms, order.symbol, key, order.leg, order.resting_quantity))
                self._book.report(key)

    def _in_time_order(self) -> list[tuple[Trade, ...] | Settlement]:
        whole: list[tuple[Trade, ...] | Settlement] = []
        for venue_id, run in groupby(self._sight.trades, key=lambda trade: trade.venue_order_id):
            trades = tuple(run)
            if self._is_liquidation(venue_id):
                whole.append(trades)
            else:
                whole.extend((trade,) for trade in trades)
        whole.extend(self._sight.settlements)
        return sorted(whole, key=_instant)

    def _happen(self, happened: tuple[Trade, ...] | Settlement) -> None:
        if isinstance(happened, Settlement):
            self._funding(happened)
        elif self._is_liquidation(happened[0].venue_order_id):
            self._liquidation(happened)
        else:
            self._fill(happened[0])

    def _is_liquidation(self, venue_id: str) -> bool:
        """A liquidation that leaves a position is a fill: the venue took a part of it down first."""
        client_id = self._owner(venue_id).client_id
        return self._truth is None and self._dialect.is_liquidation(client_id)

    def _fill(self, trade: Trade) -> None:
        owner, book = self._owner(trade.venue_order_id), self._book
        realised = realised_pnl(self._position, trade)
        self._position = traded(self._position, trade, float(book.leverage.get(trade.symbol, 0)))
        self._has_closed = self._has_closed or self._position is None
        filled = book.filled.get(owner.client_id, 0.0) + trade.quantity
        book.filled[owner.client_id] = filled
        left = owner.quantity - filled
        if owner.quantity == 0.0:
            left = self._left_of_whole(owner.client_id, trade)
        self._emit(
            OrderFilled(
                trade.ts_ms,
                trade.symbol,
                owner.client_id,
                trade.trade_id,
                owner.leg,
                trade.order_side,
                trade.price,
                trade.quantity,
                left if left > _NONE_LEFT * max(owner.quantity, 1.0) else 0.0,
                trade.fee_quote,
                trade.is_maker,
                realised,
                self._position,
                self._sight.money.free_quote,
            )
        )
        book.report(owner.client_id)

    def _left_of_whole(self, client_id: str, trade: Trade) -> float:
        """Return what an order over the whole position has still to fill.

        When it has ended, that is what of it is still to be told: fills of one instant come in any order, so
        that the position may be larger than what the order is for.
        """
        ended = self._sight.ended.get(client_id)
        if ended is None or ended.status == "open":
            return 0.0 if self._position is None else self._position.quantity
        return sum(
            each.quantity
            for each in self._sight.trades
            if each.venue_order_id == trade.venue_order_id
            and (each.ts_ms, each.trade_id) > (trade.ts_ms, trade.trade_id)
        )

    def _liquidation(self, trades: tuple[Trade, ...]) -> None:
        before = self._position
        if before is None:
            return
        quantity = sum(trade.quantity for trade in trades)
        mark = sum(trade.price * trade.quantity for trade in trades) / quantity
        pnl = sum(realised_pnl(before, trade) for trade in trades)
        fee = sum(trade.fee_quote for trade in trades)
        rules = margin_rules(self._instrument, self._dialect.profile(self._instrument.taker_fee_rate))
        self._position = None
        self._emit(
            Liquidated(
                trades[-1].ts_ms,
                before.symbol,
                trades[-1].trade_id,
                before.side,
                quantity,
                mark,
                liquidation_price(before, rules),
                bankruptcy_price(before, rules),
                before.isolated_wallet,
                fee,
                before.isolated_wallet + pnl - fee,
                self._sight.money.free_quote,
            )
        )

    def _funding(self, settled: Settlement) -> None:
        held, payment = self._position, settled.payment
        if held is None:
            return
        if not self._is_paid_from_the_balance():
            held = held._replace(isolated_wallet=held.isolated_wallet + payment.amount_quote)
        self._position = held
        self._emit(
            FundingSettled(
                payment.ts_ms,
                payment.symbol,
                settled.rate,
                settled.mark,
                payment.amount_quote,
                held,
                self._sight.money.free_quote,
            )
        )

    def _is_paid_from_the_balance(self) -> bool:
        """Whether the wallet did not pay: it is what it was, but for what we moved."""
        before, truth = self._book.positions.get(self._sight.symbol), self._truth
        if before is None or truth is None or self._sight.trades:
            return False
        change = truth.isolated_wallet - before.isolated_wallet - self._move.amount_quote
        return abs(change) <= WALLET_TOLERANCE

    def _margin_of_the_ended(self) -> None:
        """Margin that we moved and that ended with its position was moved all the same, and before."""
        held, amount = self._position, self._move.amount_quote or self._acknowledged_quote()
        if held is not None and self._truth is None and amount:
            self._moved(amount, held._replace(isolated_wallet=held.isolated_wallet + amount))

    def _acknowledged_quote(self) -> float:
        """Return what an acknowledged request moved that no position has shown; 0.0 without one."""
        return self._book.acknowledged.get(self._book.doubts.get(self._sight.symbol, ""), 0.0)

    def _moved(self, amount_quote: float, position: Position) -> None:
        self._position = position
        symbol, free_quote = position.symbol, self._sight.money.free_quote
        client_id = self._move.client_id or self._book.doubts.get(symbol, "")
        event = MarginAdjusted(self._book.handed_ms, symbol, client_id, amount_quote, position, free_quote)
        self._emit(event)
        self._book.report(client_id)

    def _margin(self) -> None:
        """Report margin moved by us, or by a person at the venue when nothing else explains the wallet."""
        truth, held = self._truth, self._position
        if truth is None or held is None:
            return
        amount, rest = self._move.amount_quote, truth.isolated_wallet - held.isolated_wallet
        if not amount and self._sight.trades:
            amount = self._doubtful_quote(held, rest)
        elif not amount:
            amount = _in_steps(rest, self._instrument.margin_step_quote)
        if abs(amount) <= WALLET_TOLERANCE:
            return
        self._moved(amount, self._with_birth(truth))

    def _doubtful_quote(self, held: Position, rest_quote: float) -> float:
        """Return what our move of unknown fate moved, when it explains what the fills leave of the wallet.

        Moved before a fill that reduced, a part of it went with that; 0.0: it does not show.
        """
        book, symbol = self._book, self._sight.symbol
        wanted, before = book.wanted.get(book.doubts.get(symbol, ""), 0.0), book.positions.get(symbol)
        if not wanted or before is None:
            return 0.0
        left = wanted * min(held.quantity / before.quantity, 1.0)
        is_shown = any(abs(rest_quote - each) <= _ROUGHLY * abs(each) for each in (wanted, left))
        return wanted if is_shown else 0.0

    def _without_unpaid(self) -> Position | None:
        """Return the venue's position; what a payment that is due may explain waits until it is told."""
        sight, before, truth = self._sight, self._position, self._sight.position
        if before is None or truth is None or self._move.amount_quote or not sight.is_payment_due:
            return truth
        rest = sight.unexplained_quote(before)
        wallet = truth.isolated_wallet - rest + self._doubtful_quote(before, rest)
        return truth._replace(isolated_wallet=wallet)

    def _cancelled(self) -> None:
        """Report orders that ended unfilled; never before what this reading told, such as the closing."""
        ended_ms = max((event.ts_ms for event in self._events), default=0)
        ended_ms = max(ended_ms, self._book.handed_ms)
        for key, order in self._sight.ended.items():
            kept = self._book.orders[key]
            if order is not None and (order.status == "open" or self._has_traded(kept, order)):
                continue
            if key in self._book.ended:
                continue
            self._book.end(key)
            cause = self._cause(kept)
            free_quote = self._sight.money.free_quote if kept.leg == "entry" else None
            self._emit(OrderCancelled(ended_ms, kept.symbol, key, kept.leg, cause, free_quote))

    def _has_traded(self, kept: VenueOrder, order: VenueOrder) -> bool:
        """A trigger that fired has ended well only if what it became traded (ccxt calls both "closed").

        All of it: a stop of more than the position still held fills for what is there, and the rest expires,
        as does the rest of a market order that meets too thin a book. One over the whole position has done
        its work when that is gone.
        """
        filled = self._book.filled.get(kept.client_id, 0.0)
        if order.status != "done" or filled <= 0.0:
            return False
        if kept.quantity == 0.0:
            return self._truth is None or self._has_closed
        return filled > kept.quantity * (1.0 - _FLOAT_NOISE)

    def _cause(self, order: VenueOrder) -> str:
        if order.client_id in self._book.cancelling:
            return "requested"
        if order.is_reduce_only and self._truth is None:
            return "position_closed"
        return "expired"

    def _keep(self) -> None:
        book, sight = self._book, self._sight
        symbol = sight.symbol
        for key, order in sight.ended.items():
            if order is not None and order.status == "open":
                continue
            del book.orders[key]
            book.cancelling.discard(key)
            if order is None or order.child_id == "":
                book.filled.pop(key, None)
        book.orders.update({key: row for key, row in sight.orders.items() if key not in book.taken_back})
        shown = {key for key, row in sight.orders.items() if row.is_conditional}
        book.shown = (book.shown | shown) & book.orders.keys()
        trades = [(trade.ts_ms, str(trade.trade_id)) for trade in sight.trades]
        book.trades[symbol] = book.trades.get(symbol, START).after(trades)
        paid = [(each.payment.ts_ms, each.payment.payment_id) for each in sight.settlements]
        book.payments[symbol] = book.payments.get(symbol, START).after(paid)
        if sight.settlements or sight.trades:
            book.payments_read_ms[symbol] = book.now_ms
        book.positions.pop(symbol, None)
        if self._truth is not None:
            book.positions[symbol] = self._with_birth(self._truth)

    def _with_birth(self, truth: Position) -> Position:
        held = self._position
        return truth if held is None else truth._replace(opened_ms=held.opened_ms)

    def _last_position_is_the_venues(self) -> list[VenueEvent]:
        kept = self._book.positions.get(self._sight.symbol)
        for index in reversed(range(len(self._events))):
            event = self._events[index]
            if isinstance(event, OrderFilled):
                self._events[index] = event._replace(position=kept)
                break
            if isinstance(event, MarginAdjusted | FundingSettled) and kept is not None:
                self._events[index] = event._replace(position=kept)
                break
            if isinstance(event, Liquidated):
                break
        return self._events

    def _owner(self, venue_id: str) -> Owner:
        return self._sight.owners[venue_id]

    def _emit(self, event: VenueEvent) -> None:
        self._book.saw(event.ts_ms)
        self._events.append(event)

    def _now(self, ts_ms: int) -> int:
        return ts_ms or self._book.handed_ms


def realised_pnl(held: Position | None, trade: Trade) -> float:
    """Return what a fill realised, without its fee: as the venue says, else against the entry price."""
    if trade.realised_pnl_quote is not None:
        return trade.realised_pnl_quote
    if held is None or trade.order_side == held.side:
        return 0.0
    return held.side * min(trade.quantity, held.quantity) * (trade.price - held.entry_price)


def traded(held: Position | None, trade: Trade, leverage: float) -> Position | None:
    """Return the position after a fill, as far as it can be worked out: margin at entry price / leverage."""
    if held is None:
        margin = trade.price * trade.quantity / max(leverage, 1.0) - trade.fee_quote
        return Position(
            trade.symbol, trade.order_side, trade.quantity, trade.price, margin, leverage, trade.ts_ms
        )
    if trade.order_side == held.side:
        total = held.quantity + trade.quantity
        entry = (held.quantity * held.entry_price + trade.quantity * trade.price) / total
        margin = trade.price * trade.quantity / max(leverage, 1.0) - trade.fee_quote
        wallet = held.isolated_wallet + margin
        return held._replace(quantity=total, entry_price=entry, isolated_wallet=wallet)
    left = held.quantity - trade.quantity
    if left <= _NONE_LEFT * held.quantity:
        return None
    return held._replace(quantity=left, isolated_wallet=held.isolated_wallet * left / held.quantity)


def _in_steps(amount_quote: float, step_quote: float) -> float:
    """Return the amount without the float noise of a difference: margin is moved in whole steps."""
    nearest = math.copysign(step_down(abs(amount_quote) + 0.5 * step_quote, step_quote), amount_quote)
    return nearest if abs(nearest - amount_quote) <= _FLOAT_NOISE else amount_quote


def _instant(happened: tuple[Trade, ...] | Settlement) -> tuple[int, int]:
    if isinstance(happened, Settlement):
        return (happened.payment.ts_ms, 0)
    return (happened[0].ts_ms, happened[0].trade_id)


def by_symbol(moves: Mapping[str, Move], symbol: str) -> Move:
    """Return the symbol's move, or none."""
    return moves.get(symbol, NO_MOVE)
