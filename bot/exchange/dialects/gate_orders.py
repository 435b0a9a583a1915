"""Gate's orders: what is asked, what a row says, and whose it is.

Plain orders carry our id in `text`, after "t-". Price-triggered orders are another list with ids of their
own; their `initial.text` holds what we wrote there, although the documents call it the source. One that fires
makes a plain order whose text is "ao-" and the id of the one that fired. Any other order goes by the
venue's id.
"""

from collections.abc import Mapping
from typing import Any, Final

from bot.core.event import Leg
from bot.errors import Rejected
from bot.exchange.convert import leg_of, number, number_or_zero
from bot.exchange.dialects.requests import contracts, sent
from bot.exchange.rows import NewOrder, OrderStatus, VenueOrder

OWN: Final = "t-"
FIRED: Final = "ao-"
LIQUIDATION: Final = "liquidation-"
DELEVERAGING: Final = "adl-"
_LIQUIDATIONS: Final = (
    "liquidation",
    "liq-",
    "hedge-liq-",
    "pm_liquidate",
    "comb_margin_liquidate",
    "scm_liquidate",
)
_PRICE_TYPE: Final = {"mark": 1, "last": 0}
_AT_OR_ABOVE, _AT_OR_BELOW = 1, 2
_WAITING: Final = ("open", "inactive")


def own_text(client_id: str) -> str:
    """Return our id as the venue keeps it."""
    return OWN + client_id


def is_liquidation_text(text: str) -> bool:
    """Return whether an order's text is one that the venue gives to its liquidations."""
    return text.startswith(_LIQUIDATIONS)


def name_of(text: Any, venue_id: str) -> str:
    """Return our id; a liquidation's name; else the venue's id, as texts like "web" name no order."""
    said = str(text or "")
    if said.startswith(OWN):
        return said.removeprefix(OWN)
    return f"{LIQUIDATION}{venue_id}" if is_liquidation_text(said) else venue_id


def trigger_request(client: Any, order: NewOrder) -> dict[str, Any]:
    """Return a price-triggered order. Size 0 with close: the whole position."""
    market = client.market(order.symbol)
    is_falling = (order.kind == "stop") == (order.order_side < 0)
    initial: dict[str, Any] = {
        "contract": market["id"],
        "size": order.order_side * contracts(market, order.quantity),
        "price": "0",
        "tif": "ioc",
        "text": own_text(order.client_id),
        "reduce_only": True,
    }
    if order.quantity == 0.0:
        initial["close"] = True
    return {
        "initial": initial,
        "trigger": {
            "strategy_type": 0,
            "price_type": _PRICE_TYPE[order.trigger_on],
            "price": client.price_to_precision(order.symbol, order.trigger_price),
            "rule": _AT_OR_BELOW if is_falling else _AT_OR_ABOVE,
        },
    }


def taken(market: Any, order: NewOrder, row: Mapping[str, Any]) -> VenueOrder:
    """Return what the reply to a plain order says. Rejected: it ended at once and nothing was filled."""
    if row.get("status") is None:
        return sent(order, str(row["id"]))
    found = plain_from(market, row)
    if found.status == "cancelled" and found.filled_quantity == 0.0:
        raise Rejected("position_limit", f"Gate took the order and ended it unfilled: {row.get('finish_as')}")
    return found if row.get("text") else found._replace(client_id=order.client_id)


def plain_from(market: Any, row: Mapping[str, Any], client_id: str = "") -> VenueOrder:
    """Return a plain order, under `client_id` where the caller knows better than its text."""
    venue_id, size = str(row["id"]), float(market["contractSize"])
    name = client_id or name_of(row.get("text"), venue_id)
    signed = number(row, "size")
    filled = abs(signed - number_or_zero(row, "left"))
    is_reducing = bool(row.get("is_reduce_only") or row.get("is_close"))
    return VenueOrder(
        name,
        venue_id,
        market["symbol"],
        leg_of(name, "", is_reducing),
        1 if signed > 0.0 else -1,
        abs(signed) * size,
        filled * size,
        0.0,
        "mark",
        number_or_zero(row, "price"),
        is_reducing,
        False,
        round(1_000 * number_or_zero(row, "create_time")),
        _plain_status(row, filled),
        "",
    )


def _plain_status(row: Mapping[str, Any], filled: float) -> OrderStatus:
    """An immediate order that was filled in part has done all it could; a limit order has not."""
    if row.get("status", "open") == "open":
        return "open"
    is_whole = number_or_zero(row, "left") == 0.0
    return "done" if is_whole or (row.get("tif") == "ioc" and filled > 0.0) else "cancelled"


def triggered_from(market: Any, row: Mapping[str, Any], client_id: str = "") -> VenueOrder:
    """Return a price-triggered order: by its text, else `client_id` as remembered, else the venue's id.

    "done" says that it fired; `child_id` is the plain order that it became.
    """
    initial, trigger = row["initial"], row["trigger"]
    venue_id, text = str(row["id"]), str(initial.get("text") or "")
    name = text.removeprefix(OWN) if text.startswith(OWN) else client_id or venue_id
    signed, size = number_or_zero(initial, "size"), float(market["contractSize"])
    leg = leg_of(name, "stop", True)
    child_id = str(row.get("trade_id") or "0")
    return VenueOrder(
        name,
        venue_id,
        market["symbol"],
        leg,
        _side(row, signed, leg),
        abs(signed) * size,
        0.0,
        number(trigger, "price"),
        "mark" if int(trigger["price_type"]) == _PRICE_TYPE["mark"] else "last",
        0.0,
        bool(initial.get("is_reduce_only") or initial.get("is_close")),
        True,
        round(1_000 * number_or_zero(row, "create_time")),
        _trigger_status(row),
        "" if child_id == "0" else child_id,
    )


def _side(row: Mapping[str, Any], signed: float, leg: Leg) -> int:
    """An order for the whole position has no signed size: its type says it, or where it triggers."""
    if signed:
        return 1 if signed > 0.0 else -1
    kind = str(row.get("order_type") or "")
    if "long" in kind or "short" in kind:
        return -1 if "long" in kind else 1
    is_falling = int(row["trigger"]["rule"]) == _AT_OR_BELOW
    return -1 if is_falling == (leg != "take_profit") else 1


def _trigger_status(row: Mapping[str, Any]) -> OrderStatus:
    if row.get("status", "open") in _WAITING:
        return "open"
    return "done" if row.get("finish_as") == "succeeded" else "cancelled"


def liquidation_order(symbol: str, venue_id: str) -> VenueOrder:
    """Return the venue's liquidation or auto-deleveraging, known by its trades alone."""
    return VenueOrder(
        venue_id, venue_id, symbol, "exit", 0, 0.0, 0.0, 0.0, "mark", 0.0, True, False, 0, "done", ""
    )
