"""Methods of ccxt 4.5.90 that lie, cut, guess or are not there are called nowhere."""

import ast
import re
from pathlib import Path
from typing import Any

import ccxt
import pytest

from bot.core.intent import AddMargin, OpenPosition, PlaceStop
from bot.engine.outbox import Outbox
from bot.engine.state import State
from bot.exchange.convert import leg_of
from bot.exchange.dialects.hyperliquid_ids import client_id_of, cloid
from bot.exchange.rows import NewOrder
from bot.exchange.venues import VENUES
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


# What each venue's documents allow of a client's id; Gate's follows "t-", KuCoin's is a bizNo, too.
IDS = {
    "binanceusdm": r"[.A-Z:/a-z0-9_-]{1,36}",
    "bybit": r"[A-Za-z0-9_-]{1,36}",
    "okx": r"[A-Za-z0-9]{1,32}",
    "bitget": r"[A-Za-z0-9_-]{1,50}",
    "gate": r"[A-Za-z0-9_.-]{1,28}",
    "kucoinfutures": r"[A-Za-z0-9_-]{1,40}",
    "hyperliquid": r"[A-Za-z0-9]{1,17}",
}
GREATEST = [0, 9_999_999, 10_000_000, 160_000_000_000_000]


def id_of(epoch: str, seq: int, action: Any) -> str:
    state = State({})
    state.epoch, state.next_seq = epoch, seq
    return Outbox(state, "RFT").intend(action, "why").client_id


@pytest.mark.parametrize("venue_id", sorted(IDS))
@pytest.mark.parametrize("seq", GREATEST)
@pytest.mark.parametrize("epoch", ["a0b1c2", "ffffff"])
def test_an_id_of_ours_fits_every_venue(venue_id: str, seq: int, epoch: str) -> None:
    for action in (OpenPosition(BTC, 1, 0.1), PlaceStop(BTC, 1, 1.0), AddMargin(BTC, 100.0)):
        client_id = id_of(epoch, seq, action)
        assert re.fullmatch(IDS[venue_id], client_id)
        assert client_id_of(cloid(client_id)) == client_id
    assert leg_of(id_of(epoch, seq, PlaceStop(BTC, 1, 1.0)), "", True) == "stop"


def test_every_traded_venue_has_a_limit_of_ids_here() -> None:
    assert IDS.keys() == VENUES.keys()


def test_ids_before_and_after_ten_million_are_different() -> None:
    """An eighth digit would be refused by Hyperliquid for every order, stops included."""
    stop = PlaceStop(BTC, 1, 1.0)
    assert id_of("ffffff", 9_999_999, stop) == "RFTffffff9999999S"
    assert id_of("ffffff", 10_000_000, stop) == "RFT0000000000000S"
    assert id_of("a0b1c2", 10_000_001, stop) == "RFTa0b1c30000001S"
    ids = {id_of("a0b1c2", seq, stop) for seq in (1, 10_000_001, 20_000_001, 9_999_999, 19_999_999)}
    assert len(ids) == 5
