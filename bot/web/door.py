"""The door: which host names and origins are answered, and who is asking.

A page of somebody else in a browser on this machine must reach nothing: a name of its own that points here
is refused by its Host, a request of its own by Origin and Sec-Fetch-Site.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.errors import UserError
from bot.settings.web import Web
from bot.web.answers import problem
from bot.web.caller import Caller

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
        self._public = choice.public_url

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
        try:
            scope.setdefault("state", {})["caller"] = self._who_asks(headers)
        except UserError as error:  # the file of hashes cannot be read
            await problem(503, str(error))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if _name_of(host) not in self._names:
            return 421, "This host name is not one that the bot serves."
        if not scope["path"].startswith("/api"):
            return None
        if headers.get("sec-fetch-site") not in _OWN_SITES:
            return 403, "The request was made by a page of another site."
        if not self._is_own(headers.get("origin"), host):
            return 403, "The request was made by a page of another origin."
        if scope["method"] in _READING:
            return None
        if "cookie" in headers and not ("origin" in headers or "sec-fetch-site" in headers):
            return 403, "A request with a cookie must say which page made it."
        return _of_body(headers)

    def _is_own(self, origin: str | None, host: str) -> bool:
        """Requests of a page name its origin: ours, as the browser or as a proxy in front knows it."""
        if origin is None or (self._public and origin == self._public):
            return True
        return origin in (f"http://{host}", f"https://{host}")


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
