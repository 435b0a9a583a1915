"""The venue with Bybit's terms behind Bybit's dialect, reached by the gateway."""

from typing import Any

from bot.core.profile import bybit
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.server.auth import ApiKey
from bot.sim.server.bybit.application import BybitServer
from bot.sim.server.bybit.door import Asked, Auth, Rates
from bot.sim.server.bybit.terms import as_bybit
from bot.sim.venue import SimulatedVenue
from tests.contract.venue_worlds import BTC, DEPOSIT_QUOTE, Served

_HEADERS = ("X-BAPI-API-KEY", "X-BAPI-TIMESTAMP", "X-BAPI-RECV-WINDOW", "X-BAPI-SIGN")


class ServedBybit(Served):
    """Bybit's dialect; its venue moves margin in four decimals and reserves the fee to close."""

    ccxt_id = "bybit"

    def venue(self) -> SimulatedVenue:
        terms = as_bybit(instrument_for(BTC))
        config = VenueConfig(0.0, 0.0, {BTC: 1e9})
        return SimulatedVenue({BTC: terms}, bybit(terms.taker_fee_rate), config, DEPOSIT_QUOTE)

    def serve(self, keys: tuple[ApiKey, ...]) -> Any:
        return BybitServer(self.embedded, self.clock, keys, Rates(), self.faults)

    def asked(self, method: str, path: str, query: bytes, body: bytes, headers: dict[str, str]) -> Any:
        return Asked(method, path, query, body, Auth(*(headers.get(name, "") for name in _HEADERS)))
