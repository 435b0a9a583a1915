"""Keys, signatures, time windows and limits."""

import hmac
from typing import Any

import pytest

from bot.sim.server.binance.door import Rates


async def signed(world: Any, query: str, secret: str | None = None) -> Any:
    signature = hmac.digest((secret or world.api.secret).encode(), query.encode(), "sha256").hex()
    return await world.api.send("GET", "/fapi/v3/account", f"{query}&signature={signature}".encode())


async def test_a_request_signed_as_received_is_answered(world: Any) -> None:
    assert (await signed(world, f"timestamp={world.clock.now_ms()}&note=a%20b")).status == 200


async def test_a_changed_parameter_breaks_the_signature(world: Any) -> None:
    query = world.api.signed({"symbol": "BTCUSDT"}).replace(b"BTCUSDT", b"ETHUSDT")
    answer = await world.api.send("GET", "/fapi/v1/order", query)
    assert (answer.status, answer.value["code"]) == (400, -1022)


async def test_query_and_form_are_signed_together(world: Any) -> None:
    """Some clients put the parameters in the query, some in the form, some in both."""
    query, body = b"symbol=BTCUSDT", b"leverage=7"
    time = f"&timestamp={world.clock.now_ms()}".encode()
    signature = hmac.digest(world.api.secret.encode(), query + body + time, "sha256").hex().encode()
    answer = await world.api.send(
        "POST", "/fapi/v1/leverage", query, body + time + b"&signature=" + signature
    )
    assert (answer.status, answer.value["leverage"]) == (200, 7)


@pytest.mark.parametrize(
    ("key", "secret", "status", "code"),
    [("", None, 401, -2014), ("another", None, 401, -2015), (None, "wrong", 400, -1022)],
)
async def test_wrong_credentials_are_refused(
    key: str | None, secret: str | None, status: int, code: int, world: Any
) -> None:
    if key is not None:
        world.api.key = key
    answer = await signed(world, f"timestamp={world.clock.now_ms()}", secret)
    assert (answer.status, answer.value["code"]) == (status, code)


@pytest.mark.parametrize(
    ("late_ms", "window", "is_fine"),
    [
        (0, "", True),
        (5_000, "", True),
        (5_001, "", False),
        (9_000, "&recvWindow=10000", True),
        (61_000, "&recvWindow=90000", False),
        (-999, "", True),
        (-1_000, "", False),
    ],
)
async def test_a_request_counts_within_its_window_of_wall_time(
    late_ms: int, window: str, is_fine: bool, world: Any
) -> None:
    answer = await signed(world, f"timestamp={world.clock.now_ms() - late_ms}{window}")
    assert (answer.status == 200) == is_fine
    assert is_fine or answer.value["code"] == -1021


async def test_a_request_without_time_or_signature_is_refused(world: Any) -> None:
    assert (await signed(world, "a=1")).value["code"] == -1102
    unsigned = await world.api.send("GET", "/fapi/v3/account", f"timestamp={world.clock.now_ms()}".encode())
    assert unsigned.value["code"] == -1102


async def test_public_data_needs_no_key_and_time_is_wall_time(world: Any) -> None:
    world.api.key = ""
    assert (await world.api.send("GET", "/fapi/v1/time")).value == {"serverTime": world.clock.now_ms()}


async def test_an_unknown_path_is_not_found(world: Any) -> None:
    answer = await world.api.send("GET", "/fapi/v1/nothing")
    assert (answer.status, answer.value["code"]) == (404, -5000)


async def test_weights_are_counted_in_headers_and_the_next_minute_begins_anew(make_world: Any) -> None:
    world = make_world(rates=Rates(100, 100, 100))
    first = await world.api.ask("GET", "v3/account")
    second = await world.api.ask("GET", "v1/openOrders")
    assert [int(each.headers["x-mbx-used-weight-1m"]) for each in (first, second)] == [5, 45]
    world.clock.advance(60_000)
    third = await world.api.ask("GET", "v1/openOrders", symbol="BTCUSDT")
    assert third.headers["x-mbx-used-weight-1m"] == "1"


async def test_too_much_weight_is_answered_with_429_and_when_to_come_back(make_world: Any) -> None:
    world = make_world(rates=Rates(10, 100, 100))
    world.clock.advance(60_000 - world.clock.now_ms() % 60_000 + 20_000)
    answers = [await world.api.ask("GET", "v3/account") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].value["code"] == -1003
    assert answers[2].headers["retry-after"] == "41"
    world.clock.advance(41_000)
    assert (await world.api.ask("GET", "v3/account")).status == 200


async def test_who_goes_on_after_429_is_banned_with_418_for_two_minutes(make_world: Any) -> None:
    world = make_world(rates=Rates(10, 100, 100))
    world.clock.advance(60_000 - world.clock.now_ms() % 60_000)
    statuses = [(await world.api.ask("GET", "v3/account")).status for _ in range(24)]
    assert statuses == [200] * 2 + [429] * 20 + [418] * 2
    world.clock.advance(119_000)
    answer = await world.api.ask("GET", "v3/account")
    assert (answer.status, answer.headers["retry-after"]) == (418, "2")
    world.clock.advance(2_000)
    assert (await world.api.ask("GET", "v3/account")).status == 200


async def test_orders_have_a_rate_of_their_own(make_world: Any) -> None:
    world = make_world(rates=Rates(1_000, 100, 3))
    await world.api.ok("POST", "v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    answers = [await world.api.ask("POST", "v1/order", **order) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[2].headers["x-mbx-order-count-10s"] == "3"
    assert answers[3].value["code"] == -1015
    assert (await world.api.ask("GET", "v3/account")).status == 200
    assert len(world.exchange.books.trades) == 3
