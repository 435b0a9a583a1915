"""Server-sent events: numbered, kept for whoever was cut off, and never waited for.

A whole board is an event of its own; of boards only the newest counts. What happened once (a margin move, an
alert, a halt) is kept in a ring, and told again to whoever names the last event it saw.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

KEPT: Final = 1_000
_TAKES_SECONDS: Final = 5.0
_LEAVES_SECONDS: Final = 1.0
_RETRY: Final = b"retry: 1000\n\n"


class Frame(NamedTuple):
    """One event in the form in which it is sent."""

    number: int
    kind: str
    body: bytes


class Reader:
    """One open stream: where it stands, and what wakes it."""

    __slots__ = ("is_gone", "news", "place")

    def __init__(self, place: int) -> None:
        self.place, self.is_gone, self.news = place, False, asyncio.Event()

    def leave(self, *_: object) -> None:
        """End the stream."""
        self.is_gone = True
        self.news.set()


class Broadcast:
    """The events of one session. `first`: a time in milliseconds, so that numbers rise over restarts too."""

    def __init__(self, first: int) -> None:
        self._number = first
        self._told: deque[Frame] = deque(maxlen=KEPT)
        self._board: Frame | None = None
        self._readers: set[Reader] = set()
        self._is_closed = False

    @property
    def readers(self) -> int:
        """Return how many streams are open."""
        return len(self._readers)

    @property
    def number(self) -> int:
        """Return the number of the newest event."""
        return self._number

    def tell(self, kind: str, data: bytes) -> None:
        """Send an event to every reader; all but boards are kept."""
        self._number += 1
        body = b"id: %d\nevent: %s\ndata: %s\n\n" % (self._number, kind.encode(), data)
        frame = Frame(self._number, kind, body)
        if kind == "board":
            self._board = frame
        else:
            self._told.append(frame)
        for reader in self._readers:
            reader.news.set()

    def close(self) -> None:
        """End every stream; later ones end at once."""
        self._is_closed = True
        for reader in self._readers:
            reader.leave()

    @contextmanager
    def reading(self, last_event_id: str) -> Iterator[Reader]:
        """Let somebody read, from behind the event named; without one that is known only what comes."""
        reader = Reader(self._place(last_event_id))
        self._readers.add(reader)
        if self._is_closed:
            reader.leave()
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def due(self, reader: Reader) -> bytes:
        """Return what the reader has not seen, oldest first; of boards the newest only."""
        fresh = [frame for frame in self._told if frame.number > reader.place]
        if self._board is not None and self._board.number > reader.place:
            fresh.append(self._board)
            fresh.sort()
        if fresh:
            reader.place = fresh[-1].number
        return b"".join(frame.body for frame in fresh)

    def _place(self, last_event_id: str) -> int:
        """A number that was never given, or one that is no longer kept, is as good as none."""
        if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) <= 18):
            return self._behind_all()
        place = int(last_event_id)
        is_kept = bool(self._told) and self._told[0].number <= place + 1
        return place if is_kept and place <= self._number else self._behind_all()

    def _behind_all(self) -> int:
        """Where only the present board is still to be seen."""
        newest = self._told[-1].number if self._told else 0
        return max(newest, self._board.number - 1 if self._board is not None else 0)


class EventStream(Response):
    """Sends a reader's events until one of both leaves; whoever takes nothing for 5 s is cut off."""

    media_type = "text/event-stream"

    def __init__(self, broadcast: Broadcast, last_event_id: str, is_allowed: Any) -> None:
        """`is_allowed()`: whether the session that opened the stream still stands."""
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._broadcast, self._last_event_id, self._is_allowed = broadcast, last_event_id, is_allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream (ASGI)."""
        with self._broadcast.reading(self._last_event_id) as reader:
            leaving = asyncio.create_task(_until_gone(receive))
            leaving.add_done_callback(reader.leave)
            try:
                await self._serve(reader, send)
            except TimeoutError:
                scope["extensions"]["cut"]["now"]()
                await asyncio.wait((leaving,), timeout=_LEAVES_SECONDS)
            finally:
                leaving.cancel()

    async def _serve(self, reader: Reader, send: Send) -> None:
        headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _taken(send, _RETRY)
        while not reader.is_gone and self._is_allowed():
            body = self._broadcast.due(reader)
            if body:
                await _taken(send, body)
            await reader.news.wait()
            reader.news.clear()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _taken(send: Send, body: bytes) -> None:
    """Send, and wait until the connection takes it. TimeoutError: it does not."""
    async with asyncio.timeout(_TAKES_SECONDS):
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
