"""Bybit's rows of markets and positions, and lists that come in pages."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.tiers import LeverageTier, Tiers, tiers_from_rows
from bot.errors import Unavailable
from bot.exchange.convert import number, number_or_zero
from bot.exchange.dialects.open_positions import not_managed

CATEGORY: Final = "linear"
SETTLE: Final = "USDT"
MARGIN_STEP_QUOTE: Final = 1e-4
_MINUTE_MS: Final = 60_000
_MOST_PAGES: Final = 100
_SIDE: Final = {"Buy": 1, "Sell": -1}

Call = Callable[[Any], Awaitable[Any]]


async def pages(
    call: Call, params: Mapping[str, Any], is_enough: Callable[[Sequence[Any]], bool] = lambda _: False
) -> list[Any]:
    """Return the rows of every page, newest first; `is_enough` of a page ends it there."""
    rows: list[Any] = []
    cursor = ""
    for _ in range(_MOST_PAGES):
        more = {"cursor": cursor} if cursor else {}
        result = (await call({**params, **more}))["result"]
        page = result.get("list") or []
        rows += page
        cursor = result.get("nextPageCursor") or ""
        if not cursor or not page or is_enough(page):
            return rows
    raise Unavailable(f"the venue's list does not end after {_MOST_PAGES} pages")


def symbol_of(client: Any, row: Mapping[str, Any]) -> str:
    """Return our symbol of a row; the venue's own name for one that is not loaded."""
    markets = (client.markets_by_id or {}).get(row["symbol"]) or ()
    return next((each["symbol"] for each in markets if each["swap"]), str(row["symbol"]))


def instrument_from(
    market: Mapping[str, Any], tiers: Sequence[Mapping[str, Any]], fees: Mapping[str, Any]
) -> Instrument:
    """Return an instrument; maintenance amounts are `mmDeduction`, empty in the first tier."""
    info = market["info"]
    lot = info["lotSizeFilter"]
    return Instrument(
        symbol=market["symbol"],
        tick_size=number(info["priceFilter"], "tickSize"),
        quantity_step=number(lot, "qtyStep"),
        min_quantity=number(lot, "minOrderQty"),
        min_notional_quote=number(lot, "minNotionalValue"),
        margin_step_quote=MARGIN_STEP_QUOTE,
        contract_size=1.0,
        is_inverse=False,
        maker_fee_rate=number(fees, "maker"),
        taker_fee_rate=number(fees, "taker"),
        liquidation_fee_rate=0.0,
        max_leverage=number(info["leverageFilter"], "maxLeverage"),
        funding_interval_ms=int(info["fundingInterval"]) * _MINUTE_MS,
        tiers=_tiers(tiers),
    )


def _tiers(rows: Sequence[Mapping[str, Any]]) -> Tiers:
    """A row says where it ends; it begins where the one below it ends."""
    floor, found = 0.0, []
    for row in sorted(rows, key=lambda row: number(row, "riskLimitValue")):
        cap, rate = number(row, "riskLimitValue"), number(row, "maintenanceMargin")
        amount = number_or_zero(row, "mmDeduction")
        found.append(LeverageTier(floor, cap, rate, amount, number(row, "maxLeverage")))
        floor = cap
    try:
        return tiers_from_rows(found)
    except ValueError as error:
        raise Unavailable(f"the venue's risk limits are unusable: {error}") from None


def position_from(symbol: str, row: Mapping[str, Any]) -> Position:
    """Return an open position. UserError: it is hedged or cross, and has no wallet of its own."""
    wallet = number(row, "positionBalance")
    _refuse_other_modes(symbol, row, wallet)
    return Position(
        symbol,
        _SIDE[row["side"]],
        number(row, "size"),
        number(row, "avgPrice"),
        wallet,
        number(row, "leverage"),
        int(row.get("updatedTime") or 0),
    )


def _refuse_other_modes(symbol: str, row: Mapping[str, Any], wallet: float) -> None:
    """`tradeMode` says nothing on unified accounts; a cross position has no balance."""
    is_hedged = int(row["positionIdx"]) != 0
    if not is_hedged and wallet != 0.0:
        return
    mode = "hedge mode" if is_hedged else "cross margin"
    raise not_managed(symbol, mode)
