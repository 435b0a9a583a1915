"""The control endpoint: moves the market and injects faults, for tests. Off unless asked for; loopback only.

JSON in, JSON out. GET /control tells the state; every POST answers with it too.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from bot.core.event import MarkPrice
from bot.core.tiers import LeverageTier
from bot.core.timeframe import DAY_MS
from bot.errors import UserError
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import KINDS, Fault, Faults
from bot.sim.server.fields import Fields
from bot.sim.server.pump import Pump

Body = dict[str, Any]
Command = Callable[[Fields], object]

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_CHANNELS: Final = ("market", "user")
_METHODS: Final = ("", "GET", "POST", "PUT", "DELETE")
_MOST_TICKS: Final = 1_000_000
_LONGEST_ADVANCE_MS: Final = 31 * DAY_MS
_MOST_TIMES: Final = 1_000_000
_LONGEST_DELAY_MS: Final = 3 * DAY_MS  # the longest ban of any venue spoken here
_LARGEST_CODE: Final = 2**31 - 1
_PRICES: Final = (1e-9, 1e12)


class Dialect(Protocol):
    """What the control endpoint needs of a dialect."""

    def expire_user_stream(self) -> None:
        """End the user's stream as if its key had not been renewed."""
        ...

    def disconnect(self) -> None:
        """Cut every stream that listens to anything."""
        ...

    def set_permissions(self, *, may_trade: bool, may_withdraw: bool) -> None:
        """Change what the API keys may do."""
        ...

    def revoke_key(self, *, is_revoked: bool) -> None:
        """Refuse every key from now on, as one that has expired; or take them again."""
        ...

    def key_state(self) -> dict[str, bool]:
        """Return what the keys may do and whether they are refused, by the names of the desk."""
        ...

    def force_margin_mode(self, symbol: str, *, is_isolated: bool) -> None:
        """Set a margin mode that the venue itself would not set, such as cross with a position open."""
        ...

    def switch_auto_add(self, symbol: str, *, is_on: bool) -> None:
        """Switch the venue's own auto-add-margin, as a person does in its app. ValueError: it has none."""
        ...


