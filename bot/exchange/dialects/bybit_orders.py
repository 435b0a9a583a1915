"""Bybit's orders: what is asked, and what a row says. An order without our id is named by what made it."""

from collections.abc import Mapping
from typing import Any, Final

import ccxt

from bot.core.event import Leg
from bot.errors import OutcomeUnknown, Rejected, RingfenceError
from bot.exchange.convert import leg_of, number_or_zero
from bot.exchange.dialects.bybit_rows import CATEGORY
from bot.exchange.rows import NewOrder, OrderStatus, VenueOrder

_SIDE: Final = {1: "Buy", -1: "Sell"}
_TRIGGER_BY: Final = {"mark": "MarkPrice", "last": "LastPrice"}
_RISING, _FALLING = 1, 2
_STATUS: Final[Mapping[str, OrderStatus]] = {
    "Created": "open",
    "New": "open",
    "PartiallyFilled": "open",
    "PendingCancel": "open",
    "Untriggered": "open",
    "Triggered": "open",
    "Active": "open",
    "Filled": "done",
    "PartiallyFilledCanceled": "done",
}
_WAITING: Final = ("Untriggered", "Deactivated")
_LIQUIDATIONS: Final = ("CreateByLiquidate", "CreateByTakeOver", "BustTrade")
# How ids of the venue's own orders begin here, by the type of their executions; no order list need have them.
FORCED: Final[Mapping[str, str]] = {"BustTrade": "BustTrade-", "AdlTrade": "adl-"}
_LEG_OF_STOP_TYPE: Final[Mapping[str, Leg]] = {
    "TrailingStop": "trailing",
    "TakeProfit": "take_profit",
    "PartialTakeProfit": "take_profit",
    "StopLoss": "stop",
    "PartialStopLoss": "stop",
}


def is_trailing(client_id: str) -> bool:
    """Return whether an id of ours is a trailing stop's, which belongs to the position at this venue."""
    return leg_of(client_id, "", True) == "trailing"


def is_liquidation(client_id: str) -> bool:
    """Return whether the name of an order says that the venue liquidated."""
    return client_id.startswith(_LIQUIDATIONS)


def request(order: NewOrder) -> dict[str, Any]:
    """Return the fields of order/create. qty 0 with closeOnTrigger is the whole position."""
    params: dict[str, Any] = {
        "side": _SIDE[order.order_side],
        "orderType": "Limit" if order.kind == "limit" else "Market",
        "qty": plain(order.quantity),
        "positionIdx": 0,
        "orderLinkId": order.client_id,
        "reduceOnly": order.is_reduce_only,
    }
    if order.kind == "limit":
        params |= {"price": plain(order.limit_price), "timeInForce": "GTC"}
    if order.is_conditional:
        params |= _trigger(order)
    return params


def _trigger(order: NewOrder) -> dict[str, Any]:
    is_rising = (order.order_side > 0) == (order.kind == "stop")
    return {
        "triggerPrice": plain(order.trigger_price),
        "triggerDirection": _RISING if is_rising else _FALLING,
        "triggerBy": _TRIGGER_BY[order.trigger_on],
        "closeOnTrigger": order.is_reduce_only,
    }


def plain(value: float) -> str:
    """Return a decimal without an exponent and without trailing zeros."""
    return f"{value:.10f}".rstrip("0").rstrip(".") or "0"


async def outcome(client: Any, order: NewOrder, acknowledged: Mapping[str, Any]) -> VenueOrder:
    """Return what became of an acknowledged order; as sent while no read shows it.

    Rejected: the venue received it and refused it afterwards, which no error code tells.
    """
    try:
        row = await _row(client, order.symbol, {"orderId": acknowledged["orderId"]})
    except (ccxt.BaseError, RingfenceError):
        return _as_sent(order, acknowledged)
    if row["orderStatus"] == "Rejected":
        reason = str(row.get("rejectReason"))
        code = "insufficient_balance" if "Balance" in reason or "Margin" in reason else "position_limit"
        raise Rejected(code, f"received, then rejected: {reason}")
    return order_from(order.symbol, row)


def _as_sent(order: NewOrder, acknowledged: Mapping[str, Any]) -> VenueOrder:
    is_market = order.kind == "market"
    return VenueOrder(
        str(acknowledged.get("orderLinkId") or order.client_id),
        str(acknowledged["orderId"]),
        order.symbol,
        leg_of(order.client_id, order.kind, order.is_reduce_only),
        order.order_side,
        order.quantity,
        order.quantity if is_market else 0.0,
        order.trigger_price,
        order.trigger_on,
        order.limit_price,
        order.is_reduce_only,
        order.is_conditional,
        0,
        "done" if is_market else "open",
        "",
    )


