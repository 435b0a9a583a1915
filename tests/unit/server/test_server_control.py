"""The control endpoint: what it refuses, what it tells, and that a long command holds nobody up."""

import asyncio
from typing import Any

import pytest

from bot.sim.server.fields import Fields

BTC = "BTC/USDT:USDT"
SOUND_ROW = [0, 1e9, 0.02, 0, 20]
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("nonsense", {}),
    ("pause", {"for": 3}),
    ("fault", {}),
    ("fault", {"kind": "explode"}),
    ("fault", {"kind": ["late"]}),
    ("fault", {"kind": "late", "colour": 1}),
    ("fault", {"kind": "late", "times": "abc", "delay_ms": "x"}),
    ("fault", {"kind": "late", "times": 0}),
    ("fault", {"kind": "late", "times": 1.5}),
    ("fault", {"kind": "late", "times": True}),
    ("fault", {"kind": "late", "times": None}),
    ("fault", {"kind": "late", "delay_ms": -1}),
    ("fault", {"kind": "late", "delay_ms": 1e30}),
    ("fault", {"kind": "error", "status": 99}),
    ("fault", {"kind": "error", "code": "-1007"}),
    ("fault", {"kind": "late", "method": "get"}),
    ("fault", {"kind": "late", "path": 5}),
    ("fault", {"kind": "late", "path": "fapi/v1/order"}),
    ("price", {"symbol": "DOGE/USDT:USDT", "mark": 1.0}),
    ("price", {"symbol": {}, "mark": 1.0}),
    ("price", {"symbol": BTC, "mark": -1.0}),
    ("price", {"symbol": BTC, "mark": "60000"}),
    ("price", {"symbol": BTC, "mark": 1e200}),
    ("price", {"symbol": BTC, "mark": 60000, "last": 0}),
    ("price", {"symbol": BTC}),
    ("advance", {}),
    ("advance", {"ticks": 1, "until_ms": 1}),
    ("advance", {"ticks": 0}),
    ("advance", {"ticks": 1e30}),
    ("advance", {"ticks": 1_000_001}),
    ("advance", {"until_ms": 1e30}),
    ("advance", {"until_ms": 9_000_000_000_000}),
    ("advance", {"until_ms": "soon"}),
    ("stall", {}),
    ("stall", {"channel": "all"}),
    ("stall", {"channel": ["user"]}),
    ("stall", {"channel": "user", "on": "false"}),
    ("messages", {"duplicated": -1}),
    ("messages", {"reordered": "2"}),
    ("maintenance", {}),
    ("maintenance", {"on": "false"}),
    ("maintenance", {"on": 0}),
    ("permissions", {"may_trade": "no"}),
    ("revoke-key", {"on": "false"}),
    ("margin-mode", {"symbol": BTC, "isolated": "false"}),
    ("auto-add", {"symbol": BTC, "on": None}),
    ("brackets", {"symbol": BTC}),
    ("brackets", {"symbol": BTC, "rows": []}),
    ("brackets", {"symbol": BTC, "rows": {}}),
    ("brackets", {"symbol": BTC, "rows": [7]}),
    ("brackets", {"symbol": BTC, "rows": [SOUND_ROW[:4]]}),
    ("brackets", {"symbol": BTC, "rows": [[*SOUND_ROW[:4], "20"]]}),
    ("brackets", {"symbol": BTC, "rows": [[5, 1, 2, 3, 4]]}),
]


@pytest.mark.parametrize(("command", "body"), WRONG)
async def test_a_command_that_makes_no_sense_is_refused(
    command: str, body: dict[str, Any], world: Any
) -> None:
    venue, state = world.exchange.venue.snapshot(), (await world.api.send("GET", "/control/")).value
    answer = await world.api.control(command, **body)
    assert answer.status == 400
    said = answer.value["error"]
    assert "Give" in said or "Leave out" in said or "must be" in said or "has no row" in said, said
    assert not any(word in said for word in ("__", "object", "unhashable", "argument", "NoneType")), said
    assert world.exchange.venue.snapshot() == venue
    assert (await world.api.send("GET", "/control/")).value == state
    assert (await world.api.send("GET", "/fapi/v1/ping")).status == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b"null", b"\xff", b'{"on":NaN}'])
async def test_a_body_that_is_no_object_is_refused(body: bytes, world: Any) -> None:
    answer = await world.api.send("POST", "/control/maintenance", b"", body)
    assert answer.status == 400
    assert "Give" in answer.value["error"]


async def test_a_refusal_says_what_was_given_and_what_may_be(world: Any) -> None:
    answer = await world.api.control("fault", kind="late", times="abc")
    assert answer.value["error"] == 'fault.times is "abc". Give a whole number from 1 to 1000000.'
    answer = await world.api.control("maintenance")
    assert answer.value["error"] == "maintenance needs on: true or false. Give it."


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_a_number_is_finite(value: float) -> None:
    with pytest.raises(ValueError, match="Give a number"):
        Fields("price", {"mark": value}, ("mark",)).number("mark", 0.0, 1e12)


