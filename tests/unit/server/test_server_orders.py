"""Orders over Binance's REST: what is accepted, how it ends, and every refusal with its code."""

from typing import Any, get_args

import pytest

from bot.core.event import Refused
from bot.errors import RefusalCode
from bot.sim.server.binance.errors import leverage_refusal, margin_refusal, refusal

BTC = "BTC/USDT:USDT"


def stop_of(price: float, **more: Any) -> dict[str, Any]:
    """Return the parameters of a stop on the mark that closes a long."""
    return {
        "algoType": "CONDITIONAL",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "STOP_MARKET",
        "triggerPrice": f"{price:.1f}",
        "workingType": "MARK_PRICE",
        **more,
    }


def mark_of(world: Any) -> float:
    return world.exchange.prices.of(BTC).mark


async def test_a_market_order_is_filled_at_once_with_its_trade_and_income(world: Any) -> None:
    order = await world.trade("0.01")
    assert order["status"] == "FILLED"
    assert float(order["executedQty"]) == 0.01
    (trade,) = await world.api.ok("GET", "v1/userTrades", symbol="BTCUSDT")
    assert trade["orderId"] == order["orderId"]
    assert float(trade["price"]) == pytest.approx(float(order["avgPrice"]), rel=1e-12)
    income = await world.api.ok("GET", "v1/income", incomeType="COMMISSION")
    assert [row["income"] for row in income] == [f"-{trade['commission']}"]


async def test_a_limit_order_rests_is_amended_keeps_its_id_and_is_cancelled(world: Any) -> None:
    await world.trade("0.01")
    price = round(0.97 * mark_of(world), 1)
    order = await world.api.ok(
        "POST",
        "v1/order",
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="GTC",
        quantity="0.02",
        price=price,
        newClientOrderId="limit-1",
    )
    assert order["status"] == "NEW"
    amended = await world.api.ok(
        "PUT",
        "v1/order",
        symbol="BTCUSDT",
        orderId=order["orderId"],
        side="BUY",
        quantity="0.03",
        price=price - 10,
    )
    assert amended["orderId"] == order["orderId"]
    assert (float(amended["origQty"]), float(amended["price"])) == (0.03, price - 10)
    (row,) = await world.api.ok("GET", "v1/openOrders", symbol="BTCUSDT")
    assert row == amended
    cancelled = await world.api.ok("DELETE", "v1/order", symbol="BTCUSDT", origClientOrderId="limit-1")
    assert cancelled["status"] == "CANCELED"
    assert await world.api.ok("GET", "v1/openOrders") == []


async def test_an_amended_order_that_crosses_trades(world: Any) -> None:
    await world.trade("0.01")
    mark = mark_of(world)
    common = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.02"}
    order = await world.api.ok(
        "POST", "v1/order", **common, type="LIMIT", timeInForce="GTC", price=round(0.97 * mark, 1)
    )
    amended = await world.api.ok(
        "PUT", "v1/order", **common, orderId=order["orderId"], price=round(1.02 * mark, 1)
    )
    assert amended["status"] == "FILLED"


async def test_a_refused_amendment_leaves_the_order_as_it_was(world: Any) -> None:
    await world.trade("0.01")
    price = round(0.97 * mark_of(world), 1)
    common = {"symbol": "BTCUSDT", "side": "BUY"}
    order = await world.api.ok(
        "POST", "v1/order", **common, quantity="0.02", type="LIMIT", timeInForce="GTC", price=price
    )
    code = await world.api.refused(
        "PUT", "v1/order", **common, quantity="900", orderId=order["orderId"], price=price
    )
    assert code == -2019
    (row,) = await world.api.ok("GET", "v1/openOrders")
    assert (row["origQty"], row["price"]) == (order["origQty"], order["price"])


async def test_a_fired_stop_becomes_a_child_order_and_the_algo_order_is_finished(world: Any) -> None:
    await world.trade("0.01")
    stop = await world.api.ok("POST", "v1/algoOrder", **stop_of(0.99 * mark_of(world), closePosition="true"))
    assert (stop["algoStatus"], stop["actualOrderId"]) == ("NEW", "")
    assert await world.api.ok("GET", "v1/openOrders") == []
    await world.api.control("price", symbol=BTC, mark=0.985 * mark_of(world))
    done = await world.api.ok("GET", "v1/algoOrder", algoId=stop["algoId"])
    assert done["algoStatus"] == "FINISHED"
    child = await world.api.ok("GET", "v1/order", symbol="BTCUSDT", orderId=done["actualOrderId"])
    assert (child["status"], child["side"], float(child["executedQty"])) == ("FILLED", "SELL", 0.01)
    assert float(done["actualPrice"]) == float(child["avgPrice"])
    assert await world.api.ok("GET", "v3/positionRisk") == []


