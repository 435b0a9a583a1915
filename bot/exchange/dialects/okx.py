"""OKX swaps through ccxt's raw endpoints: its unified ones default to cross, guess, or crash after the fact.

add_margin and reduce_margin of ccxt 4.5.90 move the money and then raise TypeError: a retry adds twice.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import ccxt

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import VenueProfile, okx
from bot.errors import Rejected, Unavailable
from bot.exchange.convert import number, number_or_zero
from bot.exchange.dialect import Shipped
from bot.exchange.dialects import okx_rows as rows
from bot.exchange.dialects import okx_streams as streams
from bot.exchange.dialects.okx_candles import newest_candles, show_size
from bot.exchange.dialects.windows import Quiet, reaches
from bot.exchange.fate import RECEIVE_WINDOW_MS
from bot.exchange.rows import MarginMove, Money, NewOrder, Payment, Settings, Trade, VenueOrder
from bot.exchange.told import MarkTold, Told

# One request per list: only conditional and oco may be asked for together.
_ALGO_TYPES: Final = ("conditional,oco", "move_order_stop", "trigger")
_PAGE: Final = 100
_MOST_NAMES: Final = 20
_NET: Final = "net_mode"
_FUNDING, _MARGIN = "8", "6"
_MOST_MARKS: Final = 64
_MINUTE_MS: Final = 60_000
# The venue takes a request for 30 s after its time. Signed with an earlier time, it expires as soon as
# everywhere else, so that one that is not seen after the receive window never arrives.
_VALID_MS: Final = 30_000
_SIGNED_EARLIER_MS: Final = _VALID_MS - RECEIVE_WINDOW_MS
_FEES: Final = MappingProxyType({"maker": "-0.0002", "taker": "-0.0005"})  # regular users, swaps; paid is < 0
_ONE_WHOLE_CLOSE: Final = "51088"

Ask = Callable[[Any], Awaitable[Any]]


class OkxDialect:
    """Keeps what a later call needs: settlement times, and the marks of settlements."""

    margin_keepers: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._is_prepared = False
        self._funding_ms: dict[str, int] = {}
        self._settled_marks: dict[tuple[str, int], float] = {}
        self._quiet = Quiet()
        self._shown: set[str] = set()  # symbols whose contract size trades have shown

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return OKX's rules: the taker fee in maintenance, liquidation one tick early."""
        return okx(taker_fee_rate)

    # --- reads ------------------------------------------------------------------------------------

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return instruments with live tiers and fee rates. Unavailable: trades contradict a size."""
        if not self._is_prepared:
            _prepare(client)
            self._is_prepared = True
        await self._load(client, symbols)
        fees = _first(await client.privateGetAccountTradeFee({"instType": "SWAP"}))
        return {symbol: await self._instrument(client, symbol, fees) for symbol in symbols}

    async def _load(self, client: Any, symbols: Sequence[str]) -> None:
        """Read markets, and compare sizes before anything is sent by them; wrong ones replace none."""
        known = list((client.markets or {}).values())
        traded = await newest_candles(client, symbols) if known else {}
        await client.load_markets(True)
        traded = traded or await newest_candles(client, symbols)
        try:
            shown = {each for each in symbols if rows.check_size(client.market(each), traded[each])}
        except Unavailable:
            if known:
                client.set_markets(known)
            raise
        self._shown = self._shown.difference(symbols) | shown

    async def _instrument(self, client: Any, symbol: str, fees: Mapping[str, Any]) -> Instrument:
        market = client.market(symbol)
        family = market["info"]["instFamily"]
        asked = {"instType": "SWAP", "tdMode": "isolated", "instFamily": family}
        tiers = await client.publicGetPublicPositionTiers(asked)
        (mark,) = await self.marks(client, [symbol])
        due = await self._funding_due(client, symbol)
        table = rows.tiers_at(tiers["data"], market, mark.mark)
        return rows.instrument_from(market, table, fees, due[1])

    async def money(self, client: Any) -> Money:
        """Return balances of the settlement coin."""
        reply = await client.privateGetAccountBalance({"ccy": rows.SETTLE})
        for row in _first(reply)["details"]:
            if row["ccy"] == rows.SETTLE:
                return rows.money_from(row)
        return Money(0.0, 0.0)

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return positions; wallet and leverage are those of the venue's row."""
        reply = await client.privateGetAccountPositions({"instType": "SWAP"})
        held = [row for row in reply["data"] if number_or_zero(row, "pos") != 0.0]
        return tuple(rows.position_from(row, client.market(row["instId"])) for row in held)

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return plain and algo orders, each type of algo order from a list of its own."""
        market = client.market(symbol)
        asked = {"instType": "SWAP", "instId": market["id"]}
        lists = await asyncio.gather(
            _paged(client.privateGetTradeOrdersPending, asked, "ordId"),
            *(
                _paged(client.privateGetTradeOrdersAlgoPending, {**asked, "ordType": kind}, "algoId")
                for kind in _ALGO_TYPES
            ),
        )
        plain = [rows.order_from(row, market) for row in lists[0]]
        return (*plain, *(rows.algo_from(row, market) for each in lists[1:] for row in each))

    async def order(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> VenueOrder:
        """Return an order by our id, from the service that keeps this kind."""
        market = client.market(symbol)
        asked = {"instId": market["id"], **_id_of(client_id, is_conditional)}
        if is_conditional:
            return rows.algo_from(_first(await client.privateGetTradeOrderAlgo(asked)), market)
        return rows.order_from(_first(await client.privateGetTradeOrder(asked)), market)

    async def order_by_venue_id(self, client: Any, symbol: str, venue_id: str) -> VenueOrder:
        """Return a plain order by the venue's id: what a fired trigger became, or a foreign order."""
        market = client.market(symbol)
        reply = await client.privateGetTradeOrder({"instId": market["id"], "ordId": venue_id})
        return rows.order_from(_first(reply), market)

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return fills with the venue's own realised PnL: one list has three days, the other three months."""
        market = client.market(symbol)
        asked = {"instType": "SWAP", "instId": market["id"]}
        lists = (client.privateGetTradeFills, client.privateGetTradeFillsHistory)
        found = await self._since(client, lists, asked, since_ms)
        return tuple(sorted(rows.trade_from(row, market) for row in found))

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
        """Return funding payments, oldest first; their rows hold the mark of the settlement."""
        found = await self._bills(client, symbol, _FUNDING, since_ms)
        for row in found:
            self._settled_marks[(symbol, int(row["ts"]))] = number_or_zero(row, "px")
        while len(self._settled_marks) > _MOST_MARKS:
            del self._settled_marks[next(iter(self._settled_marks))]
        return tuple(sorted(rows.payment_from(row, symbol) for row in found))

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return rate and mark of the settlement at `ts_ms`."""
        asked = {"instId": client.market(symbol)["id"], "limit": "10"}
        reply = await client.publicGetPublicFundingRateHistory({**asked, "after": str(ts_ms + _MINUTE_MS)})
        for row in reply["data"]:
            rate = "realizedRate" if row.get("realizedRate") else "fundingRate"
            return number(row, rate), self._settled_marks.get((symbol, ts_ms), 0.0)
        return 0.0, 0.0

    async def margin_moves(self, client: Any, symbol: str, since_ms: int | None) -> tuple[MarginMove, ...]:
        """Return margin that was moved by request, from the bills."""
        found = await self._bills(client, symbol, _MARGIN, since_ms)
        return tuple(sorted(rows.margin_move_from(row, symbol) for row in found))

    async def settings(self, client: Any, symbol: str) -> Settings:
        """Return leverage and position mode. Isolated is what every order says, not a setting."""
        config = _first(await client.privateGetAccountConfig())
        leverage = await self._leverages(client, [symbol])
        return Settings(leverage[symbol], True, config["posMode"] == _NET)

    async def leverages(self, client: Any, symbols: Sequence[str]) -> Mapping[str, int]:
        """Return the leverage settings of these symbols, asked for by twenties."""
        found: dict[str, int] = {}
        for index in range(0, len(symbols), _MOST_NAMES):
            found |= await self._leverages(client, symbols[index : index + _MOST_NAMES])
        return found

    async def _leverages(self, client: Any, symbols: Sequence[str]) -> dict[str, int]:
        names = ",".join(client.market(symbol)["id"] for symbol in symbols)
        reply = await client.privateGetAccountLeverageInfo({"instId": names, "mgnMode": "isolated"})
        return {client.market(row["instId"])["symbol"]: int(number(row, "lever")) for row in reply["data"]}

    async def _bills(self, client: Any, symbol: str, kind: str, since_ms: int | None) -> list[Any]:
        name = client.market(symbol)["id"]
        asked = {"instType": "SWAP", "mgnMode": "isolated", "type": kind}
        lists = (client.privateGetAccountBills, client.privateGetAccountBillsArchive)
        found = await self._since(client, lists, asked, since_ms)
        return [row for row in found if row["instId"] == name]

    async def _since(
        self, client: Any, lists: Sequence[Ask], asked: Mapping[str, str], since_ms: int | None
    ) -> list[Any]:
        """Return rows from `since_ms` on of the list of some days, else also of the one of three months."""
        recent, archive = lists
        found = await _since(recent, asked, since_ms)
        if since_ms is None or reaches(map(_time, found), since_ms):
            return found
        name, now_ms = str(sorted(asked.items())), client.milliseconds()
        if not self._quiet.is_known(name, since_ms, now_ms):
            found += await _since(archive, asked, since_ms)
            self._quiet.learn(name, since_ms, now_ms, map(_time, found))
        return list({row["billId"]: row for row in found}.values())

    # --- writes -----------------------------------------------------------------------------------

    async def set_one_way(self, client: Any) -> None:
        """Leave long/short mode."""
        await client.privatePostAccountSetPositionMode({"posMode": _NET})

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None:
        """Set leverage of isolated margin: the mode itself is part of each order."""
        await self.set_leverage(client, symbol, leverage)

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None:
        """Set the leverage of isolated margin in net mode; ccxt's default is that of cross.

        Rejected unsent: a position is open at more, and the venue would pull margin into it.
        """
        name = client.market(symbol)["id"]
        reply = await client.privateGetAccountPositions({"instType": "SWAP", "instId": name})
        if any(number_or_zero(row, "pos") and number(row, "lever") > leverage for row in reply["data"]):
            message = f"{symbol} has a position: lowering its leverage would move margin into it"
            raise Rejected("leverage_refused", message)
        asked = {"instId": name, "lever": str(leverage), "mgnMode": "isolated", "posSide": "net"}
        await client.privatePostAccountSetLeverage(asked)

    async def create(self, client: Any, order: NewOrder) -> VenueOrder:
        """Send an order; read what became of a plain one, because the reply does not say."""
        market = client.market(order.symbol)
        if order.is_conditional:
            reply = await client.privatePostTradeOrderAlgo(rows.algo_request(order, market))
            row = _taken(reply)
            return rows.sent_order(order, str(row["algoId"]), str(row["algoClOrdId"]))
        if not (order.is_reduce_only or order.symbol in self._shown):
            await show_size(client, order.symbol)
            self._shown.add(order.symbol)
        row = _taken(await client.privatePostTradeOrder(rows.plain_request(order, market)))
        sent = rows.sent_order(order, str(row["ordId"]), str(row["clOrdId"]))
        try:
            return await self.order_by_venue_id(client, order.symbol, sent.venue_id)
        except (ccxt.BaseError, Unavailable):
            return sent  # it was taken: a list that lags must not make it a refusal

    async def cancel(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> None:
        """Cancel by our id in the service that keeps this kind."""
        asked = {"instId": client.market(symbol)["id"], **_id_of(client_id, is_conditional)}
        if is_conditional:
            _taken(await client.privatePostTradeCancelAlgos([asked]))
        else:
            _taken(await client.privatePostTradeCancelOrder(asked))

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> None:
        """Move margin by the raw endpoint, in 8 decimals; ccxt's own methods raise after the transfer."""
        await client.privatePostAccountPositionMarginBalance(
            {
                "instId": client.market(symbol)["id"],
                "posSide": "net",
                "type": "add" if amount_quote > 0.0 else "reduce",
                "amt": f"{abs(amount_quote):.8f}",
            }
        )

    async def stop_auto_add(self, client: Any, symbol: str) -> None:
        """Do nothing: isolated swaps of OKX have no such switch."""

    # --- public data ------------------------------------------------------------------------------

    async def public_instruments(
        self, client: Any, symbols: Sequence[str], shipped: Shipped
    ) -> dict[str, Instrument]:
        """Return instruments with live steps and tiers, and the fees of accounts without discount."""
        return {symbol: await self._instrument(client, symbol, _FEES) for symbol in symbols}

    # --- streams ----------------------------------------------------------------------------------

    def watchers(
        self, client: Any, symbols: Sequence[str], timeframe: str
    ) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        """Return the subscriptions. Algo orders are told on the socket of the candles."""
        names = list(symbols)
        return {
            "marks": lambda: _watch_marks(client, names),
            "candles": lambda: client.watch_ohlcv_for_symbols([[name, timeframe] for name in names]),
            "account": lambda: _watch_account(client, "private", streams.PRIVATE_CHANNELS),
            "algos": lambda: _watch_account(client, "business", (streams.ALGO_CHANNEL,)),
        }

    def told(self, client: Any, message: Any) -> Told | None:
        """Return what a message says."""
        return streams.told(client.markets_by_id or {}, self._funding_ms, message)

    def forget_user_stream(self, client: Any) -> None:
        """Nothing: a login belongs to its socket and goes with it."""

    def not_before(self, client: Any, ts_ms: int) -> None:
        """Nothing: prices carry their time."""

    async def marks(self, client: Any, symbols: Sequence[str]) -> tuple[MarkTold, ...]:
        """Return marks and the next settlement of each symbol."""
        found = []
        for symbol in symbols:
            await self._funding_due(client, symbol)
            asked = {"instType": "SWAP", "instId": client.market(symbol)["id"]}
            row = _first(await client.publicGetPublicMarkPrice(asked))
            found.append(streams.mark_from(row, symbol, self._funding_ms))
        return tuple(found)

    async def _funding_due(self, client: Any, symbol: str) -> tuple[int, int]:
        """Return the next settlement and the time between two, in milliseconds."""
        row = _first(await client.publicGetPublicFundingRate({"instId": client.market(symbol)["id"]}))
        due_ms = int(row["fundingTime"])
        self._funding_ms[symbol] = due_ms
        return due_ms, int(row["nextFundingTime"]) - due_ms

    # --- what replies mean ------------------------------------------------------------------------

    def refuses_second_stop(self, code: str) -> bool:
        """Return whether the text says that an order for the entire position rests already."""
        return _ONE_WHOLE_CLOSE in code

    def is_liquidation(self, client_id: str) -> bool:
        """Return whether an order is the venue's liquidation."""
        return client_id.startswith(rows.LIQUIDATION_ID)


