"""Two exchanges under one port: the simulated venue itself, and ccxt talking to the server around it.

Requests of the second go through a real ccxt client that signs and parses; only its socket is replaced.
"""

import json
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np

from bot.clock import VirtualClock
from bot.core.candles import Candles
from bot.core.event import FundingDue, MarketEvent, MarkPrice, VenueEvent
from bot.core.intent import Action, Intent
from bot.core.profile import BINANCE_USDM
from bot.exchange.connect import Connection, Credentials, connect
from bot.exchange.hosts import Access
from bot.ports import Exchange
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.series import NO_FUNDING, Funding
from bot.sim.server.auth import PAPER_KEY, PAPER_SECRET, ApiKey
from bot.sim.server.binance.application import BinanceServer
from bot.sim.server.binance.door import Asked, Rates
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.state import StateFile
from bot.sim.source import Place
from bot.sim.venue import SimulatedVenue

BTC = "BTC/USDT:USDT"
START_MS = 1_738_000_000_000
FIRST_PRICE = 50_000.0
DEPOSIT_QUOTE = 10_000.0
TAKER_FEE_RATE = 0.0005
_LETTERS = {
    "SetLeverage": "L",
    "OpenPosition": "E",
    "PlaceStop": "S",
    "PlaceTakeProfit": "T",
    "PlaceTrailingStop": "W",
    "ReducePosition": "X",
    "AddMargin": "A",
    "ReleaseMargin": "R",
    "CancelOrder": "C",
}


class World(Protocol):
    """An exchange whose market the test moves. Events come back as the engine would get them."""

    symbol: str

    @property
    def exchange(self) -> Exchange: ...

    async def tick(self, mark: float) -> list[VenueEvent]: ...

    async def fund(self, rate: float) -> list[VenueEvent]: ...


class OneTick:
    """A market source that gives one price and then nothing: the test drives the market."""

    def __init__(self, symbol: str = BTC) -> None:
        self._events: list[MarketEvent] = [MarkPrice(START_MS, symbol, FIRST_PRICE, FIRST_PRICE)]

    def next(self) -> MarketEvent | None:
        return self._events.pop(0) if self._events else None

    def place(self) -> Place:
        return (0,)

    def place_before(self) -> Place:
        return (0,)

    def seek(self, place: Place) -> None:
        self._events.clear()

    def settled_before(self, symbol: str) -> Funding:
        """Return none: this market has no past."""
        return NO_FUNDING

    def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return one candle, in which something was traded."""
        price = np.array([FIRST_PRICE])
        opened = np.array([START_MS - timeframe_ms], dtype=np.int64)
        return Candles(opened, price, price, price, price, np.array([1.0]), np.array([0.0]))


def venue() -> SimulatedVenue:
    """Return a venue of one symbol, without spread, whose book takes everything at once."""
    config = VenueConfig(0.0, 0.0, {BTC: 1e9})
    return SimulatedVenue({BTC: instrument_for(BTC)}, BINANCE_USDM, config, DEPOSIT_QUOTE)


class Simulated:
    """The venue in this process."""

    symbol = BTC

    def __init__(self) -> None:
        self._venue = venue()
        self.exchange: Exchange = self._venue
        self._now_ms = START_MS
        list(self._venue.advance(MarkPrice(START_MS, BTC, FIRST_PRICE, FIRST_PRICE)))

    async def tick(self, mark: float) -> list[VenueEvent]:
        self._now_ms += 1_000
        return list(self._venue.advance(MarkPrice(self._now_ms, BTC, mark, mark)))

    async def fund(self, rate: float) -> list[VenueEvent]:
        self._now_ms += 1_000
        return list(self._venue.advance(FundingDue(self._now_ms, BTC, rate)))


class Served:
    """The same venue behind Binance's dialect, reached by the gateway; others override what differs."""

    ccxt_id = "binanceusdm"
    symbol = BTC
    tick_ms = 0
    credentials = Credentials(PAPER_KEY, PAPER_SECRET)

    def __init__(self) -> None:
        self.clock = VirtualClock(START_MS)
        self.faults = Faults()
        tick = OneTick(self.symbol)
        self.embedded = EmbeddedExchange(self.venue(), tick, StateFile(None, {}), 60_000, DEPOSIT_QUOTE)
        self.embedded.open()
        self.server = self.serve((ApiKey(PAPER_KEY, PAPER_SECRET),))
        self.connection = self.connect()
        self._now_ms = START_MS

    def venue(self) -> SimulatedVenue:
        """Return the venue behind the dialect."""
        return venue()

    def serve(self, keys: tuple[ApiKey, ...]) -> Any:
        """Return the dialect's server."""
        return BinanceServer(self.embedded, self.clock, keys, Rates(), self.faults)

    def asked(self, method: str, path: str, query: bytes, body: bytes, headers: dict[str, str]) -> Any:
        """Return a request as the dialect's door takes it."""
        return Asked(method, path, query, body, headers.get("X-MBX-APIKEY", ""))

    @property
    def exchange(self) -> Exchange:
        return self.connection.gateway

    def connect(self) -> Connection:
        """Return a new connection: what a restarted process has."""
        access = Access("loopback", "http://127.0.0.1:1")
        made = connect(self.ccxt_id, access, self.credentials, (self.symbol,), self.clock)
        client = made.link.client
        client.milliseconds = self.clock.now_ms
        client.fetch = _door_of(client, self)
        return made

    async def tick(self, mark: float) -> list[VenueEvent]:
        self._now_ms += 1_000
        return await self._apply(MarkPrice(self._now_ms, self.symbol, mark, mark))

    async def fund(self, rate: float) -> list[VenueEvent]:
        self._now_ms += 1_000
        return await self._apply(FundingDue(self._now_ms, self.symbol, rate))

    async def _apply(self, event: MarketEvent) -> list[VenueEvent]:
        await self.exchange.account()
        self.embedded.apply(event)
        self.embedded.commit()
        self.clock.advance(self.tick_ms)
        self.connection.gateway.book.saw(event.ts_ms)
        return list(await self.connection.gateway.sweep(self.symbol))


