"""Orders of the matching engine: place, amend, cancel, look up. Each answers with one row or refuses."""

import re
from typing import Any, Final

from bot.core.intent import CancelOrder
from bot.core.timeframe import DAY_MS
from bot.sim.requests import VenueAction
from bot.sim.server.books import PlacedOrder
from bot.sim.server.limit_orders import amend_in_venue
from bot.sim.server.okx.desk import Desk
from bot.sim.server.okx.errors import (
    DUPLICATE_ORDER,
    EITHER_ID,
    NO_SUCH_AMEND,
    NO_SUCH_CANCEL,
    NO_SUCH_ORDER,
    NOT_HERE,
    NOTHING_TO_REDUCE,
    PARAMETER,
    WOULD_TURN,
    ApiError,
    Code,
    refusal,
)
from bot.sim.server.okx.order_rows import fill_row, order_row, order_type
from bot.sim.server.okx.wire import ARCHIVE_MS, Params, flag, needed, number, page, span
from bot.sim.server.one_way import NothingToReduce, WouldTurn, action_of

Row = dict[str, Any]
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9]{1,32}")
_TURNS: Final = "an order that turns the position around is not simulated: close it first"
_TIMES_IN_FORCE: Final = {"limit": "GTC", "post_only": "GTX", "ioc": "IOC", "fok": "FOK"}


def side_of(params: Params) -> int:
    """Return +1 for buy, -1 for sell. ApiError: anything else."""
    side = {"buy": 1, "sell": -1}.get(needed(params, "side"))
    if side is None:
        raise ApiError(PARAMETER, name="side")
    return side


def client_id_of(params: Params, name: str, made_up: str) -> str:
    """Return the client's own id, or a made-up one. ApiError: signs or length the venue refuses."""
    client_id = params.get(name) or made_up
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise ApiError(PARAMETER, name=name)
    return client_id


def place(desk: Desk, params: Params) -> Row:
    """POST trade/order, and each order of trade/batch-orders."""
    symbol = desk.symbol(params)
    desk.check_tradable(params)
    order = _wanted(desk, symbol, params)
    if desk.exchange.books.is_client_open(order.client_id, symbol, is_conditional=False):
        raise ApiError(DUPLICATE_ORDER)
    refused = desk.exchange.place_order(order, _action(desk, order))
    if refused:
        raise refusal(refused)
    placed = desk.exchange.books.orders[order.order_id]
    if order.time_in_force in {"IOC", "FOK"} and placed.is_open:
        _cancel(desk, placed)
    return _told(desk, order.order_id, params.get("clOrdId", ""))


def amend(desk: Desk, params: Params) -> Row:
    """POST trade/amend-order: another price or size for a limit order; the order id stays."""
    order = _found(desk, params, NO_SUCH_AMEND)
    if not order.is_open or order.order_type != "limit":
        raise ApiError(NO_SUCH_AMEND)
    quantity, price = order.quantity, order.limit_price
    if params.get("newSz"):
        quantity = desk.quantity(order.symbol, number(params, "newSz"))
    if params.get("newPx"):
        price = number(params, "newPx")
    refused = amend_in_venue(desk.exchange, order, quantity, price)
    if refused:
        raise refusal(refused)
    return _told(desk, order.order_id, params.get("clOrdId", ""))


def cancel(desk: Desk, params: Params) -> Row:
    """POST trade/cancel-order, and each of trade/cancel-batch-orders."""
    order = _found(desk, params, NO_SUCH_CANCEL)
    if not order.is_open:
        raise ApiError(NO_SUCH_CANCEL)
    _cancel(desk, order)
    return _told(desk, order.order_id, order.client_id)


def look_up(desk: Desk, params: Params) -> list[Row]:
    """GET trade/order."""
    return [order_row(desk, _found(desk, params, NO_SUCH_ORDER))]


def list_open(desk: Desk, params: Params) -> list[Row]:
    """GET trade/orders-pending: conditional orders are not among them."""
    chosen, wanted = desk.chosen(params), params.get("ordType", "")
    orders = [each for each in desk.exchange.books.open_orders(None) if each.symbol in chosen]
    rows = [order_row(desk, each) for each in orders if not wanted or order_type(each) in wanted.split(",")]
    return page(rows, params, "ordId")


