"""KuCoin futures' orders: what is asked, and what a row says. Quantities are contracts there.

A stop keeps its id when it fires: until then it is listed among stops, afterwards it is an order like any
other. An order without an id of ours (a person's, a liquidation's) is named by the venue's.
"""

from collections.abc import Mapping
from typing import Any, Final

import ccxt

from bot.exchange.convert import leg_of, number_or_zero
from bot.exchange.dialects.requests import SIDE, contracts
from bot.exchange.rows import NewOrder, OrderStatus, VenueOrder

FOREIGN: Final = "venue-"
LIQUIDATION: Final = "liquidation-"
_PRICE_TYPE: Final = {"mark": "MP", "last": "TP"}


def request(client: Any, order: NewOrder) -> dict[str, Any]:
    """Return what every order says; its purpose is added by who knows the leverage."""
    market = client.market(order.symbol)
    said: dict[str, Any] = {
        "clientOid": order.client_id,
        "symbol": market["id"],
        "type": "limit" if order.kind == "limit" else "market",
        "marginMode": "ISOLATED",
        "side": SIDE[order.order_side],
    }
    if order.quantity:
        said["size"] = contracts(market, order.quantity)
    if order.kind == "limit":
        said["price"] = client.price_to_precision(order.symbol, order.limit_price)
    return {**said, **_trigger(client, order)}


def _trigger(client: Any, order: NewOrder) -> dict[str, Any]:
    if not order.is_conditional:
        return {}
    is_falling = (order.kind == "stop") == (order.order_side < 0)
    return {
        "stop": "down" if is_falling else "up",
        "stopPrice": client.price_to_precision(order.symbol, order.trigger_price),
        "stopPriceType": _PRICE_TYPE[order.trigger_on],
    }


async def open_orders(client: Any, symbol: str) -> tuple[VenueOrder, ...]:
    """Return plain and stop orders: two lists."""
    market = client.market(symbol)
    rows = await client.fetch_open_orders(symbol)
    stops = await client.fetch_open_orders(symbol, None, None, {"stop": True})
    return (
        *(order_from(market, row["info"]) for row in rows),
        *(order_from(market, row["info"], is_stop=True) for row in stops),
    )


async def by_our_id(client: Any, symbol: str, client_id: str) -> VenueOrder:
    """Return an order of either kind by our id. ccxt.OrderNotFound: the venue knows none."""
    if client_id.startswith(FOREIGN):
        return await by_venue_id(client, symbol, client_id.removeprefix(FOREIGN))
    reply = await client.futuresPrivateGetOrdersByClientOid({"clientOid": client_id})
    return _found(client, symbol, reply, client_id)


async def by_venue_id(client: Any, symbol: str, venue_id: str) -> VenueOrder:
    """Return an order by the venue's id; a liquidation's is known by its fills alone."""
    if venue_id.startswith(LIQUIDATION):
        return VenueOrder(
            venue_id, venue_id, symbol, "exit", 0, 0.0, 0.0, 0.0, "mark", 0.0, True, False, 0, "done", ""
        )
    return _found(
        client, symbol, await client.futuresPrivateGetOrdersOrderId({"orderId": venue_id}), venue_id
    )


async def cancel(client: Any, symbol: str, client_id: str, is_conditional: bool) -> None:
    """Cancel by our id; a stop by the venue's, which is looked up among the stops that wait.

    ccxt.OrderNotFound: no stop of this id waits.
    """
    if client_id.startswith(FOREIGN):
        await client.cancel_order(client_id.removeprefix(FOREIGN), symbol)
    elif not is_conditional:
        await client.cancel_order("", symbol, {"clientOrderId": client_id})
    else:
        for row in await client.fetch_open_orders(symbol, None, None, {"stop": True}):
            if row["clientOrderId"] == client_id:
                await client.cancel_order(row["id"], symbol)
                return
        raise ccxt.OrderNotFound(f"kucoinfutures has no open stop {client_id}")


def order_from(market: Any, row: Mapping[str, Any], *, is_stop: bool = False) -> VenueOrder:
    """Return an order; `is_stop`: the row is of the list of stops that wait."""
    size, client_id = float(market["contractSize"]), str(row.get("clientOid") or f"{FOREIGN}{row['id']}")
    side = 1 if row["side"] == "buy" else -1
    is_waiting = is_stop or (_is_active(row) and bool(row.get("stop")) and not row.get("stopTriggered"))
    is_whole = bool(row.get("closeOrder")) and is_waiting
    reduces = bool(row.get("reduceOnly")) or bool(row.get("closeOrder"))
    return VenueOrder(
        client_id,
        str(row["id"]),
        market["symbol"],
        leg_of(client_id, _kind(row, side) if is_waiting else "", reduces),
        side,
        0.0 if is_whole else number_or_zero(row, "size") * size,
        number_or_zero(row, "filledSize" if "filledSize" in row else "dealSize") * size,
        number_or_zero(row, "stopPrice"),
        "mark" if row.get("stopPriceType") == "MP" else "last",
        number_or_zero(row, "price") if row.get("type") == "limit" else 0.0,
        reduces,
        is_waiting,
        int(row.get("createdAt") or 0),
        _status(row),
        "",
    )


def _kind(row: Mapping[str, Any], side: int) -> str:
    """A stop sells below or buys above the market; without a direction it is taken for one."""
    direction = row.get("stop") or ("down" if side < 0 else "up")
    return "stop" if (direction == "down") == (side < 0) else "take_profit"


def _status(row: Mapping[str, Any]) -> OrderStatus:
    """`cancelExist` says that some of it was cancelled, which ccxt calls a cancelled order."""
    if _is_active(row):
        return "open"
    return "cancelled" if row.get("cancelExist") else "done"


def _is_active(row: Mapping[str, Any]) -> bool:
    return bool(row["isActive"]) if "isActive" in row else row.get("status") == "open"


def _found(client: Any, symbol: str, reply: Mapping[str, Any], wanted: str) -> VenueOrder:
    row = reply.get("data")
    if not row:
        raise ccxt.OrderNotFound(f"kucoinfutures has no order {wanted}")
    return order_from(client.market(symbol), row)