class Control:
    """The commands by name."""

    def __init__(self, exchange: EmbeddedExchange, pump: Pump, faults: Faults, dialect: Dialect) -> None:
        self._exchange, self._pump, self._faults, self._dialect = exchange, pump, faults, dialect
        self._commands: dict[str, tuple[tuple[str, ...], Command]] = {
            "pause": ((), lambda _: pump.pause()),
            "resume": ((), lambda _: pump.resume()),
            "advance": (("ticks", "until_ms"), self._advance),
            "price": (("symbol", "mark", "last"), self._price),
            "fault": (Fault._fields, lambda said: faults.plan(_fault(said))),
            "release": ((), lambda _: faults.release()),
            "clear": ((), lambda _: faults.clear()),
            "stall": (("channel", "on"), self._stall),
            "messages": (("duplicated", "reordered"), self._messages),
            "maintenance": (("on",), self._maintenance),
            "disconnect": ((), lambda _: dialect.disconnect()),
            "expire-listen-key": ((), lambda _: dialect.expire_user_stream()),
            "brackets": (("symbol", "rows"), self._brackets),
            "permissions": (("may_trade", "may_withdraw"), self._permissions),
            "revoke-key": (("on",), self._revoke_key),
            "margin-mode": (("symbol", "isolated"), self._margin_mode),
            "auto-add": (("symbol", "on"), self._auto_add),
        }

    def routes(self) -> tuple[BaseRoute, ...]:
        """Return the routes: /control with and without a slash, and below it the commands."""
        return (
            Route("/control", self._tell, methods=["GET"]),
            Mount(
                "/control",
                routes=[
                    Route("/", self._tell, methods=["GET"]),
                    Route("/{command}", self._obey, methods=["POST"]),
                ],
            ),
        )

    def run(self, command: str, body: Body) -> Body:
        """Do one command and return the state. ValueError: what is wrong with it, and what to give."""
        for _ in self._steps(command, body):
            pass
        return self.state()

    def state(self) -> Body:
        """Return where the market is, which faults stand and which are planned for requests to come."""
        faults = self._faults
        return {
            "market_ms": self._exchange.market_ms,
            "place": list(self._exchange.place()),
            "is_paused": self._pump.is_paused,
            "is_at_end": self._pump.is_at_end,
            "held_replies": faults.held,
            "stalled": sorted(faults.stalled),
            "is_in_maintenance": faults.is_in_maintenance,
            "duplicated_messages": faults.duplicated_messages,
            "reordered_messages": faults.reordered_messages,
            "planned_faults": [fault._asdict() for fault in faults.planned],
            **self._dialect.key_state(),
        }

    async def _tell(self, request: Request) -> Response:
        if fault := _stranger(request):
            return _json(403, {"error": fault})
        return _json(200, self.state())

    async def _obey(self, request: Request) -> Response:
        """Others are served between the steps of a long command; the end of the server ends it."""
        if fault := _stranger(request):
            return _json(403, {"error": fault})
        try:
            for _ in self._steps(request.path_params["command"], _body(await request.body())):
                await asyncio.sleep(0)
            return _json(200, self.state())
        except ValueError as error:
            return _json(400, {"error": str(error)})

    def _steps(self, command: str, body: Body) -> Iterator[None]:
        """Do one command; yield wherever others may be served. ValueError as `run`."""
        if command not in self._commands:
            raise ValueError(f"There is no command {command}. Give one of {', '.join(self._commands)}.")
        known, handler = self._commands[command]
        try:
            steps = handler(Fields(command, body, known))
            if isinstance(steps, Iterator):
                yield from steps
        except UserError as error:
            raise ValueError(str(error)) from error
        self._exchange.commit()

    # --- commands ---------------------------------------------------------------------------------

    def _advance(self, said: Fields) -> Iterator[None]:
        """{"ticks": n} or {"until_ms": market time}; one already past moves nothing."""
        if said.has("ticks") == said.has("until_ms"):
            raise ValueError("advance needs ticks or until_ms, one of them. Give how many, or until when.")
        if said.has("ticks"):
            return self._pump.tick_by_tick(said.whole("ticks", 1, _MOST_TICKS))
        most_ms = self._exchange.market_ms + _LONGEST_ADVANCE_MS
        return self._pump.step_until(said.whole("until_ms", 0, most_ms))

    def _price(self, said: Fields) -> None:
        """{"symbol", "mark", "last"?}: one tick at this price, now; the next is the feed's."""
        symbol, mark = self._symbol(said), said.number("mark", *_PRICES)
        tick = MarkPrice(self._exchange.market_ms, symbol, mark, said.number("last", *_PRICES, mark))
        self._exchange.mark_changed()
        self._exchange.apply(tick)

    def _stall(self, said: Fields) -> None:
        """{"channel": "market"|"user", "on"?: bool}."""
        channel, is_on = said.one_of("channel", _CHANNELS), said.flag("on", True)
        (self._faults.stalled.add if is_on else self._faults.stalled.discard)(channel)

    def _messages(self, said: Fields) -> None:
        """{"duplicated": n} or {"reordered": n}: the next n messages of the user's stream."""
        duplicated = said.whole("duplicated", 0, _MOST_TIMES, 0)
        self._faults.reordered_messages = said.whole("reordered", 0, _MOST_TIMES, 0)
        self._faults.duplicated_messages = duplicated

    def _maintenance(self, said: Fields) -> None:
        """{"on": bool}: every request is refused, and the streams are cut at its beginning."""
        self._faults.is_in_maintenance = said.flag("on")
        if self._faults.is_in_maintenance:
            self._dialect.disconnect()

    def _brackets(self, said: Fields) -> None:
        """{"symbol", "rows": [[floor, cap, rate, amount, leverage], ...]}."""
        rows = [LeverageTier(*row) for row in said.rows("rows", len(LeverageTier._fields))]
        self._exchange.change_tiers(self._symbol(said), rows)

    def _permissions(self, said: Fields) -> None:
        """{"may_trade"?: bool, "may_withdraw"?: bool}: true and false where left out."""
        self._dialect.set_permissions(
            may_trade=said.flag("may_trade", True), may_withdraw=said.flag("may_withdraw", False)
        )

    def _revoke_key(self, said: Fields) -> None:
        """{"on"?: bool}."""
        self._dialect.revoke_key(is_revoked=said.flag("on", True))

    def _margin_mode(self, said: Fields) -> None:
        """{"symbol", "isolated": bool}."""
        self._dialect.force_margin_mode(self._symbol(said), is_isolated=said.flag("isolated"))

    def _auto_add(self, said: Fields) -> None:
        """{"symbol", "on": bool}."""
        self._dialect.switch_auto_add(self._symbol(said), is_on=said.flag("on"))

    def _symbol(self, said: Fields) -> str:
        return said.one_of("symbol", tuple(self._exchange.state.instruments))


def _stranger(request: Request) -> str:
    """Return why a request is not from this machine's own programs, "" when it is.

    A page that a browser here shows can reach loopback, by a name that is made to point there too.
    """
    host, origin = request.headers.get("host"), request.headers.get("origin")
    said = ([f"//{host}"] if host else []) + ([] if origin is None else [origin])
    strange = next((each for each in said if _host_of(each) not in _LOOPBACK), None)
    if strange is None:
        return ""
    return f"Only this machine may control the exchange; the request says {strange[:80]!r}. Ask 127.0.0.1."


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _fault(said: Fields) -> Fault:
    usual = Fault("late")
    return Fault(
        said.one_of("kind", KINDS),  # pyright: ignore[reportArgumentType]
        said.one_of("method", _METHODS, usual.method),
        said.path("path"),
        said.whole("times", 1, _MOST_TIMES, usual.times),
        said.whole("delay_ms", 0, _LONGEST_DELAY_MS, usual.delay_ms),
        said.whole("status", 200, 599, usual.status),
        said.whole("code", -_LARGEST_CODE, _LARGEST_CODE, usual.code),
    )


def _body(data: bytes) -> Body:
    try:
        body = orjson.loads(data or b"{}")
    except orjson.JSONDecodeError as error:
        raise ValueError(f"The body is not JSON: {error}. Give an object, or nothing.") from error
    if not isinstance(body, dict):
        raise ValueError("The body is JSON, but no object. Give the fields in braces, or nothing.")
    return body


def _json(status: int, value: Body) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
