"""Bitget's orders: what is asked, and what the rows of its two services say.

Plain orders and TP/SL orders have lists and ids of their own; an order that was triggered becomes a plain one
with another id, which the history of TP/SL orders tells (`executeOrderId`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import ccxt

from bot.errors import Rejected
from bot.exchange.convert import leg_of, number_or_zero
from bot.exchange.dialects.requests import SIDE
from bot.exchange.rows import NewOrder, OrderStatus, VenueOrder

SETTLE: Final = "USDT"
PRODUCT: Final = "USDT-FUTURES"
BURST: Final = "burst-"
_TPSL: Final = "profit_loss"
_TRIGGER: Final = {"mark": "mark_price", "last": "fill_price"}
# Of a whole position, and of a part of one.
_PLAN: Final = {"stop": ("pos_loss", "loss_plan"), "take_profit": ("pos_profit", "profit_plan")}
_STATUS: Final[Mapping[str, OrderStatus]] = {
    "live": "open",
    "new": "open",
    "init": "open",
    "partially_filled": "open",
    "not_trigger": "open",
    "executing": "open",
    "filled": "done",
    "executed": "done",
}


def tpsl_request(client: Any, order: NewOrder) -> dict[str, Any]:
    """Return a TP/SL order. In one-way mode holdSide is the position's side as "buy" or "sell"."""
    whole, part = _PLAN[order.kind]
    request = {
        **pair(client, order.symbol),
        "planType": part if order.quantity else whole,
        "triggerPrice": client.price_to_precision(order.symbol, order.trigger_price),
        "triggerType": _TRIGGER[order.trigger_on],
        "holdSide": SIDE[-order.order_side],
        "clientOid": order.client_id,
    }
    if order.quantity:
        request["size"] = client.amount_to_precision(order.symbol, order.quantity)
    return request


def pair(client: Any, symbol: str) -> dict[str, Any]:
    """Return what names a symbol and its coin in a request that changes something."""
    return {**named(client, symbol), "marginCoin": SETTLE}


def named(client: Any, symbol: str) -> dict[str, Any]:
    """Return what names a symbol in a read."""
    return {"symbol": client.market(symbol)["id"], "productType": PRODUCT}


async def open_orders(client: Any, symbol: str) -> tuple[VenueOrder, ...]:
    """Return plain and TP/SL orders: two lists."""
    plain_rows = await client.fetch_open_orders(symbol)
    tpsl = await client.fetch_open_orders(symbol, None, None, {"trigger": True, "planType": _TPSL})
    return (
        *(order_from(symbol, row["info"], False) for row in plain_rows),
        *(order_from(symbol, row["info"], True) for row in tpsl),
    )


async def plain_order(client: Any, symbol: str, id_of: Mapping[str, str]) -> VenueOrder:
    """Return a plain order by an id of either kind. ccxt.OrderNotFound: the venue knows none."""
    reply = await client.privateMixGetV2MixOrderDetail({**named(client, symbol), **id_of})
    if not reply.get("data"):
        raise ccxt.OrderNotFound(f"bitget has no order {dict(id_of)}")
    return order_from(symbol, reply["data"], False)


async def by_venue_id(client: Any, symbol: str, venue_id: str) -> VenueOrder:
    """Return a plain order by the venue's id; a liquidation's is known by its fills alone."""
    if not venue_id.startswith(BURST):
        return await plain_order(client, symbol, {"orderId": venue_id})
    return VenueOrder(
        venue_id, venue_id, symbol, "exit", 0, 0.0, 0.0, 0.0, "mark", 0.0, True, False, 0, "done", ""
    )


async def tpsl_order(client: Any, symbol: str, client_id: str) -> VenueOrder:
    """Return a TP/SL order by our id, from those that wait, else from those that ended.

    ccxt.OrderNotFound: neither list has it.
    """
    asked = {**named(client, symbol), "planType": _TPSL, "clientOid": client_id}
    calls = client.privateMixGetV2MixOrderOrdersPlanPending, client.privateMixGetV2MixOrderOrdersPlanHistory
    for call in calls:
        rows: Sequence[Any] = (await call(dict(asked)))["data"].get("entrustedList") or ()
        for row in rows:
            if row.get("clientOid") == client_id:
                return order_from(symbol, row, True)
    raise ccxt.OrderNotFound(f"bitget has no TP/SL order {client_id}")


async def cancel_tpsl(client: Any, symbol: str, client_id: str) -> None:
    """Cancel by our id. Rejected: "success" with the order among the failures, which ccxt ignores."""
    request = {**named(client, symbol), "orderIdList": [{"clientOid": client_id}]}
    data = (await client.privateMixPostV2MixOrderCancelPlanOrder(request))["data"] or {}
    for failure in data.get("failureList") or ():
        raise Rejected("unknown_order", f"Bitget did not cancel {client_id}: {failure.get('errorMsg')}")


def order_from(symbol: str, row: Mapping[str, Any], is_conditional: bool) -> VenueOrder:
    """Return an order. A `pos_` plan is for the whole position, whatever size its row shows."""
    client_id, plan = str(row.get("clientOid") or ""), str(row.get("planType") or "")
    kind = "take_profit" if "profit" in plan else "stop" if "loss" in plan else str(row.get("orderType"))
    is_reducing = is_conditional or str(row.get("reduceOnly")).upper() in ("YES", "TRUE")
    status = str(row.get("planStatus") or row.get("state") or row.get("status"))
    is_limit = row.get("orderType") == "limit" and not is_conditional
    return VenueOrder(
        client_id,
        str(row["orderId"]),
        symbol,
        leg_of(client_id, kind, is_reducing),
        1 if row["side"] == "buy" else -1,
        0.0 if plan.startswith("pos_") else number_or_zero(row, "size"),
        number_or_zero(row, "baseVolume"),
        number_or_zero(row, "triggerPrice"),
        "mark" if row.get("triggerType") == "mark_price" else "last",
        number_or_zero(row, "price") if is_limit else 0.0,
        is_reducing,
        is_conditional,
        int(row.get("cTime") or 0),
        _STATUS.get(status, "cancelled"),
        str(row.get("executeOrderId") or ""),
    )
