"""A margin move that no history tells of is called absent only by a reading that is newer than it."""

from types import SimpleNamespace
from typing import Any

import pytest

from bot.errors import OutcomeUnknown
from bot.exchange.dialects.hyperliquid_time import LateReadings
from tests.unit.exchange import documented
from tests.unit.exchange.documented import BTC_USDC, hyperliquid
from tests.unit.exchange.recorder import START_MS

ETH_USDC, WINDOW_MS = "ETH/USDC:USDC", 5_000


class Account:
    """Reads what carries the times it is told, at a venue whose time is START_MS."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        time: Any = SimpleNamespace(now_ms=lambda _: self.now_ms)
        self.late = LateReadings(time, WINDOW_MS)

    def hides(self, *said_ms: int, symbol: str = BTC_USDC) -> bool:
        for each in said_ms:
            self.late.read({"time": START_MS + each})
        return self.late.may_hide(None, symbol)


def test_only_what_was_read_after_the_window_of_a_move_shows_all_that_it_did() -> None:
    account = Account()
    account.late.sent(None, BTC_USDC)
    assert account.hides(4_999)
    assert account.hides(5_000)
    assert not account.hides(5_001)
    assert account.hides(), "nothing was read since"
    assert account.hides(6_000, 4_000, 7_000), "which of them showed the position is not known"
    assert not account.hides(6_000)


def test_a_reading_of_before_the_move_is_not_held_against_later_ones() -> None:
    account = Account()
    account.late.read({"time": START_MS - 60_000})
    account.late.sent(None, BTC_USDC)
    assert not account.hides(6_000)


def test_what_another_process_may_have_sent_is_waited_for_from_the_first_question_on() -> None:
    account = Account()
    assert account.hides(1_000)
    assert account.hides(4_000)
    assert not account.hides(6_000)
    assert account.hides(6_000, symbol=ETH_USDC)


def test_a_reading_that_carries_no_time_proves_nothing() -> None:
    account = Account()
    account.late.sent(None, BTC_USDC)
    account.late.read({})
    assert account.hides(9_000)


async def test_hyperliquid_tells_of_no_move_before_the_account_is_newer_than_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = hyperliquid()
    await made.trading.move_margin(made.client, BTC_USDC, 1, 5.0)
    for late_ms, is_told in ((3_000, False), (60_000, True)):
        now_ms = int(made.client.milliseconds())
        monkeypatch.setitem(documented.STATE, "time", now_ms + late_ms)
        await made.trading.positions(made.client, {})
        if is_told:
            assert await made.trading.margin_moves(made.client, BTC_USDC, None) == ()
        else:
            with pytest.raises(OutcomeUnknown):
                await made.trading.margin_moves(made.client, BTC_USDC, None)
