"""The embedded exchange in any dialect on a free port, with its control commands at hand."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final, NamedTuple

from bot.cli.exchange_dialects import SPOKEN, Limits
from bot.clock import WallClock
from bot.core.timeframe import MINUTE_MS
from bot.exchange.connect import Connection, Credentials, connect
from bot.exchange.hosts import Access
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.market import SyntheticMarket
from bot.sim.server.auth import (
    PAPER_AGENT_KEY,
    PAPER_KEY,
    PAPER_PASSPHRASE,
    PAPER_SECRET,
    PAPER_WALLET,
)
from bot.sim.server.control import Control
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.pump import Pump
from bot.sim.server.serve import bind, server_for
from bot.sim.server.state import StateFile
from bot.sim.venue import SimulatedVenue

BTC: Final = "BTC/USDT:USDT"
VENUES: Final = {"binance": "binanceusdm", "bybit": "bybit", "okx": "okx", "hyperliquid": "hyperliquid"}
SYMBOLS: Final = {name: BTC.replace("USDT", "USDC") if name == "hyperliquid" else BTC for name in VENUES}
KEYS: Final = Credentials(PAPER_KEY, PAPER_SECRET, PAPER_PASSPHRASE, PAPER_WALLET, PAPER_AGENT_KEY)


class Spoken(NamedTuple):
    """An exchange that stands at its market's first tick, and how a client reaches it."""

    ccxt_id: str
    exchange: EmbeddedExchange
    control: Control
    access: Access
    symbol: str

    def connect(self, symbol: str = "") -> Connection:
        return connect(self.ccxt_id, self.access, KEYS, (symbol or self.symbol,), WallClock())


@asynccontextmanager
async def serving(
    dialect_name: str, taker_fee_rates: Mapping[str, float] = MappingProxyType({})
) -> AsyncGenerator[Spoken, None]:
    """Serve an account of 10000 on the synthetic market, with these symbols and fees."""
    spoken, symbol = SPOKEN[dialect_name], SYMBOLS[dialect_name]
    terms = {
        each: spoken.terms(instrument_for(each))._replace(taker_fee_rate=rate)
        for each, rate in (taker_fee_rates or {symbol: 0.0005}).items()
    }
    config = VenueConfig(0.0001, 0.0002, dict.fromkeys(terms, 500_000.0))
    venue = SimulatedVenue(terms, spoken.profile(0.0), config, 10_000.0)
    market = SyntheticMarket(7, tuple(terms), MINUTE_MS)
    exchange = EmbeddedExchange(venue, market, StateFile(None, {}), MINUTE_MS, 10_000.0)
    exchange.open()
    faults, clock, limits = Faults(), WallClock(), Limits(1_000_000, 1_000_000)
    dialect = spoken.serve(exchange, clock, (spoken.key,), limits, faults)
    control = Control(exchange, Pump(exchange, clock, 1.0), faults, dialect)
    bound = bind("127.0.0.1", 0)
    server = server_for(dialect.application(*control.routes()))
    task = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started:
        await asyncio.sleep(0)
    access = Access("loopback", f"http://127.0.0.1:{bound.getsockname()[1]}")
    yield Spoken(VENUES[dialect_name], exchange, control, access, symbol)
    server.should_exit = True
    await task
