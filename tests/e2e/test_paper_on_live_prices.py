"""Paper money on the prices of an exchange: read without keys, killed, and caught up with what it missed.

The exchange is served in this process, so that every request it is asked can be looked at; the bot is a
process of its own. The market runs as fast as the bot takes it and stands still when something was seen.
"""

import asyncio
import json
import math
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import pytest

from bot.clock import WallClock
from bot.core.event import MarkPrice
from bot.core.profile import BINANCE_USDM
from bot.core.timeframe import MINUTE_MS
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.market import SyntheticMarket
from bot.sim.server.auth import PAPER_KEY, PAPER_SECRET, ApiKey
from bot.sim.server.binance.application import BinanceServer
from bot.sim.server.binance.door import Rates
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.pump import Pump
from bot.sim.server.serve import bind, server_for
from bot.sim.server.state import StateFile
from bot.sim.venue import SimulatedVenue
from tests.e2e.replay_files import environment

ROOT: Final = Path(__file__).resolve().parents[2]
SYMBOLS: Final = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
TICK_MS: Final = 5_000
# Keys that lie about in the environment are no reason to use them.
KEYS: Final = {"RINGFENCE__EXCHANGE__API_KEY": PAPER_KEY, "RINGFENCE__EXCHANGE__SECRET": PAPER_SECRET}
Line = dict[str, Any]


class Watched:
    """An ASGI application that notes everything it is asked."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.asked: list[str] = []
        self.is_listened_to = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = b" ".join(name + b":" + value for name, value in scope["headers"]).decode()
        query = scope["query_string"].decode()
        self.asked.append(f"{scope.get('method', 'WS')} {scope['path']} {query} {headers}")

        async def heard() -> Any:
            message = await receive()
            if message.get("text"):
                self.asked.append(f"WS said {message['text']}")
            if "kline" in (message.get("text") or ""):
                self.is_listened_to.set()
            return message

        await self._application(scope, heard if scope["type"] == "websocket" else receive, send)


class World:
    """The exchange, its market, and what it was asked."""

    def __init__(self) -> None:
        instruments = {symbol: instrument_for(symbol) for symbol in SYMBOLS}
        config = VenueConfig(0.0001, 0.0002, dict.fromkeys(instruments, 500_000.0))
        venue = SimulatedVenue(instruments, BINANCE_USDM, config, 10_000.0)
        source = SyntheticMarket(8, SYMBOLS, MINUTE_MS, TICK_MS)
        self.exchange = EmbeddedExchange(venue, source, StateFile(None, {}), MINUTE_MS, 10_000.0)
        self.exchange.open()
        clock, keys = WallClock(), (ApiKey(PAPER_KEY, PAPER_SECRET),)
        dialect = BinanceServer(self.exchange, clock, keys, Rates(), Faults())
        self.pump = Pump(self.exchange, clock, math.inf)
        self.pump.pause()
        self.hub, self.watched = dialect.hub, Watched(dialect.application())

    def crash(self, symbol: str, side: int) -> int:
        """Let the price jump a third against `side` for one tick; return the minute, which still forms."""
        at_ms = self.exchange.market_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS
        self.pump.advance_until(at_ms + MINUTE_MS // 2)
        mark = self.exchange.state.quote(symbol).mark * (1.0 - side / 3.0)
        self.exchange.apply(MarkPrice(self.exchange.market_ms, symbol, mark, mark))
        self.exchange.commit()
        self.pump.advance_until(at_ms + MINUTE_MS - 2 * TICK_MS)
        return at_ms


@pytest.fixture
async def served() -> AsyncIterator[tuple[World, int]]:
    world = World()
    bound = bind("127.0.0.1", 0)
    server = server_for(world.watched)
    tasks = [
        asyncio.create_task(server.serve(sockets=[bound])),
        asyncio.create_task(world.pump.run(world.hub.most_waiting)),
    ]
    yield world, bound.getsockname()[1]
    server.stop()
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Bot:
    """`ringfence trade --paper --feed live` as a process, and the lines of its log."""

    def __init__(self, folder: Path, port: int, name: str) -> None:
        self._summary = folder / f"{name}.json"
        self._command = [
            *("-m", "bot", "trade", "--paper", "--feed", "live", "--base-url", f"http://127.0.0.1:{port}"),
            *("--headless", "--db", str(folder / "bot.db"), "--summary", str(self._summary)),
        ]
        self.lines: list[Line] = []

    async def start(self) -> "Bot":
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._command,
            cwd=ROOT,
            env=environment(**KEYS) | {"PYTHONPATH": os.fspath(ROOT)},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=2**20,
        )
        return self

    async def until(self, is_wanted: Callable[[Line], bool]) -> Line:
        """Return the first line that is wanted."""
        assert self.process.stderr is not None
        while text := await self.process.stderr.readline():
            self.lines.append(json.loads(text))
            if is_wanted(self.lines[-1]):
                return self.lines[-1]
        raise AssertionError(f"the bot ended without it: {self.lines[-3:]}")

    async def rest(self) -> None:
        """Read what was said until it ended."""
        assert self.process.stderr is not None
        self.lines += [json.loads(text) for text in (await self.process.stderr.read()).splitlines()]
        await self.process.wait()

    def held(self) -> dict[str, int]:
        """Return the side of every position that is open by what was said."""
        sides: dict[str, int] = {}
        for line in self.lines:
            if line["event"] == "position.opened":
                sides[line["symbol"]] = line["side"]
            elif line["event"] == "position.closed":
                sides.pop(line["symbol"])
        return sides

    def summary(self) -> dict[str, Any]:
        return json.loads(self._summary.read_text(encoding="utf-8"))


def of(event: str, **facts: object) -> Callable[[Line], bool]:
    return lambda line: line["event"] == event and all(line[key] == each for key, each in facts.items())


async def test_paper_trades_on_live_prices_and_catches_up_after_a_kill(
    tmp_path: Path, served: tuple[World, int]
) -> None:
    world, port = served
    first = await Bot(tmp_path, port, "first").start()
    await world.watched.is_listened_to.wait()
    world.pump.resume()
    moved = await first.until(of("margin.moved"))
    world.pump.pause()
    first.process.kill()
    await first.rest()
    assert moved["amount_quote"] != 0.0
    symbol, side = next(iter(first.held().items()))

    minute_ms = world.crash(symbol, side)
    second = await Bot(tmp_path, port, "second").start()
    filled = await second.until(of("order.filled", symbol=symbol, leg="stop"))
    assert minute_ms <= filled["ts_ms"] < minute_ms + MINUTE_MS
    closed = await second.until(of("position.closed", symbol=symbol))
    assert closed["cause"] == "stop"
    second.process.terminate()
    await second.rest()
    assert second.process.returncode == 0
    told = second.summary()
    assert (told["invariant_violations"], told["liquidations"]) == (0, 0)
    assert abs(told["conservation_error"]) < 1e-12

    asked = " ".join(world.watched.asked)
    assert "/fapi/v1/markPriceKlines" in asked
    for secret in (PAPER_KEY, PAPER_SECRET, "signature", "listenKey", "timestamp=", "x-mbx-apikey"):
        assert secret not in asked
    assert world.exchange.state.order_count == 0
    assert all(each.startswith(("GET ", "WS ")) for each in world.watched.asked)
