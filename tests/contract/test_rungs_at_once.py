"""Both rungs of a ladder are jumped over by one price: each is told whole, in whatever order they come."""

from collections.abc import Callable

import pytest

from bot.core.event import OrderFilled
from bot.core.intent import OpenPosition, PlaceTakeProfit, SetLeverage
from tests.contract.bybit_world import ServedBybit
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC, Desk, Served

MANY_ENTRIES = 6  # a venue's trade ids are not in order: in some round the last rung's comes first


@pytest.mark.parametrize("made", [Served, ServedBybit, ServedOkx])
async def test_rungs_that_fill_at_one_instant_leave_nothing_of_either(made: Callable[[], Served]) -> None:
    world = made()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    for _ in range(MANY_ENTRIES):
        await world.tick(50_000.0)
        await desk.send(OpenPosition(BTC, 1, 0.1))
        await desk.send(PlaceTakeProfit(BTC, 1, 0.05, 50_500.0))
        await desk.send(PlaceTakeProfit(BTC, 1, 0.0, 51_000.0))
        fills = [event for event in await world.tick(51_500.0) if isinstance(event, OrderFilled)]
        assert [(fill.quantity, fill.remaining_quantity) for fill in fills] == [(0.05, 0.0), (0.05, 0.0)]
