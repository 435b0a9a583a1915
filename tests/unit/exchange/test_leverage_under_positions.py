"""Leverage of an open position at Bitget, Gate and KuCoin: changing it would move margin: it is not sent."""

import json
from typing import Any

import pytest

from bot.core.event import LeverageSet, Refused
from bot.core.intent import OpenPosition, SetLeverage
from tests.unit.exchange import bitget_script, kucoin_script
from tests.unit.exchange.documented import BTC, ENTRY
from tests.unit.exchange.scripted_venue import ScriptedAccount, ScriptedVenue
from tests.unit.exchange.test_life_on_gate import GateScript

Made = tuple[ScriptedVenue, ScriptedAccount]


def on_bitget(account: ScriptedAccount) -> ScriptedVenue:
    return bitget_script.Script(account).venue()


def on_gate(account: ScriptedAccount) -> ScriptedVenue:
    return ScriptedVenue("gate", GateScript(account).answers())


def on_kucoin(account: ScriptedAccount) -> ScriptedVenue:
    return kucoin_script.Script(account).venue()


async def held(make: Any) -> Made:
    account = ScriptedAccount()
    venue = make(account)
    (told,) = await venue.execute(SetLeverage(BTC, 10), "RF0000000L")
    assert isinstance(told, LeverageSet)
    await venue.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    return venue, account


@pytest.mark.parametrize("make", [on_bitget, on_gate, on_kucoin])
@pytest.mark.parametrize("leverage", [5, 20])
async def test_leverage_of_an_open_position_is_not_touched(make: Any, leverage: int) -> None:
    venue, account = await held(make)
    wallet, before = account.wallet, venue.writes()
    (refused,) = await venue.execute(SetLeverage(BTC, leverage), "RF0000002L")
    assert isinstance(refused, Refused)
    assert (refused.code, "move its margin" in refused.message) == ("leverage_refused", True)
    assert (venue.writes(), account.wallet, account.leverage) == (before, wallet, 10)


@pytest.mark.parametrize("make", [on_bitget, on_gate, on_kucoin])
async def test_the_leverage_that_a_position_has_is_confirmed_unsent(make: Any) -> None:
    venue, _ = await held(make)
    before = venue.writes()
    (told,) = await venue.execute(SetLeverage(BTC, 10), "RF0000002L")
    assert isinstance(told, LeverageSet)
    assert (told.leverage, venue.writes()) == (10, before)


async def restarted(venue: ScriptedVenue, account: ScriptedAccount) -> ScriptedVenue:
    """Return a new process that has the checkpoint of the old one, as JSON keeps it."""
    again = on_kucoin(account)
    again.gateway.restore(json.loads(json.dumps(venue.gateway.snapshot())))
    await again.gateway.account()
    return again


async def test_an_entry_after_a_restart_has_the_leverage_that_was_set_before_it() -> None:
    """KuCoin keeps none: an entry that was decided before the crash would be refused, or sent at 1x."""
    account = ScriptedAccount()
    venue = on_kucoin(account)
    await venue.execute(SetLeverage(BTC, 7), "RF0000000L")
    again = await restarted(venue, account)
    await again.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    (sent,) = again.bodies("POST", "/api/v1/orders")
    assert sent["leverage"] == 7


async def test_after_a_restart_the_open_position_keeps_its_leverage() -> None:
    venue, account = await held(on_kucoin)
    venue.gateway.book.asked[BTC] = 25
    again = await restarted(venue, account)
    assert (await again.gateway.account()).positions[0].leverage == 10.0
    await again.execute(OpenPosition(BTC, 1, 0.1), "RF0000012E")
    assert [each["leverage"] for each in again.bodies("POST", "/api/v1/orders")] == [10]


async def test_a_symbol_whose_leverage_was_never_set_is_not_entered() -> None:
    venue = on_kucoin(ScriptedAccount())
    (refused,) = await venue.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    assert isinstance(refused, Refused)
    assert (refused.code, venue.writes()) == ("leverage_refused", [])


async def test_kucoins_orders_have_the_leverage_of_the_open_position() -> None:
    """Also where this process has not set it: an order at another would move the position's margin."""
    _, account = await held(on_kucoin)
    again = on_kucoin(account)
    await again.execute(OpenPosition(BTC, 1, 0.1), "RF0000012E")
    (sent,) = again.bodies("POST", "/api/v1/orders")
    assert sent["leverage"] == 10
