"""What ccxt or OKX does to money and positions that would cost if believed. Each fails without its fix."""

from typing import Any

import ccxt
import pytest

from bot.clock import VirtualClock
from bot.core.event import (
    FundingSettled,
    LeverageSet,
    Liquidated,
    MarginAdjusted,
    OrderAccepted,
    OrderFilled,
    Refused,
)
from bot.core.intent import (
    Action,
    AddMargin,
    OpenPosition,
    PlaceStop,
    ReleaseMargin,
    SetLeverage,
)
from bot.core.profile import IN_MAINTENANCE, ONE_TICK_EARLY
from bot.errors import Unavailable, UserError
from bot.exchange.dialects import okx_rows
from bot.sim.server.faults import Fault
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import Desk
from tests.unit.exchange.okx_wire import (
    BALANCE,
    BTC,
    ENTRY,
    INSTRUMENT,
    NAME,
    START_MS,
    Purse,
    bill_row,
    fill_row,
    intent,
    order_row,
    position_row,
    refused,
    takes,
    wired,
)

# --- margin ---------------------------------------------------------------------------------------


async def test_ccxts_add_margin_moves_the_money_and_then_raises() -> None:
    """Why it is never called: when a new ccxt does not raise, this fails and the reason is gone."""
    world = ServedOkx()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.1))
    before = world.embedded.state.positions[BTC].isolated_wallet
    with pytest.raises(TypeError):
        await world.connection.link.client.add_margin(BTC, 10.0)
    assert world.embedded.state.positions[BTC].isolated_wallet == before + 10.0


@pytest.mark.parametrize(
    ("action", "sent"),
    [
        (AddMargin(BTC, 110.12345678), ("add", "10.12345678")),
        (ReleaseMargin(BTC, 99.9995), ("reduce", "0.00050000")),
    ],
)
async def test_margin_moves_once_by_the_raw_endpoint_in_eight_decimals(
    action: Action, sent: tuple[str, str]
) -> None:
    connection, wire = wired()
    Purse(wire)
    events = await connection.gateway.execute(intent(action))
    (body,) = wire.sent("POST", "account/position/margin-balance")
    assert (body["type"], body["amt"]) == sent
    assert (body["instId"], body["posSide"]) == (NAME, "net")
    moved = [event.amount_quote for event in events if isinstance(event, MarginAdjusted)]
    assert moved == [pytest.approx(float(sent[1]) * (1 if sent[0] == "add" else -1))]


async def test_margin_history_is_read_from_the_bills() -> None:
    connection, wire = wired()
    await connection.gateway.account()
    wire.answers["GET account/bills"] = [
        bill_row(2, START_MS + 5, type="6", subType="161", balChg="3", posBalChg="-3"),
        bill_row(1, START_MS, type="6", subType="160", balChg="-10", posBalChg="10"),
    ]
    moves = await connection.gateway.dialect.margin_moves(connection.link.client, BTC, None)
    assert moves is not None
    assert [move.amount_quote for move in moves] == [10.0, -3.0]
    assert wire.sent("GET", "account/bills")[-1]["type"] == "6"


# --- positions and money --------------------------------------------------------------------------


async def test_the_wallet_is_margin_and_quantities_are_base_units() -> None:
    """ccxt's `contracts` are contracts, its `collateral` and `initialMargin` are no wallet."""
    connection, wire = wired()
    wire.answers["GET account/positions"] = [position_row("-10", "123.45")]
    account = await connection.gateway.account()
    (held,) = account.positions
    assert (held.side, held.quantity, held.isolated_wallet) == (-1, 0.1, 123.45)
    assert (held.leverage, held.entry_price) == (10.0, 50_000.0)


async def test_equity_holds_unrealised_pnl_and_the_wallet_does_not() -> None:
    connection, wire = wired()
    account = await connection.gateway.account()
    assert (account.wallet_quote, account.free_quote) == (10_000.2, 9_899.9)
    wire.answers["GET account/balance"] = [{"details": [{**BALANCE, "availEq": "", "availBal": "7"}]}]
    assert (await connection.gateway.account()).free_quote == 7.0


async def test_a_position_without_margin_is_unavailable_not_guessed() -> None:
    connection, wire = wired()
    wire.answers["GET account/positions"] = [position_row(margin="")]
    with pytest.raises(Unavailable, match="margin"):
        await connection.gateway.account()


