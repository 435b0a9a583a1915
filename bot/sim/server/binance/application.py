"""The Starlette application of Binance's dialect: REST on /fapi, streams on /ws, /stream and their kin."""

from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from bot.ports import Clock
from bot.sim.server.asgi import converse, header, read_body, send_reply
from bot.sim.server.auth import ApiKey
from bot.sim.server.binance.desk import Desk
from bot.sim.server.binance.door import Asked, Door, Rates
from bot.sim.server.binance.hub import Hub
from bot.sim.server.binance.listen_keys import ListenKeys
from bot.sim.server.binance.routes import ENDPOINTS, Endpoint
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.streams import Connection

_LISTEN_KEY: Final = "/fapi/v1/listenKey"


class BinanceServer:
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
        self.listen_keys = ListenKeys(self.desk)
        self.hub = Hub(self.desk, self.listen_keys, faults)
        self.door = Door(
            self.desk, {**ENDPOINTS, **_listen_key_endpoints(self.listen_keys)}, keys, rates, faults
        )

    def expire_user_stream(self) -> None:
        """End the user's stream as if its key had not been renewed."""
        self.hub.expire_key()

    def disconnect(self) -> None:
        """Cut every stream that listens to anything."""
        for connection in self.hub.connections():
            connection.end()

    def tick(self) -> None:
        """Do what is due once a second of wall time, market or not."""
        self.hub.check_key()

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
        """Set the margin type whatever is open."""
        self.desk.exchange.settings["margin_type"][symbol] = "ISOLATED" if is_isolated else "CROSSED"
        self.desk.exchange.mark_changed()

    def switch_auto_add(self, symbol: str, *, is_on: bool) -> None:
        """Switch auto-add-margin, which this exchange shows and does not do."""
        self.desk.exchange.settings["auto_add"][symbol] = is_on
        self.desk.exchange.mark_changed()

    def application(self, *extra: BaseRoute) -> Starlette:
        """Return the ASGI application; `extra` routes come first."""
        return Starlette(
            routes=[
                *extra,
                WebSocketRoute("/{path:path}", self._stream),
                Route("/{path:path}", _Rest(self.door), methods=["GET", "POST", "PUT", "DELETE"]),
            ]
        )

    async def _stream(self, socket: WebSocket) -> None:
        path = socket.url.path.rstrip("/")
        connection = Connection(socket, is_combined=path.endswith("/stream"))
        for name in _first_names(path, socket.query_params):
            self.hub.subscribe(connection, name)  # before the client may think that it listens
        try:
            await socket.accept()
            await converse(socket, connection, lambda text: self._hear(connection, text))
        finally:
            self.hub.leave(connection)

    def _hear(self, connection: Connection, text: str) -> None:
        try:
            said = orjson.loads(text)
        except orjson.JSONDecodeError:
            connection.put('{"error":{"code":3,"msg":"Invalid JSON"}}')
            return
        connection.put(orjson.dumps(self._answered(connection, said)).decode())

    def _answered(self, connection: Connection, said: Any) -> dict[str, Any]:
        if not isinstance(said, dict):
            return {"error": {"code": 2, "msg": "Invalid request: an object was expected"}}
        method, params = said.get("method"), said.get("params", [])
        names = [name for name in params if isinstance(name, str)] if isinstance(params, list) else []
        if method == "SUBSCRIBE":
            for name in names:
                self.hub.subscribe(connection, name)
        elif method == "UNSUBSCRIBE":
            for name in names:
                self.hub.unsubscribe(connection, name)
        elif method == "LIST_SUBSCRIPTIONS":
            return {"result": sorted(connection.names), "id": said.get("id")}
        else:
            return {"error": {"code": 2, "msg": f"Invalid request: unknown method {method}"}}
        return {"result": None, "id": said.get("id")}


class _Rest:
    """The REST side as a bare ASGI application: no request object is made on the way."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = header(scope, b"x-mbx-apikey")
        body = await read_body(receive)
        asked = Asked(scope["method"], scope["path"], scope["query_string"], body, key)
        await send_reply(scope, send, await self._door.answer(asked))


def _first_names(path: str, query: Any) -> list[str]:
    """Return the streams that an address asks for: /ws/<name>, ?streams=a/b, ?listenKey=K."""
    names = [name for name in query.get("streams", "").split("/") if name]
    if query.get("listenKey"):
        names.append(query["listenKey"])
    last = path.rpartition("/")[2]
    if "/ws/" in path and not last.isdigit():
        names.append(last)
    return names


def _listen_key_endpoints(keys: ListenKeys) -> dict[tuple[str, str], Endpoint]:
    return {
        ("POST", _LISTEN_KEY): Endpoint(keys.create, "key", is_change=True),
        ("PUT", _LISTEN_KEY): Endpoint(keys.renew, "key", is_change=True),
        ("DELETE", _LISTEN_KEY): Endpoint(keys.end, "key", is_change=True),
    }
