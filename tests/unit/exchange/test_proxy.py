"""The way through a proxy: everything takes it, encrypted, and no name is resolved here. Loopback only."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import ccxt
import pytest

from bot.clock import VirtualClock
from bot.errors import RingfenceError, Transient, Unavailable, UserError
from bot.exchange.connect import Connection, connect, public_link_to
from bot.exchange.hosts import Access, Environment
from bot.exchange.lane import Urgency
from bot.exchange.venues import VENUES
from bot.proxy import proxy_address
from tests.unit.exchange.wire import BTC, KEYS

REFUSED = b"HTTP/1.1 403 Filtered\r\nContent-Length: 0\r\n\r\n"
TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"
TIME = json.dumps({"serverTime": 1}).encode()
SERVED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(TIME),
    TIME,
)


class Proxy:
    """Answers every head with `reply`; keeps heads, and what came behind a tunnel's."""

    def __init__(self, reply: bytes) -> None:
        self.reply, self.heads, self.behind = reply, list[str](), b""
        self.address = ""

    @property
    def asked(self) -> list[str]:
        return [head.splitlines()[0] for head in self.heads]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.reply)
            await writer.drain()
            if self.reply == TUNNEL:
                self.behind += await reader.read(2_048)
        writer.close()


@asynccontextmanager
async def proxied(reply: bytes) -> AsyncIterator[Proxy]:
    proxy = Proxy(reply)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def connected(access: Access) -> AsyncIterator[Connection]:
    connection = connect("binanceusdm", access, KEYS, (BTC,), VirtualClock(0))
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing but this machine be found: a request that went directly would fail by another name."""

    async def resolve(_resolver: Any, host: str, *_: Any, **__: Any) -> Any:
        raise AssertionError(f"{host} was resolved here")

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)


def asking(connection: Connection) -> Callable[[], Awaitable[Any]]:
    return connection.link.client.fapiPublicGetTime


async def test_requests_of_every_environment_take_the_proxy_and_name_the_exchange_only() -> None:
    hosts: dict[Environment, str] = {"live": "fapi.binance.com", "testnet": "demo-fapi.binance.com"}
    for environment, host in hosts.items():
        async with proxied(REFUSED) as proxy, connected(Access(environment, "", proxy.address)) as connection:
            with pytest.raises(Unavailable, match="the proxy refuses it with status 403"):
                await connection.link.read(asking(connection))
        assert set(proxy.asked) == {f"CONNECT {host}:443 HTTP/1.1"}


async def test_streams_take_the_proxy() -> None:
    async with proxied(REFUSED) as proxy, connected(Access("live", "", proxy.address)) as connection:
        client = connection.link.client
        client.open()
        url = "wss://fstream.binance.com/market/ws/1"
        with pytest.raises(ccxt.NetworkError):
            await client.watch(url, "hash", {"method": "SUBSCRIBE"}, "hash")
    assert proxy.asked == ["CONNECT fstream.binance.com:443 HTTP/1.1"]


async def test_public_prices_take_the_proxy() -> None:
    async with proxied(REFUSED) as proxy:
        link, _ = public_link_to(VENUES["okx"], Access("live", "", proxy.address), VirtualClock(0))
        with pytest.raises(Unavailable):
            await link.read(link.client.publicGetPublicTime)
        await link.client.close()
    assert set(proxy.asked) == {"CONNECT www.okx.com:443 HTTP/1.1"}


async def test_a_proxy_gets_no_key_and_nothing_that_is_not_encrypted() -> None:
    async with proxied(TUNNEL) as proxy, connected(Access("live", "", proxy.address)) as connection:
        with pytest.raises(RingfenceError):
            await connection.link.write(connection.link.client.fapiPrivateV3GetAccount, Urgency.URGENT)
    heard = "".join(proxy.heads).encode() + proxy.behind
    assert proxy.behind.startswith(b"\x16\x03"), "a TLS handshake begins so"
    for secret in (KEYS.api_key, KEYS.secret):
        assert secret.encode() not in heard


async def test_a_write_that_a_proxy_refuses_was_not_done() -> None:
    async with proxied(REFUSED) as proxy, connected(Access("live", "", proxy.address)) as connection:

        async def order() -> Any:
            return await connection.link.client.fapiPrivatePostOrder({"symbol": "BTCUSDT"})

        with pytest.raises(Transient):
            await connection.link.write(order, Urgency.URGENT)
    assert len(proxy.asked) == 3


async def test_a_proxy_that_is_gone_is_no_reason_to_go_directly() -> None:
    async with proxied(REFUSED) as proxy:
        pass
    async with connected(Access("live", "", proxy.address)) as connection:
        with pytest.raises(Unavailable):
            await connection.link.read(asking(connection))


async def test_an_exchange_on_this_machine_is_reached_through_a_proxy_of_this_machine_only() -> None:
    async with proxied(SERVED) as proxy:
        access = Access("loopback", "http://127.0.0.1:9", proxy.address)
        async with connected(access) as connection:
            assert await connection.link.read(asking(connection)) == {"serverTime": 1}
    assert proxy.asked == ["GET http://127.0.0.1:9/fapi/v1/time HTTP/1.1"]
    with pytest.raises(
        UserError, match=r"exchange\.proxy is http://egress:8888 and the exchange is on this machine"
    ):
        connect(
            "binanceusdm",
            Access("loopback", "http://127.0.0.1:9", "http://egress:8888"),
            KEYS,
            (BTC,),
            VirtualClock(0),
        )


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxied(REFUSED) as proxy, proxied(SERVED) as direct:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.address)
        async with connected(Access("loopback", direct.address)) as connection:
            await connection.link.read(asking(connection))
    assert (len(proxy.asked), len(direct.asked)) == (0, 1)


@pytest.mark.parametrize(
    ("written", "is_read_as"),
    [
        ("http://egress:8888", "http://egress:8888"),
        ("http://EGRESS:8888/", "http://egress:8888"),
        ("http://[::1]:3128", "http://[::1]:3128"),
    ],
)
def test_an_address_has_one_form(written: str, is_read_as: str) -> None:
    assert proxy_address(written) == is_read_as
