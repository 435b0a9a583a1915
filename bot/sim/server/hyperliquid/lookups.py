"""Finding, listing and cancelling orders. Plain and trigger orders live in one list."""

from collections.abc import Iterator
from typing import Any

from bot.core.intent import CancelOrder
from bot.sim.server.books import Books
from bot.sim.server.hyperliquid.desk import Desk
from bot.sim.server.hyperliquid.errors import MISSING, OrderError, OrderRefusal
from bot.sim.server.hyperliquid.order_rows import AnyOrder, long_row, number_of, status_row
from bot.sim.server.hyperliquid.wire import Body, checked, needed, text, whole

Row = dict[str, Any]


def open_orders(desk: Desk, body: Body) -> list[Row]:
    """frontendOpenOrders: newest first. A trigger that has fired is in no list."""
    books = desk.exchange.books
    if not desk.is_ours(body):
        return []
    plain: list[AnyOrder] = [each for each in books.open_orders(None) if not each.algo_id]
    waiting = books.open_conditionals(None)
    orders = sorted([*plain, *waiting], key=lambda each: (each.created_ms, number_of(each)), reverse=True)
    return [long_row(desk, each) for each in orders]


def order_status(desk: Desk, body: Body) -> Row:
    """orderStatus: by the venue's number or by cloid, the newest of it; refused ones are found as well."""
    key = needed(body, "oid")
    order = found(desk.exchange.books, key) if desk.is_ours(body) else None
    row = None if order is None else status_row(desk, order)
    if row is None and desk.is_ours(body):
        row = desk.rejection(str(key))
    return {"status": "unknownOid"} if row is None else {"status": "order", "order": row}


def found(books: Books, key: Any) -> AnyOrder | None:
    """Return the newest order of a number or a cloid."""
    return next((each for each in _all(books) if key in (number_of(each), each.client_id)), None)


def is_open(books: Books, cloid: str) -> bool:
    """Return whether an open order has the cloid: those of closed ones may be used again."""
    return any(each.is_open and each.client_id == cloid for each in _all(books))


def cancel_by_cloid(desk: Desk, action: Body) -> list[Any]:
    """cancelByCloid: one status for each."""
    return [_cancelled(desk, each, "asset", text(each, "cloid")) for each in _listed(action)]


def cancel(desk: Desk, action: Body) -> list[Any]:
    """cancel: by the venue's numbers."""
    return [_cancelled(desk, each, "a", whole(each, "o")) for each in _listed(action)]


def _listed(action: Body) -> list[Body]:
    return [checked(each) for each in needed(action, "cancels")]


def _cancelled(desk: Desk, wanted: Body, field: str, key: Any) -> Any:
    symbol = desk.symbol_of_asset(wanted, field)
    order = found(desk.exchange.books, key)
    missing = {"error": f"{MISSING} asset={wanted[field]}"}
    if order is None or not order.is_open or order.symbol != symbol:
        return missing
    return missing if desk.exchange.request(CancelOrder(symbol, order.venue_id)) else "success"


def cancel_rest(desk: Desk, order: AnyOrder) -> None:
    """Take back what an immediate order has left. OrderRefusal: the venue has none of this id any more."""
    refused = desk.exchange.request(CancelOrder(order.symbol, order.venue_id))
    if refused:
        raise OrderRefusal(OrderError(MISSING))


def _all(books: Books) -> Iterator[AnyOrder]:
    """Yield every order once, newest first: what a trigger became stands for its trigger."""
    plain: list[AnyOrder] = [each for each in books.orders.values() if not each.algo_id]
    triggers = [books.orders.get(each.order_id, each) for each in books.conditionals.values()]
    yield from sorted([*plain, *triggers], key=lambda each: (each.created_ms, number_of(each)), reverse=True)
