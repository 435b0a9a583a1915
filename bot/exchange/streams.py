"""Subscriptions that come back, and the tap on every message.

ccxt keeps only the newest value for its callers and drops what came between; so messages are taken where
they arrive. ccxt's part is the connection: subscribing, pings, keys.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import ccxt

from bot.errors import UserError
from bot.exchange.dialect import Dialect
from bot.exchange.link import Link
from bot.exchange.told import AccountTold, CandleTold, MarkTold, Told, UserStreamEnded

Watch = Callable[[], Awaitable[Any]]

_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 10.0
_STREAM_ERRORS: Final = (ccxt.BaseError, OSError, LookupError, TypeError, ValueError, AttributeError)
_USER_WORDS: Final = ("listenKey", "/private", "connectId=private")
_NAME_OF: Final = {
    MarkTold: "marks",
    CandleTold: "candles",
    AccountTold: "account",
    UserStreamEnded: "account",
}


class Streams:
    """`hear` gets every message; `came_back` the name of a stream that was subscribed to again."""

    def __init__(
        self,
        link: Link,
        dialect: Dialect,
        hear: Callable[[Told], None],
        came_back: Callable[[str], None],
    ) -> None:
        self._link, self._dialect = link, dialect
        self._hear, self._came_back = hear, came_back
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.heard_ms: dict[str, int] = {}
        self._tap()

    def start(self, watchers: Mapping[str, Watch]) -> None:
        """Subscribe by these of the dialect's; each subscription is kept for as long as the streams run."""
        for name, watch in watchers.items():
            self.heard_ms[name] = self._link.clock.now_ms()
            self._tasks[name] = asyncio.create_task(self._keep(name, watch))

    def silent_ms(self, name: str) -> int:
        """Return for how long a stream has said nothing."""
        return self._link.clock.now_ms() - self.heard_ms.get(name, 0)

    def renew(self, name: str) -> None:
        """Break a stream that says nothing; it comes back with a new connection.

        `close` would cancel whoever waits for it, and that is us.
        """
        self.heard_ms[name] = self._link.clock.now_ms()
        for socket in self._sockets(name):
            socket.on_error(ccxt.NetworkError("nothing was heard for too long"))

    async def stop(self) -> None:
        """End every subscription."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    def _tap(self) -> None:
        client, handle = self._link.client, self._link.client.handle_message

        def heard(socket: Any, message: Any) -> None:
            said = self._dialect.told(client, message)
            if said is None:
                _handled(handle, socket, message)
                return
            for each in said if isinstance(said, list) else [said]:
                self.heard_ms[_NAME_OF[type(each)]] = self._link.clock.now_ms()
                if isinstance(each, UserStreamEnded):
                    socket.on_error(ccxt.NetworkError("the user stream's key has expired"))
                self._hear(each)

        client.handle_message = heard

    async def _keep(self, name: str, watch: Watch) -> None:
        """Subscribe, wait until the stream breaks, subscribe again."""
        wait_seconds, is_again = _FIRST_WAIT_SECONDS, False
        while True:
            began_ms = self._link.clock.now_ms()
            try:
                if is_again:
                    self._came_back(name)
                await watch()
            except UserError:
                raise
            except _STREAM_ERRORS:
                if name == "account":
                    self._dialect.forget_user_stream(self._link.client)
            is_again = True
            if self._link.clock.now_ms() - began_ms > 1_000.0 * _LONGEST_WAIT_SECONDS:
                wait_seconds = _FIRST_WAIT_SECONDS
            await self._link.clock.sleep(wait_seconds)
            wait_seconds = min(2.0 * wait_seconds, _LONGEST_WAIT_SECONDS)

    def _sockets(self, name: str) -> list[Any]:
        """Return the open sockets of a stream: the user's is the one whose address holds a key or says so.

        The address of KuCoin's public one says "privateChannel=false".
        """
        sockets = self._link.client.clients or {}
        is_user = name == "account"
        return [each for url, each in sockets.items() if any(word in url for word in _USER_WORDS) == is_user]


def _handled(handle: Callable[[Any, Any], None], socket: Any, message: Any) -> None:
    """Let ccxt have its message. An exception there ends its reading for ever: connect again instead."""
    try:
        handle(socket, message)
    except _STREAM_ERRORS as error:
        socket.on_error(ccxt.NetworkError(f"a message could not be read ({type(error).__name__})"))
