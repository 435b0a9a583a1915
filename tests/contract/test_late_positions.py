"""Positions that are read late: a margin move is neither made twice nor forgotten."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.core.event import MarginAdjusted, OrderAccepted
from bot.core.intent import AddMargin, OpenPosition, PlaceStop, SetLeverage
from bot.errors import OutcomeUnknown
from bot.sim.server.faults import Fault
from tests.contract.bybit_world import ServedBybit
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC, Desk, Served

PATHS = {
    Served: "/fapi/v1/positionMargin",
    ServedBybit: "/v5/position/add-margin",
    ServedOkx: "/api/v5/account/position/margin-balance",
}
LONG_MS = 30_000


def read_late(world: Served) -> Callable[[], None]:
    """Let positions be what they are now until the returned function is called."""
    dialect: Any = world.connection.gateway.dialect
    read, old = dialect.positions, []

    async def late(*arguments: Any) -> Any:
        if not old:
            old.append(await read(*arguments))
        return old[0]

    def end() -> None:
        dialect.positions = read

    dialect.positions = late
    return end


# Bybit keeps no history of margin: a lost reply and late positions together are beyond proof there.
@pytest.mark.parametrize(
    ("made", "is_lost"),
    [(Served, False), (Served, True), (ServedOkx, False), (ServedOkx, True), (ServedBybit, False)],
)
async def test_margin_that_the_position_shows_late_is_moved_once_and_told(
    made: type[Served], is_lost: bool
) -> None:
    world = made()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.1))
    before = (await world.exchange.account()).positions[0].isolated_wallet
    end = read_late(world)
    await world.exchange.account()
    if is_lost:
        world.faults.plan(Fault("lost", "POST", PATHS[made]))
    intent = desk.intent(AddMargin(BTC, before + 200.0))
    with pytest.raises(OutcomeUnknown):
        await world.exchange.execute(intent)
    world.clock.advance(LONG_MS)
    with pytest.raises(OutcomeUnknown):
        await world.exchange.outcome_of(intent)
    end()
    told = await world.exchange.outcome_of(intent)
    assert told is not None
    moved = [(event.client_id, event.amount_quote) for event in told if isinstance(event, MarginAdjusted)]
    assert moved == [(intent.client_id, pytest.approx(200.0, abs=1e-3))]


@pytest.mark.parametrize("made", PATHS)
async def test_an_entry_that_no_position_shows_can_be_stopped_within_seconds(made: type[Served]) -> None:
    world = made()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    end = read_late(world)
    await world.exchange.account()
    began_ms = world.clock.now_ms()
    told = await desk.send(OpenPosition(BTC, 1, 0.1))
    assert [type(event) for event in told] == [OrderAccepted]
    assert world.clock.now_ms() - began_ms <= 5_000
    (accepted,) = await desk.send(PlaceStop(BTC, 1, 49_000.0))
    assert isinstance(accepted, OrderAccepted)
    end()
    account = await world.exchange.account()
    assert [(order.leg, order.trigger_price) for order in account.orders] == [("stop", 49_000.0)]
