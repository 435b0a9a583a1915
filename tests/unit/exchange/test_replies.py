"""What an exchange answers is bounded in size and not followed elsewhere. Every byte goes over loopback."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.clock import VirtualClock
from bot.errors import OutcomeUnknown, Unavailable
from bot.exchange import session
from bot.exchange.connect import Connection, connect
from bot.exchange.hosts import Access
from bot.exchange.lane import Urgency
from tests.unit.exchange.wire import BTC, KEYS

MOST = 4096
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
TOO_LONG = json.dumps({"serverTime": "7" * MOST}).encode()
CHUNKED = b"".join(b"%x\r\n%s\r\n" % (len(TOO_LONG) // 8, b" " * (len(TOO_LONG) // 8)) for _ in range(9))


class Answers:
    """Answers every request with `reply` and keeps the requests' first lines."""

    def __init__(self, reply: bytes) -> None:
        self.reply, self.asked = reply, list[str]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0])
            writer.write(self.reply)
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def connected(reply: bytes) -> AsyncIterator[tuple[Connection, Answers]]:
    answers = Answers(reply)
    server = await asyncio.start_server(answers.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    access = Access("loopback", f"http://127.0.0.1:{port}")
    connection = connect("binanceusdm", access, KEYS, (BTC,), VirtualClock(0))
    try:
        yield connection, answers
    finally:
        await connection.close()
        server.close()
        await server.wait_closed()


def whole(body: bytes, more: str = "") -> bytes:
    return f"{HEAD}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MOST_REPLY_BYTES", MOST)


TOO_LARGE = {
    "announced": whole(TOO_LONG),
    "only announced": f"{HEAD}Content-Length: {2 * MOST}\r\n\r\n".encode(),
    "in chunks": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + CHUNKED + b"0\r\n\r\n",
    "without a length": f"{HEAD}Connection: close\r\n\r\n".encode() + TOO_LONG,
    "compressed": whole(gzip.compress(TOO_LONG), "Content-Encoding: gzip\r\n"),
}


@pytest.mark.parametrize("reply", TOO_LARGE.values(), ids=TOO_LARGE.keys())
async def test_a_reply_that_is_too_large_is_given_up_and_not_asked_for_again(reply: bytes) -> None:
    assert len(gzip.compress(TOO_LONG)) < MOST
    async with connected(reply) as (connection, answers):
        link = connection.link
        with pytest.raises(Unavailable, match=f"larger than {MOST} bytes"):
            await link.read(link.client.fapiPublicGetTime)
    assert len(answers.asked) == 1


async def test_a_reply_of_the_largest_size_is_read() -> None:
    body = json.dumps({"serverTime": "7" * (MOST - len('{"serverTime": ""}'))}).encode()
    assert len(body) == MOST
    async with connected(whole(body)) as (connection, _):
        reply = await connection.link.read(connection.link.client.fapiPublicGetTime)
    assert len(reply["serverTime"]) > MOST - 20


async def write_of_unknown_outcome(body: bytes, why: str) -> None:
    """Move margin, be answered so, and check that it was sent once."""
    async with connected(whole(body)) as (connection, answers):
        link = connection.link

        async def write() -> Any:
            return await link.client.fapiPrivatePostPositionMargin({"symbol": "BTCUSDT"})

        with pytest.raises(OutcomeUnknown, match=why):
            await link.write(write, Urgency.URGENT)
    assert len(answers.asked) == 1


async def test_a_write_whose_reply_is_too_large_is_of_unknown_outcome_and_sent_once() -> None:
    await write_of_unknown_outcome(TOO_LONG, "was not read to its end")


@pytest.mark.parametrize("body", [b'{"status":"err","resp', b"ok", b""])
async def test_a_write_whose_reply_is_cut_off_is_of_unknown_outcome_and_sent_once(body: bytes) -> None:
    await write_of_unknown_outcome(body, "no JSON")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with connected(b"") as (elsewhere, stranger):
        there = elsewhere.link.client.urls["api"]["fapiPublic"]
        reply = f"HTTP/1.1 {status} Moved\r\nLocation: {there}/time\r\nContent-Length: 0\r\n\r\n".encode()
        async with connected(reply) as (connection, answers):
            link = connection.link
            with pytest.raises(Unavailable, match=f"redirects \\(status {status}\\)"):
                await link.read(link.client.fapiPublicGetTime)
    assert len(answers.asked) == 1
    assert stranger.asked == []


class Dialling:
    """Takes the place of an aiohttp session where a stream is opened."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}

    def ws_connect(self, _url: str, **options: Any) -> "Dialling":
        self.options = options
        return self

    async def __aenter__(self) -> None:
        """Nothing is opened."""


async def test_ccxt_bounds_a_message_of_a_stream_to_10_mebibytes() -> None:
    async with connected(b"") as (connection, _):
        client = connection.link.client
        dialling = Dialling()
        await client.client(client.urls["api"]["ws"]["linear"]).create_connection(dialling)
    assert dialling.options["max_msg_size"] == 10 * 1024 * 1024
