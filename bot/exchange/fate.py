"""What became of a request whose reply never came. Found out by reading; absence needs time to be proof.

A signed request that is late is refused by the venue after its receive window. So a request that no read
shows after that window never arrived. What may be sent twice is not waited for: a cancellation, and a stop,
whose id venues take once, and of which two close no more than the position.
"""

from typing import TYPE_CHECKING, Final

from bot.core.event import OrderAccepted, OrderCancelled, OrderFilled, Refused, VenueEvent
from bot.core.intent import (
    AddMargin,
    CancelOrder,
    Intent,
    OpenPosition,
    PlaceStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.errors import OutcomeUnknown, Rejected
from bot.exchange.book import Owner
from bot.exchange.changes import NO_MOVE, Move
from bot.exchange.fence import tell_apart
from bot.exchange.lane import Urgency
from bot.exchange.rows import VenueOrder

if TYPE_CHECKING:
    from bot.exchange.gateway import CcxtGateway

RECEIVE_WINDOW_MS: Final = 5_000
_SETTLE_MS: Final = 1_000
_ROUNDING_QUOTE: Final = 5e-8  # margin is moved in whole steps, rounded to the safe side
_FIRST_WAIT_MS: Final = 200
_SAFE_TWICE: Final = (CancelOrder, PlaceStop)
_TOLD_WITHIN_MS: Final = 120_000  # readings that contradict an acknowledged move are doubted so long
Events = tuple[VenueEvent, ...]


async def fate_of(gateway: "CcxtGateway", intent: Intent) -> Events | None:
    """Return what the intent did, looking until it shows or can no longer arrive."""
    clock = gateway.link.clock
    window_ms = 0 if isinstance(intent.action, _SAFE_TWICE) else RECEIVE_WINDOW_MS + _SETTLE_MS
    deadline_ms = gateway.sent_ms(intent) + window_ms
    wait_ms = _FIRST_WAIT_MS
    while True:
        left_ms = deadline_ms - clock.now_ms()
        found = await _look(gateway, intent)
        if found is not None:
            return found
        if left_ms <= 0:
            gateway.book.dismiss(intent.client_id)
            return None
        await clock.sleep(min(wait_ms, left_ms) / 1000.0)
        wait_ms *= 2


async def _look(gateway: "CcxtGateway", intent: Intent) -> Events | None:
    action = intent.action
    if isinstance(action, SetLeverage):
        return await _leverage(gateway, intent, action)
    if isinstance(action, CancelOrder):
        return await _cancelled(gateway, action)
    if isinstance(action, AddMargin | ReleaseMargin):
        return await _moved(gateway, intent, action)
    return await _order(gateway, intent)


async def _leverage(gateway: "CcxtGateway", intent: Intent, action: SetLeverage) -> Events | None:
    try:
        await gateway.leverage_set(intent, action)
    except Rejected:
        return None
    return gateway.book.take_outbox()


async def _order(gateway: "CcxtGateway", intent: Intent) -> Events | None:
    symbol, client_id, book = intent.action.symbol, intent.client_id, gateway.book
    is_conditional = not isinstance(intent.action, OpenPosition | ReducePosition)
    found = await gateway.sweeper.observer.order(symbol, client_id, (is_conditional,))
    if found is None:
        return None
    book.own(found.venue_id, Owner(client_id, found.leg, found.quantity))
    if client_id not in book.reported and is_conditional:
        return await _waiting(gateway, found)
    if client_id not in book.reported:
        _accept(gateway, found)
    await gateway.sweeper.sweep(symbol, Urgency.URGENT)
    if isinstance(intent.action, OpenPosition) and found.filled_quantity > book.filled.get(client_id, 0.0):
        book.await_fills(found, gateway.link.clock.now_ms())
    if not is_conditional and client_id in book.filled:
        book.tell_expired(found, found.quantity)
    return book.take_outbox()


async def _waiting(gateway: "CcxtGateway", found: VenueOrder) -> Events:
    """Tell of an order that waits for a price. What ended unfilled never rested: only its end is told.

    An acceptance retires the stop that rests, and this one would be gone with it.
    """
    book, client_id = gateway.book, found.client_id
    accepted = _accept(gateway, found)
    await gateway.sweeper.sweep(found.symbol, Urgency.URGENT)
    if found.status == "cancelled" and found.filled_quantity == 0.0 and client_id not in book.ended:
        book.orders.pop(client_id, None)
        book.end(client_id)
        book.outbox.append(OrderCancelled(book.handed_ms, found.symbol, client_id, found.leg, "expired"))
    told = book.take_outbox()
    of_it = {type(each) for each in told if getattr(each, "client_id", "") == client_id}
    if OrderCancelled in of_it and OrderFilled not in of_it:
        return tuple(each for each in told if each != accepted)
    return told


def _accept(gateway: "CcxtGateway", found: VenueOrder) -> OrderAccepted:
    book, client_id = gateway.book, found.client_id
    book.orders.setdefault(client_id, found._replace(status="open"))
    book.report(client_id)
    quantity = found.resting_quantity
    accepted = OrderAccepted(book.handed_ms, found.symbol, client_id, found.leg, quantity)
    book.outbox.append(accepted)
    return accepted


async def _cancelled(gateway: "CcxtGateway", action: CancelOrder) -> Events | None:
    if action.target_client_id in gateway.book.ended:
        return gateway.book.take_outbox()
    found = await gateway.sweeper.observer.order(action.symbol, action.target_client_id, (False, True))
    if gateway.book.end_taken_back(found):
        return gateway.book.take_outbox()
    if found is not None and found.status == "open":
        return None
    gateway.book.cancelling.add(action.target_client_id)
    await gateway.sweeper.sweep(action.symbol, Urgency.NORMAL)
    return None if action.target_client_id in gateway.book.orders else gateway.book.take_outbox()


async def _moved(gateway: "CcxtGateway", intent: Intent, action: AddMargin | ReleaseMargin) -> Events | None:
    """The target is reached, or the position is gone: both end the request. Else it has not arrived.

    Unless the venue's history tells of it: positions are read late, and sent again it would be moved twice.
    OutcomeUnknown then, until the position shows it. Without a history the position alone proves nothing.
    """
    book, symbol = gateway.book, action.symbol
    held = await gateway.sweeper.observer.position(symbol, Urgency.URGENT)
    is_short = held is not None and abs(gateway.margin_amount(action, held)) > _ROUNDING_QUOTE
    if intent.client_id not in book.reported:
        book.doubt(intent)
        move = await _move_of(gateway, intent, action)
        if move is None and is_short and not gateway.was_unsent(intent):
            await tell_apart(gateway, intent, action)
        move = move or NO_MOVE
        if is_short and move == NO_MOVE:
            return None
        await gateway.sweeper.sweep(symbol, Urgency.URGENT, move)
    if intent.client_id not in book.reported:
        if is_short or (held is not None and _is_awaited(gateway, intent)):
            raise OutcomeUnknown(f"margin of {symbol} was moved, and the position does not show it yet")
        code = "no_position" if held is None else "below_minimum"
        message = "the position has ended" if held is None else "the wallet is at the target already"
        book.outbox.append(Refused(book.handed_ms, symbol, intent.client_id, code, message))
        book.report(intent.client_id)
    return book.take_outbox()


def _is_awaited(gateway: "CcxtGateway", intent: Intent) -> bool:
    """Whether the venue said that the margin moved; a wallet at its target is then no refusal."""
    is_recent = gateway.link.clock.now_ms() - gateway.sent_ms(intent) < _TOLD_WITHIN_MS
    return is_recent and intent.client_id in gateway.book.acknowledged


async def _move_of(gateway: "CcxtGateway", intent: Intent, action: AddMargin | ReleaseMargin) -> Move | None:
    """Return the move as it was acknowledged or as the history tells it; None: there is no history."""
    if intent.client_id in gateway.book.acknowledged:
        return Move(intent.client_id, gateway.book.acknowledged[intent.client_id])
    link, dialect, sign = gateway.link, gateway.dialect, 1.0 if isinstance(action, AddMargin) else -1.0
    moves = await link.read(
        lambda: dialect.margin_moves(link.client, action.symbol, intent.ts_ms), Urgency.URGENT
    )
    if moves is None:
        return None
    mine = [
        move.amount_quote for move in moves if move.ts_ms >= intent.ts_ms and move.amount_quote * sign > 0.0
    ]
    return Move(intent.client_id, mine[-1]) if mine else NO_MOVE
