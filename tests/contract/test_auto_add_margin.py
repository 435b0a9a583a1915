"""The exchange's own auto-add-margin: switched off before an entry, or refused and told."""

from typing import Any

import pytest

from bot.core.event import AutoAddSwitched, LeverageSet, OrderFilled, Refused
from bot.core.intent import OpenPosition, SetLeverage
from bot.sim.server.control import Control
from bot.sim.server.pump import Pump
from tests.contract.bybit_world import ServedBybit
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC, Desk, Served

FIVE_MINUTES_MS = 300_000


def switch(world: Served, is_on: bool) -> None:
    control = Control(world.embedded, Pump(world.embedded, world.clock, 1.0), world.faults, world.server)
    control.run("auto-add", {"symbol": BTC, "on": is_on})


def kinds(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


async def told(world: Served) -> list[Any]:
    await world.connection.gateway.refresh()
    return list(await world.connection.gateway.sweep(BTC))


@pytest.mark.parametrize("action", [SetLeverage(BTC, 10), OpenPosition(BTC, 1, 0.1)])
async def test_bybit_switches_it_off_reads_it_back_and_goes_on(action: Any) -> None:
    world = ServedBybit()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    world.clock.advance(FIVE_MINUTES_MS)
    switch(world, is_on=True)
    sent = await desk.send(action)
    assert [event.is_on for event in sent if isinstance(event, AutoAddSwitched)] == [True, False]
    assert kinds(sent)[-1] is (LeverageSet if isinstance(action, SetLeverage) else OrderFilled)
    assert world.server.desk.is_auto_add(BTC) is False


async def test_bybit_enters_nothing_when_it_stays_on() -> None:
    world = ServedBybit()
    desk = Desk(world.exchange)
    switch(world, is_on=True)
    world.server.desk.set_auto_add = lambda _symbol, _is_on: None
    sent = await desk.send(SetLeverage(BTC, 10))
    assert kinds(sent) == [AutoAddSwitched, Refused]
    assert (sent[-1].code, "stays on" in sent[-1].message) == ("margin_mode_refused", True)


@pytest.mark.parametrize("action", [SetLeverage(BTC, 10), OpenPosition(BTC, 1, 0.1)])
async def test_binance_has_no_request_for_it_so_the_entry_is_refused(action: Any) -> None:
    world = Served()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    world.clock.advance(FIVE_MINUTES_MS)
    switch(world, is_on=True)
    sent = await desk.send(action)
    assert kinds(sent) == [AutoAddSwitched, Refused]
    assert "switch it off in its app" in sent[-1].message
    assert world.embedded.state.positions == {}
    switch(world, is_on=False)
    assert kinds(await desk.send(action))[0] is AutoAddSwitched


@pytest.mark.parametrize("make", [Served, ServedBybit])
async def test_switched_on_under_a_position_it_is_told_once_within_five_minutes_and_its_end(
    make: Any,
) -> None:
    world = make()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.1))
    switch(world, is_on=True)
    assert await told(world) == []
    world.clock.advance(FIVE_MINUTES_MS)
    assert [event.is_on for event in await told(world)] == [True]
    world.clock.advance(FIVE_MINUTES_MS)
    assert await told(world) == []
    saved = world.connection.gateway.snapshot()
    switch(world, is_on=False)
    again = world.connect().gateway
    again.restore(saved)
    await again.account()
    await again.refresh()
    assert [event.is_on for event in await again.sweep(BTC)] == [False]


async def test_okx_has_no_such_switch() -> None:
    world = ServedOkx()
    with pytest.raises(ValueError, match="has no auto-add-margin"):
        switch(world, is_on=True)
    await Desk(world.exchange).send(SetLeverage(BTC, 10))
    assert (await world.connection.gateway.dialect.settings(world.connection.link.client, BTC))[3] is False
