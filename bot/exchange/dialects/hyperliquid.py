"""Hyperliquid: actions as documented, signed by ccxt and sent past its order methods.

Before a first order ccxt 4.5.90 signs two actions nobody asked for: it approves a fee for its builder and
sets a referrer. It also cuts margin amounts to the coin's size step. Sources: Hyperliquid exchange endpoint
documents.
"""

import string
from collections.abc import Mapping, Sequence
from typing import Any, Final

import ccxt

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import HYPERLIQUID, VenueProfile
from bot.core.tiers import LeverageTier
from bot.errors import Rejected
from bot.exchange.convert import leg_of, number, number_or_zero
from bot.exchange.dialects.open_positions import isolated, mode_of
from bot.exchange.dialects.requests import checked_tiers, instrument, listed_fees, refuse_trailing, sent
from bot.exchange.rows import Money, NewOrder, Settings, VenueOrder

_MICRO: Final = 1_000_000
_SLIPPAGE: Final = 0.05  # a market order is an immediate limit order that far off
_ALPHABET: Final = string.digits + string.ascii_letters
_BASE: Final = len(_ALPHABET) + 1
_ID_BITS: Final = 104
_MOST_CHARACTERS: Final = 17
_OURS: Final = 0x524601
_WHOLE_TPSL: Final = "positionTpsl"
_TPSL: Final = {"stop": "sl", "take_profit": "tp"}
_MARGIN_STEP_QUOTE: Final = 1e-6
_NO_CAP_QUOTE: Final = 1e18


