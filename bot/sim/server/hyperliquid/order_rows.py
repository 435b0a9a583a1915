"""Orders and fills as Hyperliquid writes them. One number names an order before and after its trigger."""

from typing import Any, Final

from bot.sim.server.books import Books, ConditionalOrder, PlacedOrder, TradeRow
from bot.sim.server.decimals import decimal_text
from bot.sim.server.hyperliquid.desk import Desk

Row = dict[str, Any]
AnyOrder = PlacedOrder | ConditionalOrder
NO_CLOID: Final = "~"  # begins the id of an order that came without one
SIDE: Final = {1: "B", -1: "A"}
ZERO_HASH: Final = "0x" + "0" * 64
_TYPE: Final = {"stop": "Stop Market", "take_profit": "Take Profit Market", "limit": "Limit"}
_TIF: Final = {"GTC": "Gtc", "IOC": "Ioc", "ALO": "Alo"}
_STATUS: Final = {
    "new": "open",
    "partly_filled": "open",
    "filled": "filled",
    "cancelled": "canceled",
    "expired": "canceled",
}


def number_of(order: AnyOrder) -> int:
    """Return the number by which the venue knows an order."""
    return order.algo_id if isinstance(order, ConditionalOrder) else order.algo_id or order.order_id


def cloid_of(order: AnyOrder) -> str | None:
    """Return the client's own id; None for an order that has none."""
    return order.client_id if order.client_id.startswith("0x") else None


def status_of(books: Books, order: AnyOrder) -> str:
    """Return the status: a trigger order that has fired and is not filled yet says triggered."""
    if isinstance(order, ConditionalOrder):
        child = books.orders.get(order.order_id)
        if child is not None:
            return status_of(books, child)
        if order.status == "expired":
            return "reduceOnlyCanceled"
        return {"new": "open", "cancelled": "canceled"}.get(order.status, "triggered")
    if order.algo_id and order.is_open:
        return "triggered"
    if order.status == "expired" and order.time_in_force == "GTC" and order.is_reduce_only:
        return "reduceOnlyCanceled"
    return _STATUS[order.status]


def short_row(desk: Desk, order: AnyOrder) -> Row:
    """Return an order as streams tell of it."""
    books = desk.exchange.books
    trigger = _trigger_of(books, order)
    made = order if isinstance(order, PlacedOrder) else books.orders.get(order.order_id)
    whole = trigger is not None and trigger.is_close_position
    quantity = 0.0 if whole else (trigger or order).quantity
    filled = 0.0 if made is None or whole else made.filled_quantity
    limit = made.limit_price if made is not None and made.limit_price else 0.0
    return {
        "coin": desk.coins[order.symbol],
        "side": SIDE[order.side],
        "limitPx": decimal_text(limit or (trigger.trigger_price if trigger else 0.0)),
        "sz": decimal_text(round(quantity - filled, 12)),
        "oid": number_of(order),
        "timestamp": (trigger or order).created_ms,
        "origSz": decimal_text(quantity),
        "cloid": cloid_of(order),
    }


def long_row(desk: Desk, order: AnyOrder) -> Row:
    """Return an order as frontendOpenOrders and orderStatus give it."""
    trigger = _trigger_of(desk.exchange.books, order)
    in_force = order.time_in_force if isinstance(order, PlacedOrder) else ""
    kind = trigger.order_type if trigger else "limit"
    return {
        **short_row(desk, order),
        "triggerCondition": "N/A" if trigger is None else _condition(trigger),
        "isTrigger": trigger is not None,
        "triggerPx": decimal_text(trigger.trigger_price) if trigger else "0.0",
        "children": [],
        "isPositionTpsl": trigger is not None and trigger.is_close_position,
        "reduceOnly": order.is_reduce_only,
        "orderType": _TYPE[kind],
        "tif": None if trigger else _TIF[in_force],
    }


def status_row(desk: Desk, order: AnyOrder) -> Row:
    """Return an order with its status, in the form of orderStatus and orderUpdates."""
    child = desk.exchange.books.orders.get(order.order_id)
    status = status_of(desk.exchange.books, order)
    told_ms = (child or order).updated_ms
    return {"order": long_row(desk, order), "status": status, "statusTimestamp": told_ms}


def fill_row(desk: Desk, trade: TradeRow, before: float) -> Row:
    """Return a fill; `before` is the signed position that it met."""
    order = desk.exchange.books.orders[trade.order_id]
    row = {
        "coin": desk.coins[trade.symbol],
        "px": decimal_text(trade.price),
        "sz": decimal_text(trade.quantity),
        "side": SIDE[trade.side],
        "time": trade.ts_ms,
        "startPosition": decimal_text(round(before, 12)),
        "dir": _direction(trade.side, before),
        "closedPnl": decimal_text(trade.realised_pnl_quote),
        "hash": ZERO_HASH,
        "oid": number_of(order),
        "crossed": not trade.is_maker,
        "fee": decimal_text(trade.fee_quote),
        "tid": trade.trade_id,
        "feeToken": "USDC",
    }
    if cloid_of(order):
        row["cloid"] = cloid_of(order)
    if order.order_type == "liquidation":
        mark = decimal_text(trade.price)
        row["liquidation"] = {"liquidatedUser": desk.wallet, "markPx": mark, "method": "market"}
    return row


def fills_of(desk: Desk) -> list[Row]:
    """Return every fill of the account, oldest first."""
    held: dict[str, float] = {}
    rows = []
    for trade in desk.exchange.books.trades:
        before = held.get(trade.symbol, 0.0)
        rows.append(fill_row(desk, trade, before))
        held[trade.symbol] = round(before + trade.side * trade.quantity, 12)
    return rows


def _trigger_of(books: Books, order: AnyOrder) -> ConditionalOrder | None:
    return order if isinstance(order, ConditionalOrder) else books.conditionals.get(order.algo_id)


def _condition(order: ConditionalOrder) -> str:
    is_above = (order.side > 0) == (order.order_type == "stop")
    return f"Price {'above' if is_above else 'below'} {decimal_text(order.trigger_price)}"


def _direction(side: int, before: float) -> str:
    if before * side >= 0.0:
        return "Open Long" if side > 0 else "Open Short"
    return "Close Short" if side > 0 else "Close Long"