async def test_a_stop_for_a_part_leaves_the_rest_of_the_position(world: Any) -> None:
    await world.trade("0.03")
    stop = stop_of(0.99 * mark_of(world), quantity="0.01", reduceOnly="true")
    await world.api.ok("POST", "v1/algoOrder", **stop)
    await world.api.control("price", symbol=BTC, mark=0.985 * mark_of(world))
    assert float((await world.position())["positionAmt"]) == 0.02


async def test_closing_the_position_expires_its_conditional_orders(world: Any) -> None:
    await world.trade("0.01")
    stop = await world.api.ok("POST", "v1/algoOrder", **stop_of(0.9 * mark_of(world), closePosition="true"))
    await world.api.ok("POST", "v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01")
    (row,) = await world.api.ok("GET", "v1/allAlgoOrders", symbol="BTCUSDT")
    assert (row["algoId"], row["algoStatus"]) == (stop["algoId"], "EXPIRED")


async def test_a_cancelled_algo_order_reply_has_no_status_and_the_list_is_empty(world: Any) -> None:
    await world.trade("0.01")
    stop = await world.api.ok("POST", "v1/algoOrder", **stop_of(0.9 * mark_of(world), closePosition="true"))
    reply = await world.api.ok("DELETE", "v1/algoOrder", algoId=stop["algoId"])
    assert set(reply) == {"algoId", "clientAlgoId", "code", "msg"}
    assert await world.api.ok("GET", "v1/openAlgoOrders") == []
    assert await world.api.refused("DELETE", "v1/algoOrder", algoId=stop["algoId"]) == -20124


async def test_an_attached_stop_loss_is_ignored_without_a_word(world: Any) -> None:
    """As at the venue: whoever attaches a stop to a plain order has none."""
    await world.trade("0.01")
    await world.api.ok(
        "POST",
        "v1/order",
        symbol="BTCUSDT",
        side="BUY",
        type="MARKET",
        quantity="0.01",
        stopLoss='{"triggerPrice":1}',
    )
    assert await world.api.ok("GET", "v1/openAlgoOrders") == []


async def test_an_immediate_or_cancel_order_leaves_nothing_resting(world: Any) -> None:
    await world.trade("0.01")
    order = await world.api.ok(
        "POST",
        "v1/order",
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="IOC",
        quantity="0.01",
        price=round(0.97 * mark_of(world), 1),
    )
    assert order["status"] == "EXPIRED"
    assert await world.api.ok("GET", "v1/openOrders") == []


async def test_a_batch_answers_each_order_for_itself(world: Any) -> None:
    await world.trade("0.01")
    good = '{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"0.01"}'
    bad = '{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"0.0101"}'
    rows = await world.api.ok("POST", "v1/batchOrders", batchOrders=f"[{good},{bad}]")
    assert (rows[0]["status"], rows[1]["code"]) == ("FILLED", -1111)


async def test_a_reducing_limit_order_rests_and_fills_as_maker(world: Any) -> None:
    await world.trade("0.03")
    order = await world.api.ok(
        "POST",
        "v1/order",
        symbol="BTCUSDT",
        side="SELL",
        type="LIMIT",
        timeInForce="GTX",
        quantity="0.01",
        price=round(1.01 * mark_of(world), 1),
        reduceOnly="true",
    )
    assert order["status"] == "NEW"
    await world.api.control("price", symbol=BTC, mark=1.02 * mark_of(world))
    done = await world.api.ok("GET", "v1/order", symbol="BTCUSDT", orderId=order["orderId"])
    assert done["status"] == "FILLED"
    trades = await world.api.ok("GET", "v1/userTrades", symbol="BTCUSDT")
    assert trades[-1]["maker"]
    assert float(trades[-1]["realizedPnl"]) > 0.0


async def test_a_used_client_id_is_refused_only_while_its_order_is_open(world: Any) -> None:
    await world.trade("0.01")
    order = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": round(0.97 * mark_of(world), 1),
        "newClientOrderId": "same",
    }
    await world.api.ok("POST", "v1/order", **order)
    assert await world.api.refused("POST", "v1/order", **order) == -4116
    await world.api.ok("DELETE", "v1/order", symbol="BTCUSDT", origClientOrderId="same")
    await world.api.ok("POST", "v1/order", **order)


BUY = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
LIMIT = {**BUY, "type": "LIMIT", "timeInForce": "GTC", "price": "50000"}
NEVER = stop_of(1.0, closePosition="true")
LEVERAGE = {"symbol": "BTCUSDT", "leverage": 5}
MARGIN = {"symbol": "BTCUSDT", "amount": "1", "type": 1}

