"""Hyperliquid: actions as documented, signed by ccxt and sent past its order methods.

ccxt's own methods would also cut margin amounts to the coin's size step and set leverage at cross margin.
Sources: Hyperliquid exchange, info and websocket endpoint documents.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import ccxt

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import HYPERLIQUID, VenueProfile
from bot.errors import OutcomeUnknown, Rejected, Unavailable
from bot.exchange.convert import number
from bot.exchange.dialect import Shipped
from bot.exchange.dialects import hyperliquid_orders as orders
from bot.exchange.dialects import hyperliquid_streams as streams
from bot.exchange.dialects.hyperliquid_actions import RECEIVE_WINDOW_MS, send, status_of
from bot.exchange.dialects.hyperliquid_history import History
from bot.exchange.dialects.hyperliquid_ids import order_key
from bot.exchange.dialects.hyperliquid_shared import SharedReplies
from bot.exchange.dialects.hyperliquid_tiers import Coin, coins
from bot.exchange.dialects.hyperliquid_time import LateReadings, VenueTime
from bot.exchange.dialects.open_positions import isolated, mode_of
from bot.exchange.dialects.requests import instrument, listed_fees, refuse_trailing
from bot.exchange.rows import MarginMove, Money, NewOrder, Payment, Settings, Trade, VenueOrder
from bot.exchange.told import AccountTold, MarkTold, Told

_MICRO: Final = 1_000_000
_MARGIN_STEP_QUOTE: Final = 1e-6
_HOUR_MS: Final = 3_600_000
# What a refused release may be called: no document says its words.
_TOO_MUCH: Final = ("insufficient_balance", "position_limit")


class HyperliquidDialect:
    """Keeps the coins' rules, and what our payments tell of settlements; ids are readable back.

    Triggers are on the mark.
    """

    def __init__(self) -> None:
        self._time = VenueTime()
        self._late = LateReadings(self._time, RECEIVE_WINDOW_MS)
        self._shared = SharedReplies()
        self._history = History(self._time, self._shared)
        self._coins: dict[str, Coin] = {}
        self.margin_keepers: frozenset[str] = frozenset()

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return Hyperliquid's rules; it counts no closing fee."""
        return HYPERLIQUID

    # --- reads ------------------------------------------------------------------------------------

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return instruments with the tiers of each coin's margin table.

        Unavailable: a coin is not listed on the venue's own perpetual exchange.
        """
        await client.load_markets(True)
        self._coins = await coins(client)
        found = {}
        for symbol in symbols:
            market = client.market(symbol)
            coin = self._coins.get(market["baseName"])
            if coin is None:
                raise Unavailable(f"Hyperliquid lists no margin table for {symbol}")
            made = instrument(market, coin.tiers, _MARGIN_STEP_QUOTE, listed_fees(market))
            found[symbol] = made._replace(funding_interval_ms=_HOUR_MS)
            keeps = {symbol} if coin.keeps_margin else set[str]()
            self.margin_keepers = self.margin_keepers - {symbol} | keeps
        return found

    async def public_instruments(
        self, client: Any, symbols: Sequence[str], shipped: Shipped
    ) -> dict[str, Instrument]:
        """Return what `instruments` does: it asks nothing that takes a key."""
        return await self.instruments(client, symbols)

    async def money(self, client: Any) -> Money:
        """Return what may be withdrawn, and the account's value without unrealised PnL."""
        state = await self._state(client)
        pnl = sum(number(row["position"], "unrealizedPnl") for row in state["assetPositions"])
        return Money(number(state, "withdrawable"), number(state["marginSummary"], "accountValue") - pnl)

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return positions; the wallet is worked out of what does not move with the mark."""
        state = await self._state(client)
        return tuple(_position(client, row["position"]) for row in state["assetPositions"])

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return the symbol's orders; plain and trigger orders share one list."""
        wanted = client.market(symbol)
        asked = {"type": "frontendOpenOrders", "user": client.walletAddress}
        rows = await self._shared.rows(
            client, "orders", symbol, 0, lambda _: client.publicPostInfo(dict(asked))
        )
        return tuple(orders.order_from(symbol, row) for row in rows if row["coin"] == wanted["baseName"])

    async def order(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> VenueOrder:
        """Return an order by our id: all kinds are kept together."""
        asked = {"type": "orderStatus", "user": client.walletAddress, "oid": order_key(client_id)}
        reply = await client.publicPostInfo(asked)
        if reply.get("status") != "order":
            raise ccxt.OrderNotFound(f"hyperliquid has no order {client_id}")
        found = reply["order"]
        age_ms = self._time.now_ms(client) - int(found.get("statusTimestamp") or 0)
        return orders.order_from(symbol, found["order"], str(found["status"]), age_ms)

    async def order_by_venue_id(self, client: Any, symbol: str, venue_id: str) -> VenueOrder:
        """Return an order by the venue's id, also a liquidation's, which has only fills."""
        if venue_id.startswith(orders.LIQUIDATION):
            return orders.liquidation_order(symbol, venue_id)
        return await self.order(client, symbol, venue_id, False)

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return fills with the venue's realised PnL, oldest first."""
        return await self._history.trades(client, symbol, since_ms)

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
        """Return funding payments, oldest first."""
        return await self._history.funding(client, symbol, since_ms)

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return the rate of the settlement at `ts_ms`, and the price that ours was counted at."""
        return await self._history.funding_rate_at(client, symbol, ts_ms)

    async def margin_moves(self, client: Any, symbol: str, since_ms: int | None) -> tuple[MarginMove, ...]:
        """Return nothing: the venue keeps no history of margin that was moved. Our ledger counts.

        OutcomeUnknown: the account was read as it was before the last move could have arrived.
        """
        if self._late.may_hide(client, symbol):
            raise OutcomeUnknown(f"no reading is newer than the last margin move of {symbol}")
        return ()

    async def settings(self, client: Any, symbol: str) -> Settings:
        """Return leverage and mode; positions are one-way always."""
        return await self._settings(client, symbol, "settings")

    async def _settings(self, client: Any, symbol: str, reader: str) -> Settings:
        """A start asks for leverages, and then for settings: one reply tells both."""
        asked = {"type": "activeAssetData", "user": client.walletAddress}
        asked["coin"] = client.market(symbol)["baseName"]

        async def read(_: int) -> list[Any]:
            return [await client.publicPostInfo(asked)]

        (row,) = await self._shared.rows(client, f"asset {symbol}", reader, 0, read)
        leverage = row["leverage"]
        return Settings(int(leverage["value"]), leverage["type"] == "isolated", True)

    async def leverages(self, client: Any, symbols: Sequence[str]) -> Mapping[str, int]:
        """Return the symbols' leverage, each asked for by itself."""
        return {each: (await self._settings(client, each, "leverages")).leverage for each in symbols}

    # --- writes -----------------------------------------------------------------------------------

    async def set_one_way(self, client: Any) -> None:
        """Do nothing: there is no other mode."""

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None:
        """Set isolated margin, which is a leverage setting."""
        await self.set_leverage(client, symbol, leverage)

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None:
        """Set leverage at isolated margin: ccxt's set_leverage would switch to cross.

        Rejected, unsent: an open position has more ("Cannot decrease leverage with open position").
        """
        held = _held_leverage(client, symbol, (await self._state(client))["assetPositions"])
        if leverage < held:
            message = f"{symbol} has a position at {held:g}x: Hyperliquid lowers no leverage under one"
            raise Rejected("leverage_refused", message)
        asset = orders.asset(client, symbol)
        action = {"type": "updateLeverage", "asset": asset, "isCross": False, "leverage": leverage}
        await self._send(client, action)

    async def create(self, client: Any, order: NewOrder) -> VenueOrder:
        """Send one order action. Rejected: the venue says so in a reply of status ok."""
        refuse_trailing(order, "Hyperliquid")
        if order.is_conditional and order.trigger_on != "mark":
            raise Rejected("precision", "Hyperliquid triggers on the mark only")
        is_whole = order.is_conditional and order.quantity == 0.0
        action = {
            "type": "order",
            "orders": [await orders.wire(client, order)],
            "grouping": orders.WHOLE_TPSL if is_whole else "na",
        }
        made = orders.taken(order, status_of(await self._send(client, action)))
        return made if made.venue_id else await self._numbered(client, made)

    async def cancel(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> None:
        """Cancel by our id, a foreign order by the venue's. ccxt.OrderNotFound: the venue has none."""
        key, asset = order_key(client_id), orders.asset(client, symbol)
        action: dict[str, Any] = {"type": "cancelByCloid", "cancels": [{"asset": asset, "cloid": key}]}
        if isinstance(key, int):
            action = {"type": "cancel", "cancels": [{"a": asset, "o": key}]}
        await self._send(client, action)

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> None:
        """Add (> 0) or release (< 0) margin in millionths. Rejected, unsent: the coin keeps its margin."""
        coin = self._coins.get(client.market(symbol)["baseName"])
        if amount_quote < 0.0 and coin is not None and coin.keeps_margin:
            message = f"{symbol} is isolated only: Hyperliquid releases margin with the position alone"
            raise Rejected("beyond_removable", message)
        action = {
            "type": "updateIsolatedMargin",
            "asset": orders.asset(client, symbol),
            "isBuy": side > 0,
            "ntli": round(amount_quote * _MICRO),
        }
        self._late.sent(client, symbol)
        try:
            await self._send(client, action)
        except Rejected as error:
            code, said = error.args
            if amount_quote < 0.0 and code in _TOO_MUCH:
                raise Rejected("beyond_removable", said) from None
            raise

    async def _send(self, client: Any, action: dict[str, Any]) -> Any:
        """Send an action; what was read before or meanwhile is not handed out again."""
        self._shared.changed()
        try:
            return await send(client, action)
        finally:
            self._shared.changed()

    async def _state(self, client: Any) -> Any:
        """Read the account, and the venue's time with it."""
        asked = {"type": "clearinghouseState", "user": client.walletAddress}
        row = await self._shared.state(client, lambda: client.publicPostInfo(asked))
        self._time.read(client, row)
        self._late.read(row)
        return row

    async def _numbered(self, client: Any, made: VenueOrder) -> VenueOrder:
        """Read the number of an order whose reply was a word; it was taken, whatever the read says."""
        try:
            found = await self.order(client, made.symbol, made.client_id, made.is_conditional)
        except ccxt.BaseError:
            return made
        return made._replace(venue_id=found.venue_id)

    async def stop_auto_add(self, client: Any, symbol: str) -> None:
        """Do nothing: the venue has no such switch."""

    # --- streams ----------------------------------------------------------------------------------

    def watchers(
        self, client: Any, symbols: Sequence[str], timeframe: str
    ) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        """Return the subscriptions; one message can ask for one of them, all are on one socket."""
        coins = [client.market(symbol)["baseName"] for symbol in symbols]
        marks = [{"type": "activeAssetCtx", "coin": coin} for coin in coins]
        candles = [{"type": "candle", "coin": coin, "interval": timeframe} for coin in coins]
        account = [{"type": each, "user": client.walletAddress} for each in streams.USER_STREAMS]
        return {
            "marks": lambda: streams.watch(client, marks),
            "candles": lambda: streams.watch(client, candles),
            "account": lambda: streams.watch(client, account),
        }

    def told(self, client: Any, message: Any) -> Told | list[Told] | None:
        """Return what a message says."""
        said = streams.told(client, message, self._time)
        if isinstance(said, AccountTold):
            self._history.hear(message)
            self._shared.changed()
        return said

    def forget_user_stream(self, client: Any) -> None:
        """Nothing is to be forgotten: the address is the key."""

    def not_before(self, client: Any, ts_ms: int) -> None:
        """The account may be told late: what an earlier process knew is newer."""
        self._time.learn(client, ts_ms)

    async def marks(self, client: Any, symbols: Sequence[str]) -> tuple[MarkTold, ...]:
        """Return the marks of these symbols, from one reply that has those of all."""
        meta, contexts = await client.publicPostInfo({"type": "metaAndAssetCtxs"})
        wanted = {client.market(symbol)["baseName"]: symbol for symbol in symbols}
        return tuple(
            streams.mark_from(wanted[coin["name"]], row, self._time.told(client, row))
            for coin, row in zip(meta["universe"], contexts, strict=True)
            if coin["name"] in wanted
        )

    # --- what replies mean ------------------------------------------------------------------------

    def refuses_second_stop(self, code: str) -> bool:
        """Return False: no text of the venue says that a second one is refused."""
        return False

    def is_liquidation(self, client_id: str) -> bool:
        """Return whether an order is the venue's liquidation."""
        return client_id.startswith(orders.LIQUIDATION)


def _held_leverage(client: Any, symbol: str, rows: Sequence[Any]) -> float:
    """Return the leverage of the symbol's position, 0.0 without one."""
    coin = client.market(symbol)["baseName"]
    held = (row["position"] for row in rows if row["position"]["coin"] == coin)
    return max((float(row["leverage"]["value"]) for row in held if number(row, "szi")), default=0.0)


def _position(client: Any, row: Mapping[str, Any]) -> Position:
    """marginUsed - unrealizedPnl moves by rounding with every mark; rawUsd, what was paid in, does not."""
    leverage, signed, entry_price = row["leverage"], number(row, "szi"), number(row, "entryPx")
    is_cross = leverage["type"] != "isolated"
    wallet = 0.0 if is_cross else number(leverage, "rawUsd") + signed * entry_price
    return isolated(
        client.safe_symbol(client.coin_to_market_id(row["coin"])),
        signed,
        entry_price,
        wallet,
        float(leverage["value"]),
        0,
        mode_of(is_hedged=False, is_cross=is_cross),
    )
