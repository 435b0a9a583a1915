"""The gateway over sockets: an urgent margin add beside a bare signed request, and a flood of marks."""

import asyncio
import hashlib
import hmac
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.clock import WallClock
from bot.core.event import MarkPrice
from bot.core.intent import OpenPosition, SetLeverage
from bot.exchange.connect import Connection, Credentials, connect
from bot.exchange.hosts import Access
from bot.exchange.lane import Urgency
from bot.sim.server.auth import PAPER_KEY, PAPER_SECRET
from tests.bench.conftest import Measure
from tests.bench.world import percentile
from tests.contract.venue_worlds import Desk
from tests.unit.exchange.wire import Wire

pytestmark = pytest.mark.bench

BTC = "BTC/USDT:USDT"
_TURNS, _ADDS, _POLLS = 40, 40, 100
_PAUSE_SECONDS = 0.003
_RATE, _SECONDS = 20_000, 4.0
_LIMITS = ("--weight-limit", "100000000", "--order-limit", "100000000")


@contextmanager
def running(arguments: list[str], port_in: str, stream: str) -> Iterator[int]:
    """Start a server and yield its port, found by `port_in` in what it says first."""
    pipes: Any = {stream: subprocess.PIPE}
    with subprocess.Popen([sys.executable, *arguments], text=True, **pipes) as process:
        try:
            found = None
            while found is None:
                found = re.search(port_in, getattr(process, stream).readline())
            yield int(found[1])
        finally:
            process.kill()


def connected(port: int) -> Connection:
    access = Access("loopback", f"http://127.0.0.1:{port}")
    return connect("binanceusdm", access, Credentials(PAPER_KEY, PAPER_SECRET), (BTC,), WallClock())


async def paused() -> None:
    await asyncio.sleep(_PAUSE_SECONDS)


async def timed(
    send: Callable[[], Awaitable[Any]], times: int, before: Callable[[], Awaitable[Any]] = paused
) -> list[float]:
    """A request after a pause costs more than one in a row: every kind is sent after the same pause."""
    seconds = []
    for _ in range(times):
        await before()
        began = time.perf_counter()
        await send()
        seconds.append(time.perf_counter() - began)
    return seconds


def bare(session: aiohttp.ClientSession, port: int) -> Callable[[], Awaitable[Any]]:
    """Return the least a signed margin add can be."""

    async def send() -> None:
        now_ms = time.time_ns() // 1_000_000
        query = urlencode({"symbol": "BTCUSDT", "type": 1, "amount": "0.0001", "timestamp": now_ms})
        signature = hmac.new(PAPER_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        headers = {"X-MBX-APIKEY": PAPER_KEY, "Content-Type": "application/x-www-form-urlencoded"}
        url, body = f"http://127.0.0.1:{port}/fapi/v1/positionMargin", f"{query}&signature={signature}"
        async with session.post(url, data=body, headers=headers) as reply:
            assert reply.status == 200
            await reply.read()

    return send


class Polls:
    """A hundred polls that wait for their turn before every add."""

    def __init__(self, connection: Connection) -> None:
        self._link, self._dialect = connection.link, connection.gateway.dialect
        self._tasks: set[asyncio.Task[Any]] = set()

    async def fill(self) -> None:
        while len(self._tasks) < _POLLS:
            task = asyncio.create_task(self._poll())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await paused()

    async def end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)

    async def _poll(self) -> None:
        await self._link.read(lambda: self._dialect.trades(self._link.client, BTC, None))


async def test_bench_urgent_margin_add(measured: Measure) -> None:
    """The three take short turns, so that what else the machine does meets all of them."""
    serve = ["-m", "bot", "exchange", "serve", "--port", "0", "--symbols", BTC, "--speed", "1x", *_LIMITS]
    with running(serve, r"127\.0\.0\.1:(\d+)", "stderr") as port:
        connection = connected(port)
        desk, link, dialect = Desk(connection.gateway), connection.link, connection.gateway.dialect
        connection.lane._budget = connection.lane._budget._replace(weight=1e9, reserve=1e8)
        await desk.send(SetLeverage(BTC, 20))
        await desk.send(OpenPosition(BTC, 1, 0.02))

        async def add() -> None:
            await link.write(lambda: dialect.move_margin(link.client, BTC, 1, 0.0001), Urgency.URGENT)

        raw, alone, behind, polls = list[float](), list[float](), list[float](), Polls(connection)
        async with aiohttp.ClientSession() as session:
            for _ in range(_TURNS):
                await bare(session, port)()
                raw += await timed(bare(session, port), _ADDS)
                alone += await timed(add, _ADDS)
                behind += await timed(add, _ADDS, polls.fill)
                await polls.end()
        await connection.close()
    for name, seconds in (("bare signed", raw), ("urgent", alone), (f"urgent behind {_POLLS} polls", behind)):
        measured(f"gateway: {name} margin add, p50 of {len(seconds)}", percentile(seconds, 0.5) * 1e3, "ms")
        measured(f"gateway: {name} margin add, p99", percentile(seconds, 0.99) * 1e3, "ms")
    ratio = percentile(alone, 0.5) / percentile(raw, 0.5)
    measured("gateway: urgent margin add over the bare one, p50", ratio, "x", at_most=2.0)
    ratio = percentile(behind, 0.99) / percentile(alone, 0.99)
    measured("gateway: behind the polls over alone, p99", ratio, "x", at_most=1.2)


async def test_bench_marks_from_socket_to_engine(measured: Measure) -> None:
    with running(["-m", "tests.bench.mark_flood", str(_RATE), str(_SECONDS)], r"(\d+)", "stdout") as port:
        connection = connected(port)
        wire = Wire(connection.link.client)
        wire.answers.update({"GET /fapi/v1/klines": [], "POST /fapi/v1/listenKey": {"listenKey": "K"}})
        feed = connection.feed(60_000)
        heard, ages = 0, []
        told = feed.prices.hear_mark

        def hear(mark: Any) -> None:
            nonlocal heard
            heard += 1
            told(mark)

        feed.prices.hear_mark = hear  # pyright: ignore[reportAttributeAccessIssue]

        async def follow() -> None:
            async for event in feed.events():
                if isinstance(event, MarkPrice):
                    ages.append(time.time_ns() / 1e6 - event.ts_ms)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(follow(), _SECONDS + 1.0)
        await connection.close()
    measured("feed: marks heard", heard / _SECONDS, "marks/s", at_least=_RATE * 0.98)
    measured("feed: oldest mark when the engine gets it", max(ages), "ms", at_most=100.0)
