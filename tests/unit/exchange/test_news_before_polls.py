"""News do not wait with a poll that waits for weight, where lists are dear."""

import asyncio

import pytest

from bot.exchange.lane import Urgency
from tests.unit.exchange.test_feed import Listener, settle, wired_listener
from tests.unit.exchange.wire import BTC

FILLED = {"e": "ACCOUNT_UPDATE", "E": 1, "T": 1, "a": {"P": [{"s": "BTCUSDT"}]}}
FLAT_MS = 32_000


class Sweeps:
    """Stands for sweeps of which polls never end by themselves."""

    def __init__(self) -> None:
        self.begun: list[Urgency] = []
        self.under_way = 0

    async def sweep(self, symbol: str, urgency: Urgency) -> None:
        assert symbol == BTC
        self.begun.append(urgency)
        self.under_way += 1
        try:
            if urgency is Urgency.POLL:
                await asyncio.Event().wait()
        finally:
            self.under_way -= 1


async def polled(ccxt_id: str) -> tuple[Listener, Sweeps]:
    """Return a listener whose feed has begun a poll that waits."""
    (listener, _, clock), sweeps = wired_listener(), Sweeps()
    listener.connection.gateway.sweep_behind = sweeps.sweep
    await listener.start()
    listener.connection.link.ccxt_id = ccxt_id
    await clock.pass_by(FLAT_MS)
    assert (sweeps.begun.pop(), sweeps.under_way) == (Urgency.POLL, 1)
    sweeps.begun.clear()
    return listener, sweeps


@pytest.mark.parametrize(("ccxt_id", "begun"), [("hyperliquid", [Urgency.NORMAL]), ("binanceusdm", [])])
async def test_news_end_a_poll_that_takes_long(ccxt_id: str, begun: list[Urgency]) -> None:
    listener, sweeps = await polled(ccxt_id)
    listener.say(FILLED)
    await settle()
    assert sweeps.begun == begun
    await listener.stop()


async def test_the_end_of_a_feed_ends_its_poll() -> None:
    listener, sweeps = await polled("hyperliquid")
    await listener.stop()
    await settle()
    assert sweeps.under_way == 0
