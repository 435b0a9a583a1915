"""The embedded exchange on a free port, in the test's own loop; market and faults moved by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import ccxt.pro
import pytest

from bot.clock import WallClock
from bot.core.profile import BINANCE_USDM
from bot.core.timeframe import MINUTE_MS
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.market import SyntheticMarket
from bot.sim.server.auth import PAPER_KEY, PAPER_SECRET, ApiKey
from bot.sim.server.binance.application import BinanceServer
from bot.sim.server.binance.door import Rates
from bot.sim.server.control import Control
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.pump import Pump
from bot.sim.server.serve import bind, server_for
from bot.sim.server.state import StateFile
from bot.sim.venue import SimulatedVenue

SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "DOGE/USDT:USDT")


class Served(NamedTuple):
    exchange: EmbeddedExchange
    dialect: BinanceServer
    control: Control
    pump: Pump
    port: int


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Serve an account of 10000 USDT; the market stands still."""
    instruments = {symbol: instrument_for(symbol) for symbol in SYMBOLS}
    config = VenueConfig(0.0001, 0.0002, dict.fromkeys(instruments, 500_000.0))
    venue = SimulatedVenue(instruments, BINANCE_USDM, config, 10_000.0)
    source = SyntheticMarket(7, SYMBOLS, MINUTE_MS)
    exchange = EmbeddedExchange(venue, source, StateFile(None, {}), MINUTE_MS, 10_000.0)
    exchange.open()
    faults, clock = Faults(), WallClock()
    rates = Rates(100_000, 10_000, 10_000)
    dialect = BinanceServer(exchange, clock, (ApiKey(PAPER_KEY, PAPER_SECRET),), rates, faults)
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


def ccxt_client(port: int) -> ccxt.pro.binanceusdm:
    """Return ccxt's own client with every address on loopback and its table of linear errors in force."""
    client: Any = ccxt.pro.binanceusdm(
        {"apiKey": PAPER_KEY, "secret": PAPER_SECRET, "enableRateLimit": False}
    )
    base, streams = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    api = client.urls["api"]
    for name in [name for name in api if name != "ws"]:
        api[name] = f"{base}/UNEXPECTED/{name}"
    for suffix, version in (("", "v1"), ("V2", "v2"), ("V3", "v3")):
        api[f"fapiPublic{suffix}"] = api[f"fapiPrivate{suffix}"] = f"{base}/fapi/{version}"
    for name, url in api["ws"].items():
        api["ws"][name] = dict.fromkeys(url, f"{streams}/ws") if isinstance(url, dict) else f"{streams}/ws"
    client.options.update(fetchCurrencies=False, fetchMargins=False, disableFuturesSandboxWarning=True)
    for table, codes in client.exceptions["linear"].items():
        client.exceptions[table].update(codes)
    return client


@pytest.fixture
async def client(served: Served) -> AsyncIterator[ccxt.pro.binanceusdm]:
    made = ccxt_client(served.port)
    await made.load_markets()
    yield made
    await made.close()


@pytest.fixture
def make_client() -> Callable[[int], ccxt.pro.binanceusdm]:
    return ccxt_client
