"""A loopback server for an ASGI application: bound before anything is said, ended without waiting."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.errors import UserError

_GRACE_SECONDS: Final = 1
_BACKLOG: Final = 128
LOOPBACK: Final = "127.0.0.1"


class CuttableProtocol(HttpToolsProtocol):
    """Lets the application cut the connection without a reply: scope["extensions"]["cut"]."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"cut": self._cut}  # pyright: ignore[reportGeneralTypeIssues]

    def _cut(self) -> None:
        self.cycle.disconnected = True
        self.transport.abort()


class LoopbackServer(uvicorn.Server):
    """A uvicorn server that leaves signals to its owner: `stop` ends it."""

    def stop(self) -> None:
        """End soon: no new connection, open ones are closed."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket. UserError: not a loopback address, or the port is taken."""
    host = LOOPBACK if host == "localhost" else host
    if not _is_loopback(host):
        raise UserError(
            f"The embedded exchange was asked to listen on {host}: it takes a published key, so it "
            "serves this machine only. Leave out --host, or give 127.0.0.1."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's delay off: 44 ms a reply otherwise.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)  # whoever comes before the server is ready waits
    except OSError as error:
        bound.close()
        raise UserError(
            f"The embedded exchange cannot listen on {host}:{port}: {error.strerror}. "
            "Stop what uses the port, or name another one with --port (0 takes a free one)."
        ) from error
    return bound


def server_for(application: Any) -> LoopbackServer:
    """Return a server for the application; run it with `serve(sockets=[bind(...)])`."""
    return LoopbackServer(
        uvicorn.Config(
            application,
            http=CuttableProtocol,
            ws="websockets-sansio",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ws_per_message_deflate=False,
        )
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
