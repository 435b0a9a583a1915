"""Hyperliquid's orders: what is signed, and what a row says. Triggers are always on the mark."""

from collections.abc import Mapping
from typing import Any, Final

from bot.core.event import Leg
from bot.exchange.convert import leg_of, number, number_or_zero
from bot.exchange.dialects.hyperliquid_ids import client_id_of, cloid
from bot.exchange.dialects.requests import sent
from bot.exchange.rows import NewOrder, OrderStatus, VenueOrder

LIQUIDATION: Final = "liquidation-"
WHOLE_TPSL: Final = "positionTpsl"
_SLIPPAGE: Final = 0.05  # a market order is an immediate limit order that far off
_TPSL: Final = {"stop": "sl", "take_profit": "tp"}
_FIRED_MS: Final = 10_000  # an order that fired longer ago and says no more has ended


async def wire(client: Any, order: NewOrder) -> dict[str, Any]:
    """Return an order as the venue signs it: the order of the fields is part of the signature."""
    symbol, size = order.symbol, "0"
    if order.quantity:
        size = client.amount_to_precision(symbol, order.quantity)
    return {
        "a": asset(client, symbol),
        "b": order.order_side > 0,
        "p": client.price_to_precision(symbol, await _limit(client, order)),
        "s": size,
        "r": order.is_reduce_only,
        "t": _kind(client, order),
        "c": cloid(order.client_id),
    }


def asset(client: Any, symbol: str) -> int:
    """Return the number of a symbol's coin."""
    return int(client.market(symbol)["baseId"])


async def _limit(client: Any, order: NewOrder) -> float:
    """Return the worst price: of a limit order its own, else 5 % beyond the trigger or the middle."""
    if order.kind == "limit":
        return order.limit_price
    price = order.trigger_price
    if not order.is_conditional:
        prices = await client.publicPostInfo({"type": "allMids"})
        price = number(prices, client.market(order.symbol)["baseName"])
    return price * (1.0 + order.order_side * _SLIPPAGE)


def _kind(client: Any, order: NewOrder) -> dict[str, Any]:
    if not order.is_conditional:
        return {"limit": {"tif": "Gtc" if order.kind == "limit" else "Ioc"}}
    trigger = client.price_to_precision(order.symbol, order.trigger_price)
    return {"trigger": {"isMarket": True, "triggerPx": trigger, "tpsl": _TPSL[order.kind]}}


def taken(order: NewOrder, status: Any) -> VenueOrder:
    """Return what the status of a new order says: resting, filled, or a word without its number."""
    said = status if isinstance(status, dict) else {}
    filled = said.get("filled")
    row = sent(order, str((filled or said.get("resting") or {}).get("oid", "")))
    return row if not filled else row._replace(filled_quantity=number(filled, "totalSz"), status="done")


def order_from(symbol: str, row: Mapping[str, Any], status: str = "open", age_ms: int = 0) -> VenueOrder:
    """Return an order; it is conditional while it waits. One without an id of ours goes by the venue's.

    ccxt calls an order that fired open for ever. `age_ms`: since the status was told.
    """
    venue_id = str(row["oid"])
    client_id = client_id_of(row.get("cloid")) or venue_id
    is_trigger = bool(row.get("isTrigger"))
    is_whole = bool(row.get("isPositionTpsl"))
    is_waiting = is_trigger and status == "open"
    return VenueOrder(
        client_id,
        venue_id,
        symbol,
        _leg(client_id, row, is_trigger),
        1 if row["side"] == "B" else -1,
        0.0 if is_whole else number(row, "origSz"),
        0.0 if is_whole else number(row, "origSz") - number(row, "sz"),
        number_or_zero(row, "triggerPx") if is_trigger else 0.0,
        "mark",
        0.0 if is_trigger else number(row, "limitPx"),
        bool(row.get("reduceOnly")) or is_whole,
        is_waiting,
        int(row["timestamp"]),
        _status(status, age_ms),
        "",
    )


def _leg(client_id: str, row: Mapping[str, Any], is_trigger: bool) -> Leg:
    kind = "take_profit" if "Take Profit" in str(row.get("orderType")) else "stop" if is_trigger else ""
    return leg_of(client_id, kind, bool(row.get("reduceOnly")))


def _status(status: str, age_ms: int) -> OrderStatus:
    """Statuses that end with Canceled or Rejected, and scheduledCancel, say why an order has ended."""
    if status in ("open", "triggered"):
        return "done" if status == "triggered" and age_ms > _FIRED_MS else "open"
    return "done" if status == "filled" else "cancelled"


def liquidation_order(symbol: str, venue_id: str) -> VenueOrder:
    """Return the venue's liquidation, known by its fills alone."""
    return VenueOrder(
        venue_id, venue_id, symbol, "exit", 0, 0.0, 0.0, 0.0, "mark", 0.0, True, False, 0, "done", ""
    )