async def test_a_long_value_is_cut_in_the_refusal(world: Any) -> None:
    answer = await world.api.control("fault", kind="x" * 10_000)
    assert answer.status == 400
    assert len(answer.value["error"]) < 300


async def test_faults_wait_in_the_state_until_they_are_used_up(world: Any) -> None:
    await world.api.control("fault", kind="error", path="/fapi/v1/ping", times=2)
    await world.api.control("fault", kind="late", method="DELETE", delay_ms=5)
    told = (await world.api.send("GET", "/control/")).value
    assert [(fault["kind"], fault["times"]) for fault in told["planned_faults"]] == [
        ("error", 2),
        ("late", 1),
    ]
    assert told["planned_faults"][0]["path"] == "/fapi/v1/ping"
    await world.api.send("GET", "/fapi/v1/ping")
    told = (await world.api.send("GET", "/control/")).value
    assert told["planned_faults"][0]["times"] == 1
    await world.api.send("GET", "/fapi/v1/ping")
    told = (await world.api.send("GET", "/control/")).value
    assert [fault["kind"] for fault in told["planned_faults"]] == ["late"]
    assert (await world.api.control("clear")).value["planned_faults"] == []


async def test_standing_faults_are_told(world: Any) -> None:
    await world.api.control("stall", channel="user")
    await world.api.control("messages", reordered=3)
    await world.api.control("permissions", may_trade=False)
    await world.api.control("revoke-key")
    told = (await world.api.control("maintenance", on=True)).value
    assert (told["is_in_maintenance"], told["stalled"], told["reordered_messages"]) == (True, ["user"], 3)
    assert (told["may_trade"], told["may_withdraw"], told["is_key_revoked"]) == (False, False, True)


async def test_the_state_is_told_with_and_without_a_slash(world: Any) -> None:
    with_slash, without = [await world.api.send("GET", path) for path in ("/control/", "/control")]
    assert with_slash == without
    assert without.status == 200


async def test_others_are_served_while_the_market_is_advanced(world: Any) -> None:
    advancing = asyncio.create_task(world.api.control("advance", ticks=3_000))
    start_ms = world.exchange.market_ms
    while world.exchange.market_ms == start_ms:
        await asyncio.sleep(0)
    assert (await world.api.send("GET", "/fapi/v1/ping")).status == 200
    assert not advancing.done()
    assert (await advancing).value["market_ms"] >= start_ms + 1_499_000


async def test_an_advance_that_is_given_up_ends(world: Any) -> None:
    advancing = asyncio.create_task(world.api.control("advance", ticks=1_000_000))
    start_ms = world.exchange.market_ms
    while world.exchange.market_ms == start_ms:
        await asyncio.sleep(0)
    advancing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await advancing
    assert world.exchange.market_ms < start_ms + 3_600_000


async def test_in_steps_the_market_comes_where_it_comes_at_once(make_world: Any) -> None:
    stepped, at_once = make_world(), make_world()
    await stepped.api.control("advance", ticks=2_001)
    at_once.pump.advance_ticks(2_001)
    assert stepped.exchange.venue.snapshot() == at_once.exchange.venue.snapshot()
    assert stepped.exchange.place() == at_once.exchange.place()
    assert stepped.exchange.prices.snapshot() == at_once.exchange.prices.snapshot()


@pytest.mark.parametrize("path", ["/control/", "/control"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:8770"}, 200),
        ({"host": "localhost:8770", "origin": "http://localhost:3000"}, 200),
        ({"host": "[::1]:8770"}, 200),
        ({"host": "rebound.example:8770"}, 403),
        ({"host": "127.0.0.1.rebound.example"}, 403),
        ({"host": "127.0.0.1:8770", "origin": "https://page.example"}, 403),
        ({"host": "127.0.0.1:8770", "origin": "null"}, 403),
    ],
)
async def test_a_page_in_a_browser_neither_reads_nor_gives_commands(
    path: str, headers: dict[str, str], status: int, world: Any
) -> None:
    """A name of a stranger may point at this machine: only what the request says tells it apart."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    application = with_headers(world.api._application, raw)
    told = await type(world.api)(application, world.api.clock).send("GET", path)
    obeyed = await type(world.api)(application, world.api.clock).send(
        "POST", "/control/maintenance", b"", b'{"on":true}'
    )
    assert (told.status, obeyed.status) == (status, status)
    assert (await world.api.send("GET", "/control/")).value["is_in_maintenance"] is (status == 200)


def with_headers(application: Any, headers: list[tuple[bytes, bytes]]) -> Any:
    async def called(scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, "headers": [*scope["headers"], *headers]}, receive, send)

    return called