def list_done(desk: Desk, params: Params) -> list[Row]:
    """GET trade/orders-history and its archive."""
    chosen = desk.chosen(params)
    begin_ms, end_ms = span(params)
    rows = [
        order_row(desk, order)
        for order in desk.exchange.books.orders.values()
        if not order.is_open and order.symbol in chosen and begin_ms <= order.created_ms <= end_ms
    ]
    return page(rows, params, "ordId")


def fills(desk: Desk, params: Params) -> list[Row]:
    """GET trade/fills: the last three days, newest first, 100 a page."""
    return _fills(desk, params, 3 * DAY_MS)


def archived_fills(desk: Desk, params: Params) -> list[Row]:
    """GET trade/fills-history: the last three months."""
    return _fills(desk, params, ARCHIVE_MS)


def _fills(desk: Desk, params: Params, kept_ms: int) -> list[Row]:
    chosen, order_id = desk.chosen(params), params.get("ordId", "")
    begin_ms, end_ms = span(params)
    begin_ms = max(begin_ms, desk.exchange.market_ms - kept_ms)
    rows = [
        fill_row(desk, trade)
        for trade in desk.exchange.books.trades
        if trade.symbol in chosen
        and begin_ms <= trade.ts_ms <= end_ms
        and order_id in ("", str(trade.order_id))
    ]
    return page(rows, params, "billId")


def _wanted(desk: Desk, symbol: str, params: Params) -> PlacedOrder:
    """Return the order that a request describes. ApiError: a parameter that cannot be."""
    side, kind = side_of(params), needed(params, "ordType")
    in_force = "GTC" if kind == "market" else _TIMES_IN_FORCE.get(kind)
    if in_force is None or in_force in {"GTX", "FOK"}:
        raise ApiError(PARAMETER, name="ordType")
    contracts = number(params, "sz")
    price = 0.0 if kind == "market" else number(params, "px")
    if contracts <= 0.0 or price < 0.0 or (kind != "market" and price == 0.0):
        raise ApiError(PARAMETER, name="sz" if contracts <= 0.0 else "px")
    if params.get("attachAlgoOrds", "[]") != "[]":
        raise ApiError(NOT_HERE, why="this exchange takes no attached TP/SL: place them with order-algo")
    order_id, now_ms = desk.exchange.recorder.next("orders"), desk.exchange.market_ms
    return PlacedOrder(
        order_id,
        client_id_of(params, "clOrdId", f"web{order_id}"),
        f"o{order_id}",
        symbol,
        "market" if kind == "market" else "limit",
        side,
        desk.quantity(symbol, contracts),
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
        raise ApiError(NOTHING_TO_REDUCE) from None
    except WouldTurn:
        raise ApiError(WOULD_TURN, why=_TURNS) from None


def _cancel(desk: Desk, order: PlacedOrder) -> None:
    refused = desk.exchange.request(CancelOrder(order.symbol, order.venue_id))
    if refused:
        raise refusal(refused)


def _found(desk: Desk, params: Params, absent: Code) -> PlacedOrder:
    symbol, books = desk.symbol(params), desk.exchange.books
    order_id, client_id = params.get("ordId", ""), params.get("clOrdId", "")
    if order_id.isdigit():
        order = books.orders.get(int(order_id))
    elif client_id:
        order = books.order_of(client_id, symbol)
    else:
        raise ApiError(EITHER_ID)
    is_child = order is not None and order.algo_id != 0 and not order_id
    if order is None or order.symbol != symbol or is_child:
        raise ApiError(absent)
    return order


def _told(desk: Desk, order_id: int, client_id: str) -> Row:
    now_ms = str(desk.clock.now_ms())
    ids = {"ordId": str(order_id), "clOrdId": client_id, "tag": "", "ts": now_ms}
    return {**ids, "sCode": "0", "sMsg": ""}
