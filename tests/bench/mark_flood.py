"""Sends marks as fast as it is told, in its own process: python -m tests.bench.mark_flood RATE SECONDS."""

import asyncio
import sys
import time
from typing import Any

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from bot.sim.server.serve import LOOPBACK, bind, server_for

_MARK = (
    '{"e":"markPriceUpdate","E":%d,"s":"BTCUSDT","p":"%.2f","ap":"1","i":"1","P":"1","r":"0.0001",'
    '"T":4102444800000}'
)


async def _flood(socket: WebSocket) -> None:
    await socket.accept()
    asked = await socket.receive_json()
    await socket.send_json({"result": None, "id": asked["id"]})
    if any("markPrice" in name for name in asked["params"]):
        await _send(socket, int(sys.argv[1]), float(sys.argv[2]))
    await asyncio.sleep(60.0)


async def _send(socket: WebSocket, rate: int, seconds: float) -> None:
    began, sent = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        while sent < int(passed * rate):
            now_ms = time.time_ns() // 1_000_000
            await socket.send_text(_MARK % (now_ms, 50_000 + sent % 1_000))
            sent += 1
        await asyncio.sleep(0.001)


async def _serve() -> None:
    listening = bind(LOOPBACK, 0)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    routes: list[Any] = [WebSocketRoute("/{path:path}", _flood)]
    await server_for(Starlette(routes=routes)).serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(_serve())
