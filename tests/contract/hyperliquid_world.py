"""The venue with Hyperliquid's terms behind Hyperliquid's dialect, reached by the gateway."""

from typing import Any

from bot.core.profile import HYPERLIQUID
from bot.exchange.connect import Credentials
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.server.auth import PAPER_AGENT_KEY, PAPER_WALLET, ApiKey
from bot.sim.server.hyperliquid.application import HyperliquidServer
from bot.sim.server.hyperliquid.door import Asked
from bot.sim.server.hyperliquid.terms import as_hyperliquid
from bot.sim.venue import SimulatedVenue
from tests.contract.venue_worlds import DEPOSIT_QUOTE, TAKER_FEE_RATE, Served

BTC_USDC = "BTC/USDC:USDC"


class ServedHyperliquid(Served):
    """Hyperliquid's dialect: half the initial margin maintains, and margin moves in millionths.

    The fee is the one of the other worlds, so that the same sums hold.
    """

    ccxt_id = "hyperliquid"
    symbol = BTC_USDC
    tick_ms = 1_000  # no stream tells of the tick here, and lists are read once for one instant
    credentials = Credentials(wallet_address=PAPER_WALLET, private_key=PAPER_AGENT_KEY)

    def venue(self) -> SimulatedVenue:
        terms = as_hyperliquid(instrument_for(BTC_USDC))._replace(taker_fee_rate=TAKER_FEE_RATE)
        config = VenueConfig(0.0, 0.0, {BTC_USDC: 1e9})
        return SimulatedVenue({BTC_USDC: terms}, HYPERLIQUID, config, DEPOSIT_QUOTE)

    def serve(self, keys: tuple[ApiKey, ...]) -> Any:
        wallet = (ApiKey(PAPER_WALLET, PAPER_AGENT_KEY),)
        return HyperliquidServer(self.embedded, self.clock, wallet, self.faults, 1_000_000)

    def asked(self, method: str, path: str, query: bytes, body: bytes, headers: dict[str, str]) -> Any:
        return Asked(method, path, body)
