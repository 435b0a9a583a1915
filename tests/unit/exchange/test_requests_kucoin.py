"""What leaves for KuCoin is what its documents ask for, compared whole: a field too many fails too."""

import re

import pytest

from bot.core.position import Position
from bot.errors import Rejected, UserError
from tests.unit.exchange.documented import BTC, ENTRY, EXIT, STOP, kucoin, order, posted
from tests.unit.exchange.recorder import Sent


async def test_kucoin_modes_are_set_and_leverage_is_kept_for_the_orders() -> None:
    made = kucoin()
    await made.dialect.set_isolated(made.client, BTC, 10)
    assert made.take() == posted(
        "/api/v2/position/changeMarginMode", symbol="XBTUSDTM", marginMode="ISOLATED"
    )
    await made.dialect.set_one_way(made.client)
    assert made.take() == posted("/api/v2/position/switchPositionMode", positionMode="0")
    await made.dialect.set_leverage(made.client, BTC, 10)
    assert made.take_changes() == []


async def test_a_kucoin_entry_says_its_leverage_and_is_refused_without_one() -> None:
    made = kucoin()
    with pytest.raises(Rejected, match="leverage"):
        await made.dialect.create(made.client, order("market", 1, 0.01))
    assert made.take() == []
    await made.dialect.set_leverage(made.client, BTC, 10)
    await made.dialect.create(made.client, order("market", 1, 0.01))
    common = {"symbol": "XBTUSDTM", "type": "market", "marginMode": "ISOLATED"}
    assert made.take_changes() == posted(
        "/api/v1/orders", **common, clientOid=ENTRY, side="buy", size=10, leverage=10
    )
    await made.dialect.create(made.client, order("market", -1, 0.01, is_reduce_only=True))
    assert made.take() == posted(
        "/api/v1/orders", **common, clientOid=EXIT, side="sell", size=10, reduceOnly=True
    )


async def test_ccxt_itself_would_send_a_kucoin_entry_at_1x() -> None:
    made = kucoin()
    await made.client.create_order(BTC, "market", "buy", 10, None, {"marginMode": "isolated"})
    assert made.take()[0].body["leverage"] == 1


@pytest.mark.parametrize(
    ("kind", "side", "stop"),
    [("stop", -1, "down"), ("stop", 1, "up"), ("take_profit", -1, "up"), ("take_profit", 1, "down")],
)
@pytest.mark.parametrize("quantity", [0.0, 0.01])
async def test_kucoin_stops_are_on_the_mark_price(kind: str, side: int, stop: str, quantity: float) -> None:
    made = kucoin()
    wanted = order(kind, side, quantity, trigger_price=49_000.0)
    await made.dialect.create(made.client, wanted)
    purpose = {"size": 10, "reduceOnly": True} if quantity else {"closeOrder": True}
    assert made.take() == posted(
        "/api/v1/orders",
        symbol="XBTUSDTM",
        type="market",
        marginMode="ISOLATED",
        side="buy" if side > 0 else "sell",
        clientOid=wanted.client_id,
        stop=stop,
        stopPrice="49000",
        stopPriceType="MP",
        **purpose,
    )


async def test_kucoin_cancels_a_stop_by_the_id_that_ours_leads_to() -> None:
    made = kucoin()
    await made.dialect.cancel(made.client, BTC, ENTRY, False)
    path = f"/api/v1/orders/client-order/{ENTRY}"
    assert made.take() == [Sent("DELETE", path, {"symbol": "XBTUSDTM"}, None)]
    await made.dialect.cancel(made.client, BTC, STOP, True)
    assert made.take() == [
        Sent("GET", "/api/v1/stopOrders", {"symbol": "XBTUSDTM"}, None),
        Sent("DELETE", "/api/v1/orders/88", {}, None),
    ]


async def test_kucoin_margin_is_deposited_under_a_new_number_and_withdrawn() -> None:
    made = kucoin()
    await made.dialect.move_margin(made.client, BTC, 1, 10.12345678)
    (sent,) = made.take()
    assert (sent.method, sent.path) == ("POST", "/api/v1/position/margin/deposit-margin")
    number = sent.body.pop("bizNo")
    assert re.fullmatch(r"[0-9a-f-]{32,36}", number)
    assert sent.body == {"symbol": "XBTUSDTM", "margin": "10.12345678"}
    await made.dialect.move_margin(made.client, BTC, 1, -10.12345678)
    assert made.take() == posted(
        "/api/v1/margin/withdrawMargin", symbol="XBTUSDTM", withdrawAmount="10.12345678"
    )


@pytest.mark.parametrize("message", ["Position does not exist", "nothing to do"])
async def test_a_kucoin_success_without_data_moved_nothing(message: str) -> None:
    made = kucoin()
    made.answers["POST /api/v1/position/margin/deposit-margin"] = {"code": "200000", "msg": message}
    with pytest.raises(Rejected, match=message) as refused:
        await made.dialect.move_margin(made.client, BTC, 1, 10.0)
    assert refused.value.args[0] == "no_position"


async def test_a_kucoin_wallet_is_the_position_margin_without_unrealised_pnl() -> None:
    made = kucoin()
    row = {"symbol": "XBTUSDTM", "currentQty": 30, "avgEntryPrice": 50000, "posMargin": 150.5,
           "maintMargin": 170.0, "realLeverage": 9.9, "marginMode": "ISOLATED", "crossMode": False,
           "openingTimestamp": 1_700_000_000_000, "positionSide": "BOTH"}  # fmt: skip
    made.answers["GET /api/v1/positions"] = {"code": "200000", "data": [row]}
    (held,) = await made.dialect.positions(made.client, {})
    assert held == Position(BTC, 1, 0.03, 50_000.0, 150.5, 9.9, 1_700_000_000_000)
    assert made.take() == [Sent("GET", "/api/v1/positions", {"currency": "USDT"}, None)]
    made.answers["GET /api/v1/positions"] = {"code": "200000", "data": [{**row, "crossMode": True}]}
    with pytest.raises(UserError, match="cross"):
        await made.dialect.positions(made.client, {})