REFUSALS = [
    (-1121, "POST", "v1/order", {**BUY, "symbol": "NOSUCH"}),
    (-1102, "POST", "v1/order", {**BUY, "quantity": ""}),
    (-1130, "POST", "v1/order", {**BUY, "quantity": "many"}),
    (-1130, "POST", "v1/order", {**BUY, "quantity": "nan"}),
    (-4003, "POST", "v1/order", {**BUY, "quantity": "0"}),
    (-1111, "POST", "v1/order", {**BUY, "quantity": "0.0105"}),
    (-1117, "POST", "v1/order", {**BUY, "side": "LONG"}),
    (-1116, "POST", "v1/order", {**BUY, "type": "ICEBERG"}),
    (-4120, "POST", "v1/order", {**BUY, "type": "STOP_MARKET", "stopPrice": "1"}),
    (-4120, "POST", "v1/order", {**BUY, "type": "TRAILING_STOP_MARKET"}),
    (-1115, "POST", "v1/order", {**LIMIT, "timeInForce": "DAY"}),
    (-4014, "POST", "v1/order", {**LIMIT, "price": "50000.05"}),
    (-4164, "POST", "v1/order", {**LIMIT, "price": "100", "quantity": "0.001"}),
    (-4015, "POST", "v1/order", {**BUY, "newClientOrderId": "a b"}),
    (-4015, "POST", "v1/order", {**BUY, "newClientOrderId": "x" * 37}),
    (-4061, "POST", "v1/order", {**BUY, "positionSide": "LONG"}),
    (-2022, "POST", "v1/order", {**BUY, "reduceOnly": "true"}),
    (-2027, "POST", "v1/order", {**BUY, "quantity": "5000"}),
    (-2019, "POST", "v1/order", {**BUY, "quantity": "5"}),
    (-2010, "POST", "v1/order", {**BUY, "side": "SELL", "quantity": "1"}),
    (-5022, "POST", "v1/order", {**LIMIT, "timeInForce": "GTX", "price": "200000"}),
    (-5021, "POST", "v1/order", {**LIMIT, "timeInForce": "FOK", "price": "40000"}),
    (-5021, "POST", "v1/order", {**LIMIT, "timeInForce": "FOK", "price": "60000", "quantity": "9"}),
    (-2011, "DELETE", "v1/order", {"symbol": "BTCUSDT", "orderId": 5}),
    (-2013, "GET", "v1/order", {"symbol": "BTCUSDT", "orderId": 5}),
    (-2013, "GET", "v1/algoOrder", {"algoId": 5}),
    (-1102, "GET", "v1/order", {"symbol": "BTCUSDT"}),
    (-20124, "DELETE", "v1/algoOrder", {"algoId": 5}),
    (-2021, "POST", "v1/algoOrder", {**NEVER, "triggerPrice": "200000"}),
    (-2022, "POST", "v1/algoOrder", {**stop_of(1.0), "quantity": "1", "reduceOnly": "true", "side": "BUY"}),
    (-4509, "POST", "v1/algoOrder", {**NEVER, "side": "BUY"}),
    (-2010, "POST", "v1/algoOrder", {**stop_of(1.0), "type": "TAKE_PROFIT_MARKET", "quantity": "0.01"}),
    (-4164, "POST", "v1/algoOrder", {**stop_of(1.0), "quantity": "0.001"}),
    (-1116, "POST", "v1/algoOrder", {**NEVER, "type": "STOP"}),
    (-4014, "POST", "v1/algoOrder", {**NEVER, "triggerPrice": "100.05"}),
    (-4161, "POST", "v1/leverage", LEVERAGE),
    (-4028, "POST", "v1/leverage", {**LEVERAGE, "leverage": 151}),
    (-4028, "POST", "v1/leverage", {**LEVERAGE, "leverage": 0}),
    (-4046, "POST", "v1/marginType", {"symbol": "BTCUSDT", "marginType": "ISOLATED"}),
    (-4048, "POST", "v1/marginType", {"symbol": "BTCUSDT", "marginType": "CROSSED"}),
    (-4068, "POST", "v1/positionSide/dual", {"dualSidePosition": "true"}),
    (-4059, "POST", "v1/positionSide/dual", {"dualSidePosition": "false"}),
    (-4055, "POST", "v1/positionMargin", {**MARGIN, "amount": "0"}),
    (-4055, "POST", "v1/positionMargin", {**MARGIN, "amount": "-1"}),
    (-1111, "POST", "v1/positionMargin", {**MARGIN, "amount": "1.123456789"}),
    (-4050, "POST", "v1/positionMargin", {**MARGIN, "amount": "100000"}),
    (-4051, "POST", "v1/positionMargin", {**MARGIN, "amount": "50", "type": 2}),
    (-4049, "POST", "v1/positionMargin", {**MARGIN, "symbol": "ETHUSDT"}),
    (-1130, "POST", "v1/positionMargin", {**MARGIN, "type": 3}),
    (-1120, "GET", "v1/klines", {"symbol": "BTCUSDT", "interval": "7m"}),
]


