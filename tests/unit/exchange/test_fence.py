"""Margin at Bybit, which keeps no history of it: a lost reply and late positions never move it twice."""

from typing import Any

import ccxt
import pytest

from bot.clock import VirtualClock
from bot.core.event import MarginAdjusted, VenueEvent
from bot.core.intent import AddMargin, Intent, ReleaseMargin
from bot.errors import OutcomeUnknown
from bot.exchange.connect import Connection
from tests.unit.exchange.bybit_wire import BybitWire, Refusal, intent, position_row, wired
from tests.unit.exchange.wire import BTC, START_MS

LAG_MS, PATIENCE_SECONDS = 60_000, 180
LEAST = 0.0001


class LatePurse:
    """A position whose wallet is listed as it was a minute ago; replies to margin requests tell it now."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START_MS)
        self.history = [(0, 100.0)]
        self.lost_requests, self.lost_replies = 0, 0
        self.quantity = "0.1"
        self.connection, self.wire = self.connect()

    def connect(self) -> tuple[Connection, BybitWire]:
        """Return another process's way to the same account."""
        self.connection, self.wire = wired(self.clock)
        self.wire.answers["GET /v5/position/list"] = self.listed
        self.wire.answers["POST /v5/position/add-margin"] = self.move
        return self.connection, self.wire

    @property
    def wallet(self) -> float:
        return self.history[-1][1]

    def listed(self, _params: dict[str, Any]) -> dict[str, Any]:
        seen_ms = self.clock.now_ms() - LAG_MS
        wallet = [wallet for ts_ms, wallet in self.history if ts_ms <= seen_ms][-1]
        return {"list": [position_row(balance=f"{wallet:.8f}")], "nextPageCursor": ""}

    def move(self, params: dict[str, Any]) -> Any:
        if self.lost_requests:
            self.lost_requests -= 1
            return ccxt.RequestTimeout("never arrived")
        self.history.append((self.clock.now_ms(), self.wallet + float(params["margin"])))
        if self.lost_replies:
            self.lost_replies -= 1
            return ccxt.RequestTimeout("no answer")
        return position_row(self.quantity, balance=f"{self.wallet:.8f}")

    def sent(self) -> list[float]:
        return [float(each["margin"]) for each in self.wire.sent("POST", "position/add-margin")]

    async def lose(self, request: Intent) -> None:
        with pytest.raises(OutcomeUnknown):
            await self.connection.gateway.execute(request)

    async def settle(self, request: Intent) -> tuple[VenueEvent, ...]:
        """Ask once a second as the loop does, and send again what is said to have never arrived."""
        gateway = self.connection.gateway
        for _ in range(PATIENCE_SECONDS):
            try:
                told = await gateway.outcome_of(request)
                return await gateway.execute(request) if told is None else told
            except OutcomeUnknown:
                await self.clock.sleep(1.0)
        raise AssertionError("its fate never showed")


def moved(events: tuple[VenueEvent, ...]) -> list[float]:
    return [round(each.amount_quote, 6) for each in events if isinstance(each, MarginAdjusted)]


@pytest.mark.parametrize(
    ("action", "amount"), [(AddMargin(BTC, 110.0), 10.0), (ReleaseMargin(BTC, 92.0), -8.0)]
)
async def test_a_move_that_positions_show_a_minute_late_is_made_once(action: Any, amount: float) -> None:
    purse, request = LatePurse(), intent(action)
    purse.lost_replies = 1
    await purse.lose(request)
    least = LEAST if amount > 0.0 else -LEAST
    assert moved(await purse.settle(request)) in ([amount], [amount + least])
    assert purse.sent() == [amount, least]
    assert purse.wallet == pytest.approx(100.0 + amount + least)
    assert await purse.connection.gateway.outcome_of(request) == ()


async def test_a_move_that_never_arrived_ends_with_the_least_amount() -> None:
    purse, request = LatePurse(), intent(AddMargin(BTC, 110.0))
    purse.lost_requests = 1
    await purse.lose(request)
    began_ms = purse.clock.now_ms()
    assert moved(await purse.settle(request)) == [LEAST]
    assert purse.sent() == [10.0, LEAST]
    assert purse.clock.now_ms() - began_ms >= LAG_MS


async def test_nothing_is_sent_before_the_receive_window_is_over() -> None:
    purse, request = LatePurse(), intent(AddMargin(BTC, 110.0))
    purse.lost_requests = 1
    await purse.lose(request)
    for _ in range(6):
        with pytest.raises(OutcomeUnknown):
            await purse.connection.gateway.outcome_of(request)
        await purse.clock.sleep(0.9)
    assert purse.sent() == [10.0]


async def test_the_next_process_does_not_send_it_again_either() -> None:
    purse, request = LatePurse(), intent(AddMargin(BTC, 110.0))
    await purse.connection.gateway.account()
    saved = purse.connection.gateway.snapshot()
    purse.lost_replies = 1
    await purse.lose(request)
    purse.connect()
    purse.connection.gateway.restore(saved)
    assert moved(await purse.settle(request)) in ([10.0], [10.0 + LEAST])
    assert purse.sent() == [LEAST]
    assert purse.wallet == pytest.approx(110.0 + LEAST)


async def test_lost_replies_to_the_least_amounts_cost_no_more_than_them() -> None:
    purse, request = LatePurse(), intent(AddMargin(BTC, 110.0))
    purse.lost_replies = 4
    await purse.lose(request)
    assert sum(moved(await purse.settle(request))) == pytest.approx(10.0, abs=5 * LEAST)
    assert purse.sent() == [10.0, *[LEAST] * 4]


async def test_a_reply_about_another_quantity_proves_nothing() -> None:
    """Fills that were not told yet changed the wallet, too."""
    purse, request = LatePurse(), intent(AddMargin(BTC, 110.0))
    purse.lost_replies, purse.quantity = 1, "0.2"
    await purse.lose(request)
    await purse.clock.sleep(7.0)
    with pytest.raises(OutcomeUnknown):
        await purse.connection.gateway.outcome_of(request)
    assert purse.connection.gateway.book.acknowledged == {}


async def test_a_move_that_was_never_sent_is_sent() -> None:
    purse, request = LatePurse(), intent(AddMargin(BTC, 110.0))
    purse.wire.answers["POST /v5/position/add-margin"] = Refusal(10006, "Too many visits")
    with pytest.raises(Exception, match="10006"):
        await purse.connection.gateway.execute(request)
    assert set(purse.sent()) == {10.0}
    assert await purse.connection.gateway.outcome_of(request) is None