class HyperliquidDialect:
    """Stateless: everything it knows is in the client. Triggers are always on the mark."""

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return Hyperliquid's rules; it counts no closing fee."""
        return HYPERLIQUID

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return instruments; the maintenance rate is half the initial rate at the coin's most leverage."""
        await client.load_markets(True)
        found = {}
        for symbol in symbols:
            market = client.market(symbol)
            most = number(market["info"], "maxLeverage")
            tiers = checked_tiers([LeverageTier(0.0, _NO_CAP_QUOTE, 0.5 / most, 0.0, most)])
            found[symbol] = instrument(market, tiers, _MARGIN_STEP_QUOTE, listed_fees(market))
        return found

    async def money(self, client: Any) -> Money:
        """Return what may be withdrawn, and the account's value without unrealised PnL."""
        state = await _state(client)
        pnl = sum(number(row["position"], "unrealizedPnl") for row in state["assetPositions"])
        return Money(number(state, "withdrawable"), number(state["marginSummary"], "accountValue") - pnl)

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return positions; `marginUsed` holds unrealised PnL."""
        state = await _state(client)
        return tuple(_position(client, row["position"]) for row in state["assetPositions"])

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return the symbol's orders; plain and trigger orders share one list."""
        wanted = client.market(symbol)
        rows = await client.publicPostInfo({"type": "frontendOpenOrders", "user": client.walletAddress})
        return tuple(_order(symbol, row) for row in rows if row["coin"] == wanted["baseName"])

    async def settings(self, client: Any, symbol: str) -> Settings:
        """Return leverage and mode; positions are one-way always."""
        asked = {"type": "activeAssetData", "user": client.walletAddress}
        row = await client.publicPostInfo({**asked, "coin": client.market(symbol)["baseName"]})
        leverage = row["leverage"]
        return Settings(int(leverage["value"]), leverage["type"] == "isolated", True)

    async def set_one_way(self, client: Any) -> None:
        """Do nothing: there is no other mode."""

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None:
        """Set isolated margin, which is a leverage setting."""
        await client.set_margin_mode("isolated", symbol, {"leverage": leverage})

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None:
        """Set leverage at isolated margin: ccxt's set_leverage would switch to cross."""
        await client.set_margin_mode("isolated", symbol, {"leverage": leverage})

    async def create(self, client: Any, order: NewOrder) -> VenueOrder:
        """Send one order action. Rejected: the venue says so in a reply of status ok."""
        refuse_trailing(order, "Hyperliquid")
        if order.is_conditional and order.trigger_on != "mark":
            raise Rejected("precision", "Hyperliquid triggers on the mark only")
        is_whole = order.is_conditional and order.quantity == 0.0
        action = {
            "type": "order",
            "orders": [await self._wire(client, order)],
            "grouping": _WHOLE_TPSL if is_whole else "na",
        }
        status = _status(await _send(client, action))
        resting = status.get("resting") or status.get("filled") or {}
        return sent(order, str(resting.get("oid", "")))

    async def cancel(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> None:
        """Cancel by our id. Rejected: the venue has no such order."""
        cancel = {"asset": _asset(client, symbol), "cloid": cloid(client_id)}
        _status(await _send(client, {"type": "cancelByCloid", "cancels": [cancel]}))

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> None:
        """Add (> 0) or release (< 0) margin in millionths."""
        action = {
            "type": "updateIsolatedMargin",
            "asset": _asset(client, symbol),
            "isBuy": side > 0,
            "ntli": round(amount_quote * _MICRO),
        }
        await _send(client, action)

    async def _wire(self, client: Any, order: NewOrder) -> dict[str, Any]:
        """Return an order as the venue signs it: the order of the fields is part of the signature."""
        symbol, size = order.symbol, "0"
        if order.quantity:
            size = client.amount_to_precision(symbol, order.quantity)
        return {
            "a": _asset(client, symbol),
            "b": order.order_side > 0,
            "p": client.price_to_precision(symbol, await _limit(client, order)),
            "s": size,
            "r": order.is_reduce_only,
            "t": _kind(client, order),
            "c": cloid(order.client_id),
        }


def cloid(client_id: str) -> str:
    """Return our id as the venue's 128 bits, readable back. Rejected: too long, or not letters and digits.

    24 bits say that it is ours; the characters are digits of base 63, none of them 0.
    """
    if len(client_id) > _MOST_CHARACTERS or not all(each in _ALPHABET for each in client_id):
        raise Rejected("precision", f"the id {client_id} does not fit into Hyperliquid's 128 bits")
    value = 0
    for each in client_id:
        value = value * _BASE + _ALPHABET.index(each) + 1
    return f"0x{_OURS << _ID_BITS | value:032x}"


def client_id_of(text: str | None) -> str:
    """Return our id from the venue's; a foreign one as it is, none as ""."""
    value = int(text, 16) if text else 0
    if not text or value >> _ID_BITS != _OURS:
        return text or ""
    value &= (1 << _ID_BITS) - 1
    letters = []
    while value:
        value, digit = divmod(value, _BASE)
        letters.append(_ALPHABET[digit - 1])
    return "".join(reversed(letters))


async def _state(client: Any) -> Any:
    return await client.publicPostInfo({"type": "clearinghouseState", "user": client.walletAddress})


async def _send(client: Any, action: dict[str, Any]) -> Any:
    nonce = client.incrementing_nonce()
    signature = client.sign_l1_action(action, nonce, None)
    return await client.privatePostExchange({"action": action, "nonce": nonce, "signature": signature})


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


def _status(reply: Any) -> dict[str, Any]:
    """Return the one status of a reply. ccxt raises for most errors itself; what it lets pass is refused."""
    (status,) = reply["response"]["data"]["statuses"]
    if isinstance(status, str):
        return {}
    if "error" in status:
        if "never placed" in status["error"] or "already canceled" in status["error"]:
            raise ccxt.OrderNotFound(f"hyperliquid {status['error']}")
        raise Rejected("position_limit", f"Hyperliquid: {status['error']}")
    return status


def _asset(client: Any, symbol: str) -> int:
    return int(client.market(symbol)["baseId"])


def _position(client: Any, row: Mapping[str, Any]) -> Position:
    leverage = row["leverage"]
    wallet = number(row, "marginUsed") - number(row, "unrealizedPnl")
    return isolated(
        client.safe_symbol(client.coin_to_market_id(row["coin"])),
        number(row, "szi"),
        number(row, "entryPx"),
        wallet,
        float(leverage["value"]),
        0,
        mode_of(is_hedged=False, is_cross=leverage["type"] != "isolated"),
    )


def _order(symbol: str, row: Mapping[str, Any]) -> VenueOrder:
    client_id, is_trigger = client_id_of(row.get("cloid")), bool(row.get("isTrigger"))
    is_whole = bool(row.get("isPositionTpsl"))
    kind = "take_profit" if "Take Profit" in str(row.get("orderType")) else "stop" if is_trigger else ""
    return VenueOrder(
        client_id,
        str(row["oid"]),
        symbol,
        leg_of(client_id, kind, bool(row.get("reduceOnly"))),
        1 if row["side"] == "B" else -1,
        0.0 if is_whole else number(row, "origSz"),
        0.0 if is_whole else number(row, "origSz") - number(row, "sz"),
        number_or_zero(row, "triggerPx") if is_trigger else 0.0,
        "mark",
        0.0 if is_trigger else number(row, "limitPx"),
        bool(row.get("reduceOnly")) or is_whole,
        is_trigger,
        int(row["timestamp"]),
        "open",
        "",
    )