@pytest.mark.parametrize(
    ("code", "method", "path", "params"),
    REFUSALS,
    ids=[f"{code}-{path}-{n}" for n, (code, _, path, _) in enumerate(REFUSALS)],
)
async def test_every_refusal_has_the_venues_code_and_changes_nothing(
    code: int, method: str, path: str, params: dict[str, Any], world: Any
) -> None:
    await world.trade("0.01")
    before = world.exchange.venue.balances()
    assert await world.api.refused(method, path, **params) == code
    assert world.exchange.venue.balances() == before
    assert len(world.exchange.books.trades) == 1


async def test_margin_cannot_be_moved_without_a_position(world: Any) -> None:
    await world.api.ok("POST", "v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    assert await world.api.refused("POST", "v1/positionMargin", **MARGIN) == -4054


async def test_a_third_stop_that_closes_the_position_is_refused(world: Any) -> None:
    """The resting one and its replacement are let in, so that a stop can be moved without a gap."""
    await world.trade("0.01")
    mark = mark_of(world)
    for share in (0.9, 0.91):
        await world.api.ok("POST", "v1/algoOrder", **stop_of(share * mark, closePosition="true"))
    code = await world.api.refused("POST", "v1/algoOrder", **stop_of(0.92 * mark, closePosition="true"))
    assert code == -4130


async def test_orders_in_cross_mode_and_hedge_mode_are_refused(world: Any) -> None:
    assert await world.api.refused("POST", "v1/order", **BUY) == -2010
    await world.api.ok("POST", "v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    await world.api.ok("POST", "v1/positionSide/dual", dualSidePosition="true")
    assert await world.api.ok("GET", "v1/positionSide/dual") == {"dualSidePosition": True}
    assert await world.api.refused("POST", "v1/order", **BUY) == -4061


async def test_a_liquidation_is_an_order_a_trade_and_income_that_add_up(world: Any) -> None:
    await world.trade("0.05", leverage=100)
    wallet = float((await world.position())["isolatedWallet"])
    await world.api.control("price", symbol=BTC, mark=0.98 * mark_of(world))
    assert await world.api.ok("GET", "v3/positionRisk") == []
    (order,) = await world.api.ok("GET", "v1/forceOrders")
    assert order["clientOrderId"].startswith("autoclose-")
    rows = await world.api.ok("GET", "v1/income", startTime=1)
    lost = sum(float(row["income"]) for row in rows if row["incomeType"] != "TRANSFER")
    (fee_of_entry,) = [float(row["income"]) for row in rows[:1]]
    assert lost - fee_of_entry == pytest.approx(-wallet, abs=1e-9)


async def test_funding_is_paid_and_listed(world: Any) -> None:
    await world.trade("0.05")
    world.pump.advance_until(world.exchange.market_ms + 9 * 3_600_000)
    (row,) = await world.api.ok("GET", "v1/income", incomeType="FUNDING_FEE", symbol="BTCUSDT")
    *_, rate = await world.api.ok("GET", "v1/fundingRate", symbol="BTCUSDT")
    paid = -float(rate["fundingRate"]) * 0.05 * float(rate["markPrice"])
    assert float(row["income"]) == pytest.approx(paid, rel=1e-12)
    assert row["time"] == rate["fundingTime"]


async def test_margin_moves_are_listed_as_they_were_asked_for(world: Any) -> None:
    await world.trade("0.05")
    before = float((await world.position())["isolatedWallet"])
    await world.api.ok("POST", "v1/positionMargin", symbol="BTCUSDT", amount="10.12345678", type=1)
    await world.api.ok("POST", "v1/positionMargin", symbol="BTCUSDT", amount="3.5", type=2)
    rows = await world.api.ok("GET", "v1/positionMargin/history", symbol="BTCUSDT")
    assert [(row["type"], row["amount"], row["deltaType"]) for row in rows] == [
        (1, "10.12345678", "USER_ADJUST"),
        (2, "3.5", "USER_ADJUST"),
    ]
    after = float((await world.position())["isolatedWallet"])
    assert after == pytest.approx(before + 6.62345678, abs=1e-9)


SAID_BY_US = {"lost", "unavailable", "halted", "denied"}  # no answer that an exchange has a code for


@pytest.mark.parametrize("code", sorted({*get_args(RefusalCode)} - SAID_BY_US))
def test_every_refusal_of_the_venue_has_a_code(code: str) -> None:
    refused = Refused(0, BTC, "id", code, "because")
    for error in (refusal(refused), margin_refusal(refused), leverage_refusal(refused, 5)):
        assert error.number < -1000
        assert error.status == 400
