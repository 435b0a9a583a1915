"""A symbol counts as read when a reading agreed with itself, and as of when that began."""

import ccxt
import pytest

from bot.clock import VirtualClock
from bot.errors import Unavailable
from tests.unit.exchange.wire import BTC, START_MS, position_row, wired


async def test_a_sweep_says_when_the_orders_were_read_and_a_failed_or_contradicting_one_does_not() -> None:
    clock = VirtualClock(START_MS)
    connection, wire = wired(clock)
    gateway = connection.gateway
    await gateway.sweep(BTC)
    assert gateway.book.read_ms == {BTC: START_MS}
    clock.advance(10_000)
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]  # and no fill that explains it
    await gateway.sweep(BTC)
    wire.answers["GET /fapi/v1/openOrders"] = ccxt.NetworkError("cut")
    with pytest.raises(Unavailable):
        await gateway.sweep(BTC)
    assert gateway.book.read_ms == {BTC: START_MS}
