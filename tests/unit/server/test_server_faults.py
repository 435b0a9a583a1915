"""Every fault that can be asked for, and that it does what it says to the account."""

import asyncio
from typing import Any

import pytest

BTC = "BTC/USDT:USDT"
MOVE = {"symbol": "BTCUSDT", "amount": "5", "type": 1}


async def wallet(world: Any) -> float:
    return world.exchange.state.positions[BTC].isolated_wallet


async def planned(world: Any, **fault: Any) -> float:
    """Open a position, plan the fault for the next margin move, and return the wallet before it."""
    await world.trade("0.05")
    answer = await world.api.control("fault", path="/fapi/v1/positionMargin", **fault)
    assert answer.status == 200, answer
    return await wallet(world)


async def test_a_lost_reply_was_executed(world: Any) -> None:
    before = await planned(world, kind="lost")
    assert (await world.api.ask("POST", "v1/positionMargin", **MOVE)).status == 0
    assert await wallet(world) == pytest.approx(before + 5.0)


async def test_a_duplicated_request_moves_margin_twice(world: Any) -> None:
    before = await planned(world, kind="duplicated")
    await world.api.ok("POST", "v1/positionMargin", **MOVE)
    assert await wallet(world) == pytest.approx(before + 10.0)


async def test_a_late_reply_is_executed_at_once_and_answered_later(world: Any) -> None:
    before = await planned(world, kind="late", delay_ms=7_000)
    sent_ms = world.clock.now_ms()
    await world.api.ok("POST", "v1/positionMargin", **MOVE)
    assert world.clock.now_ms() == sent_ms + 7_000
    assert await wallet(world) == pytest.approx(before + 5.0)


async def test_a_request_that_arrives_after_its_window_is_not_executed(world: Any) -> None:
    before = await planned(world, kind="slow_arrival", delay_ms=7_000)
    assert await world.api.refused("POST", "v1/positionMargin", **MOVE) == -1021
    assert await wallet(world) == before


@pytest.mark.parametrize(("kind", "added"), [("error", 0.0), ("error_accepted", 5.0)])
async def test_a_server_error_says_nothing_about_whether_it_was_done(
    kind: str, added: float, world: Any
) -> None:
    before = await planned(world, kind=kind, status=503, code=-1007)
    answer = await world.api.ask("POST", "v1/positionMargin", **MOVE)
    assert (answer.status, answer.value["code"]) == (503, -1007)
    assert await wallet(world) == pytest.approx(before + added)


@pytest.mark.parametrize(("kind", "status"), [("rate_limited", 429), ("banned", 418)])
async def test_limits_can_be_had_without_reaching_them(kind: str, status: int, world: Any) -> None:
    before = await planned(world, kind=kind, delay_ms=30_000)
    answer = await world.api.ask("POST", "v1/positionMargin", **MOVE)
    assert (answer.status, answer.headers["retry-after"], answer.value["code"]) == (status, "30", -1003)
    assert await wallet(world) == before


async def test_held_replies_are_released_in_reverse_order(world: Any) -> None:
    await planned(world, kind="held", times=2)
    done: list[int] = []

    async def move(number: int) -> None:
        await world.api.ok("POST", "v1/positionMargin", **MOVE)
        done.append(number)

    tasks = [asyncio.create_task(move(number)) for number in (1, 2)]
    while world.faults.held < 2:
        await asyncio.sleep(0)
    assert done == []
    for _ in tasks:
        await world.api.control("release")
        while len(done) < 2 - world.faults.held:
            await asyncio.sleep(0)
    assert done == [2, 1]


async def test_a_fault_counts_its_times_and_spares_other_requests(world: Any) -> None:
    await planned(world, kind="error", times=2, method="POST")
    await world.api.ok("GET", "v3/account")
    statuses = [(await world.api.ask("POST", "v1/positionMargin", **MOVE)).status for _ in range(3)]
    assert statuses == [503, 503, 200]


async def test_maintenance_refuses_everything_until_it_is_over(world: Any) -> None:
    await world.api.control("maintenance", on=True)
    answer = await world.api.send("GET", "/fapi/v1/ping")
    assert (answer.status, answer.value["code"]) == (503, -1016)
    await world.api.control("maintenance", on=False)
    assert (await world.api.send("GET", "/fapi/v1/ping")).status == 200


class Ear:
    def __init__(self) -> None:
        self.is_combined, self.waiting = False, 0
        self.names: set[str] = set()
        self.heard: list[str] = []

    def put(self, text: str) -> None:
        self.heard.append(text)


