"""The HTTP session of a ccxt client: a reply has a largest size, is JSON, and a redirect is not followed.

The size counts after decompression, so that a small reply cannot become a large one. Streams have ccxt's
own bound of 10 MiB a message.
"""

from types import SimpleNamespace
from typing import Any, Final

import aiohttp
import ccxt

# The largest honest reply, a list of every instrument, is under 3 MB.
MOST_REPLY_BYTES: Final = 16 * 1024 * 1024


class UnusableReply(aiohttp.ClientPayloadError):
    """A reply that was not read to its end on purpose; a request that it answers may have been done."""


class BoundedResponse(aiohttp.ClientResponse):
    """A response of which no more than MOST_REPLY_BYTES are held."""

    _whole: bytes | None = None

    async def read(self) -> bytes:
        """Return the body. UnusableReply: it is too large; the connection is closed then."""
        if self._whole is None:
            self._whole = await self._bounded()
        return self._whole

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """Return the body as text, UTF-8 unless told. UnusableReply: it is too large."""
        return (await self.read()).decode(encoding or "utf-8", errors)

    async def _bounded(self) -> bytes:
        parts, size = list[bytes](), 0
        if (self.content_length or 0) > MOST_REPLY_BYTES:
            self._give_up()
        async for part in self.content.iter_any():
            size += len(part)
            if size > MOST_REPLY_BYTES:
                self._give_up()
            parts.append(part)
        return b"".join(parts)

    def _give_up(self) -> None:
        self.close()
        raise UnusableReply(f"the reply is larger than {MOST_REPLY_BYTES} bytes and was not read to its end")


def bound_replies(client: Any) -> None:
    """Have every session that the ccxt client makes for itself be one of ours."""
    open_session = client.open

    def opened(lazy: bool = False) -> None:
        before = client.session
        open_session(lazy)
        if client.own_session and client.session is not before:
            client.session.detach()  # the connector goes on
            client.session = _session(client)

    client.open = opened


def refuse_text(client: Any) -> None:
    """Have ccxt.ExchangeError raised for a reply that is no JSON, such as one cut off in the middle.

    ccxt hands its text over as the reply; whoever looks no further takes that for a yes.
    """
    fetch = client.fetch

    async def parsed(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        reply = await fetch(url, method, headers, body)
        if not isinstance(reply, dict | list):
            raise ccxt.ExchangeError(f"{client.id} {method} {url} was answered with what is no JSON")
        return reply

    client.fetch = parsed


def _session(client: Any) -> aiohttp.ClientSession:
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse_redirect)
    return aiohttp.ClientSession(
        connector=client.tcp_connector, response_class=BoundedResponse, trace_configs=[tracing]
    )


async def _refuse_redirect(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    redirect: aiohttp.TraceRequestRedirectParams,
) -> None:
    """The next hop would get the key's header unseen by the guard of hosts."""
    raise UnusableReply(f"the exchange redirects (status {redirect.response.status}), which is not followed")
