"""A client whose requests reach an ASGI application without a socket, as a browser would write them."""

import json
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit


class Reply(NamedTuple):
    """What an application answered; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Keeps the headers it is given for every request; cookies it is told to keep in `headers`."""

    def __init__(self, app: Any, host: str = "127.0.0.1:8080", address: str = "127.0.0.1") -> None:
        self.app, self.headers, self.address = app, {"host": host}, address

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.ask("GET", path, b"", headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json", "content-length": str(len(raw))}
        return await self.ask("POST", path, raw, given | headers)

    async def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """Send one request; header names are written with underscores for dashes."""
        named = self.headers | {name.replace("_", "-").lower(): text for name, text in headers.items()}
        parts = urlsplit(f"http://x{path}")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(parts.path),
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(name.encode(), text.encode("latin-1")) for name, text in named.items()],
            "client": (self.address, 50_000),
            "server": ("127.0.0.1", 8080),
            "state": {},
        }
        return await self._call(scope, body)

    async def _call(self, scope: Any, body: bytes) -> Reply:
        sent: list[Any] = []
        asked = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return asked.pop() if asked else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        try:
            await self.app(scope, receive, send)
        except Exception:
            if not sent:  # an answer was sent: the server behind would log what follows
                raise
        start, *rest = sent
        pairs = [(name.decode().lower(), text.decode("latin-1")) for name, text in start["headers"]]
        cookies = tuple(text for name, text in pairs if name == "set-cookie")
        whole = b"".join(message.get("body", b"") for message in rest)
        return Reply(start["status"], dict(pairs), whole, cookies)
