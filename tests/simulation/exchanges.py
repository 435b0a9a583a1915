"""The exchange of a world: the simulated venue behind one of its dialects, and its market."""

import asyncio
from typing import Any, Final

from bot.cli.exchange_dialects import SPOKEN, Limits
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.pump import Pump
from bot.sim.server.state import StateFile
from bot.sim.source import MarketSource
from bot.sim.venue import SimulatedVenue
from tests.simulation.market import MINUTE_MS
from tests.simulation.wall import VenueClock

DRAWN: Final = ("binance", "bybit", "okx")  # what a seed draws from; the fourth is asked for by name
HYPERLIQUID: Final = "hyperliquid"
DIALECTS: Final = (*DRAWN, HYPERLIQUID)
CCXT_ID: Final = {
    "binance": "binanceusdm",
    "bybit": "bybit",
    "okx": "okx",
    "hyperliquid": "hyperliquid",
}
DEPOSIT_QUOTE: Final = 10_000.0
_LIMITS: Final = Limits(24_000, 3_000)


class SimulatedExchange:
    """Everything on the far side of the network. `faults` are the dialect's own."""

    def __init__(
        self,
        dialect: str,
        source: MarketSource,
        symbols: tuple[str, ...],
        clock: VenueClock,
        depth_quote: float,
    ) -> None:
        spoken = SPOKEN[dialect]
        instruments = {symbol: spoken.terms(instrument_for(symbol)) for symbol in symbols}
        fee = next(iter(instruments.values())).taker_fee_rate
        config = VenueConfig(0.0001, 0.0002, dict.fromkeys(instruments, depth_quote))
        self.dialect, self.clock = dialect, clock
        self.venue = SimulatedVenue(instruments, spoken.profile(fee), config, DEPOSIT_QUOTE)
        self.embedded = EmbeddedExchange(self.venue, source, StateFile(None, {}), MINUTE_MS, DEPOSIT_QUOTE)
        self.embedded.open()
        self.faults = Faults()
        self.server: Any = spoken.serve(self.embedded, clock, (spoken.key,), _LIMITS, self.faults)
        self.application = self.server.application()
        self.pump = Pump(self.embedded, clock, 1.0)

    async def run(self) -> None:
        """Let the market move and the server do what is due."""
        await asyncio.gather(self.pump.run(lambda: 0), self._tick())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.server.tick()
            if self.pump.is_paused or self.pump.is_at_end:
                self.server.repeat_prices()


def symbol_at(dialect: str, symbol: str) -> str:
    """Return how a dialect's venue names a perpetual."""
    return symbol.replace("USDT", "USDC") if dialect == HYPERLIQUID else symbol
