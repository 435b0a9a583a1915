"""Events reach whoever reads, once and in order; whoever does not read, or was away, harms nobody."""

import asyncio
from typing import Any

import pytest

from bot.web import stream
from bot.web.stream import KEPT, Broadcast, EventStream

FIRST = 1_000


def seen(body: bytes) -> list[tuple[int, str]]:
    """Return number and data of each event in a body."""
    blocks = [block.splitlines() for block in body.decode().split("\n\n") if block]
    return [(int(lines[0].removeprefix("id: ")), lines[2].removeprefix("data: ")) for lines in blocks]


def test_numbers_rise_and_only_the_newest_board_is_sent() -> None:
    broadcast = Broadcast(FIRST)
    with broadcast.reading("") as reader:
        broadcast.tell("board", b"1")
        broadcast.tell("moved", b"2")
        broadcast.tell("board", b"3")
        assert seen(broadcast.due(reader)) == [(FIRST + 2, "2"), (FIRST + 3, "3")]
        assert broadcast.due(reader) == b""


def test_who_was_cut_off_is_told_what_happened_since() -> None:
    broadcast = Broadcast(FIRST)
    for data in (b"1", b"2", b"3"):
        broadcast.tell("moved", data)
    broadcast.tell("board", b"4")
    with broadcast.reading(str(FIRST + 1)) as reader:
        assert [data for _, data in seen(broadcast.due(reader))] == ["2", "3", "4"]


@pytest.mark.parametrize("named", ["", "x", "999999999999999999999", "-1", "12", str(FIRST + 90_000), "²"])
def test_who_names_an_event_that_was_never_given_gets_the_board_only(named: str) -> None:
    broadcast = Broadcast(FIRST)
    broadcast.tell("moved", b"1")
    broadcast.tell("board", b"2")
    with broadcast.reading(named) as reader:
        assert [data for _, data in seen(broadcast.due(reader))] == ["2"]


def test_who_was_away_for_longer_than_is_kept_gets_the_board_only() -> None:
    broadcast = Broadcast(FIRST)
    for _ in range(KEPT + 5):
        broadcast.tell("moved", b"old")
    broadcast.tell("board", b"now")
    with broadcast.reading(str(FIRST + 2)) as reader:
        assert [data for _, data in seen(broadcast.due(reader))] == ["now"]


class Connection:
    """An ASGI connection whose other side may stop reading or leave."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_cut, self.is_reading = False, asyncio.Event()
        self.is_reading.set()
        self.gone = asyncio.Event()
        self.scope: Any = {"type": "http", "extensions": {"cut": {"now": self._cut}}}

    def _cut(self) -> None:
        self.is_cut = True
        self.gone.set()

    async def receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.is_reading.wait()
        self.sent.append(message.get("body", b""))


async def opened(broadcast: Broadcast, connection: Connection, is_allowed: Any = lambda: True) -> Any:
    answer = EventStream(broadcast, "", is_allowed)
    task = asyncio.create_task(answer(connection.scope, connection.receive, connection.send))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_a_client_that_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_TAKES_SECONDS", 0.01)
    broadcast, connection = Broadcast(FIRST), Connection()
    task = await opened(broadcast, connection)
    connection.is_reading.clear()
    broadcast.tell("moved", b"1")
    await asyncio.wait_for(task, 5)
    assert connection.is_cut
    assert broadcast.readers == 0


async def test_a_client_that_leaves_is_forgotten() -> None:
    broadcast, connection = Broadcast(FIRST), Connection()
    task = await opened(broadcast, connection)
    assert broadcast.readers == 1
    connection.gone.set()
    await asyncio.wait_for(task, 5)
    assert broadcast.readers == 0
    assert not connection.is_cut


async def test_open_streams_end_at_once_when_the_bot_ends() -> None:
    broadcast, connections = Broadcast(FIRST), [Connection() for _ in range(20)]
    tasks = [await opened(broadcast, connection) for connection in connections]
    broadcast.close()
    await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert broadcast.readers == 0
    late = await opened(broadcast, Connection())
    await asyncio.wait_for(late, 5)


async def test_a_stream_ends_with_the_session_that_opened_it() -> None:
    broadcast, connection, allowed = Broadcast(FIRST), Connection(), [True]
    task = await opened(broadcast, connection, lambda: allowed[0])
    allowed[0] = False
    broadcast.tell("moved", b"secret")
    await asyncio.wait_for(task, 5)
    assert b"secret" not in b"".join(connection.sent)
