"""A market order that meets less than it wants, where the venue lets the rest expire at once."""

from typing import Any

import pytest

from bot.core.event import OrderAccepted, OrderCancelled, OrderFilled
from bot.core.intent import CancelOrder, OpenPosition, ReducePosition, SetLeverage
from bot.errors import OutcomeUnknown
from bot.sim.server.faults import Fault
from bot.sim.venue import SimulatedVenue
from tests.contract.bybit_world import ServedBybit
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC, Desk, Served


class ThinBybit(ServedBybit):
    """The book gives 2,000 USDT per tick, and a market order is immediate or cancelled."""

    def venue(self) -> SimulatedVenue:
        made = super().venue()
        made.state.config = made.state.config._replace(depth_quote={BTC: 2_000.0})
        return made


def ended(events: list[Any]) -> list[tuple[str, str]]:
    return [(event.leg, event.cause) for event in events if isinstance(event, OrderCancelled)]


async def test_the_rest_of_an_entry_that_expired_is_told() -> None:
    desk = Desk(ThinBybit().exchange)
    await desk.send(SetLeverage(BTC, 10))
    events = await desk.send(OpenPosition(BTC, 1, 0.1))
    assert [event.quantity for event in events if isinstance(event, OrderFilled)] == [0.04]
    assert ended(events) == [("entry", "expired")]


async def test_no_rest_is_told_to_have_expired_before_the_fill_that_is_told_late() -> None:
    world = ThinBybit()
    gateway, desk = world.connection.gateway, Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    dialect: Any = gateway.dialect
    read = dialect.positions

    async def lagging(client: Any, leverage: Any) -> tuple[()]:
        return ()

    dialect.positions = lagging
    assert [type(event) for event in await desk.send(OpenPosition(BTC, 1, 0.1))] == [OrderAccepted]
    assert gateway.book.is_awaited(BTC, world.clock.now_ms())
    dialect.positions = read
    assert [type(event) for event in await gateway.sweep(BTC)] == [OrderFilled, OrderCancelled]


async def test_the_rest_of_an_exit_that_expired_is_told() -> None:
    world = ThinBybit()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.04))
    await world.tick(100_000.0)
    events = await desk.send(ReducePosition(BTC, 1, 0.0))
    assert [event.quantity for event in events if isinstance(event, OrderFilled)] == [0.02]
    assert ended(events) == [("exit", "expired")]


async def test_the_rest_that_expired_is_told_although_the_reply_was_lost_and_the_fill_came_first() -> None:
    world = ThinBybit()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    intent = desk.intent(OpenPosition(BTC, 1, 0.1))
    world.faults.plan(Fault("lost", "POST", "/v5/order/create"))
    with pytest.raises(OutcomeUnknown):
        await world.exchange.execute(intent)
    swept = list(await world.connection.gateway.sweep(BTC))
    assert [event.quantity for event in swept if isinstance(event, OrderFilled)] == [0.04]
    told = await world.exchange.outcome_of(intent)
    assert told is not None
    assert ended(list(told)) == [("entry", "expired")]
    assert await world.exchange.outcome_of(intent) == ()


class SlowBinance(Served):
    """A market order meets the book a second after it was taken, and rests in the list until then."""

    def venue(self) -> SimulatedVenue:
        made = super().venue()
        made.state.config = made.state.config._replace(latency_ms=500)
        return made


class SlowOkx(SlowBinance, ServedOkx):
    """The same at a venue whose order is read back while it rests."""


@pytest.mark.parametrize("world", [SlowBinance, SlowOkx], ids=["binance", "okx"])
async def test_a_market_order_that_rests_for_a_moment_is_accepted_once(world: type[Served]) -> None:
    served = world()
    desk = Desk(served.exchange)
    await desk.send(SetLeverage(BTC, 10))
    events = await desk.send(OpenPosition(BTC, 1, 0.1))
    events += await served.tick(50_000.0)
    events += await served.tick(50_000.0)
    told = [type(each) for each in events if isinstance(each, OrderAccepted | OrderFilled)]
    assert told == [OrderAccepted, OrderFilled]


async def test_the_rest_that_expired_is_told_with_fills_that_are_listed_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = ThinBybit()
    desk, dialect = Desk(world.exchange), world.connection.gateway.dialect
    await desk.send(SetLeverage(BTC, 10))

    async def nothing(*_arguments: Any) -> Any:
        return ()

    with monkeypatch.context() as late:
        for name in ("trades", "positions"):
            late.setattr(dialect, name, nothing)
        assert [type(event) for event in await desk.send(OpenPosition(BTC, 1, 0.1))] == [OrderAccepted]
    told = list(await world.connection.gateway.sweep(BTC))
    assert [event.quantity for event in told if isinstance(event, OrderFilled)] == [0.04]
    assert ended(told) == [("entry", "expired")]
    assert ended(list(await world.connection.gateway.sweep(BTC))) == []


async def test_the_end_of_an_order_that_rests_in_no_list_yet_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = SlowOkx()
    desk, dialect = Desk(world.exchange), world.connection.gateway.dialect
    await desk.send(SetLeverage(BTC, 10))

    async def nothing(*_arguments: Any) -> Any:
        return ()

    with monkeypatch.context() as late:
        for name in ("trades", "positions", "open_orders"):
            late.setattr(dialect, name, nothing)
        entry = (await desk.send(OpenPosition(BTC, 1, 0.1)))[0]
        assert isinstance(entry, OrderAccepted)
    await Desk(world.connect().gateway).send(CancelOrder(BTC, entry.client_id))
    told = list(await world.connection.gateway.sweep(BTC))
    assert ended(told) == [("entry", "expired")]
