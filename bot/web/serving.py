"""The server of the pages: it takes no signals, and waits for nobody when it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.settings.web import Web

_GRACE_SECONDS: Final = 1
_MOST_CONNECTIONS: Final = 512


class CuttableProtocol(HttpToolsProtocol):
    """Lets the application cut a connection that takes nothing: scope["extensions"]["cut"]."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {"cut": {"now": self.transport.abort}}


class PageServer(uvicorn.Server):
    """A uvicorn server that leaves signals to its owner."""

    def stop(self) -> None:
        """End soon: no new connection, open ones are closed."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


def server_for(application: Any, choice: Web) -> PageServer:
    """Return a server of the application; run it with `serve(sockets=[listen(...)])`.

    Behind a reverse proxy a request comes from where that proxy says, so that one who guesses passwords makes
    nobody else wait. Nobody but the proxy is believed.
    """
    return PageServer(
        uvicorn.Config(
            application,
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=bool(choice.public_url),
            forwarded_allow_ips=list(choice.trusted_proxies),
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            h11_max_incomplete_event_size=16_384,
            ssl_certfile=choice.tls_certificate,
            ssl_keyfile=choice.tls_key,
        )
    )
