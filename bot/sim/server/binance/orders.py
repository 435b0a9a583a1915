"""Orders of the matching engine: place, amend, cancel, look up."""

import re
from typing import Any, Final

import orjson

from bot.core.intent import CancelOrder
from bot.sim.requests import VenueAction
from bot.sim.server.binance.desk import Desk
from bot.sim.server.binance.errors import (
    CANCEL_REJECTED,
    CLIENT_ID_LENGTH,
    DUPLICATE_CLIENT_ID,
    FILL_OR_KILL,
    ILLEGAL_PARAMETER,
    INVALID_ORDER_TYPE,
    INVALID_SIDE,
    INVALID_TIME_IN_FORCE,
    MISSING,
    NO_SUCH_ORDER,
    NOT_POSITIVE,
    POST_ONLY,
    REDUCE_ONLY_REJECTED,
    REJECTED,
    USE_ALGO,
    ApiError,
    refusal,
)
from bot.sim.server.binance.order_rows import ALGO_TYPE, order_row
from bot.sim.server.binance.wire import Params, flag, needed, number, span, whole, whole_or
from bot.sim.server.books import PlacedOrder
from bot.sim.server.limit_orders import amend_in_venue, would_fill_whole, would_trade
from bot.sim.server.one_way import NothingToReduce, WouldTurn, action_of

_CLIENT_ID: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_TIMES_IN_FORCE: Final = ("GTC", "IOC", "FOK", "GTX")
_TURNS: Final = (
    "it would turn the position around, which this exchange does not do in one order: close it first"
)
_CONDITIONAL: Final = {*ALGO_TYPE.values(), "STOP", "TAKE_PROFIT"}


def side_of(params: Params) -> int:
    """Return +1 for BUY, -1 for SELL. ApiError: anything else."""
    side = {"BUY": 1, "SELL": -1}.get(needed(params, "side"))
    if side is None:
        raise ApiError(INVALID_SIDE)
    return side


def client_id_of(params: Params, name: str, made_up: str) -> str:
    """Return the client's own id, or a made-up one. ApiError: signs or length the venue refuses."""
    client_id = params.get(name) or made_up
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise ApiError(CLIENT_ID_LENGTH)
    return client_id


def place(desk: Desk, params: Params) -> dict[str, Any]:
    """POST /fapi/v1/order."""
    symbol = desk.symbol(params)
    order = _wanted(desk, symbol, params)
    desk.check_tradable(symbol, params)
    if desk.exchange.books.is_client_open(order.client_id, symbol, is_conditional=False):
        raise ApiError(DUPLICATE_CLIENT_ID)
    _check_time_in_force(desk, order)
    refused = desk.exchange.place_order(order, _action(desk, order))
    if refused:
        raise refusal(refused)
    if order.time_in_force in {"IOC", "FOK"}:
        _expire_rest(desk, order)
    return _row(desk, order.order_id)


def try_out(desk: Desk, params: Params) -> dict[str, Any]:
    """POST /fapi/v1/order/test: read the order, send nothing."""
    _wanted(desk, desk.symbol(params), params)
    return {}


def amend(desk: Desk, params: Params) -> dict[str, Any]:
    """PUT /fapi/v1/order: another price and total quantity for a limit order; the order id stays."""
    order = _found(desk, params, NO_SUCH_ORDER)
    if not order.is_open or order.order_type != "limit":
        raise ApiError(NO_SUCH_ORDER)
    quantity, price = number(params, "quantity"), number(params, "price")
    refused = amend_in_venue(desk.exchange, order, quantity, price)
    if refused:
        raise refusal(refused)
    return _row(desk, order.order_id)


def cancel(desk: Desk, params: Params) -> dict[str, Any]:
    """DELETE /fapi/v1/order."""
    order = _found(desk, params, CANCEL_REJECTED)
    if not order.is_open:
        raise ApiError(CANCEL_REJECTED)
    _cancel(desk, order)
    return _row(desk, order.order_id)


def cancel_all(desk: Desk, params: Params) -> dict[str, Any]:
    """DELETE /fapi/v1/allOpenOrders: conditional orders stay."""
    for order in desk.exchange.books.open_orders(desk.symbol(params)):
        _cancel(desk, order)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def look_up(desk: Desk, params: Params) -> dict[str, Any]:
    """GET /fapi/v1/order."""
    return _row(desk, _found(desk, params, NO_SUCH_ORDER).order_id)


def look_up_open(desk: Desk, params: Params) -> dict[str, Any]:
    """GET /fapi/v1/openOrder."""
    order = _found(desk, params, NO_SUCH_ORDER)
    if not order.is_open:
        raise ApiError(NO_SUCH_ORDER)
    return _row(desk, order.order_id)


def list_open(desk: Desk, params: Params) -> list[dict[str, Any]]:
    """GET /fapi/v1/openOrders."""
    orders = desk.exchange.books.open_orders(desk.symbol_or_none(params))
    return [order_row(order, desk.ids[order.symbol]) for order in orders]


