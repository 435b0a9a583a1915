"""The socket of the pages: bound before the first of them can be served, so that its address is known."""

import errno
import socket
from typing import Final

from bot.settings import Settings
from bot.settings.web import Web

_BACKLOG: Final = 256
_PORTS_TRIED: Final = 20
_SEND_BYTES: Final = 65_536  # what a client that never reads may make the system keep


def listen(host: str, port: int, *, may_take_next: bool) -> socket.socket:
    """Return a socket that listens. A busy port: the next free one with `may_take_next`. OSError passes."""
    ports = range(port, port + _PORTS_TRIED) if may_take_next and port else range(port, port + 1)
    for tried in ports:
        try:
            return _bound(host, tried)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or tried == ports[-1]:
                raise
    raise AssertionError("the range is never empty")


def needs_login(settings: Settings) -> bool:
    """Return whether people log in: real or test money, or pages that more than this machine can reach."""
    return settings.run.mode != "paper" or not settings.web.is_local


def address_of(choice: Web, listener: socket.socket) -> str:
    """Return the address of the pages, as a browser takes it."""
    if choice.public_url:
        return choice.public_url
    host = f"[{choice.host}]" if ":" in choice.host else choice.host
    return f"{'https' if choice.has_tls else 'http'}://{host}:{listener.getsockname()[1]}"


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)  # connections inherit it
        found.bind(address)
        found.listen(_BACKLOG)
        found.setblocking(False)
    except OSError:
        found.close()
        raise
    return found
