"""What ccxt or Binance does that would cost money if believed. Each fails without its fix."""

from typing import Any

import pytest

from bot.clock import VirtualClock
from bot.core.event import (
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
    Intent,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.errors import Unavailable, UserError
from tests.unit.exchange.wire import (
    BTC,
    START_MS,
    Wire,
    algo_row,
    error,
    order_row,
    position_row,
    trade_row,
    wired,
)

STOP = "TRAP0000001S"


def intent(action: Action, client_id: str = STOP) -> Intent:
    return Intent(1, client_id, START_MS, action, "trap", {})


class Purse:
    """A position whose wallet follows the margin requests."""

    def __init__(self, wire: Wire, wallet: float = 100.0) -> None:
        self.wallet = wallet
        wire.answers["GET /fapi/v3/positionRisk"] = self.row
        wire.answers["POST /fapi/v1/positionMargin"] = self.move

    def row(self, _params: dict[str, str]) -> list[dict[str, Any]]:
        return [position_row(wallet=f"{self.wallet:.8f}")]

    def move(self, params: dict[str, str]) -> dict[str, Any]:
        amount = float(params["amount"])
        self.wallet += amount if params["type"] == "1" else -amount
        return {"amount": amount, "code": 200, "msg": "ok", "type": int(params["type"])}


async def test_a_margin_amount_keeps_its_eight_decimals() -> None:
    """ccxt truncates it to the contract's step: 10.1234 becomes 10.123, less than a step is refused."""
    connection, wire = wired()
    Purse(wire)
    added = await connection.gateway.execute(intent(AddMargin(BTC, 110.12345678)))
    assert wire.sent("POST", "/fapi/v1/positionMargin")[0]["amount"] == "10.12345678"
    assert [event.amount_quote for event in added if isinstance(event, MarginAdjusted)] == [10.12345678]


async def test_a_margin_amount_below_a_contract_step_is_sent() -> None:
    connection, wire = wired()
    Purse(wire)
    await connection.gateway.execute(intent(ReleaseMargin(BTC, 99.9995)))
    sent = wire.sent("POST", "/fapi/v1/positionMargin")[0]
    assert (sent["amount"], sent["type"]) == ("0.00050000", "2")


async def test_the_wallet_is_the_venues_own_and_never_ccxts_guess() -> None:
    """`collateral` and `isolatedMargin` hold unrealised PnL; `initialMargin` is neither."""
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row(wallet="123.45")]
    account = await connection.gateway.account()
    assert account.positions[0].isolated_wallet == 123.45
    assert account.positions[0].leverage == 10.0
    assert account.wallet_quote == 10_000.0


async def test_a_position_without_a_wallet_is_unavailable_not_guessed() -> None:
    connection, wire = wired()
    row = position_row()
    del row["isolatedWallet"]
    wire.answers["GET /fapi/v3/positionRisk"] = [row]
    with pytest.raises(Unavailable, match="isolatedWallet"):
        await connection.gateway.account()


@pytest.mark.parametrize(
    ("more", "mode"),
    [({"positionSide": "LONG"}, "hedge mode"), ({"isolatedMargin": "0", "isolatedWallet": "0"}, "cross")],
)
async def test_a_hedged_or_cross_position_is_refused_in_words(more: dict[str, str], mode: str) -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row(**more)]
    with pytest.raises(UserError, match=mode):
        await connection.gateway.account()


async def test_tiers_are_read_again_after_an_hour_and_after_a_refusal_they_explain() -> None:
    clock = VirtualClock(START_MS)
    connection, wire = wired(clock)
    gateway = connection.gateway
    await gateway.account()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    path = "/fapi/v1/exchangeInfo"
    await gateway.refresh()
    assert len(wire.sent("GET", path)) == 1
    clock.advance(3_600_000)
    await gateway.refresh()
    assert len(wire.sent("GET", path)) == 2
    wire.answers["POST /fapi/v1/order"] = error(-2027, "Exceeded the maximum allowable position")
    await gateway.execute(intent(OpenPosition(BTC, 1, 0.1), "TRAP0000006E"))
    await gateway.refresh()
    assert len(wire.sent("GET", path)) == 3


@pytest.mark.parametrize(
    ("client_id", "left", "kind"),
    [("autoclose-1", 0, Liquidated), ("autoclose-1", 0.05, OrderFilled), ("adl_autoclose", 0, OrderFilled)],
)
async def test_only_a_liquidation_that_ends_the_position_takes_its_wallet(
    client_id: str, left: float, kind: type
) -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    await connection.gateway.account()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row(str(left))] if left else []
    wire.answers["GET /fapi/v1/order"] = order_row(client_id, orderId=5, side="SELL")
    sold = trade_row(5, 5, side="SELL", buyer=False, qty=str(0.1 - left))
    wire.answers["GET /fapi/v1/userTrades"] = [sold]
    events = await connection.gateway.sweep(BTC)
    assert [type(event) for event in events] == [kind]


async def test_tiers_carry_the_maintenance_amounts_that_ccxt_leaves_out() -> None:
    connection, _ = wired()
    tiers = (await connection.gateway.instruments())[BTC].tiers
    assert tiers.maintenance_amount.tolist() == [0.0, 300.0]


