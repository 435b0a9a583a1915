"""What was acknowledged survives: every reply comes after its change was written."""

import os
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Fatal, UserError
from bot.sim.server.state import StateFile

BTC = "BTC/USDT:USDT"


async def told(world: Any) -> list[Any]:
    """Return everything that a client can read of account and market."""
    paths = ("v3/account", "v2/positionRisk", "v1/openOrders", "v1/openAlgoOrders", "v1/income")
    of_symbol = ("v1/userTrades", "v1/allOrders", "v1/allAlgoOrders", "v1/positionMargin/history")
    answers = [await world.api.ok("GET", path) for path in paths]
    answers += [await world.api.ok("GET", path, symbol="BTCUSDT") for path in of_symbol]
    answers.append(await world.api.ok("GET", "v1/klines", symbol="BTCUSDT", interval="5m", limit=9))
    return [*answers, await world.api.ok("GET", "v1/premiumIndex"), world.exchange.place()]


async def busy(world: Any) -> None:
    """Do one of everything."""
    await world.trade("0.05")
    mark = world.exchange.prices.of(BTC).mark
    common = {"symbol": "BTCUSDT", "side": "BUY"}
    price = round(0.9 * mark, 1)
    await world.api.ok(
        "POST", "v1/order", **common, type="LIMIT", timeInForce="GTC", quantity="0.01", price=price
    )
    stop = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET"}
    await world.api.ok("POST", "v1/algoOrder", **stop, triggerPrice=price, closePosition="true")
    await world.api.ok("POST", "v1/positionMargin", symbol="BTCUSDT", amount="12.5", type=1)


async def test_an_exchange_that_died_continues_as_if_nothing_had_happened(
    tmp_path: Path, make_world: Any
) -> None:
    """Nothing is closed: the second exchange has only what the first one wrote before its replies."""
    path = tmp_path / "exchange.state"
    first = make_world(path)
    await busy(first)
    first.pump.advance_ticks(5_000)
    second = make_world(path)
    assert await told(second) == await told(first)
    for world in (first, second):
        world.pump.advance_ticks(20_000)
    assert await told(second) == await told(first)


async def test_the_market_continues_where_it_was_shown_without_any_trade(
    tmp_path: Path, make_world: Any
) -> None:
    first = make_world(tmp_path / "exchange.state")
    for _ in range(7):
        first.pump.advance_ticks(333)
    second = make_world(tmp_path / "exchange.state")
    assert await told(second) == await told(first)


@pytest.mark.parametrize("minutes", [59, 60, 61])
async def test_a_place_at_the_edge_of_the_source_is_found_again(
    minutes: int, tmp_path: Path, make_world: Any
) -> None:
    """Whoever waits for the next event holds it already, and it may be the first of the next hour."""
    first = make_world(tmp_path / "exchange.state")
    first.pump.advance_until(first.exchange.market_ms + minutes * 60_000 - 1)
    assert first.exchange.peek() is not None
    second = make_world(tmp_path / "exchange.state")
    assert second.exchange.place() == first.exchange.place()
    assert await told(second) == await told(first)
    for world in (first, second):
        world.pump.advance_ticks(500)
    assert await told(second) == await told(first)


def test_a_place_that_the_market_does_not_have_is_refused(tmp_path: Path, make_world: Any) -> None:
    path = tmp_path / "exchange.state"
    make_world(path).pump.advance_ticks(10)
    with path.open("ab") as file:
        file.write(b'{"place":[0,99999]}\n')
    with pytest.raises(UserError, match="its data has changed"):
        make_world(path)


