"""Gate USDT futures: requests as documented, where ccxt 4.5.90 builds others raw.

Isolated margin is no mode: a leverage above 0 is isolated, 0 is cross. ccxt puts `close` of a conditional
order beside `initial`, where Gate does not look, and refuses more than 100x. Sources: Gate APIv4,
gateapi-python documents.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import ccxt

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import VenueProfile, gate
from bot.exchange.convert import number, number_or_zero
from bot.exchange.dialect import Shipped
from bot.exchange.dialects import gate_lists as lists
from bot.exchange.dialects import gate_orders as orders
from bot.exchange.dialects import gate_streams as streams
from bot.exchange.dialects.gate_history import History
from bot.exchange.dialects.gate_lists import SETTLE
from bot.exchange.dialects.open_positions import isolated, leverage_kept, mode_of
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
from bot.exchange.fate import RECEIVE_WINDOW_MS
from bot.exchange.outcomes import venue_code
from bot.exchange.rows import MarginMove, Money, NewOrder, Payment, Settings, Trade, VenueOrder
from bot.exchange.told import MarkTold, Told

_MARGIN_STEP_QUOTE: Final = 1e-8
_SECOND_MS: Final = 1_000
# The venue takes a request for 60 s after its time. Signed with an earlier time, it expires as soon as
# everywhere else, so that one that is not seen after the receive window never arrives.
_VALID_MS: Final = 60_000
_SIGNED_EARLIER_MS: Final = _VALID_MS - RECEIVE_WINDOW_MS
_EXPIRED, _NEVER_HELD = "REQUEST_EXPIRED", "POSITION_NOT_FOUND"


class GateDialect:
    """Remembers the names of conditional orders, realised PnL and settlement times."""

    margin_keepers: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._is_prepared = False
        self._names = lists.TriggerNames()
        self._history = History()
        self._funding_ms: dict[str, int] = {}

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return Gate's rules; the taker rate is part of maintenance."""
        return gate(taker_fee_rate)

    # --- reads ------------------------------------------------------------------------------------

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return instruments with live tiers; quantities in base units, not contracts."""
        if not self._is_prepared:
            _prepare(client)
            self._is_prepared = True
        await client.load_markets(True)
        found = {}
        for symbol in symbols:
            market = client.market(symbol)
            tiers = continuous_tiers(await client.fetch_market_leverage_tiers(symbol))
            made = instrument(market, tiers, _MARGIN_STEP_QUOTE, listed_fees(market))
            interval_ms = _SECOND_MS * int(number_or_zero(market["info"], "funding_interval"))
            found[symbol] = made._replace(funding_interval_ms=interval_ms or made.funding_interval_ms)
        return found

    async def money(self, client: Any) -> Money:
        """Return available balance, and the total, which holds no unrealised PnL."""
        row = await client.privateFuturesGetSettleAccounts({"settle": SETTLE})
        return Money(number(row, "available"), number(row, "total"))

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return positions; the wallet is `margin`, without unrealised PnL."""
        rows = await client.privateFuturesGetSettlePositions({"settle": SETTLE, "holding": "true"})
        return tuple(_position(client, row) for row in rows if number(row, "size") != 0.0)

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return plain and price-triggered orders: two lists, quantities in contracts."""
        return await lists.open_orders(client, symbol, self._names)

    async def order(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> VenueOrder:
        """Return an order by our id, from the list that keeps this kind."""
        if is_conditional:
            return await lists.triggered_order(client, symbol, client_id, self._names)
        return await lists.plain_order(client, symbol, client_id)

    async def order_by_venue_id(self, client: Any, symbol: str, venue_id: str) -> VenueOrder:
        """Return a plain order by the venue's id; what a trigger became has the trigger's name."""
        return await lists.by_venue_id(client, symbol, venue_id, self._names)

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return fills, at most of the last six months, oldest first."""
        return await self._history.trades(client, symbol, since_ms)

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
        """Return funding payments, oldest first."""
        return await self._history.funding(client, symbol, since_ms)

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return the rate of the settlement at `ts_ms`; the venue keeps no mark of it."""
        return await self._history.funding_rate_at(client, symbol, ts_ms)

    async def margin_moves(self, client: Any, symbol: str, since_ms: int | None) -> tuple[MarginMove, ...]:
        """Return nothing: the account book has no kind for margin that was moved. Our ledger counts."""
        return ()

    async def settings(self, client: Any, symbol: str) -> Settings:
        """Return leverage and mode of the symbol's position row.

        It exists without a position, but not before the first setting: then nothing is isolated yet.
        """
        row = await _row_of(client, symbol)
        if row is None:
            return Settings(0, False, True)
        leverage = int(number(row, "leverage"))
        return Settings(leverage, leverage > 0, row.get("mode", "single") == "single")

    async def leverages(self, client: Any, symbols: Sequence[str]) -> Mapping[str, int]:
        """Return the symbols' leverage, each from its own row."""
        return {symbol: (await self.settings(client, symbol)).leverage for symbol in symbols}

    # --- writes -----------------------------------------------------------------------------------

    async def set_one_way(self, client: Any) -> None:
        """Leave dual mode."""
        await client.privateFuturesPostSettleDualMode({"settle": SETTLE, "dual_mode": False})

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None:
        """Set a leverage above 0, which is isolated margin."""
        await self.set_leverage(client, symbol, leverage)

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None:
        """Set leverage raw: ccxt refuses more than 100x. Rejected, unsent: a position's margin is of it."""
        row = await _row_of(client, symbol)
        if row is not None and number_or_zero(row, "size") != 0.0:
            raise leverage_kept(symbol, "Gate")
        request = {"settle": SETTLE, "contract": client.market(symbol)["id"], "leverage": str(leverage)}
        await client.privateFuturesPostSettlePositionsContractLeverage(request)

    async def create(self, client: Any, order: NewOrder) -> VenueOrder:
        """Send an order; sizes are signed contracts. Rejected: a market order that found nothing."""
        refuse_trailing(order, "Gate")
        if order.is_conditional:
            request = {"settle": SETTLE, **orders.trigger_request(client, order)}
            reply = await client.privateFuturesPostSettlePriceOrders(request)
            self._names.learn(order.client_id, str(reply["id"]))
            return sent(order, str(reply["id"]))
        params: dict[str, Any] = {"clientOrderId": orders.own_text(order.client_id)}
        if order.is_reduce_only:
            params["reduceOnly"] = True
        price = order.limit_price if order.kind == "limit" else None
        market = client.market(order.symbol)
        count = contracts(market, order.quantity)
        row = await client.create_order(
            order.symbol, order.kind, SIDE[order.order_side], count, price, params
        )
        return orders.taken(market, order, row["info"])

    async def cancel(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> None:
        """Cancel by our id; a conditional order by the venue's, which is looked up where it is not known."""
        if not is_conditional:
            text = client_id if client_id.isdigit() else orders.own_text(client_id)
            await client.cancel_order(text, symbol)
            return
        venue_id = self._names.venue_id(client_id)
        if not venue_id:
            venue_id = (await self.order(client, symbol, client_id, True)).venue_id
        await client.cancel_order(venue_id, symbol, {"trigger": True})

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> None:
        """Add (> 0) or release (< 0) margin: one endpoint, a signed change."""
        request = {"settle": SETTLE, "contract": client.market(symbol)["id"], "change": plain(amount_quote)}
        await client.privateFuturesPostSettlePositionsContractMargin(request)

    # --- public data ------------------------------------------------------------------------------

    async def public_instruments(
        self, client: Any, symbols: Sequence[str], shipped: Shipped
    ) -> dict[str, Instrument]:
        """Return what `instruments` does: it asks nothing that takes a key."""
        return await self.instruments(client, symbols)

    async def stop_auto_add(self, client: Any, symbol: str) -> None:
        """Do nothing: the venue has no such switch."""

    # --- streams ----------------------------------------------------------------------------------

    def watchers(
        self, client: Any, symbols: Sequence[str], timeframe: str
    ) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        """Return the subscriptions; marks are part of the ticker, candles are one subscription each."""
        names = list(symbols)
        return {
            "marks": lambda: client.watch_tickers(names),
            "candles": lambda: asyncio.gather(*(client.watch_ohlcv(name, timeframe) for name in names)),
            "account": lambda: _watch_account(client),
        }

    def told(self, client: Any, message: Any) -> list[Told] | None:
        """Return what a message says."""
        return streams.told(client.markets_by_id or {}, self._funding_ms, message)

    def forget_user_stream(self, client: Any) -> None:
        """Nothing is to be forgotten: each subscription is signed for itself."""

    def not_before(self, client: Any, ts_ms: int) -> None:
        """Nothing: prices carry their time."""

    async def marks(self, client: Any, symbols: Sequence[str]) -> tuple[MarkTold, ...]:
        """Return marks of the contracts' own rows, which also tell the next settlement."""
        found = []
        for symbol in symbols:
            asked = {"settle": SETTLE, "contract": client.market(symbol)["id"]}
            row = await client.publicFuturesGetSettleContractsContract(asked)
            found.append(streams.mark_from(row, symbol, client.milliseconds(), self._funding_ms))
        return tuple(found)

    # --- what replies mean ------------------------------------------------------------------------

    def refuses_second_stop(self, code: str) -> bool:
        """Return False: the venue rests any number of conditional orders that close the position."""
        return False

    def is_liquidation(self, client_id: str) -> bool:
        """Return whether an order is the venue's liquidation."""
        return client_id.startswith(orders.LIQUIDATION)


def _prepare(client: Any) -> None:
    """Sign with a time that expires with the receive window; a request that expired may be sent again."""
    nonce = client.nonce
    client.nonce = lambda: nonce() - _SIGNED_EARLIER_MS
    client.exceptions["exact"][_EXPIRED] = ccxt.InvalidNonce


async def _row_of(client: Any, symbol: str) -> Mapping[str, Any] | None:
    """Return the symbol's position row, None before its first setting."""
    contract = {"settle": SETTLE, "contract": client.market(symbol)["id"]}
    try:
        row = await client.privateFuturesGetSettlePositionsContract(contract)
    except ccxt.BaseError as error:
        if venue_code(error) != _NEVER_HELD:
            raise
        return None
    return row[0] if isinstance(row, list) else row


async def _watch_account(client: Any) -> Any:
    """Subscribe to everything of the account; the channels of futures ask for the user's number."""
    if not client.uid:
        account = await client.privateFuturesGetSettleAccounts({"settle": SETTLE})
        client.uid = str(account["user"])
    url = client.get_url_by_market_type("swap")
    return await asyncio.gather(
        *(
            client.subscribe_private(url, f"ringfence:{each}", ["!all"], f"futures.{each}", {}, True)
            for each in streams.ACCOUNT_CHANNELS
        )
    )


def _position(client: Any, row: Mapping[str, Any]) -> Position:
    market = client.safe_market(row["contract"], None, "_", "contract")
    leverage = number(row, "leverage")
    return isolated(
        market["symbol"],
        number(row, "size") * float(market["contractSize"] or 1.0),
        number(row, "entry_price"),
        number(row, "margin"),
        leverage,
        _SECOND_MS * int(row.get("open_time") or 0),
        mode_of(is_hedged=row.get("mode", "single") != "single", is_cross=leverage == 0.0),
    )