@pytest.mark.parametrize(
    ("more", "mode"), [({"posSide": "long"}, "hedge mode"), ({"mgnMode": "cross", "margin": ""}, "cross")]
)
async def test_a_hedged_or_cross_position_is_refused_in_words(more: dict[str, str], mode: str) -> None:
    connection, wire = wired()
    wire.answers["GET account/positions"] = [position_row(**more)]
    with pytest.raises(UserError, match=mode):
        await connection.gateway.account()


async def test_a_row_of_a_closed_position_is_no_position() -> None:
    connection, wire = wired()
    wire.answers["GET account/positions"] = [position_row("0", "")]
    assert (await connection.gateway.account()).positions == ()


# --- instruments ----------------------------------------------------------------------------------


async def test_instruments_are_in_base_units_with_fees_that_are_paid_positive() -> None:
    connection, _ = wired()
    found = (await connection.gateway.instruments())[BTC]
    assert (found.quantity_step, found.min_quantity, found.tick_size) == (0.001, 0.001, 0.1)
    assert (found.maker_fee_rate, found.taker_fee_rate) == (0.0002, 0.0005)
    assert (found.funding_interval_ms, found.max_leverage) == (4 * 3_600_000, 100.0)


async def test_tiers_in_contracts_touch_jump_and_are_valued_below_the_mark() -> None:
    connection, _ = wired()
    tiers = (await connection.gateway.instruments())[BTC].tiers
    assert tiers.notional_floor.tolist() == [0.0, 400_000.0]
    assert tiers.notional_cap.tolist() == [400_000.0, 1_200_000.0]
    assert tiers.maintenance_amount.tolist() == [0.0, 0.0]


async def test_the_profile_counts_the_fee_to_close_and_liquidates_a_tick_early() -> None:
    connection, _ = wired()
    profile = connection.gateway.dialect.profile(0.0005)
    assert (profile.close_fee, profile.close_fee_rate) == (IN_MAINTENANCE, 0.0005)
    assert profile.rounding == ONE_TICK_EARLY


@pytest.mark.parametrize("more", [{"ctType": "inverse", "settleCcy": "BTC"}, {"settleCcy": "USDC"}])
async def test_an_inverse_or_other_swap_is_refused_in_words(more: dict[str, str]) -> None:
    connection, wire = wired()
    wire.answers["GET public/instruments"] = [{**INSTRUMENT, **more}]
    await connection.link.client.load_markets()
    other = next(iter(connection.link.client.markets))
    with pytest.raises(UserError, match="linear USDT swap"):
        await connection.gateway.dialect.instruments(connection.link.client, (other,))


async def test_only_swaps_are_asked_for() -> None:
    connection, wire = wired()
    await connection.gateway.instruments()
    assert [each["instType"] for each in wire.sent("GET", "public/instruments")] == ["SWAP"]


# --- settings -------------------------------------------------------------------------------------


async def test_leverage_is_set_for_isolated_margin_and_read_back() -> None:
    """ccxt's set_leverage sets that of cross margin unless told otherwise."""
    connection, wire = wired()
    leverage = ["10"]
    row = {"instId": NAME, "mgnMode": "isolated", "posSide": "net"}
    wire.answers["GET account/leverage-info"] = lambda _: [{**row, "lever": leverage[0]}]
    wire.answers["GET account/config"] = [{"posMode": "long_short_mode"}]

    def set_mode(body: dict[str, str]) -> list[dict[str, str]]:
        wire.answers["GET account/config"] = [body]
        return [body]

    def set_leverage(body: dict[str, str]) -> list[dict[str, str]]:
        leverage[0] = body["lever"]
        return [body]

    wire.answers["POST account/set-position-mode"] = set_mode
    wire.answers["POST account/set-leverage"] = set_leverage
    (told,) = await connection.gateway.execute(intent(SetLeverage(BTC, 7), "TRAP0000005L"))
    assert isinstance(told, LeverageSet)
    assert told.leverage == 7
    assert wire.sent("POST", "account/set-position-mode") == [{"posMode": "net_mode"}]
    (body,) = wire.sent("POST", "account/set-leverage")
    assert body == {"instId": NAME, "lever": "7", "mgnMode": "isolated", "posSide": "net"}
    assert {each["mgnMode"] for each in wire.sent("GET", "account/leverage-info")} == {"isolated"}


