"""Replies that never come, come late or lie: nothing is sent twice, and what happened is found by reading."""

import asyncio
from typing import Any

import ccxt
import pytest

from bot.core.event import (
    LeverageSet,
    MarginAdjusted,
    MarkPrice,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    Refused,
)
from bot.core.intent import (
    Action,
    AddMargin,
    CancelOrder,
    OpenPosition,
    PlaceStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.errors import OutcomeUnknown
from bot.exchange.lane import Urgency
from bot.exchange.rows import VenueOrder
from bot.sim.server.faults import Fault
from tests.contract.venue_worlds import BTC, Desk, Served

LOST = ("lost", "error_accepted")
ORDER, ALGO, MARGIN = "/fapi/v1/order", "/fapi/v1/algoOrder", "/fapi/v1/positionMargin"


@pytest.fixture
def world() -> Served:
    return Served()


@pytest.fixture
def desk(world: Served) -> Desk:
    return Desk(world.exchange)


async def opened(desk: Desk) -> None:
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.1))
    await desk.send(AddMargin(BTC, 520.0))


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize(
    ("action", "path", "wanted"),
    [
        (OpenPosition(BTC, 1, 0.05), ORDER, OrderFilled),
        (ReducePosition(BTC, 1, 0.0), ORDER, OrderFilled),
        (PlaceStop(BTC, 1, 49_000.0), ALGO, OrderAccepted),
        (AddMargin(BTC, 600.0), MARGIN, MarginAdjusted),
        (ReleaseMargin(BTC, 505.0), MARGIN, MarginAdjusted),
        (SetLeverage(BTC, 25), "/fapi/v1/leverage", LeverageSet),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, tuple) else "",
)
async def test_a_request_whose_reply_was_lost_is_found_and_not_repeated(
    world: Served, desk: Desk, action: Action, path: str, wanted: type, kind: str
) -> None:
    await opened(desk)
    world.faults.plan(Fault(kind, "POST", path))  # pyright: ignore[reportArgumentType]
    intent = desk.intent(action)
    with pytest.raises(OutcomeUnknown):
        await desk.exchange.execute(intent)
    before = world.embedded.venue.snapshot()
    found = await desk.exchange.outcome_of(intent)
    assert found is not None
    mine = [event for event in found if getattr(event, "client_id", "") == intent.client_id]
    assert wanted in [type(event) for event in mine]
    assert world.embedded.venue.snapshot() == before
    assert await desk.exchange.outcome_of(intent) is not None


async def test_a_lost_stop_that_the_venue_has_dropped_is_never_told_to_rest(
    world: Served, desk: Desk
) -> None:
    await opened(desk)
    rests = (await desk.send(PlaceStop(BTC, 1, 49_000.0)))[0]
    world.faults.plan(Fault("lost", "POST", ALGO))
    lost = desk.intent(PlaceStop(BTC, 1, 49_000.0))
    with pytest.raises(OutcomeUnknown):
        await desk.exchange.execute(lost)
    await Desk(world.connect().gateway).send(CancelOrder(BTC, lost.client_id))
    found = await desk.exchange.outcome_of(lost)
    assert [each._replace(ts_ms=0) for each in found or ()] == [
        OrderCancelled(0, BTC, lost.client_id, "stop", "expired")
    ]
    assert list(world.connection.gateway.book.orders) == [rests.client_id]
    assert await world.connection.gateway.sweep(BTC) == ()


async def test_a_lost_cancel_is_found(world: Served, desk: Desk) -> None:
    await opened(desk)
    stop = (await desk.send(PlaceStop(BTC, 1, 49_000.0)))[0]
    world.faults.plan(Fault("lost", "DELETE", ALGO))
    intent = desk.intent(CancelOrder(BTC, stop.client_id))
    with pytest.raises(OutcomeUnknown):
        await desk.exchange.execute(intent)
    found = await desk.exchange.outcome_of(intent)
    assert [(type(each), each.cause) for each in found or () if isinstance(each, OrderCancelled)] == [
        (OrderCancelled, "requested")
    ]


async def test_an_order_that_is_called_unknown_and_rests_is_cancelled_again_at_once(
    world: Served, desk: Desk
) -> None:
    await opened(desk)
    stop = (await desk.send(PlaceStop(BTC, 1, 49_000.0)))[0]
    world.faults.plan(Fault("error", "DELETE", ALGO, 1, 0, 400, -2011))
    intent = desk.intent(CancelOrder(BTC, stop.client_id))
    with pytest.raises(OutcomeUnknown):
        await desk.exchange.execute(intent)
    began_ms = world.clock.now_ms()
    assert await desk.exchange.outcome_of(intent) is None
    assert world.clock.now_ms() - began_ms < 1_000
    gone = await desk.exchange.execute(intent)
    assert [each.client_id for each in gone if isinstance(each, OrderCancelled)] == [stop.client_id]