def _door_of(client: Any, served: Served) -> Callable[..., Any]:
    """Return a ccxt `fetch` that hands the signed request to the server and treats the reply as ccxt does."""

    async def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        parts = urlsplit(url)
        sent = (method, parts.path, parts.query.encode(), (body or "").encode())
        reply = await served.server.door.answer(served.asked(*sent, headers or {}))
        if reply is None:
            raise _cut(client, method, url)
        text, named = reply.body.decode(), {name.decode(): value.decode() for name, value in reply.headers}
        client.on_rest_response(reply.status, "", url, method, named, text, headers, body)
        parsed = json.loads(text)
        client.handle_errors(reply.status, "", url, method, named, text, parsed, headers, body)
        client.handle_http_status_code(reply.status, "", url, method, text)
        return parsed

    return fetch


def _cut(client: Any, method: str, url: str) -> Exception:
    import ccxt
    from aiohttp import ServerDisconnectedError

    error = ccxt.ExchangeNotAvailable(f"{client.id} {method} {url}")
    error.__cause__ = ServerDisconnectedError()
    return error


class Desk:
    """Numbers intents as the engine does and sends them; what is said of BTC is meant of `symbol`."""

    def __init__(self, exchange: Exchange, symbol: str = BTC) -> None:
        self.exchange, self.symbol = exchange, symbol
        self._seq = 0

    def intent(self, action: Action) -> Intent:
        self._seq += 1
        client_id = f"CONTRACT{self._seq:07d}{_LETTERS[type(action).__name__]}"
        meant = action._replace(symbol=self.symbol) if action.symbol == BTC else action
        return Intent(self._seq, client_id, START_MS, meant, "contract", {})

    async def send(self, action: Action) -> list[Any]:
        return list(await self.exchange.execute(self.intent(action)))
