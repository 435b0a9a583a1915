"""An entry whose fill is told late."""

import asyncio
from typing import Any

from bot.core.event import OrderAccepted, OrderFilled
from bot.core.intent import OpenPosition, SetLeverage
from tests.contract.venue_worlds import BTC, Desk
from tests.unit.exchange.test_feed import Traded


async def test_an_entry_whose_fill_is_not_told_is_looked_for_every_second() -> None:
    """It has no stop until then, and a flat symbol is looked at twice a minute only."""
    traded = Traded()
    gateway, desk = traded.world.connection.gateway, Desk(traded.world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    dialect, late = gateway.dialect, {}

    async def nothing(*_arguments: Any) -> Any:
        return ()

    for name in ("trades", "positions"):
        late[name] = getattr(dialect, name)
        setattr(dialect, name, nothing)
    entering = asyncio.create_task(desk.send(OpenPosition(BTC, 1, 0.1)))
    await traded.clock.pass_by(3_000)
    assert [type(event) for event in await entering] == [OrderAccepted]
    await traded.listener.start()
    await traded.clock.pass_by(2_000)
    for name, read in late.items():
        setattr(dialect, name, read)
    await traded.clock.pass_by(2_000)
    await traded.listener.stop()
    assert [event.leg for event in traded.listener.of(OrderFilled)] == ["entry"]