@pytest.mark.parametrize(
    ("action", "least_ms", "most_ms"),
    [(OpenPosition(BTC, 1, 0.05), 5_000, 6_500), (PlaceStop(BTC, 1, 49_000.0), 0, 0)],
    ids=["an entry after the receive window", "a stop at once, for it may be doubled and not be missing"],
)
async def test_what_an_error_threw_away_is_called_absent(
    world: Served, desk: Desk, action: Action, least_ms: int, most_ms: int
) -> None:
    await opened(desk)
    world.faults.plan(Fault("error", "POST", "", 1, 0, 503, -1007))
    intent = desk.intent(action)
    with pytest.raises(OutcomeUnknown):
        await desk.exchange.execute(intent)
    began_ms = world.clock.now_ms()
    assert await desk.exchange.outcome_of(intent) is None
    assert least_ms <= world.clock.now_ms() - began_ms <= most_ms
    assert await desk.exchange.execute(intent)


async def test_margin_is_added_once_over_a_lost_reply_and_the_next_send(world: Served, desk: Desk) -> None:
    """Margin moves have no id at Binance: the target and a read between sends are the only protection."""
    await opened(desk)
    world.faults.plan(Fault("lost", "POST", MARGIN))
    intent = desk.intent(AddMargin(BTC, 600.0))
    with pytest.raises(OutcomeUnknown):
        await desk.exchange.execute(intent)
    await desk.exchange.execute(intent)
    assert (await desk.exchange.account()).positions[0].isolated_wallet == pytest.approx(600.0)
    assert [move.amount_quote for move in world.embedded.books.moves][1:] == [pytest.approx(80.0)]


async def test_a_sweep_between_the_lost_reply_and_the_question_hides_nothing(
    world: Served, desk: Desk
) -> None:
    await opened(desk)
    world.faults.plan(Fault("lost", "POST", ORDER))
    intent = desk.intent(OpenPosition(BTC, 1, 0.05))
    with pytest.raises(OutcomeUnknown):
        await desk.exchange.execute(intent)
    swept = await world.connection.gateway.sweep(BTC)
    assert [type(event) for event in swept] == [OrderFilled]
    assert await desk.exchange.outcome_of(intent) is not None


async def test_a_sweep_gives_a_doubtful_margin_move_to_the_request_that_made_it(
    world: Served, desk: Desk
) -> None:
    await opened(desk)
    world.faults.plan(Fault("lost", "POST", MARGIN))
    intent = desk.intent(AddMargin(BTC, 600.0))
    with pytest.raises(OutcomeUnknown):
        await desk.exchange.execute(intent)
    swept = await world.connection.gateway.sweep(BTC)
    assert [each.client_id for each in swept if isinstance(each, MarginAdjusted)] == [intent.client_id]
    assert await desk.exchange.outcome_of(intent) == ()


async def test_a_reading_that_overlaps_a_write_is_thrown_away(world: Served, desk: Desk) -> None:
    """It holds the account of before: told after the write, it would take the new stop for vanished."""
    await opened(desk)
    gateway = world.connection.gateway
    dialect, began, go_on = gateway.dialect, asyncio.Event(), asyncio.Event()
    read = dialect.open_orders

    async def slow(client, symbol):
        rows = await read(client, symbol)
        began.set()
        await go_on.wait()
        return rows

    dialect.open_orders = slow
    sweeping = asyncio.create_task(gateway.sweep_behind(BTC, Urgency.POLL))
    await began.wait()
    dialect.open_orders = read
    await desk.send(AddMargin(BTC, 600.0))
    go_on.set()
    await sweeping
    assert gateway.book.take_outbox() == ()
    assert gateway.book.positions[BTC].isolated_wallet == pytest.approx(600.0)


async def test_a_limit_reached_is_waited_for_and_the_request_sent_again(world: Served, desk: Desk) -> None:
    await opened(desk)
    world.faults.plan(Fault("rate_limited", "POST", ALGO, 1, 3_000))
    began_ms = world.clock.now_ms()
    events = await desk.send(PlaceStop(BTC, 1, 49_000.0))
    assert [type(event) for event in events] == [OrderAccepted]
    assert world.clock.now_ms() - began_ms >= 3_000


