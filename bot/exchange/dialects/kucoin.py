"""KuCoin futures (classic account): requests as documented, where ccxt 4.5.90 builds others raw.

Isolated leverage belongs to each order, and ccxt sends 1x where none is said. Its set_leverage is for cross
margin. It passes its own `trigger` flag on when cancelling. Sources: KuCoin futures documents (add order,
deposit-margin, withdrawMargin, auto-deposit-status, cancel, recentFills, funding-history, classic topics).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import ccxt

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import VenueProfile, kucoin
from bot.errors import Rejected
from bot.exchange.convert import number, number_or_zero
from bot.exchange.dialect import Shipped
from bot.exchange.dialects import kucoin_orders as orders
from bot.exchange.dialects import kucoin_streams as streams
from bot.exchange.dialects.kucoin_history import History
from bot.exchange.dialects.open_positions import isolated, leverage_kept, mode_of
from bot.exchange.dialects.requests import (
    continuous_tiers,
    instrument,
    listed_fees,
    plain,
    refuse_trailing,
    sent,
)
from bot.exchange.rows import MarginMove, Money, NewOrder, Payment, Settings, Trade, VenueOrder
from bot.exchange.told import MarkTold, Told

_SETTLE: Final = "USDT"
_MARGIN_STEP_QUOTE: Final = 1e-8


class KucoinDialect:
    """Remembers the leverage that each symbol's next order is to have: the venue keeps none.

    It keeps what is asked for once, too: older fills, and when funding is settled.
    """

    margin_keepers: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._leverage: dict[str, int] = {}
        self._history = History()
        self._schedule = streams.Schedule()

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return KuCoin's rules; the liquidation fee it counts equals the taker fee."""
        return kucoin(taker_fee_rate)

    # --- reads ------------------------------------------------------------------------------------

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return instruments with live tiers and the account's own fees; base units, not contracts."""
        found = await self._listed(client, symbols)
        for symbol, known in found.items():
            name = client.market(symbol)["id"]
            fees = (await client.futuresPrivateGetTradeFees({"symbol": name}))["data"]
            maker, taker = number(fees, "makerFeeRate"), number(fees, "takerFeeRate")
            found[symbol] = known._replace(maker_fee_rate=maker, taker_fee_rate=taker)
        return found

    async def public_instruments(
        self, client: Any, symbols: Sequence[str], shipped: Shipped
    ) -> dict[str, Instrument]:
        """Return instruments with live tiers and the fees that ccxt lists."""
        return await self._listed(client, symbols)

    async def _listed(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        await client.load_markets(True, {"marginables": False})
        found = {}
        for symbol in symbols:
            market = client.market(symbol)
            tiers = continuous_tiers(await client.fetch_market_leverage_tiers(symbol))
            found[symbol] = instrument(market, tiers, _MARGIN_STEP_QUOTE, listed_fees(market))._replace(
                funding_interval_ms=await self._learn_schedule(client, symbol)
            )
        return found

    async def money(self, client: Any) -> Money:
        """Return available balance, and the equity without unrealised PnL."""
        row = (await client.futuresPrivateGetAccountOverview({"currency": _SETTLE}))["data"]
        wallet = number(row, "accountEquity") - number_or_zero(row, "unrealisedPNL")
        return Money(number(row, "availableBalance"), wallet)

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return positions; the wallet is `posMargin`, for `maintMargin` holds unrealised PnL."""
        rows = (await client.futuresPrivateGetPositions({"currency": _SETTLE}))["data"] or []
        return tuple(_position(client, row) for row in rows if _is_held(row))

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return plain and stop orders: two lists, quantities in contracts."""
        return await orders.open_orders(client, symbol)

    async def order(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> VenueOrder:
        """Return an order by our id: one endpoint knows both kinds."""
        return await orders.by_our_id(client, symbol, client_id)

    async def order_by_venue_id(self, client: Any, symbol: str, venue_id: str) -> VenueOrder:
        """Return an order by the venue's id, which a stop keeps when it fires; also a liquidation."""
        return await orders.by_venue_id(client, symbol, venue_id)

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return fills, liquidations included. The venue does not say what a fill realised."""
        return await self._history.trades(client, symbol, since_ms)

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
        """Return funding payments, oldest first."""
        return await self._history.funding(client, symbol, since_ms)

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return rate and mark of the settlement at `ts_ms`; the mark only of one that we paid."""
        return await self._history.funding_rate_at(client, symbol, ts_ms)

    async def margin_moves(self, client: Any, symbol: str, since_ms: int | None) -> tuple[MarginMove, ...]:
        """Return nothing: the venue lists no margin that was moved, so that our own ledger counts."""
        return ()

    async def settings(self, client: Any, symbol: str) -> Settings:
        """Return the modes of the venue, and the leverage that orders will be sent with.

        The position's row, which a flat symbol has too, tells whether margin is added by itself. Orders of
        an open position have its own leverage.
        """
        margin = await client.fetch_margin_mode(symbol)
        position = await client.fetch_position_mode(symbol)
        row = await _row_of(client, symbol)
        held = _held_leverage(row)
        if held >= 1.0:
            self._leverage[symbol] = int(held)
        is_isolated = margin["info"]["marginMode"] == "ISOLATED"
        is_auto_add = str(row.get("autoDeposit")).lower() == "true"
        return Settings(self._leverage.get(symbol, 0), is_isolated, not position["hedged"], is_auto_add)

    async def leverages(self, client: Any, symbols: Sequence[str]) -> Mapping[str, int]:
        """Return the leverage of the next orders; 0 until it is set, for nothing at the venue has it."""
        return {symbol: self._leverage.get(symbol, 0) for symbol in symbols}

    # --- writes -----------------------------------------------------------------------------------

    async def set_one_way(self, client: Any) -> None:
        """Leave hedge mode."""
        await client.set_position_mode(False)

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None:
        """Set isolated margin."""
        await client.set_margin_mode("isolated", symbol)

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None:
        """Remember the leverage for this symbol's orders; nothing is sent.

        Rejected: an order at other leverage than the open position's would move the position's margin.
        """
        row = await _row_of(client, symbol)
        if _is_held(row) and _held_leverage(row) != leverage:
            raise leverage_kept(symbol, "KuCoin")
        self._leverage[symbol] = leverage

    async def create(self, client: Any, order: NewOrder) -> VenueOrder:
        """Send an order raw. Rejected: an entry whose leverage was not set, which would be 1x."""
        refuse_trailing(order, "KuCoin")
        request = {**orders.request(client, order), **self._purpose(order)}
        reply = await client.futuresPrivatePostOrders(request)
        return sent(order, str(reply["data"]["orderId"]))

    async def cancel(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> None:
        """Cancel by our id; a stop by the venue's, which is looked up by ours."""
        await orders.cancel(client, symbol, client_id, is_conditional)

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> None:
        """Deposit (> 0, under our id as bizNo) or withdraw (< 0) margin.

        A reply of success without data says that there is no position.
        """
        try:
            reply = await _move(client, client.market(symbol)["id"], amount_quote, client_id)
        except ccxt.OrderNotFound as error:  # what ccxt makes of "Position does not exist"
            raise Rejected("no_position", str(error)) from None
        if not reply.get("data"):
            raise Rejected("no_position", f"KuCoin moved nothing: {reply.get('msg', 'no data')}")

    def _purpose(self, order: NewOrder) -> dict[str, Any]:
        if order.is_reduce_only:
            return {"reduceOnly": True} if order.quantity else {"closeOrder": True}
        leverage = self._leverage.get(order.symbol, 0)
        if leverage < 1:
            raise Rejected("leverage_refused", f"no leverage was set for {order.symbol}: it would be 1x")
        return {"leverage": leverage}

    async def stop_auto_add(self, client: Any, symbol: str) -> None:
        """Switch it off; it belongs to the symbol."""
        request = {"symbol": client.market(symbol)["id"], "status": False}
        await client.futuresPrivatePostPositionMarginAutoDepositStatus(request)

    # --- streams ----------------------------------------------------------------------------------

    def watchers(
        self, client: Any, symbols: Sequence[str], timeframe: str
    ) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        """Return the subscriptions."""
        names = list(symbols)
        return {
            "marks": lambda: streams.watch_marks(client, names),
            "candles": lambda: streams.watch_candles(client, names, timeframe),
            "account": lambda: streams.watch_account(client),
        }

    def told(self, client: Any, message: Any) -> Told | None:
        """Return what a message says."""
        return streams.told(client.markets_by_id or {}, self._schedule, message)

    def forget_user_stream(self, client: Any) -> None:
        """Let the next subscription negotiate a new token."""
        streams.forget(client)

    def not_before(self, client: Any, ts_ms: int) -> None:
        """Nothing: prices carry their time."""

    async def marks(self, client: Any, symbols: Sequence[str]) -> tuple[MarkTold, ...]:
        """Return mark and next settlement of each symbol."""
        found = []
        for symbol in symbols:
            await self._learn_schedule(client, symbol)
            name = client.market(symbol)["id"]
            row = (await client.futuresPublicGetMarkPriceSymbolCurrent({"symbol": name}))["data"]
            ts_ms = int(row["timePoint"])
            due_ms = self._schedule.next_ms(symbol, ts_ms)
            found.append(MarkTold(ts_ms, symbol, number(row, "value"), due_ms))
        return tuple(found)

    async def _learn_schedule(self, client: Any, symbol: str) -> int:
        """Return the time between two settlements; marks in the stream do not tell the next one."""
        name = client.market(symbol)["id"]
        row = (await client.futuresPublicGetFundingRateSymbolCurrent({"symbol": name}))["data"]
        interval_ms = int(row["granularity"])
        self._schedule.learn(symbol, int(row["timePoint"]), interval_ms)
        return interval_ms

    # --- what replies mean ------------------------------------------------------------------------

    def refuses_second_stop(self, code: str) -> bool:
        """Return False: the documents name no limit of one stop that closes the position."""
        return False

    def is_liquidation(self, client_id: str) -> bool:
        """Return whether an order is the venue's liquidation."""
        return client_id.startswith(orders.LIQUIDATION)


async def _row_of(client: Any, symbol: str) -> Mapping[str, Any]:
    """Return the symbol's position row, which it has without a position; nothing where there is none."""
    return (await client.futuresPrivateGetPosition({"symbol": client.market(symbol)["id"]}))["data"] or {}


def _is_held(row: Mapping[str, Any]) -> bool:
    return number_or_zero(row, "currentQty") != 0.0


def _held_leverage(row: Mapping[str, Any]) -> float:
    """Return the leverage of an open position, 0.0 without one or where its row does not say."""
    return number_or_zero(row, "leverage") if _is_held(row) else 0.0


async def _move(client: Any, market_id: str, amount_quote: float, client_id: str) -> Any:
    """The venue knows a bizNo again: the same deposit sent twice would be one."""
    if amount_quote < 0.0:
        request = {"symbol": market_id, "withdrawAmount": plain(-amount_quote)}
        return await client.futuresPrivatePostMarginWithdrawMargin(request)
    request = {"symbol": market_id, "margin": plain(amount_quote), "bizNo": client_id or client.uuid()}
    return await client.futuresPrivatePostPositionMarginDepositMargin(request)


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
