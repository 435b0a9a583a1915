"""What an order means where a symbol has one position: against it it reduces, else it opens."""

from bot.core.intent import OpenPosition, ReducePosition
from bot.core.position import Position
from bot.sim.requests import ReduceAtLimit, VenueAction
from bot.sim.server.books import PlacedOrder


class NothingToReduce(Exception):
    """A reduce-only order with no position against it."""


class WouldTurn(Exception):
    """An order that would close the position and open one of the other side."""


def action_of(order: PlacedOrder, held: Position | None) -> VenueAction:
    """Return the venue's action for an order. Raises NothingToReduce or WouldTurn.

    A limit order that reduces keeps its quantity: where a venue cuts it to the position, its dialect does.
    """
    if held is None or held.side == order.side:
        if order.is_reduce_only:
            raise NothingToReduce
        kind = "limit" if order.order_type == "limit" else "market"
        return OpenPosition(order.symbol, order.side, order.quantity, kind, order.limit_price)
    if order.quantity > held.quantity and not order.is_reduce_only:
        raise WouldTurn
    if order.order_type == "limit":
        return ReduceAtLimit(order.symbol, held.side, order.quantity, order.limit_price)
    return ReducePosition(order.symbol, held.side, 0.0 if order.is_close_position else order.quantity)
