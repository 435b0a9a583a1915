"""A small server of the pages with a told bot behind it, under the policies of the real one."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.web.pages_world import after_margin, board, told

STATIC: Final = Path(__file__).resolve().parents[2] / "bot/web/static"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


class ToldBot:
    """What the server answers from. Tests change `board` and read `orders`."""

    def __init__(self) -> None:
        self.board: dict[str, Any] = board()
        self.orders: list[dict[str, Any]] = []
        self.is_silent = False
        self.is_signed_out = self.needs_password = False
        self.is_stopping = False
        self.event_id = 0

    def position(self, symbol: str) -> dict[str, Any] | None:
        """Return the open position of the symbol."""
        return next((row for row in self.board["positions"] if row["symbol"] == symbol), None)

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Take an order as the bot does: money needs a second call, a halt needs nothing."""
        self.orders.append(order)
        if order["verb"] == "acknowledge":
            return self._done("The bot has taken it.")
        if order["verb"] == "halt":
            cause = {
                "cause": "person",
                "message": "halted from the page",
                "since_ms": self.board["market_ts_ms"],
            }
            self.board["guard"] = {"state": "halted", "level": "no_entry", "causes": [cause]}
            return self._done("Halted: no new entries. Positions stay protected.")
        if "confirm" not in order:
            known = {"needs_confirmation": True, "valid_ms": 60_000, "confirm": "token-1", "before": {}}
            return known | {"after": self._after(order), "message": f"This will {order['verb']}."}
        if order["verb"] == "resume":
            self.board["guard"] = {"state": "armed", "level": "", "causes": []}
        if order["verb"] == "flatten":
            self.board["positions"] = []
        row = self.position(order.get("symbol", ""))
        if row is not None and order["verb"] in {"add", "release"}:
            self._move(row, order["amount_quote"] * (1 if order["verb"] == "add" else -1))
        return self._done(f"Done: {order['verb']}.")

    def _after(self, order: dict[str, Any]) -> dict[str, Any]:
        row = self.position(order.get("symbol", ""))
        amount = order.get("amount_quote", 0.0) * (-1 if order["verb"] == "release" else 1)
        return after_margin(row, amount) if row else {}

    def _move(self, row: dict[str, Any], amount: float) -> None:
        after = after_margin(row, amount)
        row["liquidation_price"] = after["liquidation_price"]
        row["distance"] = after["distance"]
        row["isolated_wallet_quote"] = after["wallet_quote"]
        row["margin_added_quote"] += amount
        for rung in row["rungs"]:
            if rung["kind"] == "liquidation":
                rung["price"] = after["liquidation_price"]

    @staticmethod
    def _done(message: str) -> dict[str, Any]:
        return {"command_id": "1", "state": "done", "message": message}


def application(bot: ToldBot) -> ASGIApp:
    """Return the pages and the API of `bot`."""
    routes = [
        Route("/api/stream", lambda _: _stream(bot)),
        Route("/api/board", lambda _: _guarded(bot, lambda: bot.board)),
        Route("/api/commands", _commands(bot), methods=["POST"]),
        Route("/api/session", lambda _: JSONResponse(_standing(bot))),
        Route("/api/login", _login(bot), methods=["POST"]),
        Route("/api/logout", _logout(bot), methods=["POST"]),
        Route("/api/positions/{symbol:path}/what-if", _what_if(bot)),
        Route("/api/positions/{symbol:path}", _position(bot)),
        Route("/api/calc/{name}", _calculate, methods=["POST"]),
        Route("/api/exports/{name}", lambda _: JSONResponse(told("export"))),
        Route("/api/{name}", lambda request: _guarded(bot, lambda: told(request.path_params["name"]))),
        Mount("/", StaticFiles(directory=STATIC, html=True)),
    ]
    return _with_policy(Starlette(routes=routes))


def _with_policy(inner: ASGIApp) -> ASGIApp:
    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", POLICY.encode())]
            await send(message)

        await inner(scope, receive, marked)

    return outer


def _guarded(bot: ToldBot, told: Callable[[], Any]) -> Response:
    if bot.is_signed_out:
        return _trouble(401, "Nobody is signed in", "The session has ended.", "Sign in again.")
    return JSONResponse(told())


def _trouble(status: int, title: str, detail: str, next_step: str) -> Response:
    body = {"title": title, "detail": detail, "next_step": next_step}
    return JSONResponse(body, status_code=status)


def _stream(bot: ToldBot) -> Response:
    if bot.is_signed_out:
        return _trouble(401, "Nobody is signed in", "The session has ended.", "Sign in again.")

    async def events() -> AsyncIterator[str]:
        told, at = "", 0.0
        while not bot.is_stopping:
            now = json.dumps(bot.board)
            if not bot.is_silent and (now != told or time.monotonic() - at > 1.0):
                bot.event_id += 1
                told, at = now, time.monotonic()
                yield f"id: {bot.event_id}\nevent: board\ndata: {now}\n\n"
            await asyncio.sleep(0.03)

    return StreamingResponse(events(), media_type="text/event-stream", headers={"cache-control": "no-cache"})


def _commands(bot: ToldBot) -> Any:
    async def endpoint(request: Request) -> Response:
        if not request.headers.get("idempotency-key"):
            return _trouble(400, "No Idempotency-Key", "", "Send one.")
        return JSONResponse(bot.obey(await request.json()), status_code=202)

    return endpoint


def _login(bot: ToldBot) -> Any:
    async def endpoint(request: Request) -> Response:
        if (await request.json()).get("password") != "right":
            return _trouble(401, "This is not the password", "", "Try again.")
        bot.is_signed_out = False
        return JSONResponse(_standing(bot))

    return endpoint


def _logout(bot: ToldBot) -> Any:
    async def endpoint(_: Request) -> Response:
        bot.is_signed_out = True
        return JSONResponse(_standing(bot))

    return endpoint


def _standing(bot: ToldBot) -> dict[str, Any]:
    scopes = [] if bot.is_signed_out else ["guard", "read", "trade"]
    return {"is_let_in": not bot.is_signed_out, "is_open": not bot.needs_password, "scopes": scopes}


def _what_if(bot: ToldBot) -> Any:
    async def endpoint(request: Request) -> Response:
        row = bot.position(request.path_params["symbol"])
        if row is None:
            return _trouble(404, "No such position", "It may be closed.", "Look at the board.")
        asked = {name: float(values[0]) for name, values in parse_qs(request.url.query).items()}
        return JSONResponse(after_margin(row, asked.get("add_quote", 0.0) - asked.get("release_quote", 0.0)))

    return endpoint


def _position(bot: ToldBot) -> Any:
    async def endpoint(request: Request) -> Response:
        row = bot.position(request.path_params["symbol"])
        if row is None:
            return _trouble(404, "No such position", "It may be closed.", "Look at the board.")
        return JSONResponse(told("position") | {"position": row})

    return endpoint


async def _calculate(request: Request) -> Response:
    return JSONResponse(told("calculated") | {"given": await request.json()})


class _Server(uvicorn.Server):
    """One that leaves the signals to whoever runs the tests."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


@contextlib.asynccontextmanager
async def served(bot: ToldBot) -> AsyncIterator[str]:
    """Serve on loopback beside the caller; yield the address."""
    config = uvicorn.Config(
        application(bot), port=0, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        bot.is_stopping = True
        server.should_exit = True
        await running
