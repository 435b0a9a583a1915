"""The exchange changes its leverage brackets under a position: the bot's liquidation price follows its."""

from typing import Any

import pytest

from bot.core.event import InstrumentChanged, Refused
from bot.core.instrument import Instrument
from bot.core.intent import OpenPosition, SetLeverage
from bot.core.margin import liquidation_price
from bot.core.profile import MarginRules
from bot.sim.server.control import Control
from bot.sim.server.pump import Pump
from tests.contract.bybit_world import ServedBybit
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC, Desk, Served

HOUR_MS = 3_600_000
STRICTER = [[0.0, 50_000.0, 0.02, 0.0, 20.0], [50_000.0, 1e9, 0.05, 1_500.0, 5.0]]


@pytest.fixture(params=[Served, ServedBybit, ServedOkx], ids=["binance", "bybit", "okx"])
def world(request: pytest.FixtureRequest) -> Served:
    return request.param()


def control(world: Served) -> Control:
    pump = Pump(world.embedded, world.clock, 1.0)
    return Control(world.embedded, pump, world.faults, world.server)


def change_brackets(world: Served) -> None:
    control(world).run("brackets", {"symbol": BTC, "rows": STRICTER})


async def refreshed(world: Served) -> list[Any]:
    """Return what a beat of the feed would hand to the engine."""
    await world.connection.gateway.refresh()
    return list(await world.connection.gateway.sweep(BTC))


async def held(world: Served) -> Desk:
    desk = Desk(world.exchange)
    await world.exchange.instruments()
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.1))
    return desk


def ours(world: Served, instrument: Instrument) -> float:
    gateway = world.connection.gateway
    profile = gateway.dialect.profile(instrument.taker_fee_rate)
    rules = MarginRules(instrument.tiers, profile, instrument.is_inverse, instrument.tick_size)
    return liquidation_price(gateway.book.positions[BTC], rules)


async def test_an_hour_later_the_engine_is_given_the_brackets_that_the_exchange_counts_with(
    world: Served,
) -> None:
    await held(world)
    change_brackets(world)
    assert await refreshed(world) == []
    world.clock.advance(HOUR_MS)
    (event,) = await refreshed(world)
    assert isinstance(event, InstrumentChanged)
    assert event.instrument.tiers.maintenance_margin_rate[0] == pytest.approx(0.02)
    state = world.embedded.state
    assert ours(world, event.instrument) == pytest.approx(state.liquidation(state.positions[BTC]))
    world.clock.advance(HOUR_MS)
    assert await refreshed(world) == []


async def test_a_refusal_that_stale_brackets_explain_makes_them_be_read_at_once(world: Served) -> None:
    await world.exchange.instruments()
    change_brackets(world)
    sent = await Desk(world.exchange).send(SetLeverage(BTC, 50))
    assert [type(event) for event in sent] == [Refused]
    (event,) = await refreshed(world)
    assert event.instrument.max_leverage == 20.0


async def test_a_restart_is_not_given_rules_that_it_reads_anyway(world: Served) -> None:
    await held(world)
    change_brackets(world)
    world.clock.advance(HOUR_MS)
    await world.connection.gateway.refresh()
    saved = world.connection.gateway.snapshot()
    assert saved["outbox"] == []
