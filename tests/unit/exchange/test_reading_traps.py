"""What ccxt guesses, and what an exchange says under a misleading name. Each fails without its fix."""

from typing import Any

import ccxt
import pytest

from bot.core.position import Position
from bot.errors import Unavailable
from bot.exchange.lane import Urgency
from tests.unit.exchange import bybit_wire, okx_wire
from tests.unit.exchange.documented import BTC, FUTURES, MIX, STATE, bitget, gate, hyperliquid, kucoin
from tests.unit.exchange.recorder import Recorder
from tests.unit.exchange.test_requests_bitget import BITGET_POSITION
from tests.unit.exchange.wire import FLAT_ACCOUNT, START_MS, position_row, wired

# Fields that ccxt reads, fills, rounds or leaves the tier's amount out of; no decision may rest on them.
BINANCE_GUESSED = (
    "liquidationPrice maintMargin initialMargin unRealizedProfit notional markPrice breakEvenPrice"
)
BYBIT_GUESSED = "liqPrice bustPrice positionMM positionIM positionValue unrealisedPnl markPrice"
OKX_GUESSED = "liqPx mmr imr mgnRatio notionalUsd upl markPx"


async def binance_position(**more: str) -> Position:
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row(**more)]
    return (await connection.gateway.account()).positions[0]


async def bybit_position(**more: str) -> Position:
    connection, wire = bybit_wire.wired()
    wire.holds(bybit_wire.position_row(**more))
    return (await connection.gateway.account()).positions[0]


async def okx_position(**more: str) -> Position:
    connection, wire = okx_wire.wired()
    wire.answers["GET account/positions"] = [okx_wire.position_row(**more)]
    return (await connection.gateway.account()).positions[0]


@pytest.mark.parametrize(
    ("read", "fields"),
    [
        (binance_position, BINANCE_GUESSED),
        (bybit_position, BYBIT_GUESSED),
        (okx_position, OKX_GUESSED),
    ],
)
@pytest.mark.parametrize("garbage", ["1", "77777"])
async def test_a_position_rests_on_no_number_that_ccxt_may_have_guessed(
    read: Any, fields: str, garbage: str
) -> None:
    """Maintenance without the tier's amount, a ratio cut to 4 digits, liquidation valued at entry."""
    held = await read()
    assert (held.quantity, held.entry_price, held.isolated_wallet) == (0.1, 50_000.0, 100.0)
    assert await read(**dict.fromkeys(fields.split(), garbage)) == held


async def test_positions_of_the_account_call_are_not_believed() -> None:
    """ccxt works their liquidation out without the tier's amount."""
    connection, wire = wired()
    row = {
        "symbol": "BTCUSDT",
        "positionAmt": "1",
        "entryPrice": "1",
        "isolatedWallet": "1",
        "isolated": True,
    }
    account = {**FLAT_ACCOUNT["GET /fapi/v3/account"], "positions": [row]}
    wire.answers["GET /fapi/v3/account"] = account
    assert (await connection.gateway.account()).positions == ()


async def test_a_position_whose_losses_equal_its_wallet_is_isolated_still() -> None:
    """ccxt takes an isolatedMargin of 0, which holds unrealised PnL, for cross."""
    held = await binance_position(isolatedMargin="0", unRealizedProfit="-100")
    assert held.isolated_wallet == 100.0


async def test_binance_has_no_reading_of_one_position_in_ccxt() -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    await connection.gateway.account()
    with pytest.raises(ccxt.NotSupported):
        await connection.link.client.fetch_position(BTC)
    held = await connection.gateway.sweeper.observer.position(BTC, Urgency.NORMAL)
    assert held is not None


# --- venues whose requests are compared with their documents ------------------------------------------

KUCOIN_POSITION = {
    "symbol": "XBTUSDTM", "currentQty": 30, "avgEntryPrice": 50000, "posMargin": 150.5, "posInit": 150.0,
    "maintMargin": 170.0, "realLeverage": 9.9, "marginMode": "ISOLATED", "crossMode": False,
    "openingTimestamp": START_MS, "positionSide": "BOTH",
}  # fmt: skip
GATE_POSITION = {
    "contract": "BTC_USDT", "size": -300, "leverage": "10", "margin": "12.5", "initial_margin": "15",
    "entry_price": "50000", "mode": "single", "open_time": 1_700_000_000,
}  # fmt: skip


def holds_without(make: Any, field: str) -> Recorder:
    """Return a client whose venue holds a position without this field."""
    made, row = make(), STATE["assetPositions"][0]["position"]
    row = {bitget: BITGET_POSITION, gate: GATE_POSITION, kucoin: KUCOIN_POSITION, hyperliquid: row}[make]
    row = {name: without(value, field) for name, value in row.items() if name != field}
    state = {**STATE, "assetPositions": [{"position": row}]}
    made.answers |= {
        f"GET {MIX}/position/all-position": {"code": "00000", "data": [row]},
        f"GET {FUTURES}/positions": [row],
        "GET /api/v1/positions": {"code": "200000", "data": [row]},
        "POST /info": state,
    }
    return made


def without(value: Any, field: str) -> Any:
    """Return a part of a row without this field."""
    return {name: each for name, each in value.items() if name != field} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("make", "field"),
    [(bitget, "marginSize"), (gate, "margin"), (kucoin, "posMargin"), (hyperliquid, "rawUsd")],
)
async def test_a_position_elsewhere_without_a_wallet_is_unavailable_not_guessed(
    make: Any, field: str
) -> None:
    made = holds_without(make, "none")
    assert len(await made.dialect.positions(made.client, {})) == 1
    made = holds_without(make, field)
    with pytest.raises(Unavailable, match=field):
        await made.dialect.positions(made.client, {})


@pytest.mark.parametrize("make", [gate, kucoin])
async def test_tiers_without_amounts_get_those_that_keep_maintenance_without_a_jump(make: Any) -> None:
    made = make()
    fees = {"makerFeeRate": "0.0002", "takerFeeRate": "0.0005"}
    made.answers["GET /api/v1/trade-fees"] = {"code": "200000", "data": fees}
    funding = {"granularity": 14_400_000, "timePoint": 1}
    made.answers["GET /api/v1/funding-rate/XBTUSDTM/current"] = {"code": "200000", "data": funding}
    made.client.fetch_market_leverage_tiers, made.client.load_markets = tiers, nothing
    found = (await made.dialect.instruments(made.client, (BTC,)))[BTC].tiers
    assert found.maintenance_amount.tolist() == pytest.approx([0.0, 20.0, 120.0])


async def tiers(_symbol: str) -> list[dict[str, Any]]:
    """ccxt's unified tiers: they have no maintenance amount."""
    bounds = [(0, 20_000, 0.004, 100), (20_000, 40_000, 0.005, 50), (40_000, 80_000, 0.0075, 25)]
    names = ("minNotional", "maxNotional", "maintenanceMarginRate", "maxLeverage")
    return [{**dict(zip(names, each, strict=True)), "info": {}} for each in bounds]


async def nothing(*_: Any) -> None:
    return None