async def test_a_wrong_clock_is_set_right_and_the_request_sent_again(world: Served, desk: Desk) -> None:
    await opened(desk)
    client = world.connection.link.client
    client.milliseconds = lambda: world.clock.now_ms() - 60_000
    events = await desk.send(AddMargin(BTC, 600.0))
    assert [type(event) for event in events] == [MarginAdjusted]


async def test_a_restart_reports_what_happened_meanwhile_once(world: Served, desk: Desk) -> None:
    await opened(desk)
    await desk.send(PlaceStop(BTC, 1, 49_000.0))
    saved = world.connection.gateway.snapshot()
    world.connection = world.connect()
    gateway = world.connection.gateway
    gateway.restore(saved)
    world.embedded.apply(MarkPrice(world.embedded.market_ms + 1_000, BTC, 48_900.0, 48_900.0))
    world.embedded.commit()
    events = await gateway.catch_up()
    assert [type(event) for event in events] == [OrderFilled]
    assert await gateway.catch_up() == ()


async def test_a_stop_that_a_list_does_not_show_yet_is_told_to_a_start(world: Served, desk: Desk) -> None:
    await opened(desk)
    (accepted,) = await desk.send(PlaceStop(BTC, 1, 49_000.0))
    gateway = world.connection.gateway
    dialect: Any = gateway.dialect
    read = dialect.open_orders

    async def lagging(client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        return ()

    dialect.open_orders = lagging
    assert [each.client_id for each in (await gateway.account()).orders] == [accepted.client_id]
    dialect.open_orders, known = read, gateway.book.orders[accepted.client_id]
    await desk.send(CancelOrder(BTC, accepted.client_id))
    gateway.book.orders[accepted.client_id] = known
    dialect.open_orders = lagging
    assert (await gateway.account()).orders == (), "what it was answered to have ended does not rest"


async def test_a_list_that_shows_a_cancelled_stop_still_is_not_believed(world: Served, desk: Desk) -> None:
    await opened(desk)
    (accepted,) = await desk.send(PlaceStop(BTC, 1, 49_000.0))
    gateway = world.connection.gateway
    dialect: Any = gateway.dialect
    read, shown = dialect.open_orders, await dialect.open_orders(world.connection.link.client, BTC)

    async def lagging(client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        return shown

    dialect.open_orders = lagging
    told = await desk.send(CancelOrder(BTC, accepted.client_id))
    assert [(type(each), each.client_id) for each in told] == [(OrderCancelled, accepted.client_id)]
    assert await gateway.sweep(BTC) == ()
    assert gateway.book.orders == {}, "it covers nothing"
    dialect.open_orders = read
    assert await gateway.sweep(BTC) == ()


@pytest.mark.parametrize("is_shown", [True, False])
async def test_a_stop_that_a_list_has_shown_is_not_late_when_it_is_gone(
    world: Served, desk: Desk, is_shown: bool
) -> None:
    await opened(desk)
    (accepted,) = await desk.send(PlaceStop(BTC, 1, 49_000.0))
    gateway = world.connection.gateway
    dialect: Any = gateway.dialect
    if is_shown:
        assert await gateway.sweep(BTC) == ()

    async def lagging(client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        return ()

    async def unknown(client: Any, symbol: str, client_id: str, is_conditional: bool) -> VenueOrder:
        raise ccxt.OrderNotFound(client_id)

    dialect.open_orders, dialect.order = lagging, unknown
    told = await gateway.sweep(BTC)
    assert [each.client_id for each in told if isinstance(each, OrderCancelled)] == (
        [accepted.client_id] if is_shown else []
    )


async def test_what_is_known_to_have_ended_is_not_asked_for_again(world: Served, desk: Desk) -> None:
    await opened(desk)
    (accepted,) = await desk.send(PlaceStop(BTC, 1, 49_000.0))
    await desk.send(CancelOrder(BTC, accepted.client_id))
    lane = world.connection.lane
    before = lane.spent_weight
    assert await world.connection.gateway.outcome_of(desk.intent(CancelOrder(BTC, accepted.client_id))) == ()
    assert lane.spent_weight == before


async def test_a_margin_move_by_hand_is_told_without_an_id(world: Served, desk: Desk) -> None:
    await opened(desk)
    other = world.connect().gateway
    await Desk(other).send(AddMargin(BTC, 700.0))
    events = await world.connection.gateway.sweep(BTC)
    assert [(type(each), each.client_id) for each in events if isinstance(each, MarginAdjusted)] == [
        (MarginAdjusted, "")
    ]


async def test_refusals_are_final(world: Served, desk: Desk) -> None:
    await opened(desk)
    events = await desk.send(AddMargin(BTC, 1e6))
    assert [type(event) for event in events] == [Refused]
    assert len(world.embedded.books.moves) == 1