async def test_leverage_of_an_open_okx_position_is_not_lowered() -> None:
    """The venue would pull margin into it from what is free."""
    connection, wire = wired()
    wire.answers["GET account/positions"] = [position_row()]
    await connection.gateway.account()
    events = await connection.gateway.execute(intent(SetLeverage(BTC, 5), "TRAP0000005L"))
    assert [event.code for event in events if isinstance(event, Refused)] == ["leverage_refused"]
    assert wire.sent("POST", "account/set-leverage") == []


# --- fills, funding, liquidation ------------------------------------------------------------------


async def test_a_fill_is_in_base_units_and_a_fee_that_was_paid_is_positive() -> None:
    connection, wire = wired()
    takes(wire)
    await connection.gateway.account()

    def filled(_: Any) -> list[Any]:
        wire.answers["GET account/positions"] = [position_row("10", "497.5")]
        wire.answers["GET trade/fills"] = [fill_row(3, "77")]
        return [order_row(ENTRY)]

    wire.answers["GET trade/order"] = filled
    events = await connection.gateway.execute(intent(OpenPosition(BTC, 1, 0.1), ENTRY))
    (fill,) = [event for event in events if isinstance(event, OrderFilled)]
    assert (fill.quantity, fill.remaining_quantity, fill.fee_quote, fill.is_maker) == (0.1, 0.0, 2.5, False)


async def test_more_fills_than_a_page_are_all_read() -> None:
    connection, wire = wired()
    await connection.gateway.account()
    rows = [fill_row(number, "77", fillSz="0.1") for number in range(250, 0, -1)]

    def page(asked: dict[str, str]) -> list[dict[str, Any]]:
        return [row for row in rows if int(row["billId"]) < int(asked.get("after", 1 << 60))][:100]

    wire.answers["GET trade/fills"] = page
    client = connection.link.client
    trades = await connection.gateway.dialect.trades(client, BTC, START_MS)
    assert [trade.trade_id for trade in trades] == list(range(1, 251))
    assert {each["begin"] for each in wire.sent("GET", "trade/fills")[-3:]} == {str(START_MS)}


@pytest.mark.parametrize("moved", [{"balChg": "-0.5", "posBalChg": "0"}, {"posBalChg": "-0.5"}])
async def test_funding_is_the_bills_amount_with_the_mark_it_names(moved: dict[str, str]) -> None:
    connection, wire = wired()
    wire.answers["GET account/positions"] = [position_row()]
    await connection.gateway.account()
    due_ms = START_MS + 1_000
    wire.answers["GET account/positions"] = [position_row(margin="99.5")]
    wire.answers["GET account/bills"] = [bill_row(9, due_ms + 20, px="50100", **moved)]
    rate = {"instId": NAME, "fundingRate": "0.0002", "realizedRate": "0.0001", "fundingTime": str(due_ms)}
    wire.answers["GET public/funding-rate-history"] = [rate]
    (settled,) = await connection.gateway.sweep(BTC)
    assert isinstance(settled, FundingSettled)
    assert (settled.amount_quote, settled.rate, settled.mark) == (-0.5, 0.0001, 50_100.0)


@pytest.mark.parametrize(
    ("category", "left", "kind", "name"),
    [
        ("full_liquidation", 0, Liquidated, ""),
        ("partial_liquidation", 5, OrderFilled, "liquidation-5"),
        ("adl", 0, OrderFilled, "adl-5"),
        ("adl", 5, OrderFilled, "adl-5"),
    ],
)
async def test_only_a_liquidation_that_ends_the_position_takes_its_wallet(
    category: str, left: int, kind: type, name: str
) -> None:
    connection, wire = wired()
    wire.answers["GET account/positions"] = [position_row()]
    await connection.gateway.account()
    wire.answers["GET account/positions"] = [position_row(str(left))] if left else []
    wire.answers["GET trade/order"] = [order_row("", "5", side="sell", category=category)]
    wire.answers["GET trade/fills"] = [fill_row(5, "5", side="sell", fillSz=str(10 - left))]
    (taken,) = await connection.gateway.sweep(BTC)
    assert type(taken) is kind
    if isinstance(taken, OrderFilled):
        assert (taken.leg, taken.client_id) == ("exit", name)


