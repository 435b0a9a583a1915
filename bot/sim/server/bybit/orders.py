"""POST /v5/order/create and amend. A reply says that the order was received, not what became of it."""

import re
from typing import Any, Final

from bot.sim.requests import ReduceAtLimit, VenueAction
from bot.sim.server.books import PlacedOrder
from bot.sim.server.bybit import conditionals
from bot.sim.server.bybit.desk import Desk
from bot.sim.server.bybit.errors import (
    DUPLICATE_LINK_ID,
    INVALID_PARAMETER,
    NO_SUCH_ORDER,
    REDUCE_ONLY,
    ApiError,
    refusal,
)
from bot.sim.server.bybit.lookups import cancel_in_venue, found, order_reply
from bot.sim.server.bybit.order_rows import NATIVE
from bot.sim.server.bybit.position_stops import attach
from bot.sim.server.bybit.wire import Params, flag, number, number_or_zero
from bot.sim.server.changes import OrderChanged
from bot.sim.server.limit_orders import amend_in_venue, would_fill_whole, would_trade
from bot.sim.server.one_way import NothingToReduce, WouldTurn, action_of

_LINK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")
_TIMES_IN_FORCE: Final = ("GTC", "IOC", "FOK", "PostOnly")
_TURNS: Final = "it would turn the position around, which this exchange does not do in one order"
_ATTACHED: Final = ("takeProfit", "stopLoss")


def place(desk: Desk, params: Params) -> dict[str, Any]:
    """POST /v5/order/create."""
    symbol = desk.symbol(params)
    desk.check_tradable(params)
    _check_link_id(desk, symbol, params.get("orderLinkId", ""))
    if params.get("triggerPrice"):
        return conditionals.place(desk, symbol, params)
    order = _wanted(desk, symbol, params)
    if _is_refused_by_the_book(desk, order):
        _book_cancelled(desk, order)
        return order_reply(order)
    refused = desk.exchange.place_order(order, _action(desk, order))
    if refused:
        raise refusal(refused)
    placed = desk.exchange.books.orders[order.order_id]
    if placed.is_open and order.time_in_force in {"IOC", "FOK"}:
        cancel_in_venue(desk, placed)
    attach(desk, symbol, params)
    return order_reply(order)


def amend(desk: Desk, params: Params) -> dict[str, Any]:
    """POST /v5/order/amend: another price and quantity for a resting limit order."""
    order = found(desk, desk.symbol(params), params)
    if not isinstance(order, PlacedOrder) or not order.is_open or order.order_type != "limit":
        raise ApiError(NO_SUCH_ORDER)
    quantity = number_or_zero(params, "qty") or order.quantity
    price = number_or_zero(params, "price") or order.limit_price
    refused = amend_in_venue(desk.exchange, order, quantity, price)
    if refused:
        raise refusal(refused)
    return order_reply(order)


def _check_link_id(desk: Desk, symbol: str, link: str) -> None:
    if not link:
        return
    if _LINK_ID.fullmatch(link) is None:
        raise ApiError(INVALID_PARAMETER, why="orderLinkId is invalid")
    books = desk.exchange.books
    if books.order_of(link, symbol) is not None or books.conditional_of(link) is not None:
        raise ApiError(DUPLICATE_LINK_ID)


def _wanted(desk: Desk, symbol: str, params: Params) -> PlacedOrder:
    """Return the order that a request describes. ApiError: a parameter that cannot be."""
    is_limit = conditionals.order_type(params) == "Limit"
    if is_limit and any(params.get(name) for name in _ATTACHED):
        raise ApiError(INVALID_PARAMETER, why="this exchange attaches TP/SL to market orders only")
    in_force = params.get("timeInForce") or ("GTC" if is_limit else "IOC")
    if in_force not in _TIMES_IN_FORCE:
        raise ApiError(INVALID_PARAMETER, why="timeInForce is invalid")
    is_whole = conditionals.is_whole(params)
    order_id, now_ms = desk.exchange.recorder.next("orders"), desk.exchange.market_ms
    return PlacedOrder(
        order_id,
        params.get("orderLinkId") or f"{NATIVE}o{order_id}",
        f"o{order_id}",
        symbol,
        "limit" if is_limit else "market",
        conditionals.side_of(params),
        _whole_quantity(desk, symbol) if is_whole else number(params, "qty"),
        number(params, "price") if is_limit else 0.0,
        in_force if is_limit else "IOC",
        flag(params, "reduceOnly"),
        is_whole,
        "new",
        0.0,
        0.0,
        now_ms,
        now_ms,
    )


def _whole_quantity(desk: Desk, symbol: str) -> float:
    held = desk.exchange.state.positions.get(symbol)
    if held is None:
        raise ApiError(REDUCE_ONLY)
    return held.quantity


def _action(desk: Desk, order: PlacedOrder) -> VenueAction:
    """Return what the order means; a limit order that reduces is cut to the position."""
    held = desk.exchange.state.positions.get(order.symbol)
    try:
        action = action_of(order, held)
    except NothingToReduce:
        raise ApiError(REDUCE_ONLY) from None
    except WouldTurn:
        raise ApiError(INVALID_PARAMETER, why=_TURNS) from None
    if isinstance(action, ReduceAtLimit) and held is not None:
        return action._replace(quantity=min(action.quantity, held.quantity))
    return action


def _is_refused_by_the_book(desk: Desk, order: PlacedOrder) -> bool:
    """Whether a post-only order would take, or a fill-or-kill order not be filled: both are cancelled."""
    if order.time_in_force == "PostOnly":
        return would_trade(desk.exchange, order)
    return order.time_in_force == "FOK" and not would_fill_whole(desk.exchange, order)


def _book_cancelled(desk: Desk, order: PlacedOrder) -> None:
    cancelled = order._replace(status="cancelled")
    desk.exchange.books.put(cancelled)
    desk.exchange.mark_changed()
    desk.exchange.tell(OrderChanged(order.created_ms, cancelled, "CANCELED"))
