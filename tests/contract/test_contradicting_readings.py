"""Readings that contradict each other for a while: nothing is invented, and nothing is given up."""

from typing import Any

import ccxt
import pytest

from bot.core.event import MarginAdjusted, MarkPrice, OrderCancelled, OrderFilled, Refused
from bot.core.intent import AddMargin, OpenPosition, PlaceStop, PlaceTakeProfit, SetLeverage
from bot.errors import OutcomeUnknown
from tests.contract.bybit_world import ServedBybit
from tests.contract.venue_worlds import BTC, Desk, Served

WORLDS = pytest.mark.parametrize("made", [Served, ServedBybit])


async def opened(made: type[Served]) -> tuple[Served, Desk, Any]:
    world = made()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.1))
    return world, desk, world.connection.gateway.dialect


def move(world: Served, mark: float) -> None:
    world.embedded.apply(MarkPrice(world.embedded.market_ms + 1_000, BTC, mark, mark))
    world.embedded.commit()


def moved(events: Any) -> list[tuple[str, float]]:
    return [(each.client_id, each.amount_quote) for each in events if isinstance(each, MarginAdjusted)]


@WORLDS
@pytest.mark.parametrize("is_asked", [True, False])
async def test_margin_that_shows_after_a_fill_of_the_same_moment_is_told_once(
    made: type[Served], is_asked: bool
) -> None:
    """The position was reduced in the reading that does not show the margin yet."""
    world, desk, dialect = await opened(made)
    await desk.send(PlaceTakeProfit(BTC, 1, 0.05, 51_000.0))
    before = (await world.exchange.account()).positions[0].isolated_wallet
    move(world, 51_010.0)
    read = dialect.positions

    async def without_the_margin(*arguments: Any) -> Any:
        rows = await read(*arguments)
        return [row._replace(isolated_wallet=0.5 * before) for row in rows]

    dialect.positions = without_the_margin
    intent = desk.intent(AddMargin(BTC, 0.5 * before + 200.0))
    with pytest.raises(OutcomeUnknown):
        await world.exchange.execute(intent)
    dialect.positions = read
    told = await world.exchange.outcome_of(intent) if is_asked else await world.connection.gateway.sweep(BTC)
    assert moved(told) == [(intent.client_id, pytest.approx(200.0, abs=1e-3))]
    assert [each.quantity for each in told or () if isinstance(each, OrderFilled)] == [0.05]


@WORLDS
async def test_an_order_is_not_ended_because_the_venue_does_not_show_it_yet(made: type[Served]) -> None:
    world, desk, dialect = await opened(made)
    await desk.send(PlaceStop(BTC, 1, 49_000.0))
    gateway, listed, asked = world.connection.gateway, dialect.open_orders, dialect.order

    async def nothing(*_arguments: Any) -> Any:
        return ()

    async def absent(*_arguments: Any) -> Any:
        raise ccxt.OrderNotFound("it does not exist")

    dialect.open_orders, dialect.order = nothing, absent
    assert await gateway.sweep(BTC) == ()
    dialect.open_orders, dialect.order = listed, asked
    assert await gateway.sweep(BTC) == ()
    dialect.open_orders, dialect.order = nothing, absent
    world.clock.advance(31_000)
    ended = [each for each in await gateway.sweep(BTC) if isinstance(each, OrderCancelled)]
    assert [(each.leg, each.cause) for each in ended] == [("stop", "expired")]


@WORLDS
async def test_acknowledged_margin_is_never_told_as_refused(made: type[Served]) -> None:
    """The position shows it at last, when the fills say that there is none any more."""
    world, desk, dialect = await opened(made)
    await desk.send(PlaceStop(BTC, 1, 49_000.0))
    before = (await world.exchange.account()).positions[0].isolated_wallet
    read = dialect.positions
    early = await read(world.connection.link.client, {BTC: 10})

    def frozen(rows: Any) -> Any:
        async def positions(*_arguments: Any) -> Any:
            return rows

        return positions

    dialect.positions = frozen(early)
    intent = desk.intent(AddMargin(BTC, before + 200.0))
    with pytest.raises(OutcomeUnknown):
        await world.exchange.execute(intent)
    dialect.positions = frozen(await read(world.connection.link.client, {BTC: 10}))
    move(world, 48_900.0)
    with pytest.raises(OutcomeUnknown):
        await world.exchange.outcome_of(intent)
    dialect.positions = read
    told = await world.exchange.outcome_of(intent)
    assert moved(told) == [(intent.client_id, pytest.approx(200.0, abs=1e-3))]


@WORLDS
async def test_no_margin_moves_on_top_of_a_move_that_does_not_show_yet(made: type[Served]) -> None:
    """A restart may decide anew by the position as it is read: late, without the first move."""
    world, desk, dialect = await opened(made)
    read = dialect.positions
    early = await read(world.connection.link.client, {BTC: 10})

    async def late(*_arguments: Any) -> Any:
        return early

    dialect.positions = late
    wallet = early[0].isolated_wallet
    with pytest.raises(OutcomeUnknown):
        await desk.send(AddMargin(BTC, wallet + 200.0))
    (refused,) = await desk.send(AddMargin(BTC, wallet + 190.0))
    assert isinstance(refused, Refused)
    assert sum(move.amount_quote for move in world.embedded.books.moves if move.is_requested) == (
        pytest.approx(200.0, abs=1e-3)
    )
