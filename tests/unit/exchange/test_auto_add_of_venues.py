"""Bitget's and KuCoin's own auto-add-margin, through the real gateway: found, switched off, told."""

from typing import Any

import pytest

from bot.core.event import AutoAddSwitched, LeverageSet, Refused
from bot.core.intent import OpenPosition, SetLeverage
from tests.unit.exchange import bitget_script, kucoin_script
from tests.unit.exchange.documented import BTC, ENTRY, MIX
from tests.unit.exchange.scripted_venue import Refusal, ScriptedAccount, ScriptedVenue

BITGET_SWITCH = f"POST {MIX}/account/set-auto-margin"
KUCOIN_SWITCH = "POST /api/v1/position/margin/auto-deposit-status"
LEVERAGE = "RF0000000L"
FIVE_MINUTES_MS = 300_000


def on_bitget() -> tuple[ScriptedVenue, ScriptedAccount]:
    account = ScriptedAccount(is_auto_add=True)
    return bitget_script.Script(account).venue(), account


def on_kucoin() -> tuple[ScriptedVenue, ScriptedAccount]:
    account = ScriptedAccount(is_auto_add=True)
    return kucoin_script.Script(account).venue(), account


def kinds(events: Any) -> list[type]:
    return [type(event) for event in events]


async def test_kucoins_is_switched_off_before_an_entry_and_read_back() -> None:
    venue, account = on_kucoin()
    events = await venue.execute(SetLeverage(BTC, 10), LEVERAGE)
    assert kinds(events) == [AutoAddSwitched, AutoAddSwitched, LeverageSet]
    assert [each.is_on for each in events[:2]] == [True, False]
    assert venue.writes() == [KUCOIN_SWITCH]
    (sent,) = venue.bodies(*KUCOIN_SWITCH.split())
    assert sent == {"symbol": "XBTUSDTM", "status": False}
    assert not account.is_auto_add


async def test_nothing_is_entered_where_kucoins_stays_on() -> None:
    venue, _ = on_kucoin()
    venue.answers[KUCOIN_SWITCH] = kucoin_script.said(True)
    events = await venue.execute(SetLeverage(BTC, 10), LEVERAGE)
    assert kinds(events) == [AutoAddSwitched, Refused]
    assert (events[-1].code, "stays on" in events[-1].message) == ("margin_mode_refused", True)


async def test_bitgets_is_seen_with_the_position_and_switched_off_right_after_the_entry() -> None:
    """The row of a position tells of it, and a flat symbol has none."""
    venue, account = on_bitget()
    await venue.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    assert BITGET_SWITCH not in venue.writes()
    await venue.gateway.refresh()
    told = venue.gateway.book.take_outbox()
    assert [each.is_on for each in told if isinstance(each, AutoAddSwitched)] == [True, False]
    (sent,) = venue.bodies(*BITGET_SWITCH.split())
    assert sent == {"symbol": "BTCUSDT", "marginCoin": "USDT", "autoMargin": "off", "holdSide": "long"}
    assert not account.is_auto_add
    asked = len(venue.requests)
    await venue.gateway.refresh()
    assert len(venue.requests) == asked, "looked at once after an entry"


@pytest.mark.parametrize("answer", [Refusal({"code": "45113", "msg": "no"}, 400), bitget_script.said("")])
async def test_a_position_whose_switch_stays_on_is_told_of_and_managed(answer: Any) -> None:
    venue, _ = on_bitget()
    venue.answers[BITGET_SWITCH] = answer
    await venue.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    await venue.gateway.refresh()
    (told,) = venue.gateway.book.take_outbox()
    assert isinstance(told, AutoAddSwitched)
    assert told.is_on
    venue.clock.advance(FIVE_MINUTES_MS)
    (refused,) = await venue.execute(OpenPosition(BTC, 1, 0.1), "RF0000011E")
    assert isinstance(refused, Refused)


@pytest.mark.parametrize("make", [on_bitget, on_kucoin])
async def test_switched_on_by_a_person_under_a_position_it_is_told_within_five_minutes(make: Any) -> None:
    venue, account = make()
    account.is_auto_add = False
    await venue.execute(SetLeverage(BTC, 10), LEVERAGE)
    await venue.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    await venue.gateway.refresh()
    account.is_auto_add = True
    await venue.gateway.refresh()
    assert venue.gateway.book.take_outbox() == ()
    venue.clock.advance(FIVE_MINUTES_MS)
    now_ms = venue.clock.now_ms()
    venue.answers["GET /api/v2/public/time"] = bitget_script.said({"serverTime": str(now_ms)})
    venue.answers["GET /api/v1/timestamp"] = kucoin_script.said(now_ms)
    await venue.gateway.refresh()
    (told,) = venue.gateway.book.take_outbox()
    assert (type(told), told.is_on) == (AutoAddSwitched, True)
