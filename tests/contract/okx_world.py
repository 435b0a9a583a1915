"""The venue with OKX's terms behind OKX's dialect, reached by the gateway."""

from typing import Any

from bot.core.profile import okx
from bot.exchange.connect import Credentials
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.server.auth import PAPER_KEY, PAPER_PASSPHRASE, PAPER_SECRET, ApiKey
from bot.sim.server.okx.application import OkxServer
from bot.sim.server.okx.door import Asked
from bot.sim.server.okx.terms import as_okx
from bot.sim.venue import SimulatedVenue
from tests.contract.venue_worlds import BTC, DEPOSIT_QUOTE, Served


class ServedOkx(Served):
    """OKX's dialect; its venue has no maintenance amounts and counts the fee to close."""

    ccxt_id = "okx"
    allowance = 1_000.0  # the test's clock stands still, so that rates would count everything
    credentials = Credentials(PAPER_KEY, PAPER_SECRET, PAPER_PASSPHRASE)

    def venue(self) -> SimulatedVenue:
        terms = as_okx(instrument_for(BTC))
        config = VenueConfig(0.0, 0.0, {BTC: 1e9})
        return SimulatedVenue({BTC: terms}, okx(terms.taker_fee_rate), config, DEPOSIT_QUOTE)

    def serve(self, keys: tuple[ApiKey, ...]) -> Any:
        return OkxServer(self.embedded, self.clock, keys, self.faults, self.allowance)

    def asked(self, method: str, path: str, query: bytes, body: bytes, headers: dict[str, str]) -> Any:
        return Asked(method, path, query, body, {name.lower(): value for name, value in headers.items()})
