"""Bitget USDT futures (classic account): requests as documented, where ccxt 4.5.90 builds others raw.

ccxt cuts a margin amount to the contract's size step, sends a part take-profit as one for the whole
position, and needs a negative amount for less margin. Sources: Bitget v2 contract documents (set-margin,
set-auto-margin, place-tpsl-order, fills, bill, orders-plan-history, the v2 channels).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import VenueProfile, bitget
from bot.exchange.convert import number, number_or_zero
from bot.exchange.dialect import Shipped
from bot.exchange.dialects import bitget_history as history
from bot.exchange.dialects import bitget_orders as orders
from bot.exchange.dialects import bitget_streams as streams
from bot.exchange.dialects.bitget_orders import PRODUCT, SETTLE
from bot.exchange.dialects.open_positions import isolated, leverage_kept, mode_of
from bot.exchange.dialects.requests import (
    SIDE,
    instrument,
    jumping_tiers,
    listed_fees,
    plain,
    refuse_trailing,
    sent,
)
from bot.exchange.fate import RECEIVE_WINDOW_MS
from bot.exchange.rows import MarginMove, Money, NewOrder, Payment, Settings, Trade, VenueOrder
from bot.exchange.told import MarkTold, Told

_HOLD_SIDE: Final = {1: "long", -1: "short"}
_MARGIN_STEP_QUOTE: Final = 1e-8
_HOUR_MS: Final = 3_600_000
# The venue takes a request for 30 s after the time that was signed.
_VALID_MS: Final = 30_000
_SIGNED_EARLIER_MS: Final = _VALID_MS - RECEIVE_WINDOW_MS


class BitgetDialect:
    """Everything it knows is in the client, which is prepared once."""

    margin_keepers: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._is_prepared = False

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return Bitget's rules; the user's own taker rate is part of maintenance."""
        return bitget(taker_fee_rate)

    # --- reads ------------------------------------------------------------------------------------

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return instruments with live tiers, which deduct nothing, and the account's own fee rates."""
        found = await self._listed(client, symbols)
        for symbol, known in found.items():
            fees = await client.fetch_trading_fee(symbol)
            maker, taker = number(fees, "maker"), number(fees, "taker")
            found[symbol] = known._replace(maker_fee_rate=maker, taker_fee_rate=taker)
        return found

    async def public_instruments(
        self, client: Any, symbols: Sequence[str], shipped: Shipped
    ) -> dict[str, Instrument]:
        """Return instruments with live tiers and the fees that ccxt lists."""
        return await self._listed(client, symbols)

    async def _listed(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        self._prepare(client)
        await client.load_markets(True)
        found = {}
        for symbol in symbols:
            market = client.market(symbol)
            tiers = jumping_tiers(await client.fetch_market_leverage_tiers(symbol))
            found[symbol] = instrument(market, tiers, _MARGIN_STEP_QUOTE, listed_fees(market))._replace(
                funding_interval_ms=int(number(market["info"], "fundInterval") * _HOUR_MS)
            )
        return found

    async def money(self, client: Any) -> Money:
        """Return what an isolated position may take, and the balance without unrealised PnL."""
        balance = await client.fetch_balance({"type": "swap", "productType": PRODUCT})
        for row in balance["info"]:
            if row["marginCoin"] == SETTLE:
                wallet = number(row, "accountEquity") - number_or_zero(row, "unrealizedPL")
                return Money(number(row, "isolatedMaxAvailable"), wallet)
        return Money(0.0, 0.0)

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return positions; the wallet is `marginSize`, without unrealised PnL."""
        rows = await client.fetch_positions(None, {"productType": PRODUCT})
        return tuple(_position(row) for row in rows)

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return plain and TP/SL orders: two lists."""
        return await orders.open_orders(client, symbol)

    async def order(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> VenueOrder:
        """Return an order by our id, from the service that keeps this kind."""
        if is_conditional:
            return await orders.tpsl_order(client, symbol, client_id)
        return await orders.plain_order(client, symbol, {"clientOid": client_id})

    async def order_by_venue_id(self, client: Any, symbol: str, venue_id: str) -> VenueOrder:
        """Return a plain order by the venue's id: also what a TP/SL order became, and a liquidation."""
        return await orders.by_venue_id(client, symbol, venue_id)

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return fills, liquidations included, with the venue's realised PnL."""
        return await history.trades(client, symbol, since_ms)

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
        """Return funding payments, oldest first."""
        return await history.funding(client, symbol, since_ms)

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return the rate of the settlement at `ts_ms`; the venue lists no mark of it."""
        return await history.funding_rate_at(client, symbol, ts_ms)

    async def margin_moves(self, client: Any, symbol: str, since_ms: int | None) -> tuple[MarginMove, ...]:
        """Return margin that was moved by request, from the bills."""
        return await history.margin_moves(client, symbol, since_ms)

    async def settings(self, client: Any, symbol: str) -> Settings:
        """Return the symbol's mode and leverage, and the position's switch, None without a position."""
        row = await _account_of(client, symbol)
        held = await _held_rows(client, symbol)
        is_auto_add = any(each.get("autoMargin") == "on" for each in held) if held else None
        is_one_way = row["posMode"] == "one_way_mode"
        return Settings(_leverage(row), row["marginMode"] == "isolated", is_one_way, is_auto_add)

    async def leverages(self, client: Any, symbols: Sequence[str]) -> Mapping[str, int]:
        """Return the symbols' leverage, asked for one by one."""
        return {symbol: _leverage(await _account_of(client, symbol)) for symbol in symbols}

    # --- writes -----------------------------------------------------------------------------------

    async def set_one_way(self, client: Any) -> None:
        """Leave hedge mode."""
        await client.set_position_mode(False, None, {"productType": PRODUCT})

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None:
        """Set isolated margin."""
        await client.set_margin_mode("isolated", symbol)

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None:
        """Set leverage of both sides. Rejected, unsent: less of it under a position appends margin.

        The bills name it (adjust_down_lever_append_margin); of more nothing is documented.
        """
        if await _held_rows(client, symbol):
            raise leverage_kept(symbol, "Bitget")
        await client.set_leverage(leverage, symbol)

    async def create(self, client: Any, order: NewOrder) -> VenueOrder:
        """Send an order. Margin mode is said with each: ccxt's default is crossed."""
        refuse_trailing(order, "Bitget")
        if order.is_conditional:
            reply = await client.privateMixPostV2MixOrderPlaceTpslOrder(orders.tpsl_request(client, order))
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
        if is_conditional:
            await orders.cancel_tpsl(client, symbol, client_id)
        else:
            await client.cancel_order("", symbol, {"clientOrderId": client_id})

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> None:
        """Add (> 0) or release (< 0, a negative amount) raw: ccxt would cut the amount."""
        request = {
            **orders.pair(client, symbol),
            "holdSide": _HOLD_SIDE[side],
            "amount": plain(amount_quote),
        }
        await client.privateMixPostV2MixAccountSetMargin(request)

    async def stop_auto_add(self, client: Any, symbol: str) -> None:
        """Switch it off for what is held: it belongs to the position and to its side."""
        for row in await _held_rows(client, symbol):
            request = {**_coin(client, symbol), "autoMargin": "off", "holdSide": row["holdSide"]}
            await client.privateMixPostV2MixAccountSetAutoMargin(request)

    # --- streams ----------------------------------------------------------------------------------

    def watchers(
        self, client: Any, symbols: Sequence[str], timeframe: str
    ) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        """Return the subscriptions; marks are part of the ticker."""
        names = list(symbols)
        return {
            "marks": lambda: streams.watch_marks(client, names),
            "candles": lambda: streams.watch_candles(client, names, timeframe),
            "account": lambda: streams.watch_account(client),
        }

    def told(self, client: Any, message: Any) -> Told | list[Told] | None:
        """Return what a message says."""
        return streams.told(client.markets_by_id or {}, message)

    def forget_user_stream(self, client: Any) -> None:
        """Nothing: a login belongs to its socket and goes with it."""

    def not_before(self, client: Any, ts_ms: int) -> None:
        """Nothing: prices carry their time."""

    async def marks(self, client: Any, symbols: Sequence[str]) -> tuple[MarkTold, ...]:
        """Return mark and next settlement of each symbol, from two endpoints."""
        found = []
        for symbol in symbols:
            asked = orders.named(client, symbol)
            (price,) = (await client.publicMixGetV2MixMarketSymbolPrice(asked))["data"]
            (due,) = (await client.publicMixGetV2MixMarketFundingTime(asked))["data"]
            mark, due_ms = number(price, "markPrice"), int(due["nextFundingTime"])
            found.append(MarkTold(int(price["ts"]), symbol, mark, due_ms))
        return tuple(found)

    # --- what replies mean ------------------------------------------------------------------------

    def refuses_second_stop(self, code: str) -> bool:
        """Return False: the documents name no such refusal; a second stop is sent for the quantity held."""
        return False

    def is_liquidation(self, client_id: str) -> bool:
        """Return whether an order is the venue's liquidation."""
        return client_id.startswith(orders.BURST)

    def _prepare(self, client: Any) -> None:
        """Sign with a time that expires with the receive window: a lost request must be lost after it."""
        if self._is_prepared:
            return
        self._is_prepared, nonce = True, client.nonce
        client.nonce = lambda: nonce() - _SIGNED_EARLIER_MS


async def _account_of(client: Any, symbol: str) -> Mapping[str, Any]:
    return (await client.fetch_leverage(symbol))["info"]


def _leverage(row: Mapping[str, Any]) -> int:
    """Return the lower of both sides, should they differ."""
    return min(int(row["isolatedLongLever"]), int(row["isolatedShortLever"]))


async def _held_rows(client: Any, symbol: str) -> list[Mapping[str, Any]]:
    reply = await client.privateMixGetV2MixPositionSinglePosition(orders.pair(client, symbol))
    return [row for row in reply["data"] or () if number(row, "total") > 0.0]


def _coin(client: Any, symbol: str) -> dict[str, Any]:
    return {"symbol": client.market(symbol)["id"], "marginCoin": SETTLE}


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
