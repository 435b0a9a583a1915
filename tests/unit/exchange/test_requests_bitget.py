"""What leaves for Bitget is what its documents ask for, compared whole: a field too many fails too."""

from typing import Any

import pytest

from bot.core.position import Position
from bot.errors import UserError
from bot.exchange.rows import Settings
from tests.unit.exchange.documented import BTC, ENTRY, EXIT, MIX, PAIR, STOP, bitget, order, posted
from tests.unit.exchange.recorder import Recorder, Sent


async def test_bitget_is_set_to_isolated_one_way_margin() -> None:
    made = bitget()
    await made.dialect.set_isolated(made.client, BTC, 10)
    assert made.take() == posted(f"{MIX}/account/set-margin-mode", **PAIR, marginMode="isolated")
    await made.dialect.set_leverage(made.client, BTC, 10)
    assert made.take_changes() == posted(f"{MIX}/account/set-leverage", **PAIR, leverage="10")
    await made.dialect.set_one_way(made.client)
    assert made.take() == posted(
        f"{MIX}/account/set-position-mode", productType="USDT-FUTURES", posMode="one_way_mode"
    )


async def test_bitget_orders_say_isolated_because_the_default_is_crossed() -> None:
    made = bitget()
    sent = await made.dialect.create(made.client, order("market", 1, 0.01))
    common = {**PAIR, "marginMode": "isolated", "size": "0.01", "orderType": "market", "force": "GTC"}
    assert made.take() == posted(f"{MIX}/order/place-order", **common, side="buy", clientOid=ENTRY)
    assert (sent.venue_id, sent.client_id) == ("71", ENTRY)
    await made.dialect.create(made.client, order("market", -1, 0.01, is_reduce_only=True))
    assert made.take() == posted(
        f"{MIX}/order/place-order", **common, side="sell", clientOid=EXIT, reduceOnly="YES"
    )


@pytest.mark.parametrize(
    ("kind", "quantity", "plan"),
    [
        ("stop", 0.0, "pos_loss"),
        ("stop", 0.01, "loss_plan"),
        ("take_profit", 0.0, "pos_profit"),
        ("take_profit", 0.01, "profit_plan"),
    ],
)
async def test_a_bitget_take_profit_of_a_part_is_not_sent_for_the_whole(
    kind: str, quantity: float, plan: str
) -> None:
    made = bitget()
    wanted = order(kind, -1, quantity, trigger_price=49_000.0)
    await made.dialect.create(made.client, wanted)
    size = {"size": "0.01"} if quantity else {}
    assert made.take() == posted(
        f"{MIX}/order/place-tpsl-order",
        **PAIR,
        **size,
        planType=plan,
        triggerPrice="49000",
        triggerType="mark_price",
        holdSide="buy",
        clientOid=wanted.client_id,
    )


async def test_bitget_cancels_in_the_list_that_keeps_the_order() -> None:
    made = bitget()
    names = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES"}
    await made.dialect.cancel(made.client, BTC, ENTRY, False)
    assert made.take() == posted(f"{MIX}/order/cancel-order", **names, clientOid=ENTRY)
    await made.dialect.cancel(made.client, BTC, STOP, True)
    ids = [{"clientOid": STOP}]
    assert made.take() == posted(f"{MIX}/order/cancel-plan-order", **names, orderIdList=ids)


@pytest.mark.parametrize(("side", "hold"), [(1, "long"), (-1, "short")])
async def test_bitget_margin_is_signed_and_keeps_its_decimals(side: int, hold: str) -> None:
    made = bitget()
    for amount, text in ((10.12345678, "10.12345678"), (-10.12345678, "-10.12345678")):
        await made.dialect.move_margin(made.client, BTC, side, amount)
        assert made.take() == posted(f"{MIX}/account/set-margin", **PAIR, holdSide=hold, amount=text)


async def test_ccxt_itself_would_cut_a_bitget_margin_amount_to_the_size_step() -> None:
    """The reason for the raw request; when this fails, ccxt has changed."""
    made = bitget()
    await made.client.add_margin(BTC, 10.12345678, {"holdSide": "long"})
    assert made.take()[0].body["amount"] == "10.123"


BITGET_POSITION = {
    "symbol": "BTCUSDT", "marginCoin": "USDT", "holdSide": "short", "total": "0.5", "available": "0.5",
    "openPriceAvg": "50000", "marginSize": "2500.5", "leverage": "10", "marginMode": "isolated",
    "posMode": "one_way_mode", "unrealizedPL": "-7", "liquidationPrice": "54000", "keepMarginRate": "0.004",
    "markPrice": "50014", "cTime": "1700000000000", "uTime": "1700000000000",
}  # fmt: skip


def bitget_with(**more: Any) -> Recorder:
    made = bitget()
    rows = {"code": "00000", "data": [{**BITGET_POSITION, **more}]}
    made.answers[f"GET {MIX}/position/all-position"] = rows
    return made


async def test_a_bitget_position_is_read_from_the_venues_own_row() -> None:
    made = bitget_with()
    (held,) = await made.dialect.positions(made.client, {})
    assert held == Position(BTC, -1, 0.5, 50_000.0, 2_500.5, 10.0, 1_700_000_000_000)
    query = {"productType": "USDT-FUTURES", "marginCoin": "USDT"}
    assert made.take() == [Sent("GET", f"{MIX}/position/all-position", query, None)]


@pytest.mark.parametrize(
    ("field", "value", "words"), [("marginMode", "crossed", "cross"), ("posMode", "hedge_mode", "hedge")]
)
async def test_a_bitget_position_in_another_mode_is_refused(field: str, value: str, words: str) -> None:
    made = bitget_with(**{field: value})
    with pytest.raises(UserError, match=words):
        await made.dialect.positions(made.client, {})


async def test_bitget_settings_come_from_the_account_of_the_symbol() -> None:
    made = bitget()
    row = {"marginMode": "isolated", "posMode": "one_way_mode", "isolatedLongLever": "20",
           "isolatedShortLever": "3"}  # fmt: skip
    made.answers[f"GET {MIX}/account/account"] = {"code": "00000", "data": row}
    made.answers[f"GET {MIX}/position/single-position"] = {"code": "00000", "data": []}
    assert await made.dialect.settings(made.client, BTC) == Settings(3, True, True, None)
