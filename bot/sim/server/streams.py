"""Connections that are told things as they happen; whoever cannot keep up is disconnected."""

import asyncio
from collections import deque
from typing import Final

from starlette.websockets import WebSocket

_MOST_WAITING: Final = 20_000


class Connection:
    """One socket. `channel` is "market" or "user", for faults that concern one of them."""

    def __init__(self, socket: WebSocket, *, is_combined: bool) -> None:
        self._socket = socket
        self.is_combined = is_combined
        self.names: set[str] = set()
        self._waiting: deque[str] = deque()
        self._wake = asyncio.Event()
        self._is_closing = False

    @property
    def waiting(self) -> int:
        """How many messages are not sent yet."""
        return len(self._waiting)

    def put(self, text: str) -> None:
        """Queue a message."""
        self._waiting.append(text)
        self._is_closing = self._is_closing or len(self._waiting) > _MOST_WAITING
        self._wake.set()

    def end(self) -> None:
        """Close after what is queued."""
        self._is_closing = True
        self._wake.set()

    async def send_all(self) -> None:
        """Send what is queued, for as long as the socket is open."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._socket.send({"type": "websocket.send", "text": self._waiting.popleft()})
            if self._is_closing:
                await self._socket.close(1008)
                return
