"""The Starlette application of OKX's dialect: REST on /api/v5, streams on /ws/v5."""

from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from bot.ports import Clock
from bot.sim.server.asgi import converse, header, read_body, send_reply
from bot.sim.server.auth import ApiKey
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.okx.desk import Desk
from bot.sim.server.okx.door import HEADERS, VALID_MS, Asked, Door, is_signed
from bot.sim.server.okx.errors import ApiError
from bot.sim.server.okx.hub import ALGO, PRIVATE, Hub
from bot.sim.server.okx.routes import ENDPOINTS
from bot.sim.server.streams import Connection

_VERIFIED: Final = "GET/users/self/verify"
_Message = dict[str, Any]


class OkxServer:
    """Everything a client of this dialect talks to."""

    def __init__(
        self,
        exchange: EmbeddedExchange,
        clock: Clock,
        keys: tuple[ApiKey, ...],
        faults: Faults,
        allowance: float = 1.0,
    ) -> None:
        self.desk = Desk(exchange, clock)
        self.hub = Hub(self.desk, faults)
        self.door = Door(self.desk, ENDPOINTS, keys, allowance, faults)

    def expire_user_stream(self) -> None:
        """Cut the private streams: a login has no other end here."""
        for connection in self.hub.users():
            connection.end()

    def disconnect(self) -> None:
        """Cut every stream that listens to anything."""
        for connection in self.hub.connections():
            connection.end()

    def tick(self) -> None:
        """Do what is due once a second of wall time: nothing here."""

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
        """Show the symbol's position as a cross or an isolated one."""
        cross = set(self.desk.exchange.settings["cross"])
        (cross.discard if is_isolated else cross.add)(symbol)
        self.desk.exchange.settings["cross"] = sorted(cross)
        self.desk.exchange.mark_changed()

    def switch_auto_add(self, symbol: str, *, is_on: bool) -> None:
        """Refuse: OKX has no such switch for swaps. ValueError always."""
        raise ValueError(f"{symbol} has no auto-add-margin here: OKX swaps do not")

    def application(self, *extra: BaseRoute) -> Starlette:
        """Return the ASGI application; `extra` are further routes, such as the control endpoint."""
        return Starlette(
            routes=[
                *extra,
                WebSocketRoute("/ws/v5/{kind}", self._stream),
                Route("/{path:path}", _Rest(self.door), methods=["GET", "POST"]),
            ]
        )

    # --- streams ----------------------------------------------------------------------------------

    async def _stream(self, socket: WebSocket) -> None:
        connection = Connection(socket, is_combined=False)
        talk = Conversation(self.desk, self.door, self.hub, connection, socket.path_params["kind"])
        await socket.accept()
        try:
            await converse(socket, connection, talk.hear)
        finally:
            self.hub.leave(connection)


class Conversation:
    """What one client says on one socket. `kind`: public, private or business."""

    def __init__(self, desk: Desk, door: Door, hub: Hub, connection: Connection, kind: str) -> None:
        self._desk, self._door, self._hub = desk, door, hub
        self._connection, self._kind = connection, kind
        self._is_logged_in = False

    def hear(self, text: str) -> None:
        """Take a message and queue what answers it."""
        if text == "ping":
            self._connection.put("pong")
            return
        try:
            said = orjson.loads(text)
            operation, args = said["op"], said["args"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            self._refuse("60012", f"Illegal request: {text}")
            return
        handler = {"login": self._login, "subscribe": self._subscribe, "unsubscribe": self._unsubscribe}
        if operation not in handler or not isinstance(args, list):
            self._refuse("60012", f"Illegal request: {text}")
            return
        for arg in args:
            handler[operation](arg)

    def _login(self, arg: _Message) -> None:
        stamp = str(arg.get("timestamp", ""))
        try:
            key = self._door.checked_key(str(arg.get("apiKey", "")), str(arg.get("passphrase", "")))
        except ApiError as error:
            self._refuse("60005" if error.number == "50111" else "60024", error.message)
            return
        is_now = stamp.isdigit() and abs(self._desk.clock.now_ms() - 1000 * int(stamp)) <= VALID_MS
        if not is_now:
            self._refuse("60006", "Timestamp request expired")
        elif not is_signed(f"{stamp}{_VERIFIED}".encode(), str(arg.get("sign", "")), key.secret):
            self._refuse("60007", "Invalid sign")
        else:
            self._is_logged_in = True
            self._say({"event": "login", "code": "0", "msg": "", "connId": "a4d3ae55"})

    def _subscribe(self, arg: _Message) -> None:
        stream = self._hub.stream(arg)
        if stream is None or self._path_of(stream.channel) != self._kind:
            self._refuse("60018", f"Wrong URL or channel:{arg.get('channel')},instId:{arg.get('instId')}")
        elif stream.is_users and not self._is_logged_in:
            self._refuse("60011", "Please log in")
        else:
            self._say({"event": "subscribe", "arg": arg, "connId": "a4d3ae55"})
            self._hub.subscribe(self._connection, stream)

    def _unsubscribe(self, arg: _Message) -> None:
        self._hub.unsubscribe(self._connection, arg)
        self._say({"event": "unsubscribe", "arg": arg, "connId": "a4d3ae55"})

    def _path_of(self, channel: str) -> str:
        if channel in PRIVATE:
            return "private"
        return "business" if channel == ALGO or channel.startswith("candle") else "public"

    def _refuse(self, code: str, message: str) -> None:
        self._say({"event": "error", "code": code, "msg": message, "connId": "a4d3ae55"})

    def _say(self, message: _Message) -> None:
        self._connection.put(orjson.dumps(message).decode())


class _Rest:
    """The REST side as a bare ASGI application: no request object is made on the way."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        names = {name: header(scope, name.encode()) for name in HEADERS}
        asked = Asked(scope["method"], scope["path"], scope["query_string"], body, names)
        await send_reply(scope, send, await self._door.answer(asked))
