"""An embedded exchange in this process, a clock that stands still, and a client that signs."""

import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
import pytest

from bot.clock import VirtualClock
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
from bot.sim.server.state import StateFile
from bot.sim.venue import SimulatedVenue

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
DEPOSIT = 10_000.0
WALL_MS = 1_800_000_000_000


class Answer(NamedTuple):
    status: int
    value: Any
    headers: dict[str, str]


class Api:
    """A client that signs as the venue wants it and calls the application without a socket."""

    def __init__(self, application: Any, clock: VirtualClock) -> None:
        self._application, self.clock = application, clock
        self.key, self.secret = PAPER_KEY, PAPER_SECRET

    async def send(self, method: str, path: str, query: bytes = b"", body: bytes = b"") -> Answer:
        """Send bytes as they are."""
        said: list[dict[str, Any]] = []
        is_cut: list[bool] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "root_path": "",
            "query_string": query,
            "headers": [(b"x-mbx-apikey", self.key.encode())],
            "extensions": {"cut": lambda: is_cut.append(True)},
        }
        await self._application(scope, receive, send)
        if is_cut:
            return Answer(0, None, {})
        headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
        return Answer(said[0]["status"], orjson.loads(said[1]["body"]), headers)

    def signed(self, params: dict[str, Any]) -> bytes:
        """Return the parameters with time and signature."""
        query = urlencode({**params, "timestamp": self.clock.now_ms()})
        signature = hmac.digest(self.secret.encode(), query.encode(), "sha256").hex()
        return f"{query}&signature={signature}".encode()

    async def ask(self, method: str, path: str, **params: Any) -> Answer:
        """Send a signed request of /fapi; a POST carries a form."""
        data = self.signed(params)
        if method in {"POST", "PUT"}:
            return await self.send(method, f"/fapi/{path}", b"", data)
        return await self.send(method, f"/fapi/{path}", data)

    async def ok(self, method: str, path: str, **params: Any) -> Any:
        """Return what a request that must succeed answers."""
        answer = await self.ask(method, path, **params)
        assert answer.status == 200, answer
        return answer.value

    async def refused(self, method: str, path: str, **params: Any) -> int:
        """Return the code of a request that must be refused."""
        answer = await self.ask(method, path, **params)
        assert answer.status != 200, answer
        return answer.value["code"]

    async def control(self, command: str, **body: Any) -> Answer:
        """Give a command to the control endpoint."""
        return await self.send("POST", f"/control/{command}", b"", orjson.dumps(body))


class World(NamedTuple):
    """Everything that a test looks at."""

    exchange: EmbeddedExchange
    dialect: BinanceServer
    pump: Pump
    faults: Faults
    clock: VirtualClock
    api: Api

    async def trade(self, quantity: str = "0.01", leverage: int = 10) -> Any:
        """Open a BTC long at isolated margin and return the order."""
        await self.api.ask("POST", "v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
        await self.api.ok("POST", "v1/leverage", symbol="BTCUSDT", leverage=leverage)
        return await self.api.ok(
            "POST", "v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity=quantity
        )

    async def position(self) -> dict[str, Any]:
        """Return the one open position."""
        (row,) = await self.api.ok("GET", "v3/positionRisk")
        return row


def new_venue(seed: int = 7) -> SimulatedVenue:
    """Return a venue of two coins without a history."""
    instruments = {symbol: instrument_for(symbol) for symbol in (BTC, ETH)}
    config = VenueConfig(0.0001, 0.0002, dict.fromkeys(instruments, 500_000.0), seed=seed)
    return SimulatedVenue(instruments, BINANCE_USDM, config, DEPOSIT)


def new_world(
    path: Path | None = None, seed: int = 7, rates: Rates | None = None, speed: float = 1.0
) -> World:
    """Return an opened exchange with its market standing still."""
    clock, faults = VirtualClock(WALL_MS), Faults()
    source = SyntheticMarket(seed, (BTC, ETH), MINUTE_MS)
    file = StateFile(path, {"seed": seed})
    exchange = EmbeddedExchange(new_venue(seed), source, file, MINUTE_MS, DEPOSIT)
    exchange.open()
    rates = rates or Rates(1_000_000, 100_000, 100_000)
    dialect = BinanceServer(exchange, clock, (ApiKey(PAPER_KEY, PAPER_SECRET),), rates, faults)
    pump = Pump(exchange, clock, speed)
    application = dialect.application(*Control(exchange, pump, faults, dialect).routes())
    return World(exchange, dialect, pump, faults, clock, Api(application, clock))


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.fixture
def make_world() -> Callable[..., World]:
    return new_world


@pytest.fixture
def make_venue() -> Callable[..., SimulatedVenue]:
    return new_venue