def list_all(desk: Desk, params: Params) -> list[dict[str, Any]]:
    """GET /fapi/v1/allOrders: from `orderId` on, else the newest of the time span."""
    symbol, first = desk.symbol(params), whole_or(params, "orderId", 0)
    start_ms, end_ms, limit = span(params)
    rows = [
        order_row(order, desk.ids[symbol])
        for order in desk.exchange.books.orders.values()
        if order.symbol == symbol and order.order_id >= first and start_ms <= order.created_ms <= end_ms
    ]
    return rows[:limit] if first else rows[-limit:]


def place_batch(desk: Desk, params: Params) -> list[dict[str, Any]]:
    """POST /fapi/v1/batchOrders: each order for itself, an error in its place."""
    return [_one_of_batch(desk, place, each) for each in _batch(params)]


def amend_batch(desk: Desk, params: Params) -> list[dict[str, Any]]:
    """PUT /fapi/v1/batchOrders."""
    return [_one_of_batch(desk, amend, each) for each in _batch(params)]


def cancel_batch(desk: Desk, params: Params) -> list[dict[str, Any]]:
    """DELETE /fapi/v1/batchOrders by orderIdList or origClientOrderIdList (ccxt: in small letters)."""
    lists = {name.lower(): value for name, value in params.items()}
    name = "orderId" if lists.get("orderidlist") else "origClientOrderId"
    values = _json_list(lists, f"{name}List".lower())
    symbol = needed(params, "symbol")
    return [_one_of_batch(desk, cancel, {"symbol": symbol, name: str(value)}) for value in values]


def _one_of_batch(desk: Desk, handler: Any, params: Params) -> dict[str, Any]:
    try:
        return handler(desk, params)
    except ApiError as error:
        return error.body()


def _batch(params: Params) -> list[Params]:
    orders = _json_list(params, "batchOrders")
    if not 1 <= len(orders) <= 5:
        raise ApiError(ILLEGAL_PARAMETER, name="batchOrders")
    return [{name: _text(value) for name, value in order.items()} for order in orders]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json_list(params: Params, name: str) -> list[Any]:
    try:
        values = orjson.loads(needed(params, name))
    except orjson.JSONDecodeError:
        raise ApiError(ILLEGAL_PARAMETER, name=name) from None
    if not isinstance(values, list):
        raise ApiError(ILLEGAL_PARAMETER, name=name)
    return values


def _wanted(desk: Desk, symbol: str, params: Params) -> PlacedOrder:
    """Return the order that a request describes. ApiError: a parameter that cannot be."""
    side, order_type = side_of(params), needed(params, "type")
    if order_type in _CONDITIONAL:
        raise ApiError(USE_ALGO)
    if order_type not in {"MARKET", "LIMIT"}:
        raise ApiError(INVALID_ORDER_TYPE)
    is_limit = order_type == "LIMIT"
    in_force = needed(params, "timeInForce") if is_limit else "GTC"
    if in_force not in _TIMES_IN_FORCE:
        raise ApiError(INVALID_TIME_IN_FORCE)
    quantity = number(params, "quantity")
    if quantity <= 0.0:
        raise ApiError(NOT_POSITIVE)
    price = number(params, "price") if is_limit else 0.0
    if is_limit and price <= 0.0:
        raise ApiError(MISSING, name="price")
    order_id = desk.exchange.recorder.next("orders")
    now_ms = desk.exchange.market_ms
    return PlacedOrder(
        order_id,
        client_id_of(params, "newClientOrderId", f"web_{order_id}"),
        f"o{order_id}",
        symbol,
        "limit" if is_limit else "market",
        side,
        quantity,
        price,
        in_force,
        flag(params, "reduceOnly"),
        False,
        "new",
        0.0,
        0.0,
        now_ms,
        now_ms,
    )


def _action(desk: Desk, order: PlacedOrder) -> VenueAction:
    try:
        return action_of(order, desk.exchange.state.positions.get(order.symbol))
    except NothingToReduce:
        raise ApiError(REDUCE_ONLY_REJECTED) from None
    except WouldTurn:
        raise ApiError(REJECTED, why=_TURNS) from None


def _check_time_in_force(desk: Desk, order: PlacedOrder) -> None:
    if order.time_in_force == "GTX" and would_trade(desk.exchange, order):
        raise ApiError(POST_ONLY)
    if order.time_in_force == "FOK" and not would_fill_whole(desk.exchange, order):
        raise ApiError(FILL_OR_KILL)


def _expire_rest(desk: Desk, order: PlacedOrder) -> None:
    placed = desk.exchange.books.orders[order.order_id]
    if placed.is_open:
        _cancel(desk, placed)


def _cancel(desk: Desk, order: PlacedOrder) -> None:
    refused = desk.exchange.request(CancelOrder(order.symbol, order.venue_id))
    if refused:
        raise refusal(refused)


def _found(desk: Desk, params: Params, absent: Any) -> PlacedOrder:
    symbol, books = desk.symbol(params), desk.exchange.books
    if params.get("orderId"):
        order = books.orders.get(whole(params, "orderId"))
    elif params.get("origClientOrderId"):
        order = books.order_of(params["origClientOrderId"], symbol)
    else:
        raise ApiError(MISSING, name="orderId")
    if order is None or order.symbol != symbol:
        raise ApiError(absent)
    return order


def _row(desk: Desk, order_id: int) -> dict[str, Any]:
    order = desk.exchange.books.orders[order_id]
    return order_row(order, desk.ids[order.symbol])