async def test_more_than_125x_can_be_set() -> None:
    connection, wire = wired()
    config = {"symbol": "BTCUSDT", "marginType": "ISOLATED", "leverage": 10}
    wire.answers["GET /fapi/v1/symbolConfig"] = lambda _params: [dict(config)]

    def leverage(params: dict[str, str]) -> dict[str, Any]:
        config["leverage"] = int(params["leverage"])
        return {"leverage": config["leverage"], "maxNotionalValue": "1", "symbol": "BTCUSDT"}

    wire.answers["POST /fapi/v1/leverage"] = leverage
    events = await connection.gateway.execute(intent(SetLeverage(BTC, 150)))
    assert [event.leverage for event in events if isinstance(event, LeverageSet)] == [150]


async def test_leverage_counts_only_when_it_is_read_back() -> None:
    connection, wire = wired()
    wire.answers["POST /fapi/v1/leverage"] = {"leverage": 25, "maxNotionalValue": "1", "symbol": "BTCUSDT"}
    events = await connection.gateway.execute(intent(SetLeverage(BTC, 25)))
    assert [event.code for event in events if isinstance(event, Refused)] == ["leverage_refused"]


async def test_isolated_mode_is_set_and_that_it_was_set_already_is_no_error() -> None:
    connection, wire = wired()
    row = {"symbol": "BTCUSDT", "marginType": "CROSSED", "leverage": 10}
    wire.answers["GET /fapi/v1/symbolConfig"] = lambda _params: [dict(row)]

    def isolated(_params: dict[str, str]) -> Any:
        row["marginType"] = "ISOLATED"
        return error(-4046, "No need to change margin type.")

    wire.answers["POST /fapi/v1/marginType"] = isolated
    events = await connection.gateway.execute(intent(SetLeverage(BTC, 10)))
    assert [type(event) for event in events] == [LeverageSet]
    assert wire.sent("POST", "/fapi/v1/marginType")[0]["marginType"] == "ISOLATED"


@pytest.mark.parametrize("trap", ["cross", "hedge"])
async def test_no_entry_is_sent_into_a_cross_symbol_or_a_hedged_account(trap: str) -> None:
    connection, wire = wired()
    if trap == "cross":
        row = {"symbol": "BTCUSDT", "marginType": "CROSSED", "leverage": 10}
        wire.answers["GET /fapi/v1/symbolConfig"] = [row]
    else:
        wire.answers["GET /fapi/v1/positionSide/dual"] = {"dualSidePosition": True}
    events = await connection.gateway.execute(intent(OpenPosition(BTC, 1, 0.1), "TRAP0000001E"))
    assert [event.code for event in events if isinstance(event, Refused)] == ["margin_mode_refused"]
    assert wire.writes() == []


async def test_fills_that_lag_behind_the_position_are_waited_for() -> None:
    connection, wire = wired()
    await connection.gateway.account()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    wire.answers["GET /fapi/v1/order"] = order_row("TRAP0000002E")
    asked = 0

    def trades(_params: dict[str, str]) -> list[dict[str, Any]]:
        nonlocal asked
        asked += 1
        return [trade_row(5, 77)] if asked > 2 else []

    wire.answers["GET /fapi/v1/userTrades"] = trades
    events = await connection.gateway.sweep(BTC)
    assert [type(event) for event in events] == [OrderFilled]
    assert asked == 3


@pytest.mark.parametrize("shown", [algo_row(STOP), error(-2013, "Order does not exist.")])
async def test_a_duplicate_client_id_proves_that_the_first_send_arrived(shown: Any) -> None:
    """Also where no reading shows it yet: what is not read is not refused."""
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    wire.answers["POST /fapi/v1/algoOrder"] = error(-20132, "The client algo id is duplicated.")
    wire.answers["GET /fapi/v1/algoOrder"] = shown
    events = await connection.gateway.execute(intent(PlaceStop(BTC, 1, 49_500.0)))
    assert [(type(event), event.ts_ms) for event in events] == [(OrderAccepted, START_MS)]


async def test_a_reduce_only_refusal_without_a_position_says_that_there_is_none() -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    await connection.gateway.account()

    def refused(_params: dict[str, str]) -> Any:
        wire.answers["GET /fapi/v3/positionRisk"] = []
        wire.answers["GET /fapi/v1/order"] = order_row("stranger", orderId=5, side="SELL", reduceOnly=True)
        wire.answers["GET /fapi/v1/userTrades"] = [trade_row(5, 5, side="SELL", buyer=False)]
        return error(-2022, "ReduceOnly Order is rejected.")

    wire.answers["POST /fapi/v1/order"] = refused
    events = await connection.gateway.execute(intent(ReducePosition(BTC, 1, 0.0), "TRAP0000004X"))
    assert [type(event) for event in events] == [OrderFilled, Refused]
    assert events[-1].code == "no_position"  # pyright: ignore[reportAttributeAccessIssue]


async def test_an_order_of_another_type_cannot_fall_back_to_the_old_path() -> None:
    """-4120 would mean that a conditional order was sent to /order: only algoOrder is used."""
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    wire.answers["POST /fapi/v1/algoOrder"] = lambda params: algo_row(
        params["clientAlgoId"], orderType="TAKE_PROFIT_MARKET", closePosition=False, quantity="0.05"
    )
    await connection.gateway.execute(intent(PlaceTakeProfit(BTC, 1, 0.05, 51_000.0), "TRAP0000005T"))
    assert wire.writes() == ["POST /fapi/v1/algoOrder"]
    sent = wire.sent("POST", "/fapi/v1/algoOrder")[0]
    assert (sent["type"], sent["quantity"], sent["reduceOnly"]) == ("TAKE_PROFIT_MARKET", "0.05", "true")


async def test_nothing_reaches_an_endpoint_outside_the_futures_api() -> None:
    connection, wire = wired()
    await connection.gateway.account()
    assert all(each.path.startswith("/fapi/") for each in wire.requests)
