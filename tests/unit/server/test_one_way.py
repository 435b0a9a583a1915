"""What an order means to a symbol with one position."""

import pytest

from bot.core.intent import OpenPosition, ReducePosition
from bot.core.position import Position
from bot.sim.requests import ReduceAtLimit
from bot.sim.server.books import PlacedOrder
from bot.sim.server.one_way import NothingToReduce, WouldTurn, action_of

BTC = "BTC/USDT:USDT"
LONG = Position(BTC, 1, 0.5, 50_000.0, 1_000.0, 10.0, 0)


def order(side: int, quantity: float, price: float = 0.0, **more: bool) -> PlacedOrder:
    kind = "limit" if price else "market"
    flags = {"is_reduce_only": False, "is_close_position": False, **more}
    rest = {"status": "new", "filled_quantity": 0.0, "filled_quote": 0.0, "created_ms": 0, "updated_ms": 0}
    return PlacedOrder(1, "c", "o1", BTC, kind, side, quantity, price, "GTC", **flags, **rest)  # pyright: ignore[reportArgumentType]


def test_without_a_position_and_with_one_of_its_side_an_order_opens() -> None:
    assert action_of(order(-1, 0.7), None) == OpenPosition(BTC, -1, 0.7, "market", 0.0)
    assert action_of(order(1, 0.7, 49_000.0), LONG) == OpenPosition(BTC, 1, 0.7, "limit", 49_000.0)


def test_against_the_position_an_order_reduces_up_to_all_of_it() -> None:
    assert action_of(order(-1, 0.5), LONG) == ReducePosition(BTC, 1, 0.5)
    assert action_of(order(-1, 0.2, 51_000.0), LONG) == ReduceAtLimit(BTC, 1, 0.2, 51_000.0)
    assert action_of(order(-1, 0.5, is_close_position=True), LONG) == ReducePosition(BTC, 1, 0.0)


def test_more_than_the_position_reduces_only_when_it_may_not_open() -> None:
    assert action_of(order(-1, 0.6, is_reduce_only=True), LONG) == ReducePosition(BTC, 1, 0.6)
    with pytest.raises(WouldTurn):
        action_of(order(-1, 0.6), LONG)


@pytest.mark.parametrize("held", [None, LONG])
def test_a_reduce_only_order_needs_a_position_against_it(held: Position | None) -> None:
    with pytest.raises(NothingToReduce):
        action_of(order(1, 0.1, is_reduce_only=True), held)
