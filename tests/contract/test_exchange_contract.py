"""What every exchange behind the port does, whichever it is: one suite, run on each."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from bot.core.event import (
    FundingSettled,
    LeverageSet,
    Liquidated,
    MarginAdjusted,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    Refused,
    VenueEvent,
)
from bot.core.intent import (
    AddMargin,
    CancelOrder,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.core.steps import step_down, step_up
from tests.contract.bybit_world import ServedBybit
from tests.contract.hyperliquid_world import BTC_USDC, ServedHyperliquid
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC, Desk, Served, Simulated, World

WORLDS: dict[str, Callable[[], World]] = {
    "simulated": Simulated,
    "binance": Served,
    "bybit": ServedBybit,
    "okx": ServedOkx,
    "hyperliquid": ServedHyperliquid,
}


@pytest.fixture(params=sorted(WORLDS))
def world(request: pytest.FixtureRequest) -> World:
    return WORLDS[request.param]()


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world.exchange, world.symbol)


def only(events: list[VenueEvent], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def codes(events: list[VenueEvent]) -> list[str]:
    return [event.code for event in only(events, Refused)]


async def opened(desk: Desk, side: int = 1, quantity: float = 0.1, leverage: int = 10) -> list[Any]:
    await desk.send(SetLeverage(BTC, leverage))
    return await desk.send(OpenPosition(BTC, side, quantity))


async def test_leverage_is_set_and_told(desk: Desk) -> None:
    told = only(await desk.send(SetLeverage(BTC, 25)), LeverageSet)
    assert [event.leverage for event in told] == [25]
    assert (await desk.exchange.account()).leverage[desk.symbol] == 25


async def test_a_market_entry_is_accepted_then_filled_with_the_position_after_it(desk: Desk) -> None:
    events = await opened(desk)
    assert [type(event) for event in events] == [OrderAccepted, OrderFilled]
    fill = only(events, OrderFilled)[0]
    assert (fill.leg, fill.order_side, fill.quantity, fill.remaining_quantity) == ("entry", 1, 0.1, 0.0)
    assert fill.client_id == events[0].client_id
    assert fill.price == pytest.approx(50_000.0)
    assert fill.fee_quote == pytest.approx(2.5)
    assert fill.position is not None
    assert fill.position.isolated_wallet == pytest.approx(500.0 - 2.5)
    assert (fill.position.side, fill.position.leverage) == (1, 10.0)
    assert fill.free_quote == pytest.approx(9_500.0)


async def test_the_account_is_what_the_events_said(desk: Desk) -> None:
    fill = only(await opened(desk, side=-1), OrderFilled)[0]
    account = await desk.exchange.account()
    assert account.free_quote == fill.free_quote
    assert account.wallet_quote == pytest.approx(10_000.0 - fill.fee_quote)
    assert [each._replace(opened_ms=0) for each in account.positions] == [fill.position._replace(opened_ms=0)]
    assert account.orders == ()


async def test_a_stop_rests_over_the_whole_position_and_its_trigger_closes_it(
    world: World, desk: Desk
) -> None:
    await opened(desk)
    accepted = await desk.send(PlaceStop(BTC, 1, 49_000.0))
    assert [(type(event), event.leg) for event in accepted] == [(OrderAccepted, "stop")]
    resting = (await desk.exchange.account()).orders
    assert [(each.client_id, each.leg, each.quantity, each.order_side) for each in resting] == [
        (accepted[0].client_id, "stop", 0.0, -1)
    ]
    assert (resting[0].trigger_price, resting[0].trigger_on, resting[0].is_reduce_only) == (
        49_000.0,
        "mark",
        True,
    )
    assert await world.tick(49_500.0) == []
    events = await world.tick(48_990.0)
    fill = only(events, OrderFilled)[0]
    assert (fill.client_id, fill.leg, fill.position) == (accepted[0].client_id, "stop", None)
    assert (fill.order_side, fill.quantity, fill.remaining_quantity) == (-1, 0.1, 0.0)
    assert fill.realised_pnl_quote == pytest.approx((fill.price - 50_000.0) * 0.1)
    assert (await desk.exchange.account()).positions == ()


async def test_a_take_profit_ladder_fills_rung_by_rung_and_the_stop_goes_with_the_position(
    world: World, desk: Desk
) -> None:
    await opened(desk)
    stop = (await desk.send(PlaceStop(BTC, 1, 49_000.0)))[0]
    await desk.send(PlaceTakeProfit(BTC, 1, 0.04, 51_000.0))
    await desk.send(PlaceTakeProfit(BTC, 1, 0.0, 52_000.0))
    first = only(await world.tick(51_100.0), OrderFilled)
    assert [(fill.leg, fill.quantity, fill.remaining_quantity) for fill in first] == [
        ("take_profit", 0.04, 0.0)
    ]
    assert first[0].position is not None
    assert first[0].position.quantity == pytest.approx(0.06)
    last = await world.tick(52_100.0)
    assert [fill.position for fill in only(last, OrderFilled)] == [None]
    gone = only(last, OrderCancelled)
    assert [(each.client_id, each.cause) for each in gone] == [(stop.client_id, "position_closed")]
    assert (await desk.exchange.account()).orders == ()


async def test_a_new_stop_is_accepted_while_the_old_one_rests_and_covers_the_position(
    world: World, desk: Desk
) -> None:
    """Binance refuses a second closePosition order per direction (-4130)."""
    await opened(desk)
    old = (await desk.send(PlaceStop(BTC, 1, 49_000.0)))[0]
    new = await desk.send(PlaceStop(BTC, 1, 49_500.0))
    assert [type(event) for event in new] == [OrderAccepted]
    gone = await desk.send(CancelOrder(BTC, old.client_id))
    assert [(type(each), each.client_id, each.cause) for each in gone] == [
        (OrderCancelled, old.client_id, "requested")
    ]
    fill = only(await world.tick(49_400.0), OrderFilled)[0]
    assert (fill.client_id, fill.position) == (new[0].client_id, None)


async def test_a_trailing_stop_follows_and_fires(world: World, desk: Desk) -> None:
    await opened(desk)
    if world.symbol == BTC_USDC:  # Hyperliquid has none
        assert codes(await desk.send(PlaceTrailingStop(BTC, 1, 0.0, 0.01))) == ["unavailable"]
        return
    accepted = await desk.send(PlaceTrailingStop(BTC, 1, 0.0, 0.01))
    assert [event.leg for event in only(accepted, OrderAccepted)] == ["trailing"]
    await world.tick(52_000.0)
    fill = only(await world.tick(51_400.0), OrderFilled)[0]
    assert (fill.leg, fill.position) == ("trailing", None)


async def test_a_reduce_never_enlarges_or_turns_a_position(desk: Desk) -> None:
    await opened(desk)
    part = only(await desk.send(ReducePosition(BTC, 1, 0.04)), OrderFilled)[0]
    assert (part.leg, part.quantity, part.order_side) == ("exit", 0.04, -1)
    assert part.position is not None
    assert part.position.quantity == pytest.approx(0.06)
    rest = only(await desk.send(ReducePosition(BTC, 1, 5.0)), OrderFilled)[0]
    assert (rest.quantity, rest.position) == (pytest.approx(0.06), None)
    assert codes(await desk.send(ReducePosition(BTC, 1, 0.0))) == ["no_position"]
    assert (await desk.exchange.account()).positions == ()


async def test_quantity_zero_closes_everything(desk: Desk) -> None:
    await opened(desk, side=-1)
    fill = only(await desk.send(ReducePosition(BTC, -1, 0.0)), OrderFilled)[0]
    assert (fill.order_side, fill.quantity, fill.position) == (1, 0.1, None)


async def test_margin_is_added_and_released_up_to_targets(desk: Desk) -> None:
    """In the venue's own steps: added rounded up, released down."""
    step = (await desk.exchange.instruments())[desk.symbol].margin_step_quote
    fill = only(await opened(desk), OrderFilled)[0]
    added = only(await desk.send(AddMargin(BTC, 600.123456)), MarginAdjusted)
    assert added[0].position.opened_ms == fill.position.opened_ms
    assert [event.amount_quote for event in added] == [pytest.approx(step_up(102.623456, step), abs=1e-8)]
    assert 600.123456 - 1e-12 <= added[0].position.isolated_wallet <= 600.123456 + step + 1e-8
    released = only(await desk.send(ReleaseMargin(BTC, 550.5)), MarginAdjusted)
    surplus = added[0].position.isolated_wallet - 550.5
    assert released[0].amount_quote == pytest.approx(-step_down(surplus, step), abs=2e-8)
    assert 550.5 - 1e-12 <= released[0].position.isolated_wallet <= 550.5 + step + 1e-8
    account = await desk.exchange.account()
    assert account.free_quote == released[0].free_quote
    assert account.positions[0].isolated_wallet == released[0].position.isolated_wallet


