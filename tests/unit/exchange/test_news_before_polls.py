"""News do not wait with a poll that waits for weight where lists are dear, nor does proof anywhere."""

import asyncio

import pytest

from bot.core.position import Position
from bot.exchange.lane import Urgency
from bot.exchange.rows import VenueOrder
from tests.unit.exchange.test_feed import Listener, StepClock, settle, wired_listener
from tests.unit.exchange.wire import BTC

FILLED = {"e": "ACCOUNT_UPDATE", "E": 1, "T": 1, "a": {"P": [{"s": "BTCUSDT"}]}}
FLAT_MS = 32_000


class Sweeps:
    """Stands for sweeps of which those in `stuck` never end by themselves."""

    def __init__(self) -> None:
        self.stuck = {Urgency.POLL}
        self.begun: list[Urgency] = []
        self.under_way = 0

    async def sweep(self, symbol: str, urgency: Urgency) -> None:
        assert symbol == BTC
        self.begun.append(urgency)
        self.under_way += 1
        try:
            if urgency in self.stuck:
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


STOP = VenueOrder("S", "9", BTC, "stop", -1, 0.0, 0.0, 4.9e4, "mark", 0.0, True, True, 0, "open", "")


async def holding(stuck: set[Urgency], order: VenueOrder) -> tuple[Listener, Sweeps, StepClock]:
    """Return a listener that holds a position and an order, and has just seen both."""
    (listener, _, clock), sweeps = wired_listener(), Sweeps()
    sweeps.stuck = stuck
    gateway = listener.connection.gateway
    await listener.start()
    gateway.sweep_behind = sweeps.sweep
    gateway.book.positions[BTC] = Position(BTC, 1, 0.1, 50_000.0, 500.0, 10.0)
    gateway.book.orders[order.client_id] = order
    gateway.book.covered_ms[BTC] = clock.now_ms()
    return listener, sweeps, clock


async def test_what_was_not_seen_covered_for_seven_seconds_is_looked_at_before_all_that_waits() -> None:
    listener, sweeps, clock = await holding({Urgency.POLL, Urgency.NORMAL}, STOP)
    listener.say(FILLED)
    await clock.pass_by(7_000)
    assert Urgency.PROOF not in sweeps.begun
    await clock.pass_by(1_250)
    assert sweeps.begun.count(Urgency.PROOF) == 1
    await clock.pass_by(4_000)
    assert sweeps.begun.count(Urgency.PROOF) == 1
    await clock.pass_by(1_250)
    assert sweeps.begun.count(Urgency.PROOF) == 2
    await listener.stop()


async def test_nothing_is_proved_where_no_stop_is_believed_to_rest() -> None:
    listener, sweeps, clock = await holding({Urgency.POLL}, STOP._replace(leg="take_profit"))
    await clock.pass_by(30_000)
    assert Urgency.PROOF not in sweeps.begun
    await listener.stop()
