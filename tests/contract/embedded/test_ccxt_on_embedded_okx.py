"""The real ccxt.pro client and the bot's feed on the embedded exchange in OKX's dialect, over sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, NamedTuple

import ccxt.pro
import pytest

from bot.clock import WallClock
from bot.core.event import CandleClosed, FundingDue, MarkPrice, OrderCancelled
from bot.core.intent import Intent, OpenPosition, PlaceStop, SetLeverage
from bot.core.profile import okx
from bot.core.timeframe import HOUR_MS, MINUTE_MS
from bot.exchange.connect import Connection, Credentials, connect
from bot.exchange.hosts import Access
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.market import SyntheticMarket
from bot.sim.server.auth import PAPER_KEY, PAPER_PASSPHRASE, PAPER_SECRET, ApiKey
from bot.sim.server.control import Control
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.okx.application import OkxServer
from bot.sim.server.okx.terms import as_okx
from bot.sim.server.pump import Pump
from bot.sim.server.serve import bind, server_for
from bot.sim.server.state import StateFile
from bot.sim.venue import SimulatedVenue

BTC, DOGE = "BTC/USDT:USDT", "DOGE/USDT:USDT"
ISOLATED = {"marginMode": "isolated"}


class Served(NamedTuple):
    exchange: EmbeddedExchange
    dialect: OkxServer
    control: Control
    pump: Pump
    port: int


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Serve an account of 10000 USDT; the market stands still."""
    instruments = {symbol: as_okx(instrument_for(symbol)) for symbol in (BTC, DOGE)}
    config = VenueConfig(0.0001, 0.0002, dict.fromkeys(instruments, 500_000.0))
    venue = SimulatedVenue(instruments, okx(0.0005), config, 10_000.0)
    source = SyntheticMarket(7, (BTC, DOGE), MINUTE_MS)
    exchange = EmbeddedExchange(venue, source, StateFile(None, {}), MINUTE_MS, 10_000.0)
    exchange.open()
    faults, clock = Faults(), WallClock()
    dialect = OkxServer(exchange, clock, (ApiKey(PAPER_KEY, PAPER_SECRET),), faults, 100.0)
    pump = Pump(exchange, clock, 1.0)
    control = Control(exchange, pump, faults, dialect)
    bound = bind("127.0.0.1", 0)
    server = server_for(dialect.application(*control.routes()))
    task = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started:
        await asyncio.sleep(0)
    yield Served(exchange, dialect, control, pump, bound.getsockname()[1])
    server.should_exit = True
    await task


@pytest.fixture
async def client(served: Served) -> AsyncIterator[Any]:
    keys: Any = {"apiKey": PAPER_KEY, "secret": PAPER_SECRET, "password": PAPER_PASSPHRASE}
    settings: Any = {**keys, "enableRateLimit": False}
    made: Any = ccxt.pro.okx(settings)
    made.urls["api"] = {
        "rest": f"http://127.0.0.1:{served.port}",
        "ws": f"ws://127.0.0.1:{served.port}/ws/v5",
    }
    made.options["fetchMarkets"] = {"types": ["swap"]}
    made.has["fetchCurrencies"] = False
    await made.load_markets()
    yield made
    await made.close()


@pytest.fixture
async def connection(served: Served) -> AsyncIterator[Connection]:
    access = Access("loopback", f"http://127.0.0.1:{served.port}")
    credentials = Credentials(PAPER_KEY, PAPER_SECRET, PAPER_PASSPHRASE)
    made = connect("okx", access, credentials, (BTC,), WallClock())
    yield made
    await made.close()


async def opened(client: Any, contracts: float = 5.0) -> Any:
    await client.set_leverage(10, BTC, {"marginMode": "isolated", "posSide": "net"})
    return await client.create_order(BTC, "market", "buy", contracts, None, {**ISOLATED, "clOrdId": "entry1"})


async def test_markets_are_in_contracts(client: Any) -> None:
    market = client.market(DOGE)
    assert (market["linear"], market["swap"], market["settle"]) == (True, True, "USDT")
    assert (market["contractSize"], market["precision"]["amount"]) == (1000.0, 0.001)
    tiers = await client.fetch_market_leverage_tiers(BTC)
    assert [tier["maxLeverage"] for tier in tiers[:2]] == [150.0, 100.0]


