"""A symbol counts as read when a reading agreed with itself, and as of when that began."""

import ccxt
import pytest

from bot.clock import VirtualClock
from bot.core.position import Position
from bot.errors import Unavailable
from bot.exchange.book import Book
from bot.exchange.rows import VenueOrder
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


@pytest.mark.parametrize(
    ("sizes", "is_proof"),
    [((0.0,), True), ((0.1,), True), ((0.06,), False), ((0.06, 0.04), True), ((), False)],
    ids=["a whole one", "as large", "smaller", "two halves", "none"],
)
def test_a_reading_proves_protection_when_stops_rest_over_all_that_is_held(
    sizes: tuple[float, ...], is_proof: bool
) -> None:
    book = Book()
    assert book.is_covered(BTC)
    book.positions[BTC] = Position(BTC, 1, 0.1, 50_000.0, 500.0, 10.0)
    profit = VenueOrder(
        "T", "9", BTC, "take_profit", -1, 0.0, 0.0, 5e4, "mark", 0.0, True, True, 0, "open", ""
    )
    book.orders["T"] = profit
    for number, size in enumerate(sizes):
        stop = profit._replace(client_id=f"S{number}", leg="stop", quantity=size)
        book.orders[stop.client_id] = stop
    assert book.is_covered(BTC) == is_proof


async def test_a_sweep_says_when_stops_were_seen_over_all_that_is_held() -> None:
    clock = VirtualClock(START_MS)
    connection, wire = wired(clock)
    book = connection.gateway.book
    await connection.gateway.sweep(BTC)
    assert book.covered_ms == {BTC: START_MS}
    book.positions[BTC] = Position(BTC, 1, 0.1, 50_000.0, 100.0, 10.0)
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    clock.advance(5_000)
    await connection.gateway.sweep(BTC)
    assert book.read_ms[BTC] >= START_MS + 5_000
    assert book.covered_ms == {BTC: START_MS}
