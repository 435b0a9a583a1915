"""A stop over the whole position that meets too thin a book has ended, and what it left is without one."""

from types import SimpleNamespace
from typing import Any

import pytest

from bot.core.event import OrderCancelled, OrderFilled
from bot.core.position import Position
from bot.exchange.book import Book, Owner
from bot.exchange.changes import NO_MOVE, Changes
from bot.exchange.rows import Money, Trade, VenueOrder
from bot.exchange.sight import Sight
from tests.unit.exchange import okx_wire as okx

BTC, NOW_MS = "BTC/USDT:USDT", 1_738_022_400_000
HELD = Position(BTC, 1, 0.1, 50_000.0, 500.0, 10.0)
STOP = VenueOrder("S", "9", BTC, "stop", -1, 0.0, 0.0, 4.9e4, "mark", 0.0, True, True, 0, "open", "")
FIRED = STOP._replace(status="done", child_id="77")


def sold(number: int, quantity: float) -> Trade:
    return Trade(NOW_MS + number, BTC, number, "77", -1, 49_000.0, quantity, 1.0, False, -40.0)


def told(left: Position | None, *trades: Trade, ended: VenueOrder = FIRED) -> list[Any]:
    """Return what a reading tells in which the stop has fired and so much is left."""
    book = Book()
    book.positions[BTC], book.orders["S"] = HELD, STOP
    owners = {"77": Owner("S", "stop", 0.0), "78": Owner("E", "entry", 0.05)}
    sight = Sight(
        BTC,
        Money(100.0, 600.0),
        left,
        {},
        trades,
        {"S": ended},
        owners,
        (),
        is_payment_due=False,
        is_consistent=True,
    )
    dialect = SimpleNamespace(is_liquidation=lambda _: False)
    return Changes(book, sight, dialect, None, NO_MOVE).apply()  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("parts", [(0.04,), (0.01, 0.03)])
def test_what_a_stop_left_in_too_thin_a_book_is_told_to_have_lost_it(parts: tuple[float, ...]) -> None:
    trades = [sold(number, quantity) for number, quantity in enumerate(parts)]
    events = told(HELD._replace(quantity=0.06, isolated_wallet=300.0), *trades)
    *fills, lost = events
    assert [type(event) for event in fills] == [OrderFilled] * len(parts)
    assert fills[-1].remaining_quantity == 0.0
    assert isinstance(lost, OrderCancelled)
    assert (lost.client_id, lost.leg, lost.cause) == ("S", "stop", "expired")


def test_a_stop_that_closed_the_position_is_not_told_to_have_lost_it() -> None:
    assert [type(event) for event in told(None, sold(1, 0.1))] == [OrderFilled]


def test_a_stop_that_closed_the_position_before_the_next_one_was_entered_is_not_either() -> None:
    again = Trade(NOW_MS + 9, BTC, 9, "78", 1, 49_100.0, 0.05, 1.0, False, 0.0)
    held = Position(BTC, 1, 0.05, 49_100.0, 245.5, 10.0)
    assert [type(event) for event in told(held, sold(1, 0.1), again)] == [OrderFilled] * 2


@pytest.mark.parametrize(("state", "ends"), [("partially_filled", []), ("canceled", [OrderCancelled])])
async def test_a_stop_that_left_something_has_ended_when_what_it_became_has(
    state: str, ends: list[type]
) -> None:
    connection, wire = okx.wired()
    wire.answers["GET account/positions"] = [okx.position_row()]
    resting = okx.algo_row(okx.STOP, closeFraction="1")
    wire.answers["GET trade/orders-algo-pending"] = lambda asked: (
        [resting] if "conditional" in asked["ordType"] else []
    )
    await connection.gateway.account()
    wire.answers["GET trade/orders-algo-pending"] = []
    wire.answers["GET trade/order-algo"] = [{**resting, "state": "effective", "ordIdList": ["99"]}]
    became = okx.order_row("", "99", algoClOrdId=okx.STOP, state=state, accFillSz="4", side="sell")
    wire.answers["GET trade/order"] = [became]
    wire.answers["GET trade/fills"] = [okx.fill_row(5, "99", side="sell", fillSz="4")]
    wire.answers["GET account/positions"] = [okx.position_row(contracts="6", margin="60")]
    events = await connection.gateway.sweep(BTC)
    assert [type(event) for event in events] == [OrderFilled, *ends]


@pytest.mark.parametrize(("told_quantity", "ends"), [(0.02, []), (0.04, [OrderCancelled]), (0.1, [])])
def test_the_rest_of_an_entry_whose_fills_are_told_late_is_told_to_have_expired(
    told_quantity: float, ends: list[type]
) -> None:
    entered = VenueOrder("E", "78", BTC, "entry", 1, 0.1, 0.04, 0.0, "mark", 0.0, False, False, 0, "done", "")
    book = Book()
    book.await_fills(entered._replace(filled_quantity=max(told_quantity, 0.04)), NOW_MS)
    book.filled["E"] = told_quantity
    book.end_awaited(BTC)
    assert [type(event) for event in book.outbox] == ends
    book.end_awaited(BTC)
    assert len(book.outbox) == len(ends), "told once"