async def test_an_order_a_position_and_a_balance_are_the_venues(served: Served, client: Any) -> None:
    order = await opened(client)
    (position,) = await client.fetch_positions([BTC])
    venue = served.exchange.state.positions[BTC]
    assert (position["contracts"], position["side"], position["marginMode"]) == (5.0, "long", "isolated")
    assert venue.quantity == 0.05
    assert position["entryPrice"] == venue.entry_price
    assert position["liquidationPrice"] == served.exchange.state.liquidation(venue)
    assert float(position["info"]["margin"]) == venue.isolated_wallet
    assert (await client.fetch_balance())["USDT"]["free"] == served.exchange.state.free_quote
    (trade,) = await client.fetch_my_trades(BTC)
    assert (trade["order"], trade["amount"], trade["takerOrMaker"]) == (order["id"], 5.0, "taker")
    assert trade["fee"]["cost"] == pytest.approx(venue.entry_price * 0.05 * 0.0005)
    found = await client.fetch_order(order["id"], BTC)
    assert (found["status"], found["filled"], found["clientOrderId"]) == ("closed", 5.0, "entry1")


async def test_margin_moves_are_in_the_history(served: Served, client: Any) -> None:
    await opened(client)
    body = {"instId": "BTC-USDT-SWAP", "posSide": "net"}
    before = served.exchange.state.positions[BTC].isolated_wallet
    await client.privatePostAccountPositionMarginBalance({**body, "type": "add", "amt": "10.12345678"})
    await client.privatePostAccountPositionMarginBalance({**body, "type": "reduce", "amt": "3.00000001"})
    wallet = served.exchange.state.positions[BTC].isolated_wallet
    assert wallet == pytest.approx(before + 7.12345677, abs=1e-9)
    with pytest.raises(TypeError):  # ccxt 4.5.90's parser, here and after its add_margin
        await client.fetch_margin_adjustment_history(BTC, "add")
    told = (await client.privateGetAccountBills({"type": "6"}))["data"]
    assert [(row["subType"], row["posBalChg"]) for row in told] == [
        ("161", "-3.00000001"),
        ("160", "10.12345678"),
    ]


async def test_algo_orders_are_found_in_the_list_of_their_type_only(served: Served, client: Any) -> None:
    await opened(client)
    mark = served.exchange.prices.of(BTC).mark
    params = {
        **ISOLATED,
        "stopLossPrice": round(0.97 * mark, 1),
        "slTriggerPxType": "mark",
        "reduceOnly": True,
    }
    await client.create_order(BTC, "market", "sell", 5.0, None, {**params, "algoClOrdId": "stop1"})
    assert await client.fetch_open_orders(BTC) == []
    assert await client.fetch_open_orders(BTC, params={"trigger": True}) == []
    waiting = await client.fetch_open_orders(BTC, params={"trigger": True, "ordType": "conditional"})
    assert [order["info"]["algoClOrdId"] for order in waiting] == ["stop1"]
    await client.cancel_order(waiting[0]["id"], BTC, {"trigger": True})
    assert await client.fetch_open_orders(BTC, params={"trigger": True, "ordType": "conditional"}) == []


@pytest.mark.parametrize(
    ("error", "call", "arguments"),
    [
        (ccxt.InsufficientFunds, "create_order", (BTC, "market", "buy", 900.0, None, ISOLATED)),
        (ccxt.BadSymbol, "create_order", ("NOPE", "market", "buy", 1.0)),
        (ccxt.InvalidOrder, "create_order", (DOGE, "market", "buy", 0.001, None, ISOLATED)),
        (ccxt.AccountNotEnabled, "create_order", (BTC, "market", "buy", 1.0)),
        (ccxt.OrderNotFound, "cancel_order", ("12345", BTC)),
        (ccxt.OrderNotFound, "fetch_order", ("12345", BTC)),
        (ccxt.ExchangeError, "set_leverage", (151, BTC, {"marginMode": "isolated", "posSide": "net"})),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_refusals_reach_the_caller_as_the_right_class(
    error: type[Exception], call: str, arguments: tuple[Any, ...], client: Any
) -> None:
    with pytest.raises(error):
        await getattr(client, call)(*arguments)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("fetch_time", ()),
        ("fetch_ticker", (BTC,)),
        ("fetch_tickers", ([BTC],)),
        ("fetch_order_book", (BTC,)),
        ("fetch_trades", (BTC,)),
        ("fetch_mark_price", (BTC,)),
        ("fetch_ohlcv", (BTC, "1m")),
        ("fetch_funding_rate", (BTC,)),
        ("fetch_funding_history", (BTC,)),
        ("fetch_funding_rate_history", (BTC,)),
        ("fetch_leverage", (BTC, ISOLATED)),
        ("fetch_position_mode", ()),
        ("fetch_trading_fee", (BTC,)),
        ("fetch_closed_orders", (BTC,)),
        ("fetch_accounts", ()),
    ],
)
async def test_what_else_ccxt_can_ask_is_answered(
    call: str, arguments: tuple[Any, ...], served: Served, client: Any
) -> None:
    await opened(client)
    served.pump.advance_until(served.exchange.market_ms + 9 * HOUR_MS)
    assert await getattr(client, call)(*arguments)


