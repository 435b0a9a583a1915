"""What happened while the bot was stopped is told in the order in which it happened."""

from bot.core.event import MarkPrice, OrderCancelled, OrderFilled
from bot.core.intent import OpenPosition, PlaceStop, PlaceTakeProfit, SetLeverage
from tests.contract.venue_worlds import BTC, START_MS, Desk, Served

CLOSED_MS = START_MS + 31_320_000  # 8.7 hours


async def test_a_stop_does_not_end_before_the_position_that_ended_it() -> None:
    world = Served()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.1))
    await desk.send(PlaceStop(BTC, 1, 49_000.0))
    await desk.send(PlaceTakeProfit(BTC, 1, 0.0, 51_000.0))
    world.embedded.apply(MarkPrice(CLOSED_MS, BTC, 51_100.0, 51_100.0))
    world.embedded.commit()
    events = await world.connection.gateway.sweep(BTC)
    assert [type(event) for event in events] == [OrderFilled, OrderCancelled]
    filled, cancelled = events
    assert isinstance(cancelled, OrderCancelled)
    assert (cancelled.leg, cancelled.cause) == ("stop", "position_closed")
    assert cancelled.ts_ms == filled.ts_ms >= CLOSED_MS
