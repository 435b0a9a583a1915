"""What leaves for Hyperliquid is what its documents ask for, compared whole: a field too many fails too."""

import re
from typing import Any

import ccxt
import pytest

from bot.core.position import Position
from bot.errors import Rejected
from bot.exchange.dialects.hyperliquid_ids import client_id_of, cloid
from bot.exchange.rows import Settings
from tests.unit.exchange.documented import BTC_USDC, ENTRY, EXIT, STOP, hyperliquid, order
from tests.unit.exchange.recorder import Recorder


def actions(made: Recorder) -> list[Any]:
    return [each.body["action"] for each in made.take() if each.path == "/exchange"]


async def test_hyperliquid_leverage_is_isolated_because_the_default_is_cross() -> None:
    made = hyperliquid()
    await made.dialect.set_isolated(made.client, BTC_USDC, 10)
    await made.dialect.set_leverage(made.client, BTC_USDC, 12)
    wanted = {"type": "updateLeverage", "asset": 0, "isCross": False}
    assert actions(made) == [{**wanted, "leverage": 10}, {**wanted, "leverage": 12}]
    await made.dialect.set_one_way(made.client)
    assert actions(made) == []


async def test_hyperliquid_is_sent_the_order_and_no_fee_approval_or_referrer() -> None:
    made = hyperliquid()
    sent = await made.dialect.create(made.client, order("market", 1, 0.01, BTC_USDC))
    limit = {"limit": {"tif": "Ioc"}}
    wire = {"a": 0, "b": True, "p": "52500", "s": "0.01", "r": False, "t": limit, "c": cloid(ENTRY)}
    assert actions(made) == [{"type": "order", "orders": [wire], "grouping": "na"}]
    assert sent.venue_id == "71"
    await made.dialect.create(made.client, order("market", -1, 0.01, BTC_USDC, is_reduce_only=True))
    wire = {**wire, "b": False, "p": "47500", "r": True, "c": cloid(EXIT)}
    assert actions(made) == [{"type": "order", "orders": [wire], "grouping": "na"}]


async def test_ccxts_own_hyperliquid_order_would_approve_its_builder_and_set_a_referrer() -> None:
    made = hyperliquid()
    made.client.options["refSet"] = False
    await made.client.create_order(BTC_USDC, "market", "buy", 0.01, 50_000)
    assert {each["type"] for each in actions(made)} >= {"approveBuilderFee", "setReferrer"}


@pytest.mark.parametrize(("kind", "tpsl"), [("stop", "sl"), ("take_profit", "tp")])
@pytest.mark.parametrize("quantity", [0.0, 0.01])
async def test_hyperliquid_stops_reduce_only(kind: str, tpsl: str, quantity: float) -> None:
    made = hyperliquid()
    wanted = order(kind, -1, quantity, BTC_USDC, trigger_price=49_000.0)
    await made.dialect.create(made.client, wanted)
    trigger = {"trigger": {"isMarket": True, "triggerPx": "49000", "tpsl": tpsl}}
    size = "0.01" if quantity else "0"
    wire = {
        "a": 0,
        "b": False,
        "p": "46550",
        "s": size,
        "r": True,
        "t": trigger,
        "c": cloid(wanted.client_id),
    }
    grouping = "na" if quantity else "positionTpsl"
    assert actions(made) == [{"type": "order", "orders": [wire], "grouping": grouping}]


async def test_hyperliquid_refuses_a_stop_on_the_last_price() -> None:
    made = hyperliquid()
    wanted = order("stop", -1, 0.0, BTC_USDC, trigger_price=49_000.0, trigger_on="last")
    with pytest.raises(Rejected, match="mark"):
        await made.dialect.create(made.client, wanted)


async def test_hyperliquid_cancels_by_our_id_and_hears_a_refusal_in_a_good_reply() -> None:
    made = hyperliquid()
    await made.dialect.cancel(made.client, BTC_USDC, STOP, True)
    assert actions(made) == [{"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": cloid(STOP)}]}]
    refusal = {"error": "Order was never placed, already canceled, or filled."}
    data = {"type": "cancel", "data": {"statuses": [refusal]}}
    made.answers["POST /exchange"] = {"status": "ok", "response": data}
    with pytest.raises(ccxt.OrderNotFound):
        await made.dialect.cancel(made.client, BTC_USDC, STOP, True)


@pytest.mark.parametrize(("side", "is_buy"), [(1, True), (-1, False)])
async def test_hyperliquid_margin_is_signed_millionths(side: int, is_buy: bool) -> None:
    made = hyperliquid()
    for amount, ntli in ((10.123456, 10_123_456), (-10.123456, -10_123_456)):
        await made.dialect.move_margin(made.client, BTC_USDC, side, amount)
        wanted = {"type": "updateIsolatedMargin", "asset": 0, "isBuy": is_buy, "ntli": ntli}
        assert actions(made) == [wanted]


async def test_ccxt_itself_would_cut_hyperliquid_margin_to_the_size_step() -> None:
    made = hyperliquid()
    await made.client.add_margin(BTC_USDC, 10.123456)
    assert actions(made)[0]["ntli"] == 10_123_000


async def test_a_hyperliquid_wallet_is_the_margin_used_without_unrealised_pnl() -> None:
    made = hyperliquid()
    (held,) = await made.dialect.positions(made.client, {})
    assert held == Position(BTC_USDC, -1, 0.5, 50_000.0, 2_500.0, 10.0, 0)
    assert await made.dialect.settings(made.client, BTC_USDC) == Settings(10, True, True)


@pytest.mark.parametrize("client_id", ["RFTa0b1c20000001E", "A", "0", "zzzzzzzzzzzzzzzzz"])
def test_our_id_comes_back_out_of_hyperliquids(client_id: str) -> None:
    assert re.fullmatch("0x[0-9a-f]{32}", cloid(client_id))
    assert client_id_of(cloid(client_id)) == client_id


def test_a_foreign_or_too_long_hyperliquid_id_is_not_mistaken_for_ours() -> None:
    foreign = "0x" + "ff" * 16
    assert client_id_of(foreign) == foreign
    assert client_id_of(None) == ""
    with pytest.raises(Rejected):
        cloid("X" * 18)


async def test_hyperliquids_reads_cost_what_its_documents_say_and_not_what_ccxt_says() -> None:
    made = hyperliquid()
    lane = made.lane
    for kind, weight in (("activeAssetData", 20), ("allMids", 2), ("clearinghouseState", 2)):
        before = lane.spent_weight
        await made.client.publicPostInfo({"type": kind})
        assert lane.spent_weight - before == weight