# --- time and rates -------------------------------------------------------------------------------


async def test_a_request_expires_with_the_receive_window_and_not_half_a_minute_later() -> None:
    """The venue takes requests for 30 s: one thought lost after 6 s could still move margin twice."""
    world = ServedOkx()
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.1))
    before = world.embedded.state.positions[BTC].isolated_wallet
    path = "/api/v5/account/position/margin-balance"
    world.faults.plan(Fault("slow_arrival", path=path, delay_ms=6_000))
    client = world.connection.link.client
    with pytest.raises(ccxt.InvalidNonce):
        await world.connection.gateway.dialect.move_margin(client, BTC, 1, 10.0)
    assert world.embedded.state.positions[BTC].isolated_wallet == before


async def test_polls_leave_room_at_each_endpoint_and_a_refused_rate_stops_two_seconds() -> None:
    clock = VirtualClock(START_MS)
    connection, wire = wired(clock)
    await connection.gateway.account()
    began_ms, count = clock.now_ms(), len(wire.sent("GET", "account/positions"))
    for _ in range(12):
        await connection.gateway.account()
    assert len(wire.sent("GET", "account/positions")) == count + 12
    assert clock.now_ms() - began_ms >= 2_100
    connection.lane.observe(429, {}, "")
    assert connection.lane.blocked_ms() == 2_000


@pytest.mark.parametrize(
    ("size", "is_right"), [("0.01", True), ("0.1", False), ("0.001", False), ("", False)], ids=str
)
async def test_a_contract_size_that_trades_contradict_is_not_believed(size: str, is_right: bool) -> None:
    connection, wire = wired()
    await connection.gateway.instruments()
    (instrument,) = wire.answers["GET public/instruments"]
    wire.answers["GET public/instruments"] = [{**instrument, "ctVal": size}]
    if not is_right:
        with pytest.raises(Unavailable):
            await connection.gateway.dialect.instruments(connection.link.client, (BTC,))
    else:
        await connection.gateway.dialect.instruments(connection.link.client, (BTC,))
    assert okx_rows.Contracts(connection.link.client.market(BTC)["info"]).text(1.0) == "100"


@pytest.mark.parametrize("candles", [refused("50001", "is unavailable"), []], ids=["down", "none"])
async def test_nothing_is_entered_by_a_contract_size_that_no_trade_shows(candles: Any) -> None:
    """What is open is guarded all the same; entries go on as soon as the candles can be read."""
    connection, wire = wired()
    takes(wire)
    read, wire.answers["GET market/candles"] = wire.answers["GET market/candles"], candles
    wire.answers["GET account/positions"] = [position_row()]
    gateway = connection.gateway
    await gateway.instruments()
    await gateway.account()
    (accepted,) = await gateway.execute(intent(PlaceStop(BTC, 1, 49_500.0)))
    assert isinstance(accepted, OrderAccepted)
    wire.answers["GET account/positions"] = []
    (said,) = await gateway.execute(intent(OpenPosition(BTC, 1, 0.1), ENTRY))
    assert isinstance(said, Refused)
    assert (said.code, wire.sent("POST", "trade/order")) == ("unavailable", [])
    wire.answers["GET market/candles"] = read
    wire.answers["GET trade/order"] = [order_row("TRAP0000009E", state="live", accFillSz="0")]
    await gateway.execute(intent(OpenPosition(BTC, 1, 0.1), "TRAP0000009E"))
    assert len(wire.sent("POST", "trade/order")) == 1


async def test_an_entry_by_a_size_that_trades_contradict_later_is_refused_unsent() -> None:
    connection, wire = wired()
    takes(wire)
    read, wire.answers["GET market/candles"] = wire.answers["GET market/candles"], []
    await connection.gateway.instruments()
    wire.answers["GET market/candles"] = [[*read[0][:5], "300", "30", *read[0][7:]]]
    (said,) = await connection.gateway.execute(intent(OpenPosition(BTC, 1, 0.1), ENTRY))
    assert isinstance(said, Refused)
    assert (said.code, wire.sent("POST", "trade/order")) == ("unavailable", [])