async def test_every_acknowledged_change_is_in_the_file_before_its_reply(
    tmp_path: Path, make_world: Any
) -> None:
    path = tmp_path / "exchange.state"
    first = make_world(path)
    await busy(first)
    requests = [
        ("POST", "v1/positionMargin", {"amount": "1", "type": 2}),
        ("POST", "v1/leverage", {"leverage": 20}),
        ("DELETE", "v1/algoOpenOrders", {}),
        ("DELETE", "v1/allOpenOrders", {}),
        ("POST", "v1/order", {"side": "SELL", "type": "MARKET", "quantity": "0.02", "reduceOnly": "true"}),
        ("POST", "v1/order", {"side": "SELL", "type": "MARKET", "quantity": "0.03"}),
        ("POST", "v1/marginType", {"marginType": "CROSSED"}),
    ]
    for method, where, params in requests:
        await first.api.ok(method, where, symbol="BTCUSDT", **params)
        copy = tmp_path / "copy.state"
        copy.write_bytes(path.read_bytes())
        second = make_world(copy)
        assert await told(second) == await told(first)
        settings = [await each.api.ok("GET", "v1/symbolConfig") for each in (first, second)]
        assert settings[0] == settings[1]


async def test_ids_go_on_after_a_restart(tmp_path: Path, make_world: Any) -> None:
    path = tmp_path / "exchange.state"
    first = await make_world(path).trade()
    second = await make_world(path).trade()
    assert second["orderId"] == first["orderId"] + 1


async def test_a_listen_key_is_valid_after_a_restart(tmp_path: Path, make_world: Any) -> None:
    path = tmp_path / "exchange.state"
    key = await make_world(path).api.ok("POST", "v1/listenKey")
    assert await make_world(path).api.ok("PUT", "v1/listenKey") == key


async def test_changed_brackets_survive(tmp_path: Path, make_world: Any) -> None:
    path = tmp_path / "exchange.state"
    first = make_world(path)
    rows = [[0, 50_000, 0.01, 0, 20], [50_000, 1e9, 0.05, 2_000, 5]]
    assert (await first.api.control("brackets", symbol=BTC, rows=rows)).status == 200
    second = make_world(path)
    brackets = [await each.api.ok("GET", "v1/leverageBracket", symbol="BTCUSDT") for each in (first, second)]
    assert brackets[0] == brackets[1]
    assert [row["initialLeverage"] for row in brackets[1][0]["brackets"]] == [20, 5]


async def test_a_line_cut_short_by_a_crash_is_left_out(tmp_path: Path, make_world: Any) -> None:
    path = tmp_path / "exchange.state"
    first = make_world(path)
    await busy(first)
    before = await told(first)
    with path.open("ab") as file:
        file.write(b'{"rows":[["orders",1')
    assert await told(make_world(path)) == before


def test_the_state_of_another_market_is_refused_and_left_alone(tmp_path: Path, make_world: Any) -> None:
    path = tmp_path / "exchange.state"
    make_world(path, seed=7)
    before = path.read_bytes()
    with pytest.raises(UserError, match="seed 7, but this start asks for 8"):
        make_world(path, seed=8)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"hello\n", b'{"a":1}\n', b"[1]\n"])
def test_a_file_that_is_no_state_is_refused_and_left_alone(
    content: bytes, tmp_path: Path, make_world: Any
) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match="no state of an embedded exchange"):
        make_world(path)
    assert path.read_bytes() == content


async def test_a_change_that_cannot_be_written_is_not_acknowledged(
    tmp_path: Path, make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(tmp_path / "exchange.state")
    await world.trade()

    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Fatal, match="No space left"):
        await world.api.ask("POST", "v1/positionMargin", symbol="BTCUSDT", amount="5", type=1)
    monkeypatch.undo()
    with pytest.raises(Fatal):
        await world.api.ask("POST", "v1/positionMargin", symbol="BTCUSDT", amount="5", type=1)


def test_a_long_file_is_rewritten_short(
    tmp_path: Path, make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sim.server.state._LONG_BYTES", 20_000)
    world = make_world(tmp_path / "exchange.state")
    for number in range(40):
        world.exchange.settings["note"] = number
        world.exchange.mark_changed()
        world.exchange.commit()
    assert (tmp_path / "exchange.state").stat().st_size < 30_000
    assert make_world(tmp_path / "exchange.state").exchange.settings["note"] == 39


def test_a_state_in_memory_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = StateFile(None, {})
    assert file.load() is None
    file.rewrite([], {}, ())
    file.append([], {}, ())
    file.append_place(())
    assert list(tmp_path.iterdir()) == []
