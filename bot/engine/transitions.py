"""What an event may change, and how: checked after every event that is no mark.

I4 MARGIN_MONOTONE: an add moves liquidation away, a release leaves equity above maintenance.
I7 UNKNOWN_IS_NOT_FAILED: a request ends only by an event that names it.
I8 FILL_ONCE: the same fill is booked once.
I12 NO_ORPHANS: an order that was accepted with nothing held is gone within a minute.
I24 FORCED: a liquidation ends the position, and the journal says that it was one.
"""

import math
from typing import Final, NamedTuple

from bot.core.event import (
    Event,
    Liquidated,
    MarginAdjusted,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    PositionClosed,
    Refused,
)
from bot.core.intent import AddMargin, Intent, ReleaseMargin
from bot.core.margin import liquidation_price, margin_ratio
from bot.core.position import Position
from bot.engine import breach
from bot.engine.desk import Desk
from bot.engine.state import Holding, Market

_ORPHAN_MS: Final = 60_000
_MOST_RATIO: Final = 0.9  # of maintenance to equity, right after a release: 1.0 is liquidation
_CHILDREN: Final = ("stop", "take_profit", "trailing")


class Before(NamedTuple):
    """What was held and on its way before an event was handled."""

    holding: Holding | None
    position: Position | None
    in_flight: dict[str, Intent]


def before(desk: Desk, event: Event) -> Before:
    """Remember what `event` may change."""
    holding = desk.state.markets[event.symbol].holding
    return Before(holding, holding.position if holding is not None else None, dict(desk.state.in_flight))


def after(desk: Desk, event: Event, was: Before) -> None:
    """Tell what the event has changed and may not have."""
    market = desk.state.markets[event.symbol]
    if was.in_flight:
        _check_ends(desk, event, was)
    if isinstance(event, MarginAdjusted):
        _check_margin(desk, market, event, was)
    elif isinstance(event, OrderFilled):
        _check_fill(desk, event)
    elif isinstance(event, Liquidated) and was.holding is not None:
        _check_liquidation(desk, market, event, was.holding)
    _follow_orphans(desk, market, event)


def _check_ends(desk: Desk, event: Event, was: Before) -> None:
    named = getattr(event, "client_id", "")
    for client_id, intent in was.in_flight.items():
        if client_id in desk.state.in_flight or client_id == named:
            continue
        if getattr(intent.action, "target_client_id", "") != named:
            kind = type(event).__name__
            breach.tell(desk, event.symbol, "I7", f"{client_id} ended with a {kind} that does not name it")


def _check_fill(desk: Desk, event: OrderFilled) -> None:
    if desk.witness.has_seen(event.symbol, event.trade_id):
        message = f"the fill {event.trade_id} of {event.client_id} was told twice"
        breach.tell(desk, event.symbol, "I8", message)


def _check_margin(desk: Desk, market: Market, event: MarginAdjusted, was: Before) -> None:
    intent, position = was.in_flight.get(event.client_id), event.position
    if intent is None or was.position is None:
        return
    sign = {AddMargin: 1.0, ReleaseMargin: -1.0}.get(type(intent.action), 0.0)
    if sign * event.amount_quote < 0.0:
        kind = type(intent.action).__name__
        breach.tell(desk, event.symbol, "I4", f"{event.client_id}, a {kind}, moved {event.amount_quote}")
    if sign > 0.0 and _is_same_size(was.position, position):
        _check_add(desk, market, was.position, position)
    if sign < 0.0 and not margin_ratio(position, market.mark, market.rules) <= _MOST_RATIO:
        message = f"{event.client_id} left maintenance at more than {_MOST_RATIO:.0%} of equity"
        breach.tell(desk, event.symbol, "I4", message)


def _check_add(desk: Desk, market: Market, was: Position, now: Position) -> None:
    """A wallet that grew by less than another payment took meanwhile proves nothing."""
    if now.isolated_wallet <= was.isolated_wallet:
        return
    old, new = liquidation_price(was, market.rules), liquidation_price(now, market.rules)
    nearer = new - old if now.side > 0 else old - new
    if not (nearer <= 0.0 or math.isinf(new)):
        message = f"an add moved liquidation from {old:.10g} to {new:.10g}, nearer"
        breach.tell(desk, now.symbol, "I4", message)


def _is_same_size(was: Position, now: Position) -> bool:
    return (was.side, was.quantity, was.entry_price) == (now.side, now.quantity, now.entry_price)


def _check_liquidation(desk: Desk, market: Market, event: Liquidated, was: Holding) -> None:
    said = [note.cause for note in desk.outbox.notes if isinstance(note, PositionClosed)]
    if market.holding is was or "liquidation" not in said:
        message = f"position {was.position_id} was liquidated, and the journal says {said or 'nothing'}"
        breach.tell(desk, event.symbol, "I24", message)


def _follow_orphans(desk: Desk, market: Market, event: Event) -> None:
    orphans = desk.witness.orphans
    if isinstance(event, OrderAccepted) and market.holding is None and event.leg in _CHILDREN:
        orphans[event.client_id] = (event.symbol, event.ts_ms)
    elif isinstance(event, OrderCancelled | OrderFilled | Refused):
        orphans.pop(event.client_id, None)
    if orphans:
        _check_orphans(desk)


def _check_orphans(desk: Desk) -> None:
    orphans, now_ms = desk.witness.orphans, desk.state.now_ms
    for client_id, (symbol, since_ms) in tuple(orphans.items()):
        market = desk.state.markets[symbol]
        if market.holding is not None or market.entry is not None:
            del orphans[client_id]  # it may protect what is held now
        elif now_ms - since_ms > _ORPHAN_MS * desk.pace:
            del orphans[client_id]
            breach.tell(
                desk, symbol, "I12", f"{client_id} rests since {now_ms - since_ms} ms, nothing is held"
            )
