"""The edges of an ASGI application that every dialect shares: bodies, replies, conversations on a socket."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sim.server.streams import Connection


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: list[tuple[bytes, bytes]]


async def read_body(receive: Receive) -> bytes:
    """Return the whole body of a request."""
    body, is_more = b"", True
    while is_more:
        message = await receive()
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
    return body


def header(scope: Scope, name: bytes) -> str:
    """Return a header of a request by its lower-case name; "" without one."""
    return next((value for key, value in scope["headers"] if key == name), b"").decode("latin-1")


async def send_reply(scope: Scope, send: Send, reply: Reply | None) -> None:
    """Send a reply; None cuts the connection."""
    if reply is None:
        scope["extensions"]["cut"]()
        return
    headers = [*reply.headers, (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def converse(socket: WebSocket, connection: Connection, hear: Callable[[str], None]) -> None:
    """Send what is put into the connection and hand over what comes, until the client leaves."""
    sending = asyncio.create_task(connection.send_all())
    try:
        while True:
            hear(await socket.receive_text())
    except WebSocketDisconnect:
        pass
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
            await sending