async def found(client: Any, symbol: str, query: Mapping[str, str]) -> VenueOrder:
    """Return the order of an id. ccxt.OrderNotFound: neither the open nor the ended ones have it."""
    return order_from(symbol, await _row(client, symbol, query))


async def by_venue_id(client: Any, symbol: str, venue_id: str) -> VenueOrder:
    """Return an order by the venue's id; a liquidation or deleveraging is known by its executions alone."""
    if not venue_id.startswith(tuple(FORCED.values())):
        return await found(client, symbol, {"orderId": venue_id})
    return VenueOrder(
        venue_id, venue_id, symbol, "exit", 0, 0.0, 0.0, 0.0, "mark", 0.0, True, False, 0, "done", ""
    )


async def trailing_sent(client: Any, order: NewOrder) -> VenueOrder:
    """Return the trailing stop that was just set. OutcomeUnknown: no read shows it, and it is set."""
    try:
        return await trailing(client, order.symbol, order.client_id)
    except ccxt.BaseError as error:
        message = f"the trailing stop {order.client_id} was set and cannot be read: {type(error).__name__}"
        raise OutcomeUnknown(message) from None


async def trailing(client: Any, symbol: str, client_id: str) -> VenueOrder:
    """Return the position's trailing stop under our id: the waiting one, else the newest that ended."""
    query = {"category": CATEGORY, "symbol": client.market(symbol)["id"], "limit": 50}
    for call in (client.privateGetV5OrderRealtime, client.privateGetV5OrderHistory):
        rows = (await call(query))["result"]["list"]
        for row in rows:
            if row.get("stopOrderType") == "TrailingStop":
                return order_from(symbol, row)._replace(client_id=client_id, leg="trailing")
    raise ccxt.OrderNotFound(f"{symbol} has no trailing stop")


async def _row(client: Any, symbol: str, query: Mapping[str, str]) -> Mapping[str, Any]:
    """Ask the open orders, which also know the newest that ended, then the history, which lags."""
    params = {"category": CATEGORY, "symbol": client.market(symbol)["id"], **query}
    for call in (client.privateGetV5OrderRealtime, client.privateGetV5OrderHistory):
        rows = (await call(params))["result"]["list"]
        if rows:
            return rows[0]
    raise ccxt.OrderNotFound(f"no order {dict(query)}")


def order_from(symbol: str, row: Mapping[str, Any]) -> VenueOrder:
    """Return an order. It is conditional while it waits; once it fires it is an order like any other.

    ccxt drops closeOnTrigger and what triggers, and calls an order that was rejected after its trigger
    by a status of its own: all of it is read here.
    """
    client_id, kind = _name_of(row), str(row.get("stopOrderType") or "")
    status: OrderStatus = _STATUS.get(row["orderStatus"], "cancelled")
    is_waiting = row["orderStatus"] in _WAITING
    is_whole = is_waiting and bool(row.get("closeOnTrigger")) and number_or_zero(row, "qty") == 0.0
    reduces = bool(row.get("reduceOnly")) or bool(row.get("closeOnTrigger"))
    return VenueOrder(
        client_id,
        str(row["orderId"]),
        symbol,
        _leg(client_id, kind, row, reduces),
        1 if row["side"] == "Buy" else -1,
        0.0 if is_whole else number_or_zero(row, "qty"),
        number_or_zero(row, "cumExecQty"),
        number_or_zero(row, "triggerPrice"),
        "mark" if row.get("triggerBy") == "MarkPrice" else "last",
        number_or_zero(row, "price") if row.get("orderType") == "Limit" else 0.0,
        reduces,
        is_waiting,
        int(row.get("createdTime") or 0),
        status,
        "",
    )


def _name_of(row: Mapping[str, Any]) -> str:
    """Return our id, else what made the order and its id: "CreateByLiquidate-..."."""
    return str(row.get("orderLinkId") or f"{row.get('createType') or 'Unknown'}-{row['orderId']}")


def _leg(client_id: str, stop_type: str, row: Mapping[str, Any], reduces: bool) -> Leg:
    known = _LEG_OF_STOP_TYPE.get(stop_type)
    if known is not None:
        return known
    kind = ""
    if stop_type and row.get("triggerDirection") in (_RISING, _FALLING):
        is_stop = (row["triggerDirection"] == _RISING) == (row["side"] == "Buy")
        kind = "stop" if is_stop else "take_profit"
    return leg_of(client_id, kind, reduces)
