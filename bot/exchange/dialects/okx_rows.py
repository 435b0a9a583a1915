"""OKX's own rows to ours, and our orders to its requests. Contracts become base units here only.

A contract is ctVal * ctMult base units (0.01 BTC, 1000 DOGE). ccxt leaves quantities in contracts.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.steps import step_down
from bot.core.tiers import LeverageTier, Tiers, tiers_from_rows
from bot.errors import Unavailable, UserError
from bot.exchange.convert import leg_of, number, number_or_zero, side_of, whole_number
from bot.exchange.dialects.open_positions import not_managed
from bot.exchange.rows import MarginMove, Money, NewOrder, OrderStatus, Payment, Trade, VenueOrder

SETTLE: Final = "USDT"
MARGIN_STEP_QUOTE: Final = 1e-8
LIQUIDATION_ID: Final = "liquidation-"
FOREIGN_ID: Final = "okx-"  # an order without an id of its owner's, such as one made in the app

# What the venue did by itself, by the category of its order; the names are told apart by their beginning.
_FORCED: Final = {
    "full_liquidation": LIQUIDATION_ID,
    "partial_liquidation": LIQUIDATION_ID,
    "adl": "adl-",
}
_STATUS: Final[Mapping[str, OrderStatus]] = MappingProxyType(
    {"live": "open", "partially_filled": "open", "filled": "done"}
)
# "effective" says that it fired. What it became may still be rejected: that is the child's own state.
_ALGO_STATUS: Final[Mapping[str, OrderStatus]] = MappingProxyType(
    {"live": "open", "pause": "open", "partially_effective": "open", "effective": "done"}
)
_SIDE: Final = {1: "buy", -1: "sell"}
_ADDED: Final = "160"

# Tiers are bounds in contracts, ours are notional. Valued below the mark, a long that has fallen a fifth
# is still in the tier that its contracts have.
_TIER_MARK_FRACTION: Final = 0.8
_VOLUMES: Final = (5, 6)  # columns of a candle: contracts, base units
_MOST_OFF: Final = 2.0  # a wrong size is ten times off


class Contracts:
    """One instrument's contract size, the only place where it is multiplied or divided by."""

    def __init__(self, info: Mapping[str, Any]) -> None:
        number(info, "ctVal")
        self.size = Decimal(str(info["ctVal"])) * Decimal(info.get("ctMult") or "1")

    def quantity(self, row: Mapping[str, Any], field: str) -> float:
        """Return a row's contracts as base units, signed; 0.0 when absent. Unavailable: no number."""
        if row.get(field) in (None, ""):
            return 0.0
        number(row, field)
        return float(Decimal(str(row[field])) * self.size)

    def text(self, quantity: float) -> str:
        """Return base units as contracts, as a plain decimal."""
        return format((Decimal(repr(quantity)) / self.size).normalize(), "f")


def check_linear(market: Mapping[str, Any]) -> None:
    """UserError: an instrument that is not a USDT-margined swap."""
    info = market["info"]
    if info.get("instType") == "SWAP" and info.get("ctType") == "linear" and info.get("settleCcy") == SETTLE:
        return
    raise UserError(
        f"{market['symbol']} is not a linear {SETTLE} swap at OKX. Ringfence trades those only: "
        "elsewhere margin is in another coin. Name a symbol such as BTC/USDT:USDT in feed.symbols."
    )


def check_size(market: Mapping[str, Any], candles: Sequence[Sequence[Any]]) -> bool:
    """Return whether trades show a contract's size to be right; False: there are none.

    Unavailable: it is not what was traded in base units over what was in contracts.
    """
    size = float(Contracts(market["info"]).size)
    contracts, base = (sum(float(row[column]) for row in candles) for column in _VOLUMES)
    if contracts > 0.0 and not size / _MOST_OFF < base / contracts < size * _MOST_OFF:
        said = f"a contract of {market['symbol']} is said to be {size:g}"
        raise Unavailable(f"{said}, and {base / contracts:g} was traded a contract")
    return contracts > 0.0


def instrument_from(
    market: Mapping[str, Any], tiers: Tiers, fees: Mapping[str, Any], interval_ms: int
) -> Instrument:
    """Return an instrument in base units. Fee rates that are paid are negative at this venue."""
    info = market["info"]
    contracts = Contracts(info)
    taker = -number(fees, "takerU" if fees.get("takerU") else "taker")
    return Instrument(
        symbol=market["symbol"],
        tick_size=number(info, "tickSz"),
        quantity_step=contracts.quantity(info, "lotSz"),
        min_quantity=contracts.quantity(info, "minSz"),
        min_notional_quote=0.0,  # the venue has a least size only
        margin_step_quote=MARGIN_STEP_QUOTE,
        contract_size=1.0,
        is_inverse=False,
        maker_fee_rate=-number(fees, "makerU" if fees.get("makerU") else "maker"),
        taker_fee_rate=taker,
        liquidation_fee_rate=taker,
        max_leverage=min(float(tiers.max_leverage[0]), number(info, "lever")),
        funding_interval_ms=interval_ms,
        tiers=tiers,
    )


