"""The socket side: loopback only, a clean end, streams over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.errors import UserError
from bot.sim.server.control import Control
from bot.sim.server.serve import bind, server_for


@asynccontextmanager
async def served(world: Any) -> AsyncIterator[tuple[Any, int]]:
    """Serve on a free port; the server has ended when this has."""
    bound = bind("127.0.0.1", 0)
    control = Control(world.exchange, world.pump, world.faults, world.dialect)
    server = server_for(world.dialect.application(*control.routes()))
    task = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started:
        await asyncio.sleep(0)
    try:
        yield server, bound.getsockname()[1]
    finally:
        server.should_exit = True
        await task


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(UserError, match="this machine only"):
        bind(host, 0)


def test_a_taken_port_is_said_with_what_to_do() -> None:
    first = bind("127.0.0.1", 0)
    with pytest.raises(UserError, match="--port"):
        bind("127.0.0.1", first.getsockname()[1])
    first.close()


def test_replies_are_not_held_back_by_the_socket() -> None:
    """asyncio sets TCP_NODELAY only where the protocol is named; without it a reply takes 40 ms."""
    bound = bind("127.0.0.1", 0)
    assert bound.proto == socket.IPPROTO_TCP
    bound.close()


async def test_open_streams_do_not_hold_up_the_end(world: Any) -> None:
    async with aiohttp.ClientSession() as session:
        async with served(world) as (_, port):
            stream = await session.ws_connect(f"ws://127.0.0.1:{port}/ws/btcusdt@markPrice")
            world.pump.advance_ticks(2)
            assert (await stream.receive_json())["e"] == "markPriceUpdate"
        assert (await stream.receive()).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def test_an_advance_under_way_does_not_hold_up_the_end(world: Any) -> None:
    start_ms = world.exchange.market_ms
    async with aiohttp.ClientSession() as session:
        async with served(world) as (_, port):
            url = f"http://127.0.0.1:{port}/control/advance"
            asking = asyncio.create_task(session.post(url, json={"ticks": 1_000_000}))
            while world.exchange.market_ms == start_ms:
                await asyncio.sleep(0)
        await asyncio.wait({asking})
    ended_ms = world.exchange.market_ms
    await asyncio.sleep(0)
    assert start_ms < ended_ms == world.exchange.market_ms
    assert ended_ms < start_ms + 400_000_000, "1,000,000 ticks are 500,000,000 ms"


async def test_subscriptions_are_answered_in_both_forms_of_stream(world: Any) -> None:
    async with served(world) as (_, port), aiohttp.ClientSession() as session:
        raw = await session.ws_connect(f"ws://127.0.0.1:{port}/market/ws/1")
        await raw.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@markPrice"], "id": 3})
        assert await raw.receive_json() == {"result": None, "id": 3}
        await raw.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 4})
        assert (await raw.receive_json())["result"] == ["btcusdt@markPrice"]
        both = await session.ws_connect(f"ws://127.0.0.1:{port}/stream?streams=btcusdt@markPrice")
        await both.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 5})
        assert (await both.receive_json())["id"] == 5
        world.pump.advance_ticks(2)
        assert (await raw.receive_json())["e"] == "markPriceUpdate"
        assert (await both.receive_json())["stream"] == "btcusdt@markPrice"
        for nonsense in ("nonsense", "[1]", '{"method":"SHOUT"}'):
            await raw.send_str(nonsense)
            assert "error" in await raw.receive_json()
        await raw.send_str('{"method":"SUBSCRIBE","params":[1,{}],"id":9}')
        assert (await raw.receive_json())["id"] == 9


@pytest.mark.parametrize(("command", "body"), [("disconnect", {}), ("maintenance", {"on": True})])
async def test_streams_are_cut_and_can_come_back(command: str, body: dict[str, Any], world: Any) -> None:
    async with served(world) as (_, port), aiohttp.ClientSession() as session:
        url = f"ws://127.0.0.1:{port}/ws/btcusdt@markPrice"
        stream = await session.ws_connect(url)
        while not world.dialect.hub.connections():
            await asyncio.sleep(0)
        await world.api.control(command, **body)
        assert (await stream.receive()).type == aiohttp.WSMsgType.CLOSE
        while world.dialect.hub.connections():
            await asyncio.sleep(0)
        again = await session.ws_connect(url)
        while not world.dialect.hub.connections():
            await asyncio.sleep(0)
        world.pump.advance_ticks(2)
        assert (await again.receive_json())["s"] == "BTCUSDT"


async def test_a_lost_reply_cuts_the_connection_and_the_change_stays(world: Any) -> None:
    await world.trade("0.01")
    async with served(world) as (_, port), aiohttp.ClientSession() as session:
        await world.api.control("fault", kind="lost", path="/fapi/v1/positionMargin")
        query = world.api.signed({"symbol": "BTCUSDT", "amount": "5", "type": 1}).decode()
        url = f"http://127.0.0.1:{port}/fapi/v1/positionMargin?{query}"
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.post(url, headers={"X-MBX-APIKEY": world.api.key})
        assert len(world.exchange.books.moves) == 1


async def test_the_market_runs_at_its_pace_and_pauses(world: Any) -> None:
    """On a clock that stands still until somebody sleeps: an hour passes in no time."""
    start_ms = world.exchange.market_ms
    playing = asyncio.create_task(world.pump.run(lambda: 0))
    while world.exchange.market_ms < start_ms + 120_000:
        await asyncio.sleep(0)
    slept_ms = world.clock.now_ms() - 1_800_000_000_000
    assert world.exchange.market_ms - start_ms == pytest.approx(slept_ms, abs=2_000)
    world.pump.pause()
    for _ in range(50):
        await asyncio.sleep(0)
    still_ms = world.exchange.market_ms
    for _ in range(50):
        await asyncio.sleep(0)
    assert world.exchange.market_ms == still_ms
    world.pump.advance_ticks(2)
    world.pump.resume()
    while world.exchange.market_ms < still_ms + 60_000:
        await asyncio.sleep(0)
    playing.cancel()
