"""KuCoin futures (classic account): requests as documented, where ccxt 4.5.90 builds others raw.

Isolated leverage belongs to each order, and ccxt sends 1x where none is said. Its set_leverage is for cross
margin. It passes its own `trigger` flag on when cancelling. Sources: KuCoin futures documents (add order,
deposit-margin, withdrawMargin, cancel).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import ccxt

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import VenueProfile, kucoin
from bot.errors import Rejected
from bot.exchange.convert import leg_of, number, number_or_zero, side_of
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

_SETTLE: Final = "USDT"
_PRICE_TYPE: Final = {"mark": "MP", "last": "TP"}
_MARGIN_STEP_QUOTE: Final = 1e-8


class KucoinDialect:
    """Remembers the leverage that each symbol's next order is to have: the venue keeps none."""

    def __init__(self) -> None:
        self._leverage: dict[str, int] = {}

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return KuCoin's rules; the liquidation fee it counts equals the taker fee."""
        return kucoin(taker_fee_rate)

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return instruments with live tiers; quantities in base units, not contracts."""
        await client.load_markets(True, {"marginables": False})
        found = {}
        for symbol in symbols:
            market = client.market(symbol)
            tiers = continuous_tiers(await client.fetch_market_leverage_tiers(symbol))
            found[symbol] = instrument(market, tiers, _MARGIN_STEP_QUOTE, listed_fees(market))
        return found

    async def money(self, client: Any) -> Money:
        """Return available balance, and the equity without unrealised PnL."""
        row = (await client.futuresPrivateGetAccountOverview({"currency": _SETTLE}))["data"]
        wallet = number(row, "accountEquity") - number_or_zero(row, "unrealisedPNL")
        return Money(number(row, "availableBalance"), wallet)

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return positions; the wallet is `posMargin`, for `maintMargin` holds unrealised PnL."""
        rows = (await client.futuresPrivateGetPositions({"currency": _SETTLE}))["data"] or []
        return tuple(_position(client, row) for row in rows if number_or_zero(row, "currentQty"))

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return plain and stop orders: two lists, quantities in contracts."""
        market = client.market(symbol)
        rows = await client.fetch_open_orders(symbol)
        stops = await client.fetch_open_orders(symbol, None, None, {"stop": True})
        return (
            *(_order(market, row, False) for row in rows),
            *(_order(market, row, True) for row in stops),
        )

    async def settings(self, client: Any, symbol: str) -> Settings:
        """Return the modes of the venue, and the leverage that orders will be sent with."""
        margin = await client.fetch_margin_mode(symbol)
        position = await client.fetch_position_mode(symbol)
        is_isolated = margin["info"]["marginMode"] == "ISOLATED"
        return Settings(self._leverage.get(symbol, 0), is_isolated, not position["hedged"])

    async def set_one_way(self, client: Any) -> None:
        """Leave hedge mode."""
        await client.set_position_mode(False)

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None:
        """Set isolated margin."""
        await client.set_margin_mode("isolated", symbol)

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None:
        """Remember the leverage for this symbol's orders; nothing is sent."""
        self._leverage[symbol] = leverage

    async def create(self, client: Any, order: NewOrder) -> VenueOrder:
        """Send an order raw. Rejected: an entry whose leverage was not set, which would be 1x."""
        refuse_trailing(order, "KuCoin")
        reply = await client.futuresPrivatePostOrders(self._request(client, order))
        return sent(order, str(reply["data"]["orderId"]))

    async def cancel(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> None:
        """Cancel by our id; a stop by the venue's, which is looked up by ours."""
        if not is_conditional:
            await client.cancel_order("", symbol, {"clientOrderId": client_id})
            return
        for row in await client.fetch_open_orders(symbol, None, None, {"stop": True}):
            if row["clientOrderId"] == client_id:
                await client.cancel_order(row["id"], symbol)
                return
        raise ccxt.OrderNotFound(f"kucoinfutures has no open stop {client_id}")

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> None:
        """Deposit (> 0, with a new bizNo) or withdraw (< 0) margin.

        A reply of success without data says that there is no position.
        """
        try:
            reply = await _move(client, client.market(symbol)["id"], amount_quote)
        except ccxt.OrderNotFound as error:  # what ccxt makes of "Position does not exist"
            raise Rejected("no_position", str(error)) from None
        if not reply.get("data"):
            raise Rejected("no_position", f"KuCoin moved nothing: {reply.get('msg', 'no data')}")

    def _request(self, client: Any, order: NewOrder) -> dict[str, Any]:
        request: dict[str, Any] = {
            "clientOid": order.client_id,
            "symbol": client.market(order.symbol)["id"],
            "type": "limit" if order.kind == "limit" else "market",
            "marginMode": "ISOLATED",
            "side": SIDE[order.order_side],
        }
        if order.quantity:
            request["size"] = contracts(client.market(order.symbol), order.quantity)
        if order.kind == "limit":
            request["price"] = client.price_to_precision(order.symbol, order.limit_price)
        return {**request, **self._purpose(order), **_trigger(client, order)}

    def _purpose(self, order: NewOrder) -> dict[str, Any]:
        if order.is_reduce_only:
            return {"reduceOnly": True} if order.quantity else {"closeOrder": True}
        leverage = self._leverage.get(order.symbol, 0)
        if leverage < 1:
            raise Rejected("leverage_refused", f"no leverage was set for {order.symbol}: it would be 1x")
        return {"leverage": leverage}


async def _move(client: Any, market_id: str, amount_quote: float) -> Any:
    if amount_quote < 0.0:
        request = {"symbol": market_id, "withdrawAmount": plain(-amount_quote)}
        return await client.futuresPrivatePostMarginWithdrawMargin(request)
    request = {"symbol": market_id, "margin": plain(amount_quote), "bizNo": client.uuid()}
    return await client.futuresPrivatePostPositionMarginDepositMargin(request)


def _trigger(client: Any, order: NewOrder) -> dict[str, Any]:
    if not order.is_conditional:
        return {}
    is_falling = (order.kind == "stop") == (order.order_side < 0)
    return {
        "stop": "down" if is_falling else "up",
        "stopPrice": client.price_to_precision(order.symbol, order.trigger_price),
        "stopPriceType": _PRICE_TYPE[order.trigger_on],
    }


def _position(client: Any, row: Mapping[str, Any]) -> Position:
    market = client.safe_market(row["symbol"])
    is_cross = bool(row.get("crossMode")) or row.get("marginMode", "ISOLATED") != "ISOLATED"
    return isolated(
        market["symbol"],
        number(row, "currentQty") * float(market["contractSize"] or 1.0),
        number(row, "avgEntryPrice"),
        number(row, "posMargin"),
        number_or_zero(row, "leverage") or number_or_zero(row, "realLeverage"),
        int(row.get("openingTimestamp") or 0),
        mode_of(is_hedged=row.get("positionSide", "BOTH") != "BOTH", is_cross=is_cross),
    )


def _order(market: Any, row: Mapping[str, Any], is_conditional: bool) -> VenueOrder:
    info, size = row["info"], float(market["contractSize"])
    client_id, is_whole = str(row["clientOrderId"] or ""), bool(info.get("closeOrder"))
    is_reducing = bool(info.get("reduceOnly")) or is_whole
    return VenueOrder(
        client_id,
        str(row["id"]),
        row["symbol"],
        leg_of(client_id, "stop" if is_conditional else "", is_reducing),
        side_of(row),
        0.0 if is_whole else number_or_zero(row, "amount") * size,
        number_or_zero(row, "filled") * size,
        number_or_zero(info, "stopPrice"),
        "mark" if info.get("stopPriceType") == "MP" else "last",
        number_or_zero(info, "price") if row.get("type") == "limit" else 0.0,
        is_reducing,
        is_conditional,
        int(row.get("timestamp") or 0),
        "open",
        "",
    )