def tiers_at(rows: Sequence[Mapping[str, Any]], market: Mapping[str, Any], mark: float) -> Tiers:
    """Return the tiers by notional. They have no maintenance amount: margin jumps where one begins.

    Unavailable: unusable. A row begins one lot above the one before; here they touch.
    """
    contracts = Contracts(market["info"])
    floor, found = 0.0, []
    for row in sorted(rows, key=lambda each: int(each["tier"])):
        cap = step_down(contracts.quantity(row, "maxSz") * mark * _TIER_MARK_FRACTION, 1.0)
        found.append(LeverageTier(floor, cap, number(row, "mmr"), 0.0, number(row, "maxLever")))
        floor = cap
    try:
        return tiers_from_rows(found, is_continuous=False)
    except ValueError as error:
        raise Unavailable(f"the venue's position tiers are unusable: {error}") from None


def money_from(row: Mapping[str, Any]) -> Money:
    """Return balances of the coin. Equity holds unrealised PnL, and cash leaves out isolated margin."""
    free = "availEq" if row.get("availEq") else "availBal"
    equity, pnl = number(row, "eq"), number_or_zero(row, "upl")
    wallet = equity if pnl == 0.0 else float(Decimal(str(row["eq"])) - Decimal(str(row["upl"])))
    return Money(number(row, free), wallet)


def position_from(row: Mapping[str, Any], market: Mapping[str, Any]) -> Position:
    """Return a position; `margin` is the wallet without unrealised PnL. UserError: hedged or cross."""
    symbol = market["symbol"]
    if row.get("posSide") not in ("net", None, ""):
        raise not_managed(symbol, "hedge mode")
    if row.get("mgnMode") != "isolated":
        raise not_managed(symbol, "cross margin")
    quantity = Contracts(market["info"]).quantity(row, "pos")
    return Position(
        symbol,
        1 if quantity > 0.0 else -1,
        abs(quantity),
        number(row, "avgPx"),
        number(row, "margin"),
        number(row, "lever"),
        int(row.get("cTime") or 0),
    )


def trade_from(row: Mapping[str, Any], market: Mapping[str, Any]) -> Trade:
    """Return a fill. A fee that was paid is negative at this venue, positive here."""
    is_settled = row.get("feeCcy") in (None, "", SETTLE)
    return Trade(
        int(row.get("fillTime") or row["ts"]),
        market["symbol"],
        whole_number(str(row["tradeId"])),
        str(row["ordId"]),
        side_of(row),
        number(row, "fillPx"),
        Contracts(market["info"]).quantity(row, "fillSz"),
        -number_or_zero(row, "fee") if is_settled else 0.0,
        row.get("execType") == "M",
        number_or_zero(row, "fillPnl"),
    )


def payment_from(row: Mapping[str, Any], symbol: str) -> Payment:
    """Return a funding payment. It moves the balance, or the margin of an isolated position."""
    amount = number_or_zero(row, "balChg") or number_or_zero(row, "posBalChg")
    return Payment(int(row["ts"]), symbol, str(row["billId"]), amount)


def margin_move_from(row: Mapping[str, Any], symbol: str) -> MarginMove:
    """Return margin moved by hand or by request."""
    sign = 1.0 if row["subType"] == _ADDED else -1.0
    return MarginMove(int(row["ts"]), symbol, sign * abs(number(row, "posBalChg")))


# --- orders ---------------------------------------------------------------------------------------


def order_from(row: Mapping[str, Any], market: Mapping[str, Any]) -> VenueOrder:
    """Return a plain order. What a trigger became carries the algo's id of ours, not its own."""
    client_id, venue_id = str(row.get("clOrdId") or row.get("algoClOrdId") or ""), str(row["ordId"])
    forced = _FORCED.get(str(row.get("category")), "")
    if forced:
        client_id = f"{forced}{venue_id}"
    is_reduce_only = bool(forced) or is_true(row, "reduceOnly")
    contracts = Contracts(market["info"])
    return VenueOrder(
        client_id or f"{FOREIGN_ID}{venue_id}",
        venue_id,
        market["symbol"],
        leg_of(client_id, "", is_reduce_only),
        side_of(row),
        contracts.quantity(row, "sz"),
        contracts.quantity(row, "accFillSz"),
        0.0,
        "last",
        number_or_zero(row, "px"),
        is_reduce_only,
        False,
        int(row.get("cTime") or 0),
        _STATUS.get(_state(row), "cancelled"),
        "",
    )


