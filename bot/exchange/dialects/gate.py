"""Gate USDT futures: requests as documented, where ccxt 4.5.90 builds others raw.

Isolated margin is no mode: a leverage above 0 is isolated, 0 is cross. ccxt puts `close` of a conditional
order beside `initial`, where Gate does not look, and refuses more than 100x. A conditional order carries no
id of ours: `text` says where it came from. Sources: Gate APIv4, gateapi-python documents.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import ccxt

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import VenueProfile, gate
from bot.exchange.convert import leg_of, number, number_or_zero
from bot.exchange.dialects.open_positions import isolated, mode_of
from bot.exchange.dialects.requests import (
    SIDE,
    continuous_tiers,
    contracts,
    instrument,
    listed_fees,
    plain,
    refuse_trailing,
    sent,
)
from bot.exchange.rows import Money, NewOrder, Settings, VenueOrder

_SETTLE: Final = "usdt"
_PRICE_TYPE: Final = {"mark": 1, "last": 0}
_AT_OR_ABOVE, _AT_OR_BELOW = 1, 2
_OWN_PREFIX: Final = "t-"
_MARGIN_STEP_QUOTE: Final = 1e-8


class GateDialect:
    """Remembers only which of the venue's ids a conditional order of ours got."""

    def __init__(self) -> None:
        self._venue_ids: dict[str, str] = {}

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return Gate's rules; the taker rate is part of maintenance."""
        return gate(taker_fee_rate)

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return instruments with live tiers; quantities in base units, not contracts."""
        await client.load_markets(True)
        found = {}
        for symbol in symbols:
            market = client.market(symbol)
            tiers = continuous_tiers(await client.fetch_market_leverage_tiers(symbol))
            found[symbol] = instrument(market, tiers, _MARGIN_STEP_QUOTE, listed_fees(market))
        return found

    async def money(self, client: Any) -> Money:
        """Return available balance, and the total, which holds no unrealised PnL."""
        row = await client.privateFuturesGetSettleAccounts({"settle": _SETTLE})
        return Money(number(row, "available"), number(row, "total"))

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return positions; the wallet is `margin`, without unrealised PnL."""
        rows = await client.privateFuturesGetSettlePositions({"settle": _SETTLE, "holding": "true"})
        held = [row for row in rows if number(row, "size") != 0.0]
        return tuple(_position(client, row) for row in held)

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return plain and price-triggered orders: two lists, quantities in contracts."""
        market = client.market(symbol)
        request = {"settle": _SETTLE, "contract": market["id"], "status": "open"}
        rows = await client.privateFuturesGetSettleOrders(dict(request))
        triggered = await client.privateFuturesGetSettlePriceOrders(dict(request))
        ours = {venue_id: client_id for client_id, venue_id in self._venue_ids.items()}
        return (
            *(_plain_order(market, row) for row in rows),
            *(_triggered_order(market, row, ours.get(str(row["id"]), "")) for row in triggered),
        )

    async def settings(self, client: Any, symbol: str) -> Settings:
        """Return leverage and mode of the symbol's position row, which exists without a position too."""
        contract = {"settle": _SETTLE, "contract": client.market(symbol)["id"]}
        row = await client.privateFuturesGetSettlePositionsContract(contract)
        row = row[0] if isinstance(row, list) else row
        leverage = int(number(row, "leverage"))
        return Settings(leverage, leverage > 0, row.get("mode", "single") == "single")

    async def set_one_way(self, client: Any) -> None:
        """Leave dual mode."""
        await client.privateFuturesPostSettleDualMode({"settle": _SETTLE, "dual_mode": False})

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None:
        """Set a leverage above 0, which is isolated margin."""
        await self.set_leverage(client, symbol, leverage)

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None:
        """Set leverage raw: ccxt refuses more than 100x."""
        request = {"settle": _SETTLE, "contract": client.market(symbol)["id"], "leverage": str(leverage)}
        await client.privateFuturesPostSettlePositionsContractLeverage(request)

    async def create(self, client: Any, order: NewOrder) -> VenueOrder:
        """Send an order; sizes are signed contracts."""
        refuse_trailing(order, "Gate")
        if order.is_conditional:
            reply = await client.privateFuturesPostSettlePriceOrders(_triggered(client, order))
            self._venue_ids[order.client_id] = str(reply["id"])
            return sent(order, str(reply["id"]))
        params: dict[str, Any] = {"clientOrderId": _OWN_PREFIX + order.client_id}
        if order.is_reduce_only:
            params["reduceOnly"] = True
        price = order.limit_price if order.kind == "limit" else None
        count = contracts(client.market(order.symbol), order.quantity)
        row = await client.create_order(
            order.symbol, order.kind, SIDE[order.order_side], count, price, params
        )
        return sent(order, str(row["id"]))

    async def cancel(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> None:
        """Cancel by our id; a conditional order by the venue's, which is all it has."""
        if not is_conditional:
            await client.cancel_order(_OWN_PREFIX + client_id, symbol)
            return
        venue_id = client_id if client_id.isdigit() else self._venue_ids.get(client_id)
        if venue_id is None:
            raise ccxt.OrderNotFound(f"gate keeps no conditional order under {client_id}")
        await client.cancel_order(venue_id, symbol, {"trigger": True})
        self._venue_ids.pop(client_id, None)

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> None:
        """Add (> 0) or release (< 0) margin: one endpoint, a signed change."""
        request = {"settle": _SETTLE, "contract": client.market(symbol)["id"], "change": plain(amount_quote)}
        await client.privateFuturesPostSettlePositionsContractMargin(request)


def _triggered(client: Any, order: NewOrder) -> dict[str, Any]:
    """Return a price-triggered order. Size 0 with close: the whole position."""
    market = client.market(order.symbol)
    is_falling = (order.kind == "stop") == (order.order_side < 0)
    initial: dict[str, Any] = {
        "contract": market["id"],
        "size": order.order_side * contracts(market, order.quantity),
        "price": "0",
        "tif": "ioc",
        "reduce_only": True,
    }
    if order.quantity == 0.0:
        initial["close"] = True
    return {
        "settle": _SETTLE,
        "initial": initial,
        "trigger": {
            "strategy_type": 0,
            "price_type": _PRICE_TYPE[order.trigger_on],
            "price": client.price_to_precision(order.symbol, order.trigger_price),
            "rule": _AT_OR_BELOW if is_falling else _AT_OR_ABOVE,
        },
    }


def _position(client: Any, row: Mapping[str, Any]) -> Position:
    market = client.safe_market(row["contract"], None, "_", "contract")
    leverage = number(row, "leverage")
    return isolated(
        market["symbol"],
        number(row, "size") * float(market["contractSize"] or 1.0),
        number(row, "entry_price"),
        number(row, "margin"),
        leverage,
        1_000 * int(row.get("open_time") or 0),
        mode_of(is_hedged=row.get("mode", "single") != "single", is_cross=leverage == 0.0),
    )


def _plain_order(market: Any, row: Mapping[str, Any]) -> VenueOrder:
    client_id = str(row.get("text") or "").removeprefix(_OWN_PREFIX)
    signed, size = number(row, "size"), float(market["contractSize"])
    is_reducing = bool(row.get("is_reduce_only") or row.get("is_close"))
    return VenueOrder(
        client_id,
        str(row["id"]),
        market["symbol"],
        leg_of(client_id, "", is_reducing),
        1 if signed > 0.0 else -1,
        abs(signed) * size,
        abs(signed - number_or_zero(row, "left")) * size,
        0.0,
        "mark",
        number_or_zero(row, "price"),
        is_reducing,
        False,
        round(1_000 * number_or_zero(row, "create_time")),
        "open",
        "",
    )


def _triggered_order(market: Any, row: Mapping[str, Any], client_id: str) -> VenueOrder:
    """Return a conditional order; one that is not remembered goes by the venue's id."""
    initial, trigger = row["initial"], row["trigger"]
    signed, size = number_or_zero(initial, "size"), float(market["contractSize"])
    is_falling = int(trigger["rule"]) == _AT_OR_BELOW
    return VenueOrder(
        client_id or str(row["id"]),
        str(row["id"]),
        market["symbol"],
        leg_of(client_id, "stop", True),
        -1 if signed < 0.0 or (signed == 0.0 and is_falling) else 1,
        abs(signed) * size,
        0.0,
        number(trigger, "price"),
        "mark" if int(trigger["price_type"]) == _PRICE_TYPE["mark"] else "last",
        0.0,
        bool(initial.get("is_reduce_only") or initial.get("is_close")),
        True,
        round(1_000 * number_or_zero(row, "create_time")),
        "open",
        str(row.get("trade_id") or "").removeprefix("0"),
    )
