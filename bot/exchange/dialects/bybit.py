"""Bybit v5 linear on a unified account, asked raw: ccxt moves no margin and lists one page of anything.

A reply to an order says that it was received; what became of it is read. All orders share one id space, a
trigger keeps its id when it fires. Margin mode is the account's, leverage a symbol's.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import ccxt

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import VenueProfile, bybit
from bot.core.steps import step_down
from bot.errors import Rejected, UserError
from bot.exchange.convert import number, number_or_zero
from bot.exchange.dialect import Shipped
from bot.exchange.dialects import bybit_orders as orders
from bot.exchange.dialects.bybit_history import History
from bot.exchange.dialects.bybit_rows import (
    CATEGORY,
    SETTLE,
    instrument_from,
    pages,
    position_from,
    symbol_of,
)
from bot.exchange.dialects.bybit_streams import Tickers, told
from bot.exchange.outcomes import venue_code
from bot.exchange.rows import Money, NewOrder, Payment, Settings, Trade, VenueOrder
from bot.exchange.told import MarkTold, Told

_MARGIN_DECIMALS: Final = 4  # v5 "Add Or Reduce Margin": support up to 4 decimal
_UNIFIED_STATUSES: Final = ("3", "4", "5", "6")
_SAME_LEVERAGE, _SAME_POSITION_MODE, _SAME_MARGIN_MODE, _SAME_MARGIN = "110043", "110025", "110026", "110027"
_UNCHANGED: Final = frozenset({_SAME_LEVERAGE, _SAME_POSITION_MODE, _SAME_MARGIN_MODE, _SAME_MARGIN})
_TRAILING_UNCHANGED: Final = "34040"
_ONE_WAY: Final = 0
_USER_TOPICS: Final = ("order", "execution", "position", "wallet")
_FEES: Final = MappingProxyType({"maker": 0.0002, "taker": 0.00055})  # VIP 0, perpetuals
_OPTIONS: Final = {"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}}


class BybitDialect:
    """Keeps what never changes (realised PnL by execution) and what deltas leave out (tickers)."""

    margin_keepers: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._history = History()
        self._tickers = Tickers()

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return Bybit's rules: valued at mark, the fee to close reserved from the wallet."""
        return bybit(taker_fee_rate)

    # --- reads ------------------------------------------------------------------------------------

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return instruments with live risk tiers and the account's own fee rates.

        Tiers are asked per symbol: ccxt reads those of every symbol, page by page.
        """
        client.options.update(_OPTIONS)
        await client.load_markets(True)
        found = {}
        for symbol in symbols:
            fees = await client.fetch_trading_fee(symbol)
            found[symbol] = instrument_from(client.market(symbol), await _risk_limits(client, symbol), fees)
        return found

    async def money(self, client: Any) -> Money:
        """Return balances of the settlement coin: free is what neither positions nor orders hold.

        The account's own total of free money is empty in isolated margin mode.
        """
        reply = await client.privateGetV5AccountWalletBalance({"accountType": "UNIFIED", "coin": SETTLE})
        for row in (coin for account in reply["result"]["list"] for coin in account["coin"]):
            if row["coin"] == SETTLE:
                held = sum(
                    number_or_zero(row, name) for name in ("totalPositionIM", "totalOrderIM", "locked")
                )
                wallet = number(row, "walletBalance")
                return Money(wallet - held, wallet)
        return Money(0.0, 0.0)

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return every open position; the wallet is `positionBalance`."""
        call = client.privateGetV5PositionList
        rows = await pages(call, {"category": CATEGORY, "settleCoin": SETTLE, "limit": 200})
        held = [row for row in rows if number(row, "size") > 0.0]
        return tuple(position_from(symbol_of(client, row), row) for row in held)

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return plain and conditional orders, page by page: unasked the venue gives 20."""
        params = {**_of(client, symbol), "openOnly": 0, "limit": 50}
        rows = await pages(client.privateGetV5OrderRealtime, params)
        return tuple(orders.order_from(symbol, row) for row in rows)

    async def order(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> VenueOrder:
        """Return an order by our id. A trailing stop has none at the venue: its position has one."""
        if orders.is_trailing(client_id):
            return await orders.trailing(client, symbol, client_id)
        return await orders.found(client, symbol, {"orderLinkId": client_id})

    async def order_by_venue_id(self, client: Any, symbol: str, venue_id: str) -> VenueOrder:
        """Return an order by the venue's id, also a liquidation's, which no list may show."""
        return await orders.by_venue_id(client, symbol, venue_id)

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return fills, liquidations and deleveraging included, with the venue's realised PnL."""
        return await self._history.trades(client, symbol, since_ms)

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
        """Return funding payments, oldest first."""
        return await self._history.funding(client, symbol, since_ms)

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return rate and mark of the settlement at `ts_ms`; the mark only of one that we paid."""
        return await self._history.funding_rate_at(client, symbol, ts_ms)

    async def margin_moves(self, client: Any, symbol: str, since_ms: int | None) -> None:
        """Return None: the venue keeps no history of margin that was moved."""

    async def settings(self, client: Any, symbol: str) -> Settings:
        """Return the symbol's leverage, the account's margin mode and the symbol's position mode."""
        account = (await client.privateGetV5AccountInfo())["result"]
        _check_unified(account)
        rows = await self._symbol_rows(client, symbol)
        is_one_way = all(int(row["positionIdx"]) == _ONE_WAY for row in rows)
        is_isolated = account["marginMode"] == "ISOLATED_MARGIN"
        is_auto_add = any(str(row.get("autoAddMargin")) == "1" for row in rows)
        return Settings(_leverage(rows), is_isolated, is_one_way, is_auto_add)

    async def leverages(self, client: Any, symbols: Sequence[str]) -> Mapping[str, int]:
        """Return the symbols' leverage: only a symbol's own row has it while it is flat."""
        return {symbol: _leverage(await self._symbol_rows(client, symbol)) for symbol in symbols}

    async def _symbol_rows(self, client: Any, symbol: str) -> list[Any]:
        return (await client.privateGetV5PositionList(_of(client, symbol)))["result"]["list"]

    # --- writes -----------------------------------------------------------------------------------

    async def set_one_way(self, client: Any) -> None:
        """Leave hedge mode for every linear symbol of the coin."""
        params = {"category": CATEGORY, "coin": SETTLE, "mode": _ONE_WAY}
        await _changed(client.privatePostV5PositionSwitchMode, params)

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None:
        """Set isolated margin for the whole account: it has one mode for all symbols."""
        await _changed(client.privatePostV5AccountSetMarginMode, {"setMarginMode": "ISOLATED_MARGIN"})

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None:
        """Set leverage of a flat symbol. With a position the venue would move its margin: refused unsent."""
        rows = await self._symbol_rows(client, symbol)
        if any(number(row, "size") > 0.0 for row in rows):
            message = f"{symbol} has a position: changing its leverage would move its margin"
            raise Rejected("leverage_refused", message)
        text = str(leverage)
        params = {**_of(client, symbol), "buyLeverage": text, "sellLeverage": text}
        await _changed(client.privatePostV5PositionSetLeverage, params)

    async def create(self, client: Any, order: NewOrder) -> VenueOrder:
        """Send an order and read what became of it. Rejected: received, then refused."""
        if order.kind == "trailing":
            await self._trail(client, order)
            return await orders.trailing_sent(client, order)
        params = {**_of(client, order.symbol), **orders.request(order)}
        reply = await client.privatePostV5OrderCreate(params)
        return await orders.outcome(client, order, reply["result"])

    async def cancel(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> None:
        """Cancel by our id; a trailing stop by setting its distance to nothing."""
        if orders.is_trailing(client_id):
            params = {**_of(client, symbol), "tpslMode": "Full", "trailingStop": "0", "positionIdx": _ONE_WAY}
            await _changed(client.privatePostV5PositionTradingStop, params)
            return
        await client.privatePostV5OrderCancel({**_of(client, symbol), "orderLinkId": client_id})

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> Position:
        """Add (> 0) or release (< 0) in four decimals: ccxt has neither. The reply is the position's row."""
        margin = f"{amount_quote:.{_MARGIN_DECIMALS}f}"
        params = {**_of(client, symbol), "margin": margin, "positionIdx": _ONE_WAY}
        return position_from(symbol, (await client.privatePostV5PositionAddMargin(params))["result"])

    async def stop_auto_add(self, client: Any, symbol: str) -> None:
        """Switch it off; it belongs to the symbol's position, also to one that is flat."""
        params = {**_of(client, symbol), "autoAddMargin": 0, "positionIdx": _ONE_WAY}
        await _changed(client.privatePostV5PositionSetAutoAddMargin, params)

    async def _trail(self, client: Any, order: NewOrder) -> None:
        """The venue trails by a distance, not by a fraction: the fraction of where it begins to trail."""
        ticker = (await client.publicGetV5MarketTickers(_of(client, order.symbol)))["result"]["list"][0]
        tick = float(client.market(order.symbol)["precision"]["price"])
        begin = order.trigger_price or number(ticker, "markPrice")
        distance = max(step_down(order.callback_rate * begin, tick), tick)
        params = {
            **_of(client, order.symbol),
            "tpslMode": "Full",
            "positionIdx": _ONE_WAY,
            "trailingStop": orders.plain(distance),
        }
        if order.trigger_price:
            params["activePrice"] = orders.plain(order.trigger_price)
        await _changed(client.privatePostV5PositionTradingStop, params)

    # --- public data ------------------------------------------------------------------------------

    async def public_instruments(
        self, client: Any, symbols: Sequence[str], shipped: Shipped
    ) -> dict[str, Instrument]:
        """Return instruments with live steps and risk limits, and the fees of accounts without discount."""
        return {
            symbol: instrument_from(client.market(symbol), await _risk_limits(client, symbol), _FEES)
            for symbol in symbols
        }

    # --- streams ----------------------------------------------------------------------------------

    def watchers(
        self, client: Any, symbols: Sequence[str], timeframe: str
    ) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        """Return the subscriptions; marks are part of the ticker, there is no stream of their own."""
        names = list(symbols)
        return {
            "marks": lambda: client.watch_tickers(names),
            "candles": lambda: client.watch_ohlcv_for_symbols([[name, timeframe] for name in names]),
            "account": lambda: _watch_account(client),
        }

    def told(self, client: Any, message: Any) -> Told | None:
        """Return what a message says."""
        return told(client.markets_by_id or {}, self._tickers, message)

    def forget_user_stream(self, client: Any) -> None:
        """Nothing is to be forgotten: a new connection logs in anew."""

    def not_before(self, client: Any, ts_ms: int) -> None:
        """Nothing: prices carry their time."""

    async def marks(self, client: Any, symbols: Sequence[str]) -> tuple[MarkTold, ...]:
        """Return the mark of each symbol's ticker."""
        found = []
        for symbol in symbols:
            reply = await client.publicGetV5MarketTickers(_of(client, symbol))
            row = reply["result"]["list"][0]
            found.append(
                MarkTold(int(reply["time"]), symbol, number(row, "markPrice"), int(row["nextFundingTime"]))
            )
        return tuple(found)

    # --- what replies mean ------------------------------------------------------------------------

    def refuses_second_stop(self, code: str) -> bool:
        """Return False: the venue rests any number of conditional orders that close the position."""
        return False

    def is_liquidation(self, client_id: str) -> bool:
        """Return whether an order is the venue's liquidation."""
        return orders.is_liquidation(client_id)


async def _changed(call: Callable[[Any], Awaitable[Any]], params: Mapping[str, Any]) -> None:
    """Send a setting; that it was so already is success."""
    try:
        await call(params)
    except ccxt.BaseError as error:
        if venue_code(error) not in (*_UNCHANGED, _TRAILING_UNCHANGED):
            raise


async def _watch_account(client: Any) -> Any:
    """Log in and listen to everything of the account on one connection."""
    url = await client.get_url_by_market_type(None, True, "watchOrders")
    await client.authenticate(url)
    return await client.watch_topics(url, ["ringfence:account"], list(_USER_TOPICS))


async def _risk_limits(client: Any, symbol: str) -> list[Any]:
    return (await client.publicGetV5MarketRiskLimit(_of(client, symbol)))["result"]["list"]


def _of(client: Any, symbol: str) -> dict[str, Any]:
    return {"category": CATEGORY, "symbol": client.market(symbol)["id"]}


def _leverage(rows: Sequence[Mapping[str, Any]]) -> int:
    return int(number(rows[0], "leverage")) if rows else 0


def _check_unified(account: Mapping[str, Any]) -> None:
    if str(account.get("unifiedMarginStatus")) not in _UNIFIED_STATUSES:
        raise UserError(
            "This Bybit account is not a unified trading account: its margin mode and balances work "
            "otherwise. Upgrade the account at Bybit, or use a key of one that is unified."
        )