def algo_from(row: Mapping[str, Any], market: Mapping[str, Any]) -> VenueOrder:
    """Return an algo order; closeFraction 1 is the whole position."""
    client_id, venue_id = str(row.get("algoClOrdId") or ""), str(row["algoId"])
    kind, price, price_type = _trigger(row)
    is_reduce_only = is_true(row, "reduceOnly") or bool(row.get("closeFraction"))
    is_whole = bool(row.get("closeFraction"))
    return VenueOrder(
        client_id or f"{FOREIGN_ID}{venue_id}",
        venue_id,
        market["symbol"],
        leg_of(client_id, kind, is_reduce_only),
        side_of(row),
        0.0 if is_whole else Contracts(market["info"]).quantity(row, "sz"),
        0.0,
        price,
        "mark" if price_type == "mark" else "last",
        0.0,
        is_reduce_only,
        True,
        int(row.get("cTime") or 0),
        _ALGO_STATUS.get(_state(row), "cancelled"),
        _child(row),
    )


def _state(row: Mapping[str, Any]) -> str:
    if not row.get("state"):
        raise Unavailable("the venue's order row has no state")
    return str(row["state"])


def _trigger(row: Mapping[str, Any]) -> tuple[str, float, str]:
    """Return kind, price and price type. Of an OCO the stop is what counts."""
    if row.get("ordType") == "move_order_stop":
        return "trailing", number_or_zero(row, "activePx"), "last"
    for kind, name in (("stop", "sl"), ("take_profit", "tp")):
        if row.get(f"{name}TriggerPx"):
            return kind, number(row, f"{name}TriggerPx"), str(row.get(f"{name}TriggerPxType") or "last")
    return "", number_or_zero(row, "triggerPx"), str(row.get("triggerPxType") or "last")


def _child(row: Mapping[str, Any]) -> str:
    ids = [str(each) for each in row.get("ordIdList") or () if each] or [str(row.get("ordId") or "")]
    return ids[0] if ids[0] != "0" else ""


def is_true(row: Mapping[str, Any], field: str) -> bool:
    """Return whether a field is true, as a text or as itself."""
    return str(row.get(field, "")).lower() == "true"


def plain_request(order: NewOrder, market: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of trade/order. Margin mode is per order here, and ccxt's default is cross."""
    body = {**_head(order, market), "clOrdId": order.client_id, "ordType": order.kind}
    body["sz"] = Contracts(market["info"]).text(order.quantity)
    if order.kind == "limit":
        body["px"] = _decimal(order.limit_price)
    if order.is_reduce_only:
        body["reduceOnly"] = True
    return body


def algo_request(order: NewOrder, market: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of trade/order-algo. The default trigger is the last price: always said otherwise."""
    body = {**_head(order, market), "algoClOrdId": order.client_id, "reduceOnly": order.is_reduce_only}
    if order.quantity == 0.0:
        body["closeFraction"] = "1"
    else:
        body["sz"] = Contracts(market["info"]).text(order.quantity)
    if order.kind == "trailing":
        body |= {"ordType": "move_order_stop", "callbackRatio": _decimal(order.callback_rate)}
        if order.trigger_price > 0.0:
            body["activePx"] = _decimal(order.trigger_price)
        return body
    name = "sl" if order.kind == "stop" else "tp"
    trigger = {
        f"{name}TriggerPx": _decimal(order.trigger_price),
        f"{name}TriggerPxType": order.trigger_on,
        f"{name}OrdPx": "-1",
    }
    return {**body, "ordType": "conditional", "cxlOnClosePos": order.is_reduce_only, **trigger}


def _head(order: NewOrder, market: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "instId": market["id"],
        "tdMode": "isolated",
        "side": _SIDE[order.order_side],
        "posSide": "net",
    }


def _decimal(value: float) -> str:
    return format(Decimal(repr(value)).normalize(), "f")


def sent_order(order: NewOrder, venue_id: str, client_id: str) -> VenueOrder:
    """Return an order as it was taken: the reply has nothing but its ids."""
    return VenueOrder(
        client_id,
        venue_id,
        order.symbol,
        leg_of(client_id, order.kind, order.is_reduce_only),
        order.order_side,
        order.quantity,
        0.0,
        order.trigger_price,
        order.trigger_on,
        order.limit_price,
        order.is_reduce_only,
        order.is_conditional,
        0,
        "open",
        "",
    )