async def test_the_users_streams_tell_orders_positions_and_balance(served: Served, client: Any) -> None:
    await client.set_leverage(10, BTC, {"marginMode": "isolated", "posSide": "net"})
    watching = [
        asyncio.create_task(each) for each in (client.watch_orders(BTC), client.watch_positions([BTC]))
    ]
    while len(served.dialect.hub.users()) < 1 or len(next(iter(served.dialect.hub.users())).names) < 2:
        await asyncio.sleep(0)
    order = await client.create_order(BTC, "market", "buy", 5.0, None, ISOLATED)
    orders, positions = await asyncio.gather(*watching)
    assert orders[-1]["id"] == order["id"]
    assert positions[-1]["contracts"] == 5.0
    balance = await client.watch_balance()
    assert balance["USDT"]["free"] == served.exchange.state.free_quote


async def test_market_streams_follow_the_market(served: Served, client: Any) -> None:
    assert (await client.watch_mark_price(BTC))["markPrice"] == served.exchange.prices.of(BTC).mark
    assert len((await client.watch_ohlcv(BTC, "1m"))[-1]) == 6
    assert (await client.watch_ticker(BTC))["last"] > 0.0


# --- the bot's feed -------------------------------------------------------------------------------


async def test_the_feed_tells_marks_candles_settlements_and_what_happens_to_the_account(
    served: Served, connection: Connection
) -> None:
    """Cut sockets come back, and the algo socket tells a stop that somebody else cancelled."""
    feed, gateway = connection.feed(MINUTE_MS), connection.gateway
    await feed.history(BTC, MINUTE_MS, 5)
    for seq, (letter, action) in enumerate(
        [("L", SetLeverage(BTC, 10)), ("E", OpenPosition(BTC, 1, 0.05)), ("S", PlaceStop(BTC, 1, 1_000.0))]
    ):
        await gateway.execute(Intent(seq, f"FEED000000{seq}{letter}", 0, action, "feed", {}))
    seen: list[Any] = []

    async def follow() -> None:
        async with aclosing(feed.events()) as events:
            async for event in events:
                seen.append(event)

    async def until(is_seen: Any, move: Any) -> None:
        while not any(map(is_seen, seen)):
            move()
            await asyncio.sleep(0)

    following = asyncio.create_task(follow())
    try:
        await until(lambda each: isinstance(each, CandleClosed), lambda: served.pump.advance_ticks(5))
        served.dialect.disconnect()
        seen.clear()
        await until(lambda each: isinstance(each, MarkPrice), lambda: served.pump.advance_ticks(1))
        late_ms = served.exchange.market_ms + 8 * HOUR_MS
        served.pump.advance_until(late_ms)
        await until(lambda each: isinstance(each, FundingDue), lambda: served.pump.advance_ticks(1))
        await connection.gateway.dialect.cancel(connection.link.client, BTC, "FEED0000002S", True)
        await until(lambda each: isinstance(each, OrderCancelled), lambda: None)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    gone = [event.client_id for event in seen if isinstance(event, OrderCancelled)]
    assert gone == ["FEED0000002S"]


async def test_history_is_whole_although_a_page_is_300_candles(
    served: Served, connection: Connection
) -> None:
    """ccxt cuts the limit to 300 in silence; the page before must end where the last one begins."""
    served.pump.advance_until(served.exchange.market_ms + 12 * HOUR_MS)
    candles = await connection.feed(MINUTE_MS).history(BTC, MINUTE_MS, 700)
    assert len(candles.open_ms) == 700
    assert set((candles.open_ms[1:] - candles.open_ms[:-1]).tolist()) == {MINUTE_MS}