def _time(row: Mapping[str, Any]) -> int:
    return int(row["ts"])


def _prepare(client: Any) -> None:
    """Read swaps only, and sign with a time that expires with the receive window."""
    client.options["fetchMarkets"] = {"types": ["swap"]}
    nonce = client.nonce
    client.nonce = lambda: nonce() - _SIGNED_EARLIER_MS


def _id_of(client_id: str, is_conditional: bool) -> dict[str, str]:
    """Return how the venue finds an order: by our id, or a foreign one by its own."""
    if client_id.startswith(rows.FOREIGN_ID):
        return {"algoId" if is_conditional else "ordId": client_id.removeprefix(rows.FOREIGN_ID)}
    return {"algoClOrdId" if is_conditional else "clOrdId": client_id}


def _first(reply: Mapping[str, Any]) -> Any:
    if not reply.get("data"):
        raise Unavailable("the venue's reply has no data")
    return reply["data"][0]


def _taken(reply: Mapping[str, Any]) -> Any:
    """Return the row of an order request; one that was refused raises, also under a code that says done."""
    row = _first(reply)
    if str(row.get("sCode", "0")) != "0":
        raise ccxt.ExchangeError(f"okx {json.dumps(reply)}")
    return row


async def _paged(ask: Ask, asked: Mapping[str, str], id_field: str) -> list[Any]:
    """Return every row of a list that gives 100 at a time, newest first."""
    found = list((await ask(dict(asked)))["data"])
    page = found
    while len(page) >= _PAGE:
        page = (await ask({**asked, "after": str(page[-1][id_field])}))["data"]
        found += page
    return found


async def _since(ask: Ask, asked: Mapping[str, str], since_ms: int | None) -> list[Any]:
    """Return a history's rows from `since_ms` on; without it the newest page."""
    if since_ms is None:
        return list((await ask(dict(asked)))["data"])
    return await _paged(ask, {**asked, "begin": str(since_ms)}, "billId")


async def _watch_marks(client: Any, symbols: Sequence[str]) -> Any:
    """Subscribe to marks and to settlement times on one socket."""
    url = client.get_url(streams.MARK_CHANNELS[0], "public")
    names = [client.market(symbol)["id"] for symbol in symbols]
    args = [{"channel": each, "instId": name} for each in streams.MARK_CHANNELS for name in names]
    return await client.watch(url, "marks", {"op": "subscribe", "args": args}, "marks")


async def _watch_account(client: Any, access: str, channels: Sequence[str]) -> Any:
    """Log in and subscribe; ccxt's own methods would ask for one channel each."""
    await client.authenticate({"access": access})
    args = [
        {"channel": each} if each == "account" else {"channel": each, "instType": "SWAP"} for each in channels
    ]
    url = client.get_url("users", access)
    return await client.watch(url, access, {"op": "subscribe", "args": args}, access)
