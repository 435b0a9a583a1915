"""The gateway and its feed trade on the embedded exchange in Bybit's dialect, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import ccxt.pro
import pytest

from bot.clock import WallClock
from bot.core.event import MarginAdjusted, MarkPrice, OrderFilled
from bot.core.intent import AddMargin, OpenPosition, PlaceStop, SetLeverage
from bot.core.profile import bybit
from bot.core.timeframe import MINUTE_MS
from bot.exchange.connect import Connection, Credentials, connect
from bot.exchange.hosts import Access
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.market import SyntheticMarket
from bot.sim.server.auth import PAPER_KEY, PAPER_SECRET, ApiKey
from bot.sim.server.bybit.application import BybitServer
from bot.sim.server.bybit.door import Rates
from bot.sim.server.bybit.terms import as_bybit
from bot.sim.server.control import Control
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.pump import Pump
from bot.sim.server.serve import bind, server_for
from bot.sim.server.state import StateFile
from bot.sim.venue import SimulatedVenue
from tests.contract.venue_worlds import BTC, Desk

ETH = "ETH/USDT:USDT"


class Bybit(NamedTuple):
    exchange: EmbeddedExchange
    dialect: BybitServer
    control: Control
    pump: Pump
    port: int


@pytest.fixture
async def served_bybit() -> AsyncIterator[Bybit]:
    """Serve an account of 10000 USDT; the market stands still."""
    instruments = {symbol: as_bybit(instrument_for(symbol)) for symbol in (BTC, ETH)}
    config = VenueConfig(0.0001, 0.0002, dict.fromkeys(instruments, 500_000.0))
    venue = SimulatedVenue(instruments, bybit(instruments[BTC].taker_fee_rate), config, 10_000.0)
    source = SyntheticMarket(7, tuple(instruments), MINUTE_MS)
    exchange = EmbeddedExchange(venue, source, StateFile(None, {}), MINUTE_MS, 10_000.0)
    exchange.open()
    faults, clock = Faults(), WallClock()
    rates = Rates(100_000, 10_000, 10_000)
    dialect = BybitServer(exchange, clock, (ApiKey(PAPER_KEY, PAPER_SECRET),), rates, faults)
    pump = Pump(exchange, clock, 1.0)
    control = Control(exchange, pump, faults, dialect)
    bound = bind("127.0.0.1", 0)
    server = server_for(dialect.application(*control.routes()))
    task = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started:
        await asyncio.sleep(0)
    yield Bybit(exchange, dialect, control, pump, bound.getsockname()[1])
    server.should_exit = True
    await task


@pytest.fixture
async def connection(served_bybit: Bybit) -> AsyncIterator[Connection]:
    access = Access("loopback", f"http://127.0.0.1:{served_bybit.port}")
    credentials = Credentials(PAPER_KEY, PAPER_SECRET)
    made = connect("bybit", access, credentials, (BTC, ETH), WallClock())
    yield made
    await made.close()


async def until(events: Any, is_wanted: Any) -> list[Any]:
    """Return the events up to the first one that is wanted."""
    seen = []
    async for event in events:
        seen.append(event)
        if is_wanted(event):
            return seen
    raise AssertionError("the feed ended")


async def test_marks_candles_and_fills_come_over_the_streams(
    served_bybit: Bybit, connection: Connection
) -> None:
    desk = Desk(connection.gateway)
    await desk.send(SetLeverage(BTC, 10))
    events, prices = connection.feed(MINUTE_MS).events(), served_bybit.exchange.prices
    begin_ms = served_bybit.exchange.market_ms
    pulled = asyncio.create_task(
        until(events, lambda event: isinstance(event, MarkPrice) and event.ts_ms == begin_ms + 2_000)
    )
    while not served_bybit.dialect.hub.private:
        await asyncio.sleep(0.01)
    served_bybit.control.run("advance", {"until_ms": begin_ms + 2_000})
    first = (await asyncio.wait_for(pulled, 10.0))[-1]
    assert first.mark == prices.of(first.symbol).mark
    await desk.send(OpenPosition(BTC, 1, 0.05))
    mark = prices.of(BTC).mark
    await desk.send(PlaceStop(BTC, 1, round(0.99 * mark, 1)))
    pulled = asyncio.create_task(until(events, lambda event: isinstance(event, OrderFilled)))
    served_bybit.control.run("price", {"symbol": BTC, "mark": 0.985 * mark})
    fill = (await asyncio.wait_for(pulled, 10.0))[-1]
    assert (fill.leg, fill.position, fill.remaining_quantity) == ("stop", None, 0.0)
    pulled = asyncio.create_task(until(events, lambda event: type(event).__name__ == "CandleClosed"))
    served_bybit.pump.advance_ticks(400)
    closed = (await asyncio.wait_for(pulled, 10.0))[-1]
    known = prices.bars(closed.symbol, MINUTE_MS, 50)
    assert (closed.ts_ms - MINUTE_MS, closed.close) in [(bar.open_ms, bar.close) for bar in known]
    await events.aclose()


async def test_margin_moved_elsewhere_is_told_by_the_position_topic(
    served_bybit: Bybit, connection: Connection
) -> None:
    desk = Desk(connection.gateway)
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.05))
    feed = connection.feed(MINUTE_MS)
    events = feed.events()
    pulled = asyncio.create_task(until(events, lambda event: isinstance(event, MarginAdjusted)))
    while not served_bybit.dialect.hub.private:
        await asyncio.sleep(0.01)
    held = served_bybit.exchange.state.positions[BTC]
    served_bybit.exchange.request(AddMargin(BTC, held.isolated_wallet + 20.0))
    served_bybit.exchange.commit()
    told = (await asyncio.wait_for(pulled, 10.0))[-1]
    assert told.amount_quote == pytest.approx(20.0)
    await events.aclose()


async def test_a_private_stream_that_is_cut_logs_in_again(
    served_bybit: Bybit, connection: Connection
) -> None:
    desk = Desk(connection.gateway)
    await desk.send(SetLeverage(BTC, 10))
    events = connection.feed(MINUTE_MS).events()
    pulled = asyncio.create_task(until(events, lambda event: isinstance(event, OrderFilled)))
    while not served_bybit.dialect.hub.private:
        await asyncio.sleep(0.01)
    (before,) = served_bybit.dialect.hub.private
    served_bybit.control.run("expire-listen-key", {})
    while not served_bybit.dialect.hub.private - {before}:
        await asyncio.sleep(0.01)
    action = OpenPosition(BTC, 1, 0.05)
    served_bybit.exchange.settings["margin_mode"] = "ISOLATED_MARGIN"
    pulled.cancel()
    await asyncio.gather(pulled, return_exceptions=True)
    assert [type(each).__name__ for each in await desk.send(action)] == ["OrderAccepted", "OrderFilled"]
    await events.aclose()


async def test_ccxts_own_client_reads_what_the_exchange_says(served_bybit: Bybit) -> None:
    client: Any = ccxt.pro.bybit({"apiKey": PAPER_KEY, "secret": PAPER_SECRET, "enableRateLimit": False})
    base = f"http://127.0.0.1:{served_bybit.port}"
    client.urls["api"] = {name: base if name != "ws" else url for name, url in client.urls["api"].items()}
    client.has["fetchCurrencies"] = False
    client.options.update(defaultType="swap", fetchMarkets={"types": ["linear"]})
    try:
        await client.load_markets()
        await client.set_margin_mode("isolated")
        await client.set_leverage(10, BTC)
        with pytest.raises(ccxt.BadRequest):
            await client.set_leverage(10, BTC)
        order = await client.create_order(BTC, "market", "buy", 0.05, None, {"clientOrderId": "entry1"})
        placed = await client.fetch_order(order["id"], BTC, {"acknowledged": True})
        assert (placed["status"], placed["filled"], placed["clientOrderId"]) == ("closed", 0.05, "entry1")
        held = served_bybit.exchange.state.positions[BTC]
        (position,) = await client.fetch_positions([BTC])
        assert (position["side"], position["contracts"]) == ("long", 0.05)
        assert float(position["info"]["positionBalance"]) == held.isolated_wallet
        assert position["liquidationPrice"] == served_bybit.exchange.state.liquidation(held)
        balance = await client.fetch_balance()
        assert balance["USDT"]["free"] == pytest.approx(served_bybit.exchange.state.free_quote)
        stop = await client.create_order(
            BTC, "market", "sell", 0.05, None, {"stopLossPrice": 1_000.0, "triggerBy": "MarkPrice"}
        )
        waiting = await client.fetch_open_orders(BTC, params={"trigger": True})
        assert [each["id"] for each in waiting] == [stop["id"]]
        await client.cancel_order(stop["id"], BTC)
        assert await client.fetch_open_orders(BTC) == []
        (trade,) = await client.fetch_my_trades(BTC)
        assert (trade["order"], trade["takerOrMaker"]) == (order["id"], "taker")
        rows = await client.fetch_ohlcv(BTC, "1m", None, 5)
        assert rows[-1][4] == served_bybit.exchange.prices.of(BTC).last
        assert (await client.fetch_ticker(BTC))["last"] == served_bybit.exchange.prices.of(BTC).last
    finally:
        await client.close()
