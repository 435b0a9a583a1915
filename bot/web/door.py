"""The door: which host names and origins are answered, and who is asking.

A page of somebody else in a browser on this machine must reach nothing: a name of its own that points here
is refused by its Host, a request of its own by Origin and Sec-Fetch-Site.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.settings.web import Web
from bot.web.access import Caller
from bot.web.answers import problem

MOST_BODY_BYTES: Final = 65_536
_OWN_SITES: Final = (None, "same-origin", "none")
_READING: Final = ("GET", "HEAD", "OPTIONS")
_LOCAL_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")

WhoAsks = Callable[[Headers], Caller | None]


class Door:
    """Refuses what comes from elsewhere, and says who asks: scope["state"]["caller"], None for nobody."""

    def __init__(self, app: ASGIApp, choice: Web, who_asks: WhoAsks) -> None:
        self._app, self._who_asks = app, who_asks
        own = urlsplit(choice.public_url).hostname if choice.public_url else choice.host
        self._names = {*_LOCAL_NAMES, *([own] if own else [])}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await problem(*refusal)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = self._who_asks(headers)
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if _name_of(host) not in self._names:
            return 421, "This host name is not one that the bot serves."
        if not scope["path"].startswith("/api"):
            return None
        if headers.get("sec-fetch-site") not in _OWN_SITES:
            return 403, "The request was made by a page of another site."
        origin = headers.get("origin")
        if origin is not None and (urlsplit(origin).netloc != host or origin == "null"):
            return 403, "The request was made by a page of another origin."
        return None if scope["method"] in _READING else _of_body(headers)


def _name_of(host: str) -> str:
    """Return the name of a Host header without its port."""
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdigit() else host.lower()


def _of_body(headers: Headers) -> tuple[int, str] | None:
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers:
        return 413, "A body must say its length."
    if not length.isdigit() or int(length) > MOST_BODY_BYTES:
        return 413, f"A body may have {MOST_BODY_BYTES} bytes."
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if int(length) and kind != "application/json":
        return 415, "A body must be JSON."
    return None
