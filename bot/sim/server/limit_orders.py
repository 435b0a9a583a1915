"""Resting limit orders, whatever the dialect: whether one would trade at once, and another price for one."""

from bot.core.event import Refused
from bot.sim.requests import AmendLimit
from bot.sim.server.books import PlacedOrder
from bot.sim.server.changes import OrderChanged
from bot.sim.server.exchange import EmbeddedExchange


def would_trade(exchange: EmbeddedExchange, order: PlacedOrder) -> bool:
    """Return whether the order would trade at once: a post-only order must not."""
    last = exchange.prices.of(order.symbol).last
    crossing = last * (1.0 + order.side * exchange.state.config.half_spread_fraction)
    return order.side * (order.limit_price - crossing) >= 0.0


def would_fill_whole(exchange: EmbeddedExchange, order: PlacedOrder) -> bool:
    """Return whether all of it would trade at once: a fill-or-kill order must."""
    depth_quote = exchange.state.config.depth_quote[order.symbol]
    return would_trade(exchange, order) and order.quantity * order.limit_price <= depth_quote


def amend_in_venue(
    exchange: EmbeddedExchange, order: PlacedOrder, quantity: float, price: float
) -> Refused | None:
    """Give a resting order another total quantity and price; the refusal when the venue does not take it."""
    rest = round(quantity - order.filled_quantity, 12)
    amended = order._replace(quantity=quantity, limit_price=price, updated_ms=exchange.market_ms)
    exchange.books.put(amended)
    refused = exchange.request(AmendLimit(order.symbol, order.venue_id, rest, price))
    if refused:
        exchange.books.put(order)
        return refused
    exchange.tell(OrderChanged(exchange.market_ms, amended, "AMENDMENT"))
    return None
