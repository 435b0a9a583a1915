"""A wallet that changed: funding paid meanwhile, funding told late, a request of ours, or a person."""

from typing import Any

import pytest

from bot.core.event import FundingDue, FundingSettled, MarginAdjusted, OrderFilled, VenueEvent
from bot.core.intent import (
    AddMargin,
    Intent,
    OpenPosition,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.errors import OutcomeUnknown
from bot.exchange.lane import Urgency
from bot.sim.server.faults import Fault
from tests.contract.venue_worlds import BTC, START_MS, Desk, Served

RATE, WHILE_READING_MS, MARGIN = 0.0003, START_MS + 7_200_000, "/fapi/v1/positionMargin"


@pytest.fixture
def world() -> Served:
    return Served()


@pytest.fixture
def desk(world: Served) -> Desk:
    return Desk(world.exchange)


async def opened(desk: Desk) -> None:
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.1))


def settle_while_payments_are_read(world: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one settlement pass between the reading of the position and the first reading of the payments."""
    dialect, market = world.connection.gateway.dialect, [FundingDue(WHILE_READING_MS, BTC, RATE)]
    read = dialect.funding

    async def late(*args: Any) -> Any:
        while market:
            world.embedded.apply(market.pop())
            world.embedded.commit()
        return await read(*args)

    monkeypatch.setattr(type(dialect), "funding", lambda _, *args: late(*args))


async def sweep_again(world: Served) -> tuple[VenueEvent, ...]:
    world.connection.gateway.book.saw(WHILE_READING_MS + 3_600_000)
    return await world.connection.gateway.sweep(BTC)


def moved(events: Any) -> list[float]:
    return [event.amount_quote for event in events if isinstance(event, MarginAdjusted)]


def paid(events: Any) -> int:
    return sum(isinstance(event, FundingSettled) for event in events)


async def test_funding_paid_while_a_margin_move_is_read_is_not_a_move_by_hand(
    world: Served, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(desk)
    await world.fund(RATE)
    settle_while_payments_are_read(world, monkeypatch)
    world.embedded.apply(FundingDue(START_MS + 3_600_000, BTC, RATE))
    events = [*await desk.send(AddMargin(BTC, 600.0)), *await sweep_again(world)]
    assert len(moved(events)) == 1
    assert paid(events) == 2


async def test_funding_paid_while_fills_are_read_is_not_a_move_by_hand(
    world: Served, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(desk)
    settle_while_payments_are_read(world, monkeypatch)
    world.connection.gateway.book.saw(START_MS + 3_600_000)
    events = [*await desk.send(ReducePosition(BTC, 1, 0.04)), *await sweep_again(world)]
    assert moved(events) == []
    assert paid(events) == 1


async def test_a_payment_that_the_history_tells_late_is_not_a_move_by_hand(
    world: Served, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(desk)
    gateway = world.connection.gateway

    async def nothing_yet(*_: Any) -> tuple[()]:
        return ()

    with monkeypatch.context() as lag:
        lag.setattr(type(gateway.dialect), "funding", nothing_yet)
        gateway.book.settled(BTC, START_MS + 1_000, world.clock.now_ms())
        assert await world.fund(RATE) == []
    events = await gateway.sweep(BTC)
    assert (moved(events), paid(events)) == ([], 1)
    assert await gateway.sweep(BTC) == ()


async def test_a_payment_of_an_hour_that_turned_before_the_start_is_not_a_move_by_hand(
    world: Served, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that began seconds after a settlement saw none pass, and the history tells it late."""
    await opened(desk)
    gateway, turn_ms = world.connection.gateway, START_MS - START_MS % 3_600_000 + 3_600_000

    async def nothing_yet(*_: Any) -> tuple[()]:
        return ()

    world.embedded.apply(FundingDue(turn_ms, BTC, RATE))
    world.embedded.commit()
    gateway.book.saw(turn_ms + 3_000)
    with monkeypatch.context() as lag:
        lag.setattr(type(gateway.dialect), "funding", nothing_yet)
        assert await gateway.sweep(BTC) == ()
    events = await gateway.sweep(BTC)
    assert (moved(events), paid(events)) == ([], 1)


async def test_margin_moved_by_hand_as_an_hour_turns_is_told_when_no_payment_explains_it_in_time(
    world: Served, desk: Desk
) -> None:
    await opened(desk)
    gateway = world.connection.gateway
    gateway.book.saw(START_MS - START_MS % 3_600_000 + 3_603_000)
    await Desk(world.connect().gateway).send(AddMargin(BTC, 700.0))
    assert await gateway.sweep(BTC) == ()
    await world.clock.sleep(50.0)  # and the market's time stands still
    assert moved(await gateway.sweep(BTC)) == [pytest.approx(202.5, abs=1e-9)]


async def test_margin_moved_by_hand_is_told_when_no_payment_explains_it_in_time(
    world: Served, desk: Desk
) -> None:
    await opened(desk)
    gateway = world.connection.gateway
    gateway.book.settled(BTC, START_MS, world.clock.now_ms())
    await Desk(world.connect().gateway).send(AddMargin(BTC, 700.0))
    assert await gateway.sweep(BTC) == ()
    await world.clock.sleep(50.0)  # and the market's time stands still
    assert moved(await gateway.sweep(BTC)) == [pytest.approx(202.5, abs=1e-9)]


async def test_margin_moved_by_hand_in_a_position_younger_than_the_settlement_is_told_at_once(
    world: Served, desk: Desk
) -> None:
    await opened(desk)
    gateway = world.connection.gateway
    gateway.book.settled(BTC, START_MS - 1, world.clock.now_ms())
    await Desk(world.connect().gateway).send(AddMargin(BTC, 700.0))
    assert moved(await gateway.sweep(BTC)) == [pytest.approx(202.5, abs=1e-9)]


async def test_a_lost_move_is_told_while_a_payment_is_due(world: Served, desk: Desk) -> None:
    await opened(desk)
    gateway = world.connection.gateway
    gateway.book.settled(BTC, START_MS + 1_000, world.clock.now_ms())
    world.faults.plan(Fault("lost", "POST", MARGIN))
    asked = desk.intent(AddMargin(BTC, 600.0))
    with pytest.raises(OutcomeUnknown):
        await world.exchange.execute(asked)
    (told,) = await gateway.sweep(BTC)
    assert isinstance(told, MarginAdjusted)
    assert (told.client_id, told.amount_quote) == (asked.client_id, pytest.approx(102.5))


def lagging(world: Served, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let positions be told as they are now from now on."""
    dialect = world.connection.gateway.dialect
    read, told = dialect.positions, []

    async def as_before(*args: Any) -> Any:
        told.append(await read(*args))
        return told[0]

    monkeypatch.setattr(type(dialect), "positions", lambda _, *args: as_before(*args))
    return monkeypatch


async def test_a_position_that_lags_over_a_settlement_is_waited_for(
    world: Served, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(desk)
    gateway = world.connection.gateway
    with monkeypatch.context() as lag:
        lagging(world, lag)
        await gateway.sweep(BTC)
        gateway.book.settled(BTC, START_MS + 1_000, world.clock.now_ms())
        assert await world.fund(RATE) == []
        await world.clock.sleep(20.0)
        assert await gateway.sweep(BTC) == ()
    (told,) = await gateway.sweep(BTC)
    assert isinstance(told, FundingSettled)
    assert told.position.isolated_wallet == pytest.approx(497.5 + told.amount_quote)
    assert await gateway.sweep(BTC) == ()


async def test_a_fill_is_told_while_the_position_lags_over_a_settlement_and_the_payment_after_it(
    world: Served, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(desk)
    gateway = world.connection.gateway
    with monkeypatch.context() as lag:
        lagging(world, lag)
        await gateway.sweep(BTC)
        gateway.book.settled(BTC, START_MS + 1_000, world.clock.now_ms())
        assert await world.fund(RATE) == []
    await Desk(world.connect().gateway).send(ReducePosition(BTC, 1, 0.04))
    events = [*await gateway.sweep(BTC), *await sweep_again(world)]
    assert (moved(events), paid(events)) == ([], 1)
    assert sum(isinstance(event, OrderFilled) for event in events) == 1


async def test_a_payment_waits_for_a_position_that_shows_a_fill_and_lags_over_the_settlement(
    world: Served, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(desk)
    gateway = world.connection.gateway
    await Desk(world.connect().gateway).send(ReducePosition(BTC, 1, 0.04))
    with monkeypatch.context() as lag:
        lagging(world, lag)
        await gateway.sweeper.observer.position(BTC, Urgency.NORMAL)
        gateway.book.settled(BTC, START_MS + 1_000, world.clock.now_ms())
        told = await world.fund(RATE)
    assert (moved(told), paid(told)) == ([], 0)
    assert sum(isinstance(event, OrderFilled) for event in told) == 1
    events = await gateway.sweep(BTC)
    assert (moved(events), paid(events)) == ([], 1)
    assert await gateway.sweep(BTC) == ()


async def test_a_payment_waits_for_a_position_that_shows_a_move_in_doubt_and_lags_over_the_settlement(
    world: Served, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(desk)
    gateway = world.connection.gateway
    world.faults.plan(Fault("lost", "POST", MARGIN))
    with pytest.raises(OutcomeUnknown):
        await world.exchange.execute(desk.intent(AddMargin(BTC, 600.0)))
    with monkeypatch.context() as lag:
        lagging(world, lag)
        await gateway.sweeper.observer.position(BTC, Urgency.NORMAL)
        gateway.book.settled(BTC, START_MS + 1_000, world.clock.now_ms())
        told = await world.fund(RATE)
    assert (moved(told), paid(told)) == ([pytest.approx(102.5, abs=1e-6)], 0)
    events = await gateway.sweep(BTC)
    assert (moved(events), paid(events)) == ([], 1)


async def test_a_doubt_ends_with_the_request_that_was_sent_again(world: Served, desk: Desk) -> None:
    await opened(desk)
    world.faults.plan(Fault("error", "POST", MARGIN))
    intent = desk.intent(AddMargin(BTC, 600.0))
    with pytest.raises(OutcomeUnknown):
        await world.exchange.execute(intent)
    assert await world.exchange.outcome_of(intent) is None
    assert len(moved(await world.exchange.execute(intent))) == 1
    await Desk(world.connect().gateway).send(AddMargin(BTC, 700.0))
    events = await world.connection.gateway.sweep(BTC)
    assert [each.client_id for each in events if isinstance(each, MarginAdjusted)] == [""]


async def test_a_lost_reply_and_a_fill_meanwhile_leave_the_amount_exact(world: Served, desk: Desk) -> None:
    await opened(desk)
    world.faults.plan(Fault("lost", "POST", MARGIN))
    intent = desk.intent(AddMargin(BTC, 600.0))
    with pytest.raises(OutcomeUnknown):
        await world.exchange.execute(intent)
    told = [row.amount_quote for row in world.embedded.books.moves]
    await Desk(world.connect().gateway).send(ReducePosition(BTC, 1, 0.0))
    events = await world.exchange.outcome_of(intent)
    assert events is not None
    assert [type(event) for event in events] == [MarginAdjusted, OrderFilled]
    assert moved(events) == told


async def test_a_move_whose_position_was_stopped_out_at_once_is_told_first(
    world: Served, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(desk)
    dialect = world.connection.gateway.dialect
    move = dialect.move_margin

    async def and_closed(*args: Any) -> None:
        await move(*args)
        await Desk(world.connect().gateway).send(ReducePosition(BTC, 1, 0.0))

    monkeypatch.setattr(type(dialect), "move_margin", lambda _, *args: and_closed(*args))
    events = await desk.send(AddMargin(BTC, 600.0))
    assert [type(event) for event in events] == [MarginAdjusted, OrderFilled]
    assert events[-1].position is None  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("asked_for", "amount", "is_moved_first"),
    [
        (AddMargin(BTC, 700.0), 100.0, True),
        (ReleaseMargin(BTC, 550.0), -50.0, True),
        (AddMargin(BTC, 300.0), 60.0, False),
        (ReleaseMargin(BTC, 210.0), -30.0, False),
    ],
)
async def test_a_lost_move_and_a_fill_of_somebody_else_in_one_reading_are_both_told(
    world: Served, desk: Desk, asked_for: Any, amount: float, is_moved_first: bool
) -> None:
    await opened(desk)
    await desk.send(AddMargin(BTC, 600.0))
    asked = desk.intent(asked_for)
    await lost_beside_a_fill(world, asked, is_moved_first=is_moved_first)
    events = await world.connection.gateway.sweep(BTC)
    assert sorted(type(event).__name__ for event in events) == ["MarginAdjusted", "OrderFilled"]
    assert moved(events) == [pytest.approx(amount)]
    assert [each.client_id for each in events if isinstance(each, MarginAdjusted)] == [asked.client_id]
    assert await world.exchange.outcome_of(asked) == ()


async def lost_beside_a_fill(world: Served, asked: Intent, *, is_moved_first: bool) -> None:
    """Lose the reply to a margin move, with somebody else's reduction before or after what it moved."""
    somebody = Desk(world.connect().gateway)
    if not is_moved_first:
        await somebody.send(ReducePosition(BTC, 1, 0.06))
    world.faults.plan(Fault("lost", "POST", MARGIN))
    with pytest.raises(OutcomeUnknown):
        await world.exchange.execute(asked)
    if is_moved_first:
        await somebody.send(ReducePosition(BTC, 1, 0.06))


async def test_a_lost_move_that_only_the_next_process_asks_for_is_told_beside_a_fill(
    world: Served, desk: Desk
) -> None:
    await opened(desk)
    before = world.connection.gateway.snapshot()
    asked = desk.intent(AddMargin(BTC, 600.0))
    await lost_beside_a_fill(world, asked, is_moved_first=True)
    heir = world.connect().gateway
    heir.restore(before)
    assert moved(await heir.outcome_of(asked) or ()) == [pytest.approx(102.5)]


async def test_a_fill_beside_a_move_that_never_arrived_is_told_alone(world: Served, desk: Desk) -> None:
    await opened(desk)
    world.faults.plan(Fault("error", "POST", MARGIN))
    with pytest.raises(OutcomeUnknown):
        await world.exchange.execute(desk.intent(AddMargin(BTC, 600.0)))
    await Desk(world.connect().gateway).send(ReducePosition(BTC, 1, 0.06))
    events = await world.connection.gateway.sweep(BTC)
    assert [type(event) for event in events] == [OrderFilled]


async def test_a_fill_is_told_with_a_balance_that_is_no_older_than_the_fill(
    world: Served, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The balance is read beside the fills, and may be answered first."""
    await opened(desk)
    gateway = world.connection.gateway
    before = await gateway.dialect.money(gateway.link.client)
    read, left = gateway.dialect.money, [before]

    async def early(client: Any) -> Any:
        return left.pop() if left else await read(client)

    monkeypatch.setattr(type(gateway.dialect), "money", lambda _, client: early(client))
    fills = [each for each in await desk.send(ReducePosition(BTC, 1, 0.1)) if isinstance(each, OrderFilled)]
    assert fills[-1].free_quote == pytest.approx(world.embedded.state.free_quote, abs=1e-8)
    assert fills[-1].free_quote > before.free_quote


@pytest.mark.parametrize(
    ("action", "rate"),
    [(AddMargin(BTC, 700.0), -RATE), (ReleaseMargin(BTC, 550.0), RATE)],
    ids=["add", "release"],
)
async def test_a_margin_move_counts_a_payment_that_the_position_does_not_show_yet(
    world: Served, desk: Desk, monkeypatch: pytest.MonkeyPatch, action: AddMargin | ReleaseMargin, rate: float
) -> None:
    """A position of before the settlement, read once: what moves would miss the target by the payment."""
    await opened(desk)
    await desk.send(AddMargin(BTC, 600.0))
    gateway = world.connection.gateway
    read = gateway.dialect.positions
    old = [await read(world.connection.link.client, gateway.book.leverage)]

    async def late(*args: Any) -> Any:
        return old.pop() if old else await read(*args)

    world.embedded.apply(FundingDue(START_MS + 1_000, BTC, rate))
    world.embedded.commit()
    gateway.book.settled(BTC, START_MS + 1_000, world.clock.now_ms())
    monkeypatch.setattr(type(gateway.dialect), "positions", lambda _, *args: late(*args))
    await desk.send(action)
    (held,) = await read(world.connection.link.client, gateway.book.leverage)
    assert held.isolated_wallet == pytest.approx(action.target_wallet, abs=1e-6)
