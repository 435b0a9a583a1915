"""What the venues' own requests have in common: contracts, ids, and an order as it was just sent."""

from typing import Any, Final

from bot.core.instrument import Instrument
from bot.core.tiers import LeverageTier, Tiers, tiers_from_rows
from bot.errors import Rejected, Unavailable
from bot.exchange.convert import leg_of, number
from bot.exchange.rows import NewOrder, VenueOrder

SIDE: Final = {1: "buy", -1: "sell"}
_HOUR_MS: Final = 3_600_000
_USUAL_FUNDING_HOURS: Final = 8
_NO_CAP_QUOTE: Final = 1e18


def contracts(market: Any, quantity: float) -> int | float:
    """Return a quantity in base units as contracts of the venue, whole where its step is whole."""
    count = round(quantity / market["contractSize"], 9)
    return int(count) if count == int(count) else count


def plain(value: float) -> str:
    """Return an amount of money without an exponent, to 8 decimals."""
    return f"{value:.8f}".rstrip("0").rstrip(".")


def sent(order: NewOrder, venue_id: str, client_id: str = "") -> VenueOrder:
    """Return an order whose reply holds its id only; reading tells the rest.

    A market order counts as filled, so that its fills are waited for: they are listed a moment later.
    """
    return VenueOrder(
        client_id or order.client_id,
        venue_id,
        order.symbol,
        leg_of(order.client_id, order.kind, order.is_reduce_only),
        order.order_side,
        order.quantity,
        order.quantity if order.kind == "market" else 0.0,
        order.trigger_price,
        order.trigger_on,
        order.limit_price,
        order.is_reduce_only,
        order.is_conditional,
        0,
        "open" if order.is_conditional or order.kind == "limit" else "done",
        "",
    )


def refuse_trailing(order: NewOrder, title: str) -> None:
    """Rejected: an order kind that would need a request nobody has compared with the documents."""
    if order.kind == "trailing":
        raise Rejected("unavailable", f"trailing stops are not sent to {title}; use a stop that is moved")


def instrument(market: Any, tiers: Tiers, margin_step_quote: float, fees: tuple[float, float]) -> Instrument:
    """Return the instrument of a ccxt market; fees (maker, taker) as the venue lists them."""
    size = float(market["contractSize"] or 1.0)
    limits, precision = market["limits"], market["precision"]
    step = float(precision["amount"]) * size
    return Instrument(
        symbol=market["symbol"],
        tick_size=float(precision["price"]),
        quantity_step=step,
        min_quantity=float(limits["amount"]["min"] or precision["amount"]) * size,
        min_notional_quote=float(limits["cost"]["min"] or 0.0),
        margin_step_quote=margin_step_quote,
        contract_size=size,
        is_inverse=bool(market["inverse"]),
        maker_fee_rate=fees[0],
        taker_fee_rate=fees[1],
        liquidation_fee_rate=0.0,
        max_leverage=float(tiers.max_leverage[0]),
        funding_interval_ms=_USUAL_FUNDING_HOURS * _HOUR_MS,
        tiers=tiers,
    )


def listed_fees(market: Any) -> tuple[float, float]:
    """Return (maker, taker) as ccxt lists them. Unavailable: it lists none."""
    return number(market, "maker"), number(market, "taker")


def continuous_tiers(rows: list[Any]) -> Tiers:
    """Return tiers whose maintenance amounts keep the margin without a jump, as ccxt's have none.

    Unavailable: the venue's table is unusable.
    """
    found: list[LeverageTier] = []
    for row in sorted(rows, key=lambda row: float(row["minNotional"] or 0.0)):
        floor = found[-1].notional_cap if found else 0.0
        rate = number(row, "maintenanceMarginRate")
        before = found[-1] if found else None
        amount = 0.0 if before is None else before.maintenance_amount
        amount += 0.0 if before is None else floor * (rate - before.maintenance_margin_rate)
        cap = float(row["maxNotional"] or _NO_CAP_QUOTE)
        found.append(LeverageTier(floor, cap, rate, amount, number(row, "maxLeverage")))
    return checked_tiers(found)


def jumping_tiers(rows: list[Any]) -> Tiers:
    """Return tiers of a venue that counts each tier's rate on the whole notional, and deducts nothing.

    Unavailable: the venue's table is unusable.
    """
    found: list[LeverageTier] = []
    for row in sorted(rows, key=lambda row: float(row["minNotional"] or 0.0)):
        floor = found[-1].notional_cap if found else 0.0
        cap, rate = float(row["maxNotional"] or _NO_CAP_QUOTE), number(row, "maintenanceMarginRate")
        found.append(LeverageTier(floor, cap, rate, 0.0, number(row, "maxLeverage")))
    try:
        return tiers_from_rows(found, is_continuous=False)
    except ValueError as error:
        raise Unavailable(f"the venue's leverage tiers are unusable: {error}") from None


def checked_tiers(rows: list[LeverageTier]) -> Tiers:
    """Return the table. Unavailable: it is unusable."""
    try:
        return tiers_from_rows(rows)
    except ValueError as error:
        raise Unavailable(f"the venue's leverage tiers are unusable: {error}") from None
