"""Margin whose reply was lost and that ended with its position was moved all the same, and is told."""

import pytest

from bot.core.event import MarginAdjusted, OrderFilled
from bot.core.intent import AddMargin, OpenPosition, PlaceStop, SetLeverage
from bot.errors import OutcomeUnknown
from bot.exchange.lane import Urgency
from bot.sim.server.faults import Fault
from tests.contract.venue_worlds import BTC, Desk, Served

MARGIN = "/fapi/v1/positionMargin"


class Lost:
    """A position whose margin request had no answer, and whose stop has just closed it."""

    def __init__(self, fault: Fault) -> None:
        self.world = Served()
        self.desk, self.fault = Desk(self.world.exchange), fault
        self.gateway = self.world.connection.gateway
        self.client_id = ""

    async def closed(self, *, is_read: bool) -> list[tuple[type, str, float]]:
        """Return fills and margin moves as a sweep tells them; `is_read`: the position, before it ended."""
        await self.desk.send(SetLeverage(BTC, 10))
        await self.desk.send(OpenPosition(BTC, 1, 0.1))
        await self.desk.send(AddMargin(BTC, 520.0))
        await self.desk.send(PlaceStop(BTC, 1, 49_000.0))
        self.world.faults.plan(self.fault)
        intent = self.desk.intent(AddMargin(BTC, 600.0))
        self.client_id = intent.client_id
        with pytest.raises(OutcomeUnknown):
            await self.desk.exchange.execute(intent)
        if is_read:
            await self.gateway.sweeper.observer.position(BTC, Urgency.URGENT)
        told = await self.world.tick(48_900.0)
        told += await self.desk.exchange.outcome_of(intent) or ()
        return [
            (type(each), each.client_id, each.amount_quote if isinstance(each, MarginAdjusted) else 0.0)
            for each in told
            if isinstance(each, MarginAdjusted | OrderFilled)
        ]


async def test_what_a_reading_showed_of_a_lost_move_is_told_after_its_position_has_ended() -> None:
    lost = Lost(Fault("lost", "POST", MARGIN))

    async def no_history(*_: object) -> None:
        """Bybit and Hyperliquid keep none."""

    lost.gateway.dialect.margin_moves = no_history  # pyright: ignore[reportAttributeAccessIssue]
    moved, filled = await lost.closed(is_read=True)
    assert moved == (MarginAdjusted, lost.client_id, pytest.approx(80.0))
    assert filled[0] is OrderFilled


async def test_what_only_the_history_tells_of_a_lost_move_is_told_before_the_closing() -> None:
    lost = Lost(Fault("lost", "POST", MARGIN))
    moved, filled = await lost.closed(is_read=False)
    assert moved == (MarginAdjusted, lost.client_id, pytest.approx(80.0))
    assert filled[0] is OrderFilled


async def test_a_move_that_never_arrived_is_not_told_when_its_position_has_ended() -> None:
    lost = Lost(Fault("error", "POST", MARGIN, 1, 0, 503, -1007))
    told = await lost.closed(is_read=True)
    assert [each[0] for each in told] == [OrderFilled]
