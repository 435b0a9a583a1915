"""Methods of ccxt 4.5.90 that lie, cut, guess or are not there are called nowhere."""

import ast
import re
from pathlib import Path
from typing import Any

import ccxt
import pytest

from bot.core.intent import PlaceStop
from bot.engine.outbox import Outbox
from bot.engine.state import State
from bot.exchange.dialects.hyperliquid_ids import client_id_of, cloid
from bot.exchange.rows import NewOrder
from tests.unit.exchange.test_binance_traps import intent
from tests.unit.exchange.wire import BTC, algo_row, error, position_row, wired

EXCHANGE = Path(__file__).resolve().parents[3] / "bot" / "exchange"

# What each would do, and below who may call it all the same.
LYING = {
    "add_margin": "raises after the transfer at OKX, cuts the amount elsewhere",
    "reduce_margin": "raises after the transfer at OKX, cuts the amount elsewhere",
    "set_margin": "no venue has it",
    "create_order_with_take_profit_and_stop_loss": "Binance and Gate do not have it",
    "create_orders": "Binance refuses conditional orders among them",
    "edit_order": "Binance knows it for limit orders only: a stop would be gone",
    "fetch_open_order": "Binance does not find conditional orders",
    "fetch_position": "Binance has it for options only",
    "fetch_account_positions": "liquidation without the tier's amount",
    "watch_positions": "neither liquidation price, leverage nor mark at Binance",
    "watch_balance": "nothing but the total at Binance's futures",
}
ALLOWED = {("binance.py", "add_margin"), ("binance.py", "reduce_margin")}  # with the amount set by us


def test_no_method_that_lies_is_called() -> None:
    found = {
        (path.name, node.attr)
        for path in EXCHANGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in LYING
    }
    assert found - ALLOWED == set()
    assert found >= ALLOWED, "the search finds what is there"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (
            "create_order_with_take_profit_and_stop_loss",
            (BTC, "market", "buy", 0.1, None, 51_000.0, 49_000.0),
        ),
        ("fetch_open_order", ("88", BTC, {"trigger": True})),
    ],
)
async def test_ccxt_itself_refuses_them_at_binance(name: str, arguments: tuple[Any, ...]) -> None:
    """When this fails, ccxt has changed, and a line above may go."""
    connection, wire = wired()
    await connection.gateway.instruments()
    with pytest.raises(ccxt.NotSupported):
        await getattr(connection.link.client, name)(*arguments)
    assert wire.writes() == []


async def test_a_trailing_stop_says_its_rate_in_percent() -> None:
    connection, wire = wired()
    wire.answers["POST /fapi/v1/algoOrder"] = lambda params: algo_row(
        params["clientAlgoId"], orderType="TRAILING_STOP_MARKET", closePosition=False, quantity="0.1"
    )
    await connection.gateway.instruments()
    order = NewOrder("TRAP0000001W", BTC, "trailing", -1, 0.1, True, 0.0, 51_000.0, "mark", 0.015)
    await connection.gateway.dialect.create(connection.link.client, order)
    (sent,) = wire.sent("POST", "/fapi/v1/algoOrder")
    assert (sent["type"], float(sent["callbackRate"])) == ("TRAILING_STOP_MARKET", 1.5)
    assert (sent["workingType"], sent["reduceOnly"]) == ("MARK_PRICE", "true")


async def test_one_conditional_order_too_many_is_a_refusal() -> None:
    """200 over all symbols: the entry whose stop this was is closed (engine)."""
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    wire.answers["POST /fapi/v1/algoOrder"] = error(-4045, "Reach max stop order limit.")
    events = await connection.gateway.execute(intent(PlaceStop(BTC, 1, 49_500.0)))
    assert [getattr(event, "code", "") for event in events] == ["position_limit"]


def test_an_id_of_ours_fits_every_venue() -> None:
    """Binance 36 of a few characters, OKX 32 letters and digits, Gate 28, Hyperliquid 17 in its 128 bits."""
    state = State({})
    state.epoch, state.next_seq = "a0b1c2", 9_999_999
    client_id = Outbox(state, "RFT").intend(PlaceStop(BTC, 1, 1.0), "why").client_id
    assert re.fullmatch(r"[0-9A-Za-z]{1,17}", client_id)
    assert client_id_of(cloid(client_id)) == client_id