async def test_a_target_that_is_reached_moves_nothing(desk: Desk) -> None:
    await opened(desk)
    await desk.send(AddMargin(BTC, 600.0))
    assert codes(await desk.send(AddMargin(BTC, 600.0))) == ["below_minimum"]
    assert (await desk.exchange.account()).positions[0].isolated_wallet == pytest.approx(600.0)


async def test_funding_moves_the_wallet_and_is_told_with_rate_and_mark(world: World, desk: Desk) -> None:
    await opened(desk)
    settled = only(await world.fund(0.0001), FundingSettled)
    assert [(event.rate, event.mark) for event in settled] == [(0.0001, pytest.approx(50_000.0))]
    assert settled[0].amount_quote == pytest.approx(-0.5)
    assert settled[0].position.isolated_wallet == pytest.approx(497.0)
    assert await world.tick(50_001.0) == []


async def test_a_liquidation_takes_the_wallet_and_no_more(world: World, desk: Desk) -> None:
    await opened(desk, leverage=20)
    await desk.send(PlaceTakeProfit(BTC, 1, 0.0, 60_000.0))
    events = await world.tick(47_000.0)
    gone = only(events, Liquidated)[0]
    assert (gone.side, gone.quantity) == (1, 0.1)
    assert gone.loss_quote == pytest.approx(250.0 - 2.5)
    assert gone.mark == pytest.approx(47_000.0)
    assert gone.bankruptcy_price == pytest.approx(50_000.0 - 2_475.0)
    assert math.isclose(gone.insurance_quote, 247.5 - 300.0 - gone.clearance_fee_quote, abs_tol=1e-6)
    assert [event.cause for event in only(events, OrderCancelled)] == ["position_closed"]
    assert (await desk.exchange.account()).positions == ()


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (OpenPosition(BTC, 1, 10.0), "insufficient_balance"),
        (OpenPosition(BTC, 1, 0.0005), "precision"),
        (OpenPosition(BTC, 1, 0.1005), "precision"),
        (OpenPosition(BTC, 1, 0.1, "limit", 49_000.05), "precision"),
        (PlaceStop(BTC, 1, 49_000.0), "no_position"),
        (PlaceTakeProfit(BTC, 1, 0.0, 51_000.0), "no_position"),
        (ReducePosition(BTC, 1, 0.0), "no_position"),
        (AddMargin(BTC, 100.0), "no_position"),
        (AddMargin(BTC, math.nan), "not_finite"),
        (CancelOrder(BTC, "CONTRACT0000099S"), "unknown_order"),
        (SetLeverage(BTC, 151), "leverage_refused"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_refusals_without_a_position_have_the_same_code(desk: Desk, action, code: str) -> None:
    await desk.send(SetLeverage(BTC, 20))
    events = await desk.send(action)
    assert codes(events) == [code]
    assert (await desk.exchange.account()).free_quote == 10_000.0


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (PlaceStop(BTC, 1, 50_500.0), "would_trigger_immediately"),
        (PlaceStop(BTC, -1, 50_500.0), "no_position"),
        (PlaceTakeProfit(BTC, 1, 0.05, 49_000.0), "would_trigger_immediately"),
        (AddMargin(BTC, 100_000.0), "insufficient_balance"),
        (ReleaseMargin(BTC, 10.0), "beyond_removable"),
        (SetLeverage(BTC, 5), "leverage_refused"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_refusals_with_a_position_have_the_same_code(desk: Desk, action, code: str) -> None:
    await opened(desk)
    before = await desk.exchange.account()
    assert codes(await desk.send(action)) == [code]
    after = await desk.exchange.account()
    assert (after.free_quote, after.positions, after.orders) == (
        before.free_quote,
        before.positions,
        before.orders,
    )


async def test_a_client_id_works_once(desk: Desk) -> None:
    """A second send of the same intent does nothing: either it is refused, or it is seen to be done."""
    await opened(desk)
    intent = desk.intent(PlaceStop(BTC, 1, 49_000.0))
    await desk.exchange.execute(intent)
    again = list(await desk.exchange.execute(intent))
    assert codes(again) in ([], ["duplicate_client_id"])
    assert len((await desk.exchange.account()).orders) == 1


async def test_the_outcome_of_what_was_sent_is_known_and_of_what_was_not_is_none(desk: Desk) -> None:
    await desk.send(SetLeverage(BTC, 10))
    sent, unsent = desk.intent(OpenPosition(BTC, 1, 0.1)), desk.intent(OpenPosition(BTC, 1, 0.2))
    await desk.exchange.execute(sent)
    assert await desk.exchange.outcome_of(sent) is not None
    assert await desk.exchange.outcome_of(unsent) is None


async def test_a_limit_entry_rests_fills_and_can_be_taken_back(world: World, desk: Desk) -> None:
    await desk.send(SetLeverage(BTC, 10))
    accepted = await desk.send(OpenPosition(BTC, 1, 0.1, "limit", 49_000.0))
    assert [type(event) for event in accepted] == [OrderAccepted]
    resting = (await desk.exchange.account()).orders[0]
    assert (resting.leg, resting.quantity, resting.limit_price) == ("entry", 0.1, 49_000.0)
    gone = await desk.send(CancelOrder(BTC, accepted[0].client_id))
    assert [(type(each), each.leg) for each in gone] == [(OrderCancelled, "entry")]
    again = await desk.send(OpenPosition(BTC, 1, 0.1, "limit", 49_000.0))
    fill = only(await world.tick(48_999.0), OrderFilled)[0]
    assert (fill.client_id, fill.price, fill.is_maker) == (again[0].client_id, 49_000.0, True)
