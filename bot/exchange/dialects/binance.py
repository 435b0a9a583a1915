"""Binance USD-M through ccxt: what its unified methods get wrong is asked and read raw here.

Conditional orders live in the algo service (own ids, own lists) since 2025-12-09. A plain cancel or list
does not see them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import ccxt

from bot.core.event import Leg
from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import BINANCE_USDM, VenueProfile
from bot.core.tiers import Tiers
from bot.errors import Rejected
from bot.exchange.convert import (
    leg_of,
    number,
    number_or_zero,
    side_of,
    status_of,
    tiers_from,
    trade_from,
)
from bot.exchange.dialect import Shipped
from bot.exchange.dialects.binance_streams import told
from bot.exchange.dialects.open_positions import not_managed
from bot.exchange.dialects.windows import WEEK_MS, Quiet, in_windows, reaches
from bot.exchange.rows import MarginMove, Money, NewOrder, Payment, Settings, Trade, VenueOrder
from bot.exchange.told import MarkTold, Told

_SETTLE: Final = "USDT"
_CONDITIONAL: Final = {"trigger": True}
_MARGIN_STEP_QUOTE: Final = 1e-8
_HOUR_MS: Final = 3_600_000
_USUAL_FUNDING_HOURS: Final = 8
_ADD, _REDUCE = 1, 2
_WORKING_TYPE: Final = {"mark": "MARK_PRICE", "last": "CONTRACT_PRICE"}
_SIDE: Final = {1: "buy", -1: "sell"}
_MOST_ROWS: Final = 1_000
_NEWEST: Final = 100
_LIQUIDATION_ID: Final = "autoclose-"  # deleveraging and delivery have others, and pay the wallet out
_SECOND_WHOLE_CLOSE: Final = "-4130"  # an order with closePosition rests in this direction


class BinanceDialect:
    """Everything it knows is in the client, but which histories held nothing new."""

    margin_keepers: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._quiet = Quiet()

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return Binance's rules; it counts no closing fee."""
        return BINANCE_USDM

    # --- reads ------------------------------------------------------------------------------------

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return instruments with live brackets and the account's own fee rates."""
        await client.load_markets(True)
        tiers = await client.fetch_leverage_tiers(list(symbols))
        hours = {row["symbol"]: row for row in await client.fapiPublicGetFundingInfo()}
        found = {}
        for symbol in symbols:
            market = client.market(symbol)
            fees = await client.fetch_trading_fee(symbol)
            table = tiers_from(tiers[symbol], "cum", is_continuous=True)
            found[symbol] = _instrument(market, table, fees, hours.get(market["id"], {}))
        return found

    async def money(self, client: Any) -> Money:
        """Return balances of the settlement coin. ccxt's `total` holds unrealised PnL: not used."""
        balance = await client.fetch_balance()
        for row in balance["info"]["assets"]:
            if row["asset"] == _SETTLE:
                return Money(number(row, "availableBalance"), number(row, "walletBalance"))
        return Money(0.0, 0.0)

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return positions; the wallet is `isolatedWallet`, the leverage is the symbol's setting."""
        rows = await client.fetch_positions()
        return tuple(_position(row, leverage) for row in rows)

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return plain and conditional orders: two lists of two services."""
        plain = await client.fetch_open_orders(symbol)
        conditional = await client.fetch_open_orders(symbol, None, None, dict(_CONDITIONAL))
        return (*(_order(row, False) for row in plain), *(_order(row, True) for row in conditional))

    async def order(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> VenueOrder:
        """Return an order by our id, from the service that keeps this kind."""
        params = {"clientOrderId": client_id, **(_CONDITIONAL if is_conditional else {})}
        return _order(await client.fetch_order("", symbol, params), is_conditional)

    async def order_by_venue_id(self, client: Any, symbol: str, venue_id: str) -> VenueOrder:
        """Return a plain order by the venue's id: what a fired trigger became, or a foreign order."""
        return _order(await client.fetch_order(venue_id, symbol), False)

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return fills with the venue's own realised PnL: the venue answers for seven days at a time."""
        rows = await self._trade_rows(client, symbol, since_ms)
        return tuple(
            trade_from(row, 1.0, _SETTLE, number_or_zero(row["info"], "realizedPnl")) for row in rows
        )

    async def _trade_rows(self, client: Any, symbol: str, since_ms: int | None) -> list[Any]:
        now_ms = client.milliseconds()
        if since_ms is None or now_ms - since_ms < WEEK_MS:
            return await _trades_from(client, symbol, since_ms)
        rows = await client.fetch_my_trades(symbol, None, _NEWEST)
        if not (reaches(map(_time, rows), since_ms) or self._quiet.is_known(symbol, since_ms, now_ms)):
            (mark,) = await self.marks(client, [symbol])
            rows += await in_windows(
                lambda first_ms, last_ms: _trades_from(client, symbol, first_ms, last_ms),
                since_ms,
                mark.ts_ms,
            )
            self._quiet.learn(symbol, since_ms, now_ms, map(_time, rows))
        return [row for row in {row["id"]: row for row in rows}.values() if _time(row) >= since_ms]

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
        """Return funding payments, oldest first."""
        rows = await client.fetch_funding_history(symbol, since_ms, _MOST_ROWS)
        return tuple(
            Payment(int(row["timestamp"]), symbol, str(row["id"]), number(row, "amount")) for row in rows
        )

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return rate and mark of the settlement at `ts_ms`."""
        rows = await client.fetch_funding_rate_history(symbol, ts_ms - _HOUR_MS, 3)
        for row in reversed([row for row in rows if row["timestamp"] <= ts_ms + _HOUR_MS // 60]):
            return number(row, "fundingRate"), number_or_zero(row["info"], "markPrice")
        return 0.0, 0.0

    async def margin_moves(self, client: Any, symbol: str, since_ms: int | None) -> tuple[MarginMove, ...]:
        """Return what users moved; the history also holds margin that trades moved."""
        rows = await client.fetch_margin_adjustment_history(symbol, None, since_ms)
        wanted = [row for row in rows if row["info"].get("deltaType", "USER_ADJUST") == "USER_ADJUST"]
        return tuple(sorted(_margin_move(row) for row in wanted))

    async def settings(self, client: Any, symbol: str) -> Settings:
        """Return leverage and mode from symbolConfig: positionRisk V3 has neither."""
        leverage = await client.fetch_leverage(symbol)
        mode = await client.fetch_position_mode(symbol)
        row = leverage["info"]
        is_isolated, is_auto_add = row["marginType"] == "ISOLATED", _is_true(row, "isAutoAddMargin")
        return Settings(int(row["leverage"]), is_isolated, not mode["hedged"], is_auto_add)

    async def leverages(self, client: Any, symbols: Sequence[str]) -> Mapping[str, int]:
        """Return every symbol's leverage setting."""
        rows = await client.fetch_leverages()
        return {symbol: int(row["info"]["leverage"]) for symbol, row in rows.items()}

    # --- writes -----------------------------------------------------------------------------------

    async def set_one_way(self, client: Any) -> None:
        """Leave hedge mode."""
        await client.set_position_mode(False)

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None:
        """Set isolated margin; -4046 (it is isolated already) is no error, though ccxt raises it."""
        with suppress(ccxt.MarginModeAlreadySet):
            await client.set_margin_mode("isolated", symbol)

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None:
        """Set leverage raw: ccxt refuses more than 125x, which BTC and ETH have."""
        await client.fapiPrivatePostLeverage({"symbol": client.market(symbol)["id"], "leverage": leverage})

    async def create(self, client: Any, order: NewOrder) -> VenueOrder:
        """Send an order; a reply without our id would be somebody else's."""
        params: dict[str, Any] = {"clientOrderId": order.client_id, **_trigger_params(order)}
        if order.is_reduce_only and order.quantity > 0.0:
            params["reduceOnly"] = True
        kind = "limit" if order.kind == "limit" else "market"
        price = order.limit_price if order.kind == "limit" else None
        row = await client.create_order(
            order.symbol, kind, _SIDE[order.order_side], order.quantity, price, params
        )
        return _order(row, order.is_conditional)

    async def cancel(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> None:
        """Cancel by our id in the service that keeps this kind. The algo reply has no status."""
        params = {"clientOrderId": client_id, **(_CONDITIONAL if is_conditional else {})}
        await client.cancel_order("", symbol, params)

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> None:
        """Move margin in 8 decimals: ccxt would cut the amount to the contract's step.

        Its own amount must pass its check, hence one contract; the one in params is what is sent.
        """
        params = {"amount": f"{abs(amount_quote):.8f}"}
        market = client.market(symbol)
        move = client.add_margin if amount_quote > 0.0 else client.reduce_margin
        await move(symbol, market["limits"]["amount"]["min"] or 1.0, params)

    async def stop_auto_add(self, client: Any, symbol: str) -> None:
        """Refuse unsent: Binance lets only a person switch it."""
        message = f"auto-add-margin is on for {symbol}, and Binance has no request to switch it off"
        raise Rejected("margin_mode_refused", f"{message}: switch it off in its app, then enter again")

    # --- public data ------------------------------------------------------------------------------

    async def public_instruments(
        self, client: Any, symbols: Sequence[str], shipped: Shipped
    ) -> dict[str, Instrument]:
        """Return instruments with live steps; brackets and fees take a key: the shipped ones."""
        hours = {row["symbol"]: row for row in await client.fapiPublicGetFundingInfo()}
        found = {}
        for symbol in symbols:
            known, market = shipped(symbol), client.market(symbol)
            fees = {"maker": known.maker_fee_rate, "taker": known.taker_fee_rate}
            found[symbol] = _instrument(market, known.tiers, fees, hours.get(market["id"], {}))
        return found

    # --- streams ----------------------------------------------------------------------------------

    def watchers(
        self, client: Any, symbols: Sequence[str], timeframe: str
    ) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        """Return the subscriptions; orders, algo orders and positions share one user stream."""
        names = list(symbols)
        return {
            "marks": lambda: client.watch_mark_prices(names),
            "candles": lambda: client.watch_ohlcv_for_symbols([[name, timeframe] for name in names]),
            "account": client.watch_orders,
        }

    def told(self, client: Any, message: Any) -> Told | None:
        """Return what a message says."""
        return told(client.markets_by_id or {}, message)

    def forget_user_stream(self, client: Any) -> None:
        """Drop the listen key: POST listenKey gives the same one while it lives, else a new one."""
        client.options["linear"] = {"listenKey": None, "lastAuthenticatedTime": 0}

    def not_before(self, client: Any, ts_ms: int) -> None:
        """Nothing: prices carry their time."""

    async def marks(self, client: Any, symbols: Sequence[str]) -> tuple[MarkTold, ...]:
        """Return premiumIndex of each symbol."""
        rows = [
            await client.fapiPublicGetPremiumIndex({"symbol": client.market(each)["id"]}) for each in symbols
        ]
        return tuple(
            MarkTold(int(row["time"]), symbol, number(row, "markPrice"), int(row["nextFundingTime"]))
            for symbol, row in zip(symbols, rows, strict=True)
        )

    # --- what replies mean ------------------------------------------------------------------------

    def refuses_second_stop(self, code: str) -> bool:
        """Return whether the text says that a closePosition order of this kind rests already."""
        return _SECOND_WHOLE_CLOSE in code

    def is_liquidation(self, client_id: str) -> bool:
        """Return whether an order is the venue's liquidation."""
        return client_id.startswith(_LIQUIDATION_ID)


def _time(row: Mapping[str, Any]) -> int:
    return int(row["timestamp"])


async def _trades_from(
    client: Any, symbol: str, since_ms: int | None, until_ms: int | None = None
) -> list[Any]:
    """Return every fill of a window, however many requests they take; without `since_ms` the newest."""
    params = {} if until_ms is None else {"until": until_ms}
    rows = page = await client.fetch_my_trades(symbol, since_ms, _MOST_ROWS, dict(params))
    while since_ms is not None and len(page) >= _MOST_ROWS and _time(page[-1]) > since_ms:
        since_ms = _time(page[-1])
        page = await client.fetch_my_trades(symbol, since_ms, _MOST_ROWS, dict(params))
        rows = [*rows, *page]
    return list({row["id"]: row for row in rows}.values())


def _instrument(
    market: Mapping[str, Any],
    table: Tiers,
    fees: Mapping[str, Any],
    funding: Mapping[str, Any],
) -> Instrument:
    filters = {row["filterType"]: row for row in market["info"]["filters"]}
    return Instrument(
        symbol=market["symbol"],
        tick_size=number(filters["PRICE_FILTER"], "tickSize"),
        quantity_step=number(filters["LOT_SIZE"], "stepSize"),
        min_quantity=number(filters["LOT_SIZE"], "minQty"),
        min_notional_quote=number(filters["MIN_NOTIONAL"], "notional"),
        margin_step_quote=_MARGIN_STEP_QUOTE,
        contract_size=1.0,
        is_inverse=False,
        maker_fee_rate=number(fees, "maker"),
        taker_fee_rate=number(fees, "taker"),
        liquidation_fee_rate=number_or_zero(market["info"], "liquidationFee"),
        max_leverage=float(table.max_leverage[0]),
        funding_interval_ms=int(funding.get("fundingIntervalHours", _USUAL_FUNDING_HOURS)) * _HOUR_MS,
        tiers=table,
    )


def _position(row: Mapping[str, Any], leverage: Mapping[str, int]) -> Position:
    info, symbol = row["info"], row["symbol"]
    amount, wallet = number(info, "positionAmt"), number(info, "isolatedWallet")
    _refuse_other_modes(info, symbol, wallet)
    return Position(
        symbol,
        1 if amount > 0.0 else -1,
        abs(amount),
        number(info, "entryPrice"),
        wallet,
        float(leverage.get(symbol, 0)),
        int(info.get("updateTime") or 0),
    )


def _refuse_other_modes(info: Mapping[str, Any], symbol: str, wallet: float) -> None:
    """A hedged or cross position has no isolated wallet of its own: nothing here could protect it."""
    is_hedged = info.get("positionSide", "BOTH") != "BOTH"
    if not is_hedged and (wallet != 0.0 or number_or_zero(info, "isolatedMargin") != 0.0):
        return
    mode = "hedge mode" if is_hedged else "cross margin"
    raise not_managed(symbol, mode)


def _order(row: Mapping[str, Any], is_conditional: bool) -> VenueOrder:
    info = row["info"]
    client_id, reduce_only = str(row["clientOrderId"]), _is_true(info, "reduceOnly")
    is_whole = _is_true(info, "closePosition")
    order_type = str(info.get("orderType") or info.get("origType") or info.get("type") or "")
    leg: Leg = leg_of(client_id, order_type, reduce_only or is_whole)
    child = str(info.get("actualOrderId") or "")
    return VenueOrder(
        client_id,
        str(row["id"]),
        row["symbol"],
        leg,
        side_of(row),
        0.0 if is_whole else number_or_zero(row, "amount"),
        0.0 if is_conditional else number_or_zero(row, "filled"),
        number_or_zero(row, "triggerPrice"),
        "mark" if info.get("workingType") == "MARK_PRICE" else "last",
        number_or_zero(row, "price") if row.get("type") == "limit" else 0.0,
        reduce_only or is_whole,
        is_conditional,
        int(row["timestamp"] or 0),
        status_of(row),
        child if child != "0" else "",
    )


def _is_true(row: Mapping[str, Any], field: str) -> bool:
    return str(row.get(field, "")).lower() == "true"


def _margin_move(row: Mapping[str, Any]) -> MarginMove:
    sign = 1.0 if int(row["info"]["type"]) == _ADD else -1.0
    return MarginMove(int(row["timestamp"]), row["symbol"], sign * abs(number(row, "amount")))


def _trigger_params(order: NewOrder) -> dict[str, Any]:
    if not order.is_conditional:
        return {}
    params: dict[str, Any] = {"workingType": _WORKING_TYPE[order.trigger_on]}
    if order.kind == "trailing":
        params["trailingPercent"] = _plain(order.callback_rate * 100.0)
        if order.trigger_price > 0.0:
            params["trailingTriggerPrice"] = order.trigger_price
    else:
        field = "stopLossPrice" if order.kind == "stop" else "takeProfitPrice"
        params[field] = order.trigger_price
    if order.quantity == 0.0:
        params["closePosition"] = True
    return params


def _plain(value: float) -> str:
    return f"{value:.8f}".rstrip("0").rstrip(".")
