"""The control endpoint: moves the market and injects faults, for tests. Off unless asked for; loopback only.

JSON in, JSON out. GET /control tells the state; every POST answers with it too.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.core.event import MarkPrice
from bot.core.tiers import LeverageTier
from bot.errors import UserError
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import KINDS, Fault, Faults
from bot.sim.server.pump import Pump

Body = dict[str, Any]
_CHANNELS: Final = ("market", "user")


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

    def force_margin_mode(self, symbol: str, *, is_isolated: bool) -> None:
        """Set a margin mode that the venue itself would not set, such as cross with a position open."""
        ...

    def switch_auto_add(self, symbol: str, *, is_on: bool) -> None:
        """Switch the venue's own auto-add-margin, as a person does in its app. ValueError: it has none."""
        ...


class Control:
    """The commands by name. ValueError, KeyError and TypeError of a command are a bad request."""

    def __init__(self, exchange: EmbeddedExchange, pump: Pump, faults: Faults, dialect: Dialect) -> None:
        self._exchange, self._pump, self._faults, self._dialect = exchange, pump, faults, dialect
        self._commands: dict[str, Callable[[Body], object]] = {
            "pause": lambda _: pump.pause(),
            "resume": lambda _: pump.resume(),
            "advance": self._advance,
            "price": self._price,
            "fault": lambda body: faults.plan(_fault(body)),
            "release": lambda _: faults.release(),
            "clear": lambda _: faults.clear(),
            "stall": self._stall,
            "messages": self._messages,
            "maintenance": self._maintenance,
            "disconnect": lambda _: dialect.disconnect(),
            "expire-listen-key": lambda _: dialect.expire_user_stream(),
            "brackets": self._brackets,
            "permissions": self._permissions,
            "revoke-key": lambda body: dialect.revoke_key(is_revoked=bool(body.get("on", True))),
            "margin-mode": self._margin_mode,
            "auto-add": self._auto_add,
        }

    def mount(self) -> Mount:
        """Return the routes."""
        return Mount(
            "/control",
            routes=[
                Route("/", self._tell, methods=["GET"]),
                Route("/{command}", self._obey, methods=["POST"]),
            ],
        )

    def run(self, command: str, body: Body) -> Body:
        """Do one command and return the state. ValueError: what is wrong with it."""
        handler = self._commands.get(command)
        if handler is None:
            raise ValueError(f"no command {command}; known: {', '.join(self._commands)}")
        try:
            handler(body)
        except KeyError as error:
            raise ValueError(f"{command} needs {error}") from error
        except (TypeError, UserError) as error:
            raise ValueError(str(error)) from error
        self._exchange.commit()
        return self.state()

    def state(self) -> Body:
        """Return where the market is and which faults stand."""
        return {
            "market_ms": self._exchange.market_ms,
            "place": list(self._exchange.place()),
            "is_paused": self._pump.is_paused,
            "is_at_end": self._pump.is_at_end,
            "held_replies": self._faults.held,
            "stalled": sorted(self._faults.stalled),
            "is_in_maintenance": self._faults.is_in_maintenance,
        }

    async def _tell(self, _request: Request) -> Response:
        return _json(200, self.state())

    async def _obey(self, request: Request) -> Response:
        try:
            body = orjson.loads(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise ValueError("a JSON object was expected")
            return _json(200, self.run(request.path_params["command"], body))
        except ValueError as error:
            return _json(400, {"error": str(error)})

    # --- commands ---------------------------------------------------------------------------------

    def _advance(self, body: Body) -> None:
        """{"ticks": n} or {"until_ms": market time}."""
        if "ticks" in body:
            self._pump.advance_ticks(int(body["ticks"]))
        else:
            self._pump.advance_until(int(body["until_ms"]))

    def _price(self, body: Body) -> None:
        """{"symbol", "mark", "last"?}: one tick at this price, now; the next is the feed's."""
        mark = float(body["mark"])
        symbol = self._symbol(body)
        tick = MarkPrice(self._exchange.market_ms, symbol, mark, float(body.get("last", mark)))
        if not (0.0 < tick.mark < float("inf") and 0.0 < tick.last < float("inf")):
            raise ValueError("a price is a positive number")
        self._exchange.mark_changed()
        self._exchange.apply(tick)

    def _stall(self, body: Body) -> None:
        """{"channel": "market"|"user", "on": bool}."""
        channel = body["channel"]
        if channel not in _CHANNELS:
            raise ValueError(f"channel is one of {', '.join(_CHANNELS)}")
        (self._faults.stalled.add if body.get("on", True) else self._faults.stalled.discard)(channel)

    def _messages(self, body: Body) -> None:
        """{"duplicated": n} or {"reordered": n}: the next n messages of the user's stream."""
        self._faults.duplicated_messages = int(body.get("duplicated", 0))
        self._faults.reordered_messages = int(body.get("reordered", 0))

    def _maintenance(self, body: Body) -> None:
        """{"on": bool}: every request is refused, and the streams are cut at its beginning."""
        self._faults.is_in_maintenance = bool(body["on"])
        if body["on"]:
            self._dialect.disconnect()

    def _brackets(self, body: Body) -> None:
        """{"symbol", "rows": [[floor, cap, rate, amount, leverage], ...]}."""
        rows = [LeverageTier(*map(float, row)) for row in body["rows"]]
        self._exchange.change_tiers(self._symbol(body), rows)

    def _permissions(self, body: Body) -> None:
        self._dialect.set_permissions(
            may_trade=bool(body.get("may_trade", True)), may_withdraw=bool(body.get("may_withdraw", False))
        )

    def _margin_mode(self, body: Body) -> None:
        """{"symbol", "isolated": bool}."""
        self._dialect.force_margin_mode(self._symbol(body), is_isolated=bool(body["isolated"]))

    def _auto_add(self, body: Body) -> None:
        """{"symbol", "on": bool}."""
        self._dialect.switch_auto_add(self._symbol(body), is_on=bool(body["on"]))

    def _symbol(self, body: Body) -> str:
        symbol = body["symbol"]
        if symbol not in self._exchange.state.instruments:
            raise ValueError(f"{symbol} is not traded here")
        return symbol


def _fault(body: Body) -> Fault:
    if body["kind"] not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}")
    unknown = sorted(set(body) - set(Fault._fields))
    if unknown:
        raise ValueError(f"a fault has no {', '.join(unknown)}; it has {', '.join(Fault._fields)}")
    return Fault(**body)


def _json(status: int, value: Body) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
