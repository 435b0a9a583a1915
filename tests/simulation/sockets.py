"""A websocket without a socket: aiohttp's face for ccxt.pro, an ASGI conversation for the venue."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.network import Network

_OF_USER = tuple(f'{{"channel":"{name}"' for name in ("orderUpdates", "userFills", "userFundings"))
_TICK_SECONDS = 1e-6  # two items never arrive at the same instant
_CLOSED = aiohttp.WSMessage(aiohttp.WSMsgType.CLOSE, 1006, None)


class Wire:
    """One direction of a connection: what is put in comes out later, in order."""

    def __init__(self, network: "Network") -> None:
        self._network = network
        self._arrived: deque[Any] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._last = 0.0

    def send(self, item: Any, delay_s: float = 0.0) -> None:
        """Let an item arrive after the network's latency."""
        loop = self._network.loop
        self._last = max(self._last + _TICK_SECONDS, loop.time() + self._network.latency_s() + delay_s)
        loop.call_at(self._last, self._arrive, item, context=self._network.context)

    async def receive(self) -> Any:
        """Return the next item."""
        while not self._arrived:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return self._arrived.popleft()

    def _arrive(self, item: Any) -> None:
        self._arrived.append(item)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class ClientSocket:
    """What aiohttp's `ws_connect` gives."""

    _conn = None

    def __init__(self, network: "Network", process: Process, url: str) -> None:
        self.network, self.process, self.url = network, process, url
        self.number = network.next_socket()
        self.down, self.up = Wire(network), Wire(network)
        self.closed = False
        self.is_user = "listenKey" in url or "private" in url
        self.up.send({"type": "websocket.connect"})

    def tells_user(self, text: str) -> bool:
        """Return whether a message is the account's: one venue has everything on one connection."""
        return self.is_user or text.startswith(_OF_USER)

    async def receive(self) -> aiohttp.WSMessage:
        """Return the next message; CLOSE when the connection has ended."""
        message = _CLOSED if self.closed else await self.down.receive()
        if message.type is aiohttp.WSMsgType.CLOSE:
            self.closed = True
        return message

    async def send_str(self, text: str) -> None:
        """Send a text."""
        self._check()
        self.up.send({"type": "websocket.receive", "text": text})

    async def ping(self, data: bytes = b"") -> None:
        """Send a ping; the venue's pong comes back unless the connection is dead."""
        self._check()
        if self.network.is_reachable(self):
            self.down.send(aiohttp.WSMessage(aiohttp.WSMsgType.PONG, data, None))

    async def pong(self, data: bytes = b"") -> None:
        """Answer a ping."""

    async def close(self) -> None:
        """End it from our side."""
        if not self.closed:
            self.closed = True
            self.hang_up()

    def hang_up(self) -> None:
        """Let the venue know that we are gone."""
        self.up.send({"type": "websocket.disconnect", "code": 1006})
        self.down.send(_CLOSED)

    def exception(self) -> None:
        """There is none."""

    def _check(self) -> None:
        self.process.check()
        if self.closed:
            raise ConnectionResetError("Cannot write to closing transport")

    # --- the venue's side -------------------------------------------------------------------------

    async def talk(self, application: Any) -> None:
        """Let the venue's application converse until either side leaves."""
        parts = urlsplit(self.url)
        scope = {
            "type": "websocket",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "root_path": "",
            "scheme": "ws",
            "query_string": parts.query.encode(),
            "headers": [],
            "subprotocols": [],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 1),
        }
        await application(scope, self.up.receive, self._from_venue)

    async def _from_venue(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            self.network.deliver(self, message["text"])
        elif message["type"] == "websocket.close":
            self.down.send(_CLOSED)


class Dialled:
    """What `ws_connect(...)` returns before it is entered."""

    def __init__(self, network: "Network", process: Process, url: str) -> None:
        self._network, self._process, self._url = network, process, url

    async def __aenter__(self) -> ClientSocket:
        return await self._network.dial(self._process, self._url)

    async def __aexit__(self, *_: object) -> None:
        """ccxt closes the socket itself."""
