"""The Starlette application of Bybit's dialect: REST on /v5, streams on /v5/public/linear and /v5/private."""

from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from bot.ports import Clock
from bot.sim.server.asgi import converse, header, read_body, send_reply
from bot.sim.server.auth import ApiKey
from bot.sim.server.bybit.desk import Desk
from bot.sim.server.bybit.door import Asked, Auth, Door, Rates
from bot.sim.server.bybit.hub import Hub
from bot.sim.server.bybit.routes import ENDPOINTS
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.streams import Connection

_PRIVATE_PATH: Final = "/v5/private"
_HEADERS: Final = (b"x-bapi-api-key", b"x-bapi-timestamp", b"x-bapi-recv-window", b"x-bapi-sign")


class BybitServer:
    """Everything a client of this dialect talks to."""

    def __init__(
        self,
        exchange: EmbeddedExchange,
        clock: Clock,
        keys: tuple[ApiKey, ...],
        rates: Rates,
        faults: Faults,
    ) -> None:
        self.desk = Desk(exchange, clock)
        self.faults = faults
        self.hub = Hub(self.desk, faults)
        self.door = Door(self.desk, ENDPOINTS, keys, rates, faults)

    def expire_user_stream(self) -> None:
        """Cut the user's streams: this venue has no listen key."""
        self.hub.end_private()

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
        """Change what the API keys may do."""
        self.desk.may_trade, self.desk.may_withdraw = may_trade, may_withdraw

    def revoke_key(self, *, is_revoked: bool) -> None:
        """Refuse every key from now on, as one that has expired; or take them again."""
        self.desk.is_key_revoked = is_revoked

    def key_state(self) -> dict[str, bool]:
        """Return what the API keys may do, and whether they are refused."""
        desk = self.desk
        return {
            "may_trade": desk.may_trade,
            "may_withdraw": desk.may_withdraw,
            "is_key_revoked": desk.is_key_revoked,
        }

    def force_margin_mode(self, symbol: str, *, is_isolated: bool) -> None:
        """Set the account's margin mode whatever is open; it has one for all symbols."""
        self.desk.exchange.settings["margin_mode"] = "ISOLATED_MARGIN" if is_isolated else "REGULAR_MARGIN"
        self.desk.exchange.mark_changed()

    def switch_auto_add(self, symbol: str, *, is_on: bool) -> None:
        """Switch auto-add-margin, which this exchange shows and does not do."""
        self.desk.set_auto_add(symbol, is_on)

    def application(self, *extra: BaseRoute) -> Starlette:
        """Return the application; `extra` routes come first."""
        return Starlette(
            routes=[
                *extra,
                WebSocketRoute("/{path:path}", self._stream),
                Route("/{path:path}", _Rest(self.door), methods=["GET", "POST"]),
            ]
        )

    async def _stream(self, socket: WebSocket) -> None:
        connection = Connection(socket, is_combined=False)
        is_private = socket.url.path.rstrip("/") == _PRIVATE_PATH
        try:
            await socket.accept()
            await converse(socket, connection, lambda text: self._hear(connection, is_private, text))
        finally:
            self.hub.leave(connection)

    def _hear(self, connection: Connection, is_private: bool, text: str) -> None:
        try:
            said = orjson.loads(text)
        except orjson.JSONDecodeError:
            said = None
        if not isinstance(said, dict):
            said = {}
        said["args"] = said["args"] if isinstance(said.get("args"), list) else []
        self._obey(connection, is_private, said)

    def _obey(self, connection: Connection, is_private: bool, said: dict[str, Any]) -> None:
        operation = said.get("op")
        if operation == "ping":
            _put(connection, _pong(said, is_private, self.desk.clock.now_ms()))
        elif operation == "auth" and is_private:
            is_right = self._is_login(said["args"])
            if is_right:
                self.hub.private.add(connection)
            _put(connection, _reply(said, is_right, "" if is_right else "error:USVC1111"))
        elif operation in ("subscribe", "unsubscribe"):
            self._change(connection, is_private, said)
        else:
            _put(connection, _reply(said, False, "error:invalid op"))

    def _is_login(self, args: list[Any]) -> bool:
        if len(args) != 3 or not str(args[1]).isdigit():
            return False
        key, expires, signature = (str(each) for each in args)
        payload = f"GET/realtime{expires}".encode()
        return int(expires) > self.desk.clock.now_ms() and self.door.is_key(key, payload, signature)

    def _change(self, connection: Connection, is_private: bool, said: dict[str, Any]) -> None:
        """Subscribe to all topics or to none: one that nobody knows refuses the request."""
        names = [str(each) for each in said["args"]]
        if is_private and connection not in self.hub.private:
            _put(connection, _reply(said, False, "Request not authorized"))
            return
        unknown = [name for name in names if not self.hub.is_known(connection, name)]
        if unknown:
            _put(connection, _reply(said, False, f"error:handler not found,topic:{unknown[0]}"))
            return
        _put(connection, _reply(said, True, ""))
        change = self.hub.subscribe if said["op"] == "subscribe" else self.hub.unsubscribe
        for name in names:
            change(connection, name)


class _Rest:
    """The REST side as a bare ASGI application: no request object is made on the way."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        auth = Auth(*(header(scope, name) for name in _HEADERS))
        body = await read_body(receive)
        asked = Asked(scope["method"], scope["path"], scope["query_string"], body, auth)
        await send_reply(scope, send, await self._door.answer(asked))


def _reply(said: dict[str, Any], is_right: bool, message: str) -> dict[str, Any]:
    reply = {"success": is_right, "ret_msg": message, "conn_id": "c", "op": said.get("op", "")}
    if said.get("req_id"):
        reply["req_id"] = said["req_id"]
    if not is_right:
        reply["request"] = {"op": said.get("op", ""), "args": said["args"]}
    return reply


def _pong(said: dict[str, Any], is_private: bool, now_ms: int) -> dict[str, Any]:
    if is_private:
        return {"req_id": said.get("req_id", ""), "op": "pong", "args": [str(now_ms)], "conn_id": ""}
    return _reply(said, True, "pong")


def _put(connection: Connection, value: dict[str, Any]) -> None:
    connection.put(orjson.dumps(value).decode())
