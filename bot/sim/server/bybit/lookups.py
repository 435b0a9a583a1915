"""Finding, listing and cancelling orders. Both kinds of orders live in one list."""

from collections.abc import Iterator
from typing import Any, Final

from bot.core.intent import CancelOrder
from bot.sim.server.books import Books, ConditionalOrder, PlacedOrder
from bot.sim.server.bybit.desk import Desk
from bot.sim.server.bybit.errors import INVALID_PARAMETER, NO_SUCH_ORDER, ApiError, refusal
from bot.sim.server.bybit.order_rows import id_number, id_text, link_id, row_of
from bot.sim.server.bybit.wire import Params, Row, page, whole_or

AnyOrder = PlacedOrder | ConditionalOrder
_MOST_OPEN: Final = 50
_CLOSED_KEPT: Final = 500
_WEEK_MS: Final = 7 * 86_400_000


def order_reply(order: AnyOrder) -> Row:
    """Return what the venue answers to an order: that it has it."""
    number = order.algo_id if isinstance(order, ConditionalOrder) else order.algo_id or order.order_id
    return {"orderId": id_text(number), "orderLinkId": link_id(order.client_id)}


def cancel(desk: Desk, params: Params) -> Row:
    """POST /v5/order/cancel."""
    order = found(desk, desk.symbol(params), params)
    if order is None or not order.is_open:
        raise ApiError(NO_SUCH_ORDER)
    cancel_in_venue(desk, order)
    return order_reply(order)


def cancel_all(desk: Desk, params: Params) -> Row:
    """POST /v5/order/cancel-all."""
    symbol, wanted = desk.symbol_or_none(params), params.get("orderFilter", "")
    gone = [each for each in _all(desk.exchange.books) if each.is_open and symbol in (None, each.symbol)]
    gone = [each for each in gone if _is_of(each, wanted)]
    for order in gone:
        cancel_in_venue(desk, order)
    return {"list": [order_reply(each) for each in gone], "success": "1"}


def cancel_in_venue(desk: Desk, order: AnyOrder) -> None:
    """Take an open order back. ApiError: the venue has none of this id any more."""
    refused = desk.exchange.request(CancelOrder(order.symbol, order.venue_id))
    if refused:
        raise refusal(refused)


def realtime(desk: Desk, params: Params) -> Row:
    """GET /v5/order/realtime: open orders; closed ones by id, or the newest 500 with openOnly 1."""
    symbol = desk.symbol_or_none(params)
    if symbol is None and not (params.get("settleCoin") or params.get("baseCoin")):
        raise ApiError(INVALID_PARAMETER, why="symbol or settleCoin is needed")
    orders = _matching(desk, symbol, params)
    if not _names_one(params):
        is_closed = whole_or(params, "openOnly", 0) == 1
        orders = [each for each in orders if each.is_open != is_closed][:_CLOSED_KEPT]
    return page(params, _rows(desk, orders), 20, _MOST_OPEN)


def history(desk: Desk, params: Params) -> Row:
    """GET /v5/order/history: what has ended, newest first; seven days unless asked otherwise."""
    now_ms = desk.exchange.market_ms
    start_ms = whole_or(params, "startTime", whole_or(params, "endTime", now_ms) - _WEEK_MS)
    end_ms = whole_or(params, "endTime", start_ms + _WEEK_MS)
    orders = [each for each in _matching(desk, desk.symbol_or_none(params), params) if not each.is_open]
    if not _names_one(params):
        orders = [each for each in orders if start_ms <= each.created_ms <= end_ms]
    return page(params, _rows(desk, orders), 20, _MOST_OPEN)


def found(desk: Desk, symbol: str, params: Params) -> AnyOrder | None:
    """Return the order that orderId or orderLinkId names. ApiError: neither is given."""
    if not _names_one(params):
        raise ApiError(INVALID_PARAMETER, why="orderId or orderLinkId is needed")
    return next(iter(_matching(desk, symbol, params)), None)


def _matching(desk: Desk, symbol: str | None, params: Params) -> list[AnyOrder]:
    number = id_number(params["orderId"]) if params.get("orderId") else None
    link, wanted = params.get("orderLinkId"), params.get("orderFilter", "")
    return [
        each
        for each in _all(desk.exchange.books)
        if symbol in (None, each.symbol)
        and (number is None or _number(each) == number)
        and (number is not None or not link or each.client_id == link)
        and _is_of(each, wanted)
    ]


def _names_one(params: Params) -> bool:
    return bool(params.get("orderId") or params.get("orderLinkId"))


def _all(books: Books) -> Iterator[AnyOrder]:
    """Yield every order once, newest first: what a trigger became stands for its trigger."""
    plain: list[AnyOrder] = [each for each in books.orders.values() if not each.algo_id]
    triggers = [books.orders.get(each.order_id, each) for each in books.conditionals.values()]
    yield from sorted([*plain, *triggers], key=lambda each: (each.created_ms, _number(each)), reverse=True)


def _number(order: AnyOrder) -> int:
    return order.algo_id if isinstance(order, ConditionalOrder) else order.algo_id or order.order_id


def _is_of(order: AnyOrder, wanted: str) -> bool:
    if wanted not in ("Order", "StopOrder"):
        return True
    return isinstance(order, ConditionalOrder) == (wanted == "StopOrder")


def _rows(desk: Desk, orders: list[AnyOrder]) -> list[dict[str, Any]]:
    return [row_of(desk.exchange.books, each, desk.ids[each.symbol]) for each in orders]
