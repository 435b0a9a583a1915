"""What `trade` and `doctor` say in each dialect about keys, symbols and accounts they cannot trade with."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.cli.venue_doctor import lines_of
from bot.core.event import LeverageSet, OrderFilled, Refused
from bot.core.intent import OpenPosition, SetLeverage
from bot.edges import Edges
from bot.errors import UserError
from bot.exchange.connect import Credentials
from bot.exchange.examination import Line
from bot.real import real_edges
from bot.settings import Flag, Settings, load
from tests.contract.embedded.dialect_worlds import BTC, KEYS, VENUES, Spoken, serving
from tests.contract.venue_worlds import Desk

HEDGE = {
    "binanceusdm": ("is_hedge", True),
    "bybit": ("is_hedge", True),
    "okx": ("position_mode", "long_short_mode"),
}


@pytest.fixture(params=[name for name in VENUES if name != "hyperliquid"])  # no API keys, no modes
async def spoken(request: Any) -> AsyncIterator[Spoken]:
    async with serving(request.param) as made:
        yield made


def settings(spoken: Spoken, symbol: str = BTC, keys: Credentials = KEYS) -> Settings:
    flags = {
        "exchange.name": spoken.ccxt_id,
        "exchange.base_url": spoken.access.base_url,
        "exchange.api_key": keys.api_key,
        "exchange.secret": keys.secret,
        "exchange.password": keys.password,
        "feed.symbols": symbol,
        "run.mode": "testnet",
    }
    return load(None, tuple(Flag(key, key, value) for key, value in flags.items()))


async def edges_of(spoken: Spoken, **more: Any) -> Edges:
    return await real_edges(settings(spoken, **more), 300_000)


async def refused(spoken: Spoken, **more: Any) -> str:
    """Return what a start says that ends before anything was sent."""
    with pytest.raises(UserError) as refusal:
        await edges_of(spoken, **more)
    said = str(refusal.value)
    assert "Nothing was started" in said
    assert "('" not in said, "an exception's arguments are no words"
    assert spoken.exchange.books.orders == {}
    return said


async def wrong(spoken: Spoken, symbol: str = BTC, keys: Credentials = KEYS) -> Line:
    """Return the one thing that the doctor finds wrong."""
    lines = await lines_of(spoken.ccxt_id, spoken.access, keys, (symbol,))
    found = [line for line in lines if line.verdict == "wrong"]
    assert len(found) == 1, lines
    assert found[0].next_step
    return found[0]


async def hold(spoken: Spoken) -> None:
    connection = spoken.connect()
    desk = Desk(connection.gateway)
    await desk.send(SetLeverage(BTC, 10))
    events = await desk.send(OpenPosition(BTC, 1, 0.02))
    assert [each for each in events if isinstance(each, OrderFilled)]
    await connection.close()


# --- keys and symbols -----------------------------------------------------------------------------


@pytest.mark.parametrize("changed", [{"api_key": "nobody"}, {"secret": "a-canary-secret"}])
async def test_a_wrong_key_is_refused_and_not_shown(spoken: Spoken, changed: dict[str, str]) -> None:
    keys = replace(KEYS, **changed)
    line, said = await wrong(spoken, keys=keys), await refused(spoken, keys=keys)
    assert line.check == "key"
    assert "cannot be used" in said
    assert "canary" not in said + str(line)


@pytest.mark.parametrize(
    ("rights", "word"),
    [({"may_trade": False}, "read only"), ({"may_trade": True, "may_withdraw": True}, "may withdraw")],
)
async def test_a_key_that_may_do_too_little_or_too_much_is_refused(
    spoken: Spoken, rights: dict[str, bool], word: str
) -> None:
    spoken.control.run("permissions", rights)
    line, said = await wrong(spoken), await refused(spoken)
    assert (line.check, word in line.fact) == ("key", True)
    assert word.removesuffix(" only") in said


@pytest.mark.parametrize(
    ("symbol", "fact", "step"),
    [
        ("BTC/USD:BTC", "inverse", "Write BTC/USDT:USDT."),
        ("BTCC/USDT:USDT", "not traded", "Did you mean BTC/USDT:USDT?"),
    ],
)
async def test_a_symbol_that_is_no_linear_perpetual_is_refused(
    spoken: Spoken, symbol: str, fact: str, step: str
) -> None:
    line, said = await wrong(spoken, symbol), await refused(spoken, symbol=symbol)
    assert (line.check, fact in line.fact, line.next_step) == ("symbol", True, step)
    assert fact in said
    assert step in said


async def test_a_spot_symbol_is_refused(spoken: Spoken) -> None:
    line = await wrong(spoken, "BTC/USDT")
    assert ("spot" in line.fact, line.next_step) == (True, "Write BTC/USDT:USDT.")
    with pytest.raises(UserError, match="BTC/USDT:USDT"):
        settings(spoken, "BTC/USDT")


# --- modes of the account -------------------------------------------------------------------------


async def test_a_hedge_mode_account_without_positions_is_switched_before_the_first_entry(
    spoken: Spoken,
) -> None:
    key, value = HEDGE[spoken.ccxt_id]
    spoken.exchange.settings[key] = value
    lines = await lines_of(spoken.ccxt_id, spoken.access, KEYS, (BTC,))
    (modes,) = [line for line in lines if line.check == "modes"]
    assert (modes.verdict, "hedge mode" in modes.fact) == ("note", True)
    edges = await edges_of(spoken)
    desk = Desk(edges.exchange)
    assert [type(each) for each in await desk.send(SetLeverage(BTC, 10))] == [LeverageSet]
    assert spoken.exchange.settings[key] != value
    assert any(isinstance(each, OrderFilled) for each in await desk.send(OpenPosition(BTC, 1, 0.02)))
    await edges.leave()


@pytest.mark.parametrize("mode", ["hedge mode", "cross margin"])
async def test_an_open_position_in_another_mode_is_refused(spoken: Spoken, mode: str) -> None:
    await hold(spoken)
    if mode == "hedge mode":
        key, value = HEDGE[spoken.ccxt_id]
        spoken.exchange.settings[key] = value
    else:
        spoken.control.run("margin-mode", {"symbol": BTC, "isolated": False})
    line = await wrong(spoken)
    assert (line.check, mode in line.fact, "Close it" in line.next_step) == ("positions", True, True)
    edges = await edges_of(spoken)
    with pytest.raises(UserError, match=f"open position in {mode}.*Close it at the exchange"):
        await edges.exchange.account()
    await edges.leave()


# --- sizes ----------------------------------------------------------------------------------------


async def test_leverage_above_the_bracket_and_sizes_below_the_minimum_are_refused(spoken: Spoken) -> None:
    edges = await edges_of(spoken)
    desk, instrument = Desk(edges.exchange), edges.instruments[BTC]
    (too_high,) = await desk.send(SetLeverage(BTC, int(instrument.max_leverage) + 1))
    assert (type(too_high), too_high.code) == (Refused, "leverage_refused")
    await desk.send(SetLeverage(BTC, 10))
    (too_small,) = await desk.send(OpenPosition(BTC, 1, instrument.min_quantity / 10.0))
    assert isinstance(too_small, Refused)
    assert too_small.code in ("precision", "below_minimum")
    assert spoken.exchange.state.positions == {}
    await edges.leave()
