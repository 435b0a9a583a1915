"""The loop sees refusals and success only; what happened in between is resolved by reading."""

import pytest

from bot.core.event import MarginAdjusted, OrderAccepted, OrderFilled, Refused
from bot.core.intent import Action, AddMargin, OpenPosition, PlaceStop, ReducePosition, SetLeverage
from bot.sim.server.faults import Fault
from tests.contract.venue_worlds import BTC, Desk, Served


@pytest.fixture
def world() -> Served:
    return Served()


@pytest.fixture
async def desk(world: Served) -> Desk:
    desk = Desk(world.connection.exchange)
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.1))
    return desk


@pytest.mark.parametrize("kind", ["lost", "error_accepted", "error"])
@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        (OpenPosition(BTC, 1, 0.05), OrderFilled),
        (ReducePosition(BTC, 1, 0.0), OrderFilled),
        (PlaceStop(BTC, 1, 49_000.0), OrderAccepted),
        (AddMargin(BTC, 600.0), MarginAdjusted),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_every_request_happens_exactly_once_whatever_becomes_of_its_reply(
    world: Served, desk: Desk, action: Action, wanted: type, kind: str
) -> None:
    trades, moves = len(world.embedded.books.trades), len(world.embedded.books.moves)
    world.faults.plan(Fault(kind, "POST"))  # pyright: ignore[reportArgumentType]
    events = await desk.send(action)
    assert [type(event) for event in events].count(wanted) == 1
    done = (
        len(world.embedded.books.trades) - trades
        + len(world.embedded.books.moves) - moves
        + len(world.embedded.books.open_conditionals(BTC))
    )  # fmt: skip
    assert done == 1


async def test_reads_that_fail_after_the_send_lose_nothing(world: Served, desk: Desk) -> None:
    world.faults.plan(Fault("error", "GET", "/fapi/v1/userTrades", 5, 0, 503, -1001))
    events = await desk.send(ReducePosition(BTC, 1, 0.0))
    assert [type(event) for event in events] == [OrderAccepted, OrderFilled]


@pytest.mark.parametrize(
    ("action", "is_done"), [(OpenPosition(BTC, 1, 0.05), False), (AddMargin(BTC, 600.0), True)]
)
async def test_an_entry_becomes_stale_and_protection_does_not(
    world: Served, desk: Desk, action: Action, is_done: bool
) -> None:
    world.faults.plan(Fault("error", "POST", "", 12, 0, 503, -1007))
    events = await desk.send(action)
    assert ("unavailable" not in [each.code for each in events if isinstance(each, Refused)]) == is_done
