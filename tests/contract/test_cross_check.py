"""What the venue says beside what we reckon: its clock and its liquidation prices, on three protocols."""

from typing import Any

import pytest

from bot.core.event import VenueDiffers
from bot.core.intent import OpenPosition, SetLeverage
from bot.exchange.cross_check import CLOCK_EVERY_MS, LIQUIDATION_EVERY_MS
from tests.contract.bybit_world import ServedBybit
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC, Desk, Served

WORLDS = [Served, ServedBybit, ServedOkx]


async def told(world: Served, after_ms: int) -> list[Any]:
    """Let time pass and return the differences that were found."""
    world.clock.advance(after_ms)
    await world.connection.gateway.refresh()
    events = await world.connection.gateway.sweep(BTC)
    return [event for event in events if isinstance(event, VenueDiffers)]


async def holding(make: Any, side: int = 1) -> Served:
    world = make()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, side, 0.1))
    return world


def halve_maintenance(world: Served) -> None:
    """Let us believe in tiers that are too kind."""
    known = world.connection.gateway._instruments
    tiers = known[BTC].tiers
    kinder = tiers._replace(
        maintenance_margin_rate=0.2 * tiers.maintenance_margin_rate,
        maintenance_amount=0.2 * tiers.maintenance_amount,
    )
    known[BTC] = known[BTC]._replace(tiers=kinder)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("make", WORLDS)
async def test_the_venues_liquidation_price_is_ours(make: Any, side: int) -> None:
    world = await holding(make, side)
    for _ in range(3):
        assert await told(world, LIQUIDATION_EVERY_MS) == []
    assert world.connection.gateway._cross_check._suspected == {}


@pytest.mark.parametrize("make", WORLDS)
async def test_another_liquidation_price_is_told_when_it_was_seen_twice_and_once(make: Any) -> None:
    world = await holding(make)
    halve_maintenance(world)
    assert await told(world, LIQUIDATION_EVERY_MS) == []
    (event,) = await told(world, LIQUIDATION_EVERY_MS)
    assert (event.symbol, event.what) == (BTC, "liquidation_price")
    assert event.ours < event.venue, "we believed in more room than there is"
    assert await told(world, LIQUIDATION_EVERY_MS) == []


async def test_without_a_position_no_liquidation_price_is_asked_for() -> None:
    world = Served()
    await Desk(world.exchange).send(SetLeverage(BTC, 10))

    def fail(*_arguments: Any) -> Any:
        raise AssertionError("asked")

    world.connection.link.client.fetch_positions = fail
    await world.connection.gateway._cross_check.look()
    world.clock.advance(LIQUIDATION_EVERY_MS)
    await world.connection.gateway._cross_check.look()


@pytest.mark.parametrize("make", WORLDS)
@pytest.mark.parametrize(("skew_ms", "count"), [(0, 0), (900, 0), (7_000, 1), (-7_000, 1)])
async def test_a_clock_that_differs_by_more_than_a_second_is_told(
    make: Any, skew_ms: int, count: int
) -> None:
    world = make()
    await Desk(world.exchange).send(SetLeverage(BTC, 10))

    async def venue_time() -> int:
        return world.clock.now_ms() - skew_ms

    world.connection.link.client.fetch_time = venue_time
    found = await told(world, CLOCK_EVERY_MS)
    assert [round(event.ours - event.venue) for event in found] == [skew_ms] * count