async def user_ear(world: Any) -> Ear:
    ear = Ear()
    key = await world.api.ok("POST", "v1/listenKey")
    world.dialect.hub.subscribe(ear, key["listenKey"])
    return ear


async def test_user_messages_can_come_twice_or_reversed(world: Any) -> None:
    await world.trade("0.05")
    ear = await user_ear(world)
    await world.api.control("messages", duplicated=1)
    await world.api.ok("POST", "v1/positionMargin", **MOVE)
    assert len(ear.heard) == 2
    assert ear.heard[0] == ear.heard[1]
    await world.api.control("messages", reordered=2)
    await world.api.ok("POST", "v1/positionMargin", **MOVE)
    assert len(ear.heard) == 2
    await world.api.ok("POST", "v1/positionMargin", **MOVE)
    first, second = ear.heard[2:]
    assert f'"iw":"{await wallet(world)!r}"' in first
    assert f'"iw":"{await wallet(world)!r}"' not in second


@pytest.mark.parametrize(("command", "said"), [("clear", {}), ("messages", {"reordered": 0})])
async def test_messages_held_back_for_a_disorder_that_is_called_off_go_out(
    world: Any, command: str, said: dict[str, int]
) -> None:
    await world.trade("0.05")
    ear = await user_ear(world)
    await world.api.control("messages", reordered=3)
    await world.api.ok("POST", "v1/positionMargin", **MOVE)
    await world.api.ok("POST", "v1/positionMargin", **MOVE)
    assert ear.heard == []
    await world.api.control(command, **said)
    assert len(ear.heard) == 2
    await world.api.ok("POST", "v1/positionMargin", **MOVE)
    assert len(ear.heard) == 3


async def test_a_stalled_channel_is_silent_and_stays_open(world: Any) -> None:
    await world.trade("0.05")
    ear, market = await user_ear(world), Ear()
    world.dialect.hub.subscribe(market, "btcusdt@markPrice")
    await world.api.control("stall", channel="user")
    await world.api.ok("POST", "v1/positionMargin", **MOVE)
    world.pump.advance_ticks(2)
    assert (len(ear.heard), len(market.heard)) == (0, 1)
    await world.api.control("stall", channel="user", on=False)
    await world.api.ok("POST", "v1/positionMargin", **MOVE)
    assert len(ear.heard) == 1


async def test_an_expired_listen_key_is_told_and_gone(world: Any) -> None:
    ear = await user_ear(world)
    await world.api.control("expire-listen-key")
    assert "listenKeyExpired" in ear.heard[0]
    assert await world.api.refused("PUT", "v1/listenKey") == -1125


async def test_a_read_only_key_reads_and_may_not_trade(world: Any) -> None:
    await world.trade("0.05")
    await world.api.control("permissions", may_trade=False, may_withdraw=True)
    rights = await world.api.send("GET", "/sapi/v1/account/apiRestrictions", world.api.signed({}))
    assert (rights.value["enableFutures"], rights.value["enableWithdrawals"]) == (False, True)
    assert await world.api.refused("POST", "v1/positionMargin", **MOVE) == -2015
    await world.api.ok("GET", "v3/account")


async def test_a_margin_mode_can_be_forced_with_a_position_open(world: Any) -> None:
    await world.trade("0.05")
    await world.api.control("margin-mode", symbol=BTC, isolated=False)
    (row,) = await world.api.ok("GET", "v1/symbolConfig", symbol="BTCUSDT")
    assert row["marginType"] == "CROSSED"


async def test_smaller_brackets_move_the_liquidation_price_at_once(world: Any) -> None:
    await world.trade("0.05")
    before = float((await world.position())["liquidationPrice"])
    await world.api.control("brackets", symbol=BTC, rows=[[0, 1e9, 0.02, 0, 20]])
    assert float((await world.position())["liquidationPrice"]) > before
    assert await world.api.refused("POST", "v1/leverage", symbol="BTCUSDT", leverage=25) == -4028


async def test_advancing_until_a_time_stops_there(world: Any) -> None:
    until_ms = world.exchange.market_ms + 61_500
    answer = await world.api.control("advance", until_ms=until_ms)
    assert answer.value["market_ms"] == until_ms - 500
    answer = await world.api.control("advance", ticks=4)
    assert answer.value["market_ms"] == until_ms + 1_500
