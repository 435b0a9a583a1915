"""The Starlette application of Hyperliquid's dialect: POST /info, POST /exchange, and streams on /ws."""

from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from bot.ports import Clock
from bot.sim.server.asgi import converse, read_body, send_reply
from bot.sim.server.auth import ApiKey
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.hyperliquid import stream_rows
from bot.sim.server.hyperliquid.desk import Desk
from bot.sim.server.hyperliquid.door import USUAL_WEIGHT, Asked, Door
from bot.sim.server.hyperliquid.hub import Hub
from bot.sim.server.streams import Connection


class HyperliquidServer:
    """Everything a client of this dialect talks to. The first key's `key` is the account's address."""

    def __init__(
        self,
        exchange: EmbeddedExchange,
        clock: Clock,
        keys: tuple[ApiKey, ...],
        faults: Faults,
        weight_per_minute: int = USUAL_WEIGHT,
    ) -> None:
        self.desk = Desk(exchange, clock, keys[0].key)
        self.faults = faults
        self.hub = Hub(self.desk, faults)
        self.door = Door(self.desk, weight_per_minute, faults)

    def expire_user_stream(self) -> None:
        """Cut every socket that listens to the account: this venue has no listen key."""
        for connection in self.hub.of_users():
            connection.end()

    def disconnect(self) -> None:
        """Cut every stream that listens to anything."""
        for connection in self.hub.connections():
            connection.end()

    def tick(self) -> None:
        """Nothing is due by wall time."""

    def repeat_prices(self) -> None:
        """Say the newest prices again to whoever listens."""
        self.hub.repeat()

    def set_permissions(self, *, may_trade: bool, may_withdraw: bool) -> None:
        """Change what the signer may do; one that may not trade is unknown here."""
        self.desk.may_trade, self.desk.may_withdraw = may_trade, may_withdraw

    def revoke_key(self, *, is_revoked: bool) -> None:
        """Forget the signer from now on, as an agent that was taken back; or know it again."""
        self.desk.is_key_revoked = is_revoked

    def key_state(self) -> dict[str, bool]:
        """Return what the signer may do, and whether it is unknown."""
        desk = self.desk
        return {
            "may_trade": desk.may_trade,
            "may_withdraw": desk.may_withdraw,
            "is_key_revoked": desk.is_key_revoked,
        }

    def force_margin_mode(self, symbol: str, *, is_isolated: bool) -> None:
        """Set a coin's margin mode whatever is open."""
        self.desk.set_isolated(symbol, is_isolated)

    def switch_auto_add(self, symbol: str, *, is_on: bool) -> None:
        """ValueError: the venue has no such switch."""
        raise ValueError(f"Hyperliquid adds no margin by itself, in {symbol} or elsewhere. Leave it out.")

    def application(self, *extra: BaseRoute) -> Starlette:
        """Return the application; `extra` routes come first."""
        return Starlette(
            routes=[
                *extra,
                WebSocketRoute("/ws", self._stream),
                Route("/{path:path}", _Rest(self.door), methods=["GET", "POST"]),
            ]
        )

    async def _stream(self, socket: WebSocket) -> None:
        connection = Connection(socket, is_combined=False)
        try:
            await socket.accept()
            await converse(socket, connection, lambda text: self._hear(connection, text))
        finally:
            self.hub.leave(connection)

    def _hear(self, connection: Connection, text: str) -> None:
        try:
            said = orjson.loads(text)
        except orjson.JSONDecodeError:
            said = {}
        said = said if isinstance(said, dict) else {}
        method = said.get("method")
        if method == "ping":
            _put(connection, "pong", None)
        elif method in ("subscribe", "unsubscribe"):
            self._change(connection, method, said.get("subscription"))
        else:
            _put(connection, "error", f"Error parsing JSON into valid websocket request: {text[:200]}")

    def _change(self, connection: Connection, method: str, subscription: Any) -> None:
        topic = stream_rows.parsed(self.desk, subscription)
        if topic is None:
            _put(connection, "error", f"Invalid subscription {orjson.dumps(subscription).decode()}")
            return
        _put(connection, "subscriptionResponse", {"method": method, "subscription": subscription})
        if method == "unsubscribe":
            self.hub.unsubscribe(connection, topic)
        elif topic.is_user and subscription["user"].lower() != self.desk.wallet:
            return  # another account, in which nothing ever happens
        elif not self.hub.subscribe(connection, topic):
            _put(connection, "error", f"Already subscribed: {orjson.dumps(subscription).decode()}")


class _Rest:
    """The REST side as a bare ASGI application: no request object is made on the way."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Asked(scope["method"], scope["path"], await read_body(receive))
        await send_reply(scope, send, await self._door.answer(asked))


def _put(connection: Connection, channel: str, data: Any) -> None:
    value = {"channel": channel} if data is None else {"channel": channel, "data": data}
    connection.put(orjson.dumps(value).decode())
