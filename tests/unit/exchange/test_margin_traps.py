"""Margin that exchanges move by themselves, cut or count otherwise. Each fails without its fix."""

from typing import Any

import ccxt
import pytest

from bot.core.event import LeverageSet, MarginAdjusted, Refused
from bot.core.intent import AddMargin, OpenPosition, SetLeverage
from bot.exchange.rows import MarginMove
from tests.unit.exchange import bybit_wire
from tests.unit.exchange.test_binance_traps import Purse, intent
from tests.unit.exchange.wire import BTC, FLAT_ACCOUNT, START_MS, Wire, error, position_row, wired

ENTRY = "TRAP0000001E"


def codes(events: Any) -> list[str]:
    return [event.code for event in events if isinstance(event, Refused)]


def whole_coins(wire: Wire) -> None:
    """Let the contract's step be a whole coin, as that of DOGE or ADA is."""
    (symbol,) = FLAT_ACCOUNT["GET /fapi/v1/exchangeInfo"]["symbols"]
    lot = {"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "1000000", "stepSize": "1"}
    filters = [each for each in symbol["filters"] if each["filterType"] != "LOT_SIZE"]
    coin = {**symbol, "quantityPrecision": 0, "filters": [*filters, lot]}
    wire.answers["GET /fapi/v1/exchangeInfo"] = {"symbols": [coin]}


async def test_margin_of_a_coin_with_whole_steps_keeps_its_decimals() -> None:
    """ccxt would send 10.9 as 10, and refuse 0.9."""
    connection, wire = wired()
    whole_coins(wire)
    Purse(wire)
    for target in (110.9, 111.8):
        events = await connection.gateway.execute(intent(AddMargin(BTC, target)))
        assert [type(event) for event in events] == [MarginAdjusted]
    sent = wire.sent("POST", "/fapi/v1/positionMargin")
    assert [each["amount"] for each in sent] == ["10.90000000", "0.90000000"]
    client = connection.link.client
    await client.add_margin(BTC, 10.9)
    assert wire.sent("POST", "/fapi/v1/positionMargin")[-1]["amount"] == "10", "ccxt has changed"
    with pytest.raises(ccxt.InvalidOrder):
        await client.add_margin(BTC, 0.9)


async def test_binances_margin_history_holds_what_trades_moved_too() -> None:
    connection, wire = wired()
    await connection.gateway.instruments()
    row = {"symbol": "BTCUSDT", "asset": "USDT", "positionSide": "BOTH", "clientTranId": ""}
    wire.answers["GET /fapi/v1/positionMargin/history"] = [
        {**row, "type": 1, "deltaType": "TRADE", "amount": "500", "time": START_MS},
        {**row, "type": 2, "deltaType": "USER_ADJUST", "amount": "3.5", "time": START_MS + 2},
        {**row, "type": 1, "deltaType": "USER_ADJUST", "amount": "10", "time": START_MS + 1},
    ]
    moves = await connection.gateway.dialect.margin_moves(connection.link.client, BTC, START_MS)
    assert moves == (MarginMove(START_MS + 1, BTC, 10.0), MarginMove(START_MS + 2, BTC, -3.5))


@pytest.mark.parametrize("code", ["-4047", "-4048", "-4168"])
async def test_a_margin_mode_that_orders_positions_or_assets_forbid_is_a_refusal(code: str) -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v1/symbolConfig"] = [
        {"symbol": "BTCUSDT", "marginType": "CROSSED", "leverage": 10, "isAutoAddMargin": False}
    ]
    wire.answers["POST /fapi/v1/marginType"] = error(int(code))
    assert codes(await connection.gateway.execute(intent(SetLeverage(BTC, 10)))) == ["margin_mode_refused"]


# --- margin that the exchange would add by itself ---------------------------------------------------


@pytest.mark.parametrize("flag", [True, "true"])
@pytest.mark.parametrize("action", [OpenPosition(BTC, 1, 0.1), SetLeverage(BTC, 10)])
async def test_no_entry_where_binance_adds_margin_by_itself(flag: Any, action: Any) -> None:
    """It would take all that is free into a losing position; only the exchange's app switches it."""
    connection, wire = wired()
    row = {"symbol": "BTCUSDT", "marginType": "ISOLATED", "leverage": 10, "isAutoAddMargin": flag}
    wire.answers["GET /fapi/v1/symbolConfig"] = [row]
    events = await connection.gateway.execute(intent(action, ENTRY))
    assert codes(events) == ["margin_mode_refused"]
    assert "auto-add-margin" in events[-1].message  # pyright: ignore[reportAttributeAccessIssue]
    assert wire.writes() == []


@pytest.mark.parametrize("action", [OpenPosition(BTC, 1, 0.1), SetLeverage(BTC, 10)])
async def test_no_entry_where_bybit_goes_on_adding_margin_by_itself(action: Any) -> None:
    connection, wire = bybit_wire.wired()
    wire.holds(bybit_wire.position_row("0", autoAddMargin=1))
    wire.answers["POST /v5/position/set-auto-add-margin"] = {}
    events = await connection.gateway.execute(intent(action, ENTRY))
    assert codes(events) == ["margin_mode_refused"]
    assert wire.writes() == ["POST /v5/position/set-auto-add-margin"]


async def test_a_position_that_gets_margin_by_itself_is_still_managed() -> None:
    """Only entries are refused: what is open keeps its protection."""
    connection, wire = wired()
    row = {"symbol": "BTCUSDT", "marginType": "ISOLATED", "leverage": 10, "isAutoAddMargin": True}
    wire.answers["GET /fapi/v1/symbolConfig"] = [row]
    Purse(wire)
    events = await connection.gateway.execute(intent(AddMargin(BTC, 110.0)))
    assert [type(event) for event in events] == [MarginAdjusted]


# --- leverage ---------------------------------------------------------------------------------------


async def test_bybits_leverage_is_set_for_both_sides() -> None:
    connection, wire = bybit_wire.wired()
    wire.holds(bybit_wire.position_row("0", leverage="10"))

    def both(_params: dict[str, Any]) -> dict[str, Any]:
        wire.holds(bybit_wire.position_row("0", leverage="25"))
        return {}

    wire.answers["POST /v5/position/set-leverage"] = both
    events = await connection.gateway.execute(intent(SetLeverage(BTC, 25)))
    assert [type(event) for event in events] == [LeverageSet]
    (sent,) = wire.sent("POST", "position/set-leverage")
    assert (sent["buyLeverage"], sent["sellLeverage"]) == ("25", "25")


async def test_the_wallet_decides_and_not_the_leverage_that_was_raised() -> None:
    """Raising leverage lowers what must stay, and moves neither money nor liquidation."""
    connection, wire = wired()
    rows = {"leverage": 10}
    wire.answers["GET /fapi/v1/symbolConfig"] = lambda _params: [
        {"symbol": "BTCUSDT", "marginType": "ISOLATED", "isAutoAddMargin": False, **rows}
    ]
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row(wallet="123.45")]
    before = (await connection.gateway.account()).positions[0]
    rows["leverage"] = 25
    after = (await connection.gateway.account()).positions[0]
    assert (before.leverage, after.leverage) == (10.0, 25.0)
    assert after._replace(leverage=10.0) == before
