"""Bitget USDT futures (classic account): requests as documented, where ccxt 4.5.90 builds others raw.

ccxt cuts a margin amount to the contract's size step, sends a part take-profit as one for the whole
position, and needs a negative amount for less margin. Sources: Bitget v2 contract documents (set-margin,
place-tpsl-order).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import VenueProfile, bitget
from bot.exchange.convert import leg_of, number, number_or_zero, side_of, status_of
from bot.exchange.dialects.open_positions import isolated, mode_of
from bot.exchange.dialects.requests import (
    SIDE,
    continuous_tiers,
    instrument,
    listed_fees,
    plain,
    refuse_trailing,
    sent,
)
from bot.exchange.rows import Money, NewOrder, Settings, VenueOrder

_SETTLE: Final = "USDT"
_PRODUCT: Final = "USDT-FUTURES"
_CONDITIONAL: Final = {"trigger": True, "planType": "profit_loss"}
_HOLD_SIDE: Final = {1: "long", -1: "short"}
_TRIGGER: Final = {"mark": "mark_price", "last": "fill_price"}
# Of a whole position, and of a part of one.
_PLAN: Final = {"stop": ("pos_loss", "loss_plan"), "take_profit": ("pos_profit", "profit_plan")}
_MARGIN_STEP_QUOTE: Final = 1e-8


class BitgetDialect:
    """Stateless: everything it knows is in the client."""

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return Bitget's rules; the user's own taker rate is part of maintenance."""
        return bitget(taker_fee_rate)

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return instruments with live tiers."""
        await client.load_markets(True)
        found = {}
        for symbol in symbols:
            market = client.market(symbol)
            tiers = continuous_tiers(await client.fetch_market_leverage_tiers(symbol))
            found[symbol] = instrument(market, tiers, _MARGIN_STEP_QUOTE, listed_fees(market))
        return found

    async def money(self, client: Any) -> Money:
        """Return what an isolated position may take, and the balance without unrealised PnL."""
        balance = await client.fetch_balance({"type": "swap", "productType": _PRODUCT})
        for row in balance["info"]:
            if row["marginCoin"] == _SETTLE:
                wallet = number(row, "accountEquity") - number_or_zero(row, "unrealizedPL")
                return Money(number(row, "isolatedMaxAvailable"), wallet)
        return Money(0.0, 0.0)

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return positions; the wallet is `marginSize`, without unrealised PnL."""
        rows = await client.fetch_positions(None, {"productType": _PRODUCT})
        return tuple(_position(row) for row in rows)

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return plain and TP/SL orders: two lists."""
        plain_rows = await client.fetch_open_orders(symbol)
        conditional = await client.fetch_open_orders(symbol, None, None, dict(_CONDITIONAL))
        return (*(_order(row, False) for row in plain_rows), *(_order(row, True) for row in conditional))

    async def settings(self, client: Any, symbol: str) -> Settings:
        """Return the symbol's mode and leverage; the lower of both sides, should they differ."""
        row = (await client.fetch_leverage(symbol))["info"]
        both = int(row["isolatedLongLever"]), int(row["isolatedShortLever"])
        return Settings(min(both), row["marginMode"] == "isolated", row["posMode"] == "one_way_mode")

    async def set_one_way(self, client: Any) -> None:
        """Leave hedge mode."""
        await client.set_position_mode(False, None, {"productType": _PRODUCT})

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None:
        """Set isolated margin."""
        await client.set_margin_mode("isolated", symbol)

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None:
        """Set leverage of both sides."""
        await client.set_leverage(leverage, symbol)

    async def create(self, client: Any, order: NewOrder) -> VenueOrder:
        """Send an order. Margin mode is said with each: ccxt's default is crossed."""
        refuse_trailing(order, "Bitget")
        if order.is_conditional:
            reply = await client.privateMixPostV2MixOrderPlaceTpslOrder(_tpsl(client, order))
            return sent(order, str(reply["data"]["orderId"]))
        params: dict[str, Any] = {"marginMode": "isolated", "clientOrderId": order.client_id}
        if order.is_reduce_only:
            params["reduceOnly"] = True
        price = order.limit_price if order.kind == "limit" else None
        row = await client.create_order(
            order.symbol, order.kind, SIDE[order.order_side], order.quantity, price, params
        )
        return sent(order, str(row["id"]))

    async def cancel(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> None:
        """Cancel by our id in the list that keeps this kind."""
        params = {"clientOrderId": client_id, **({"trigger": True} if is_conditional else {})}
        await client.cancel_order("", symbol, params)

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> None:
        """Add (> 0) or release (< 0, a negative amount) raw: ccxt would cut the amount."""
        await client.privateMixPostV2MixAccountSetMargin(
            {
                "symbol": client.market(symbol)["id"],
                "productType": _PRODUCT,
                "marginCoin": _SETTLE,
                "holdSide": _HOLD_SIDE[side],
                "amount": plain(amount_quote),
            }
        )


def _tpsl(client: Any, order: NewOrder) -> dict[str, Any]:
    """Return a TP/SL order. In one-way mode holdSide is the position's side as "buy" or "sell"."""
    whole, part = _PLAN[order.kind]
    request = {
        "symbol": client.market(order.symbol)["id"],
        "productType": _PRODUCT,
        "marginCoin": _SETTLE,
        "planType": part if order.quantity else whole,
        "triggerPrice": client.price_to_precision(order.symbol, order.trigger_price),
        "triggerType": _TRIGGER[order.trigger_on],
        "holdSide": SIDE[-order.order_side],
        "clientOid": order.client_id,
    }
    if order.quantity:
        request["size"] = client.amount_to_precision(order.symbol, order.quantity)
    return request


def _position(row: Mapping[str, Any]) -> Position:
    info = row["info"]
    signed = number(info, "total") * (1.0 if info["holdSide"] == "long" else -1.0)
    mode = mode_of(
        is_hedged=info.get("posMode", "one_way_mode") != "one_way_mode",
        is_cross=info["marginMode"] != "isolated",
    )
    return isolated(
        row["symbol"],
        signed,
        number(info, "openPriceAvg"),
        number(info, "marginSize"),
        number(info, "leverage"),
        int(info.get("cTime") or 0),
        mode,
    )


def _order(row: Mapping[str, Any], is_conditional: bool) -> VenueOrder:
    info = row["info"]
    client_id, plan = str(info.get("clientOid") or ""), str(info.get("planType") or "")
    is_whole = plan.startswith("pos_")
    kind = "take_profit" if "profit" in plan else "stop" if "loss" in plan else str(row.get("type"))
    is_reducing = is_conditional or str(info.get("reduceOnly")).upper() in ("YES", "TRUE")
    return VenueOrder(
        client_id,
        str(row["id"]),
        row["symbol"],
        leg_of(client_id, kind, is_reducing),
        side_of(row),
        0.0 if is_whole else number_or_zero(row, "amount"),
        number_or_zero(row, "filled"),
        number_or_zero(info, "triggerPrice"),
        "mark" if info.get("triggerType") == "mark_price" else "last",
        number_or_zero(row, "price") if row.get("type") == "limit" else 0.0,
        is_reducing,
        is_conditional,
        int(row.get("timestamp") or 0),
        status_of(row) if row.get("status") else "open",
        "",
    )
