"""Conditional orders live in Binance's algo service: own ids, own lists, and statuses that say little."""

from typing import Any

import pytest

from bot.core.event import OrderAccepted, OrderCancelled, OrderFilled
from bot.core.intent import Action, CancelOrder, Intent, PlaceStop
from bot.errors import OutcomeUnknown
from bot.exchange.rows import NewOrder
from tests.unit.exchange.wire import BTC, START_MS, algo_row, error, order_row, position_row, trade_row, wired

STOP = "TRAP0000001S"


def intent(action: Action, client_id: str = STOP) -> Intent:
    return Intent(1, client_id, START_MS, action, "trap", {})


async def test_a_stop_is_a_conditional_order_on_the_mark_over_the_whole_position() -> None:
    """An attached stopLoss is ignored without an error; the default trigger is the last price."""
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    wire.answers["POST /fapi/v1/algoOrder"] = lambda params: algo_row(params["clientAlgoId"])
    await connection.gateway.execute(intent(PlaceStop(BTC, 1, 49_500.0)))
    sent = wire.sent("POST", "/fapi/v1/algoOrder")[0]
    assert (sent["type"], sent["workingType"], sent["closePosition"]) == (
        "STOP_MARKET",
        "MARK_PRICE",
        "true",
    )
    assert sent["clientAlgoId"] == STOP
    assert "quantity" not in sent


async def test_no_order_of_ours_ever_carries_an_attached_stop() -> None:
    connection, wire = wired()
    wire.answers["POST /fapi/v1/order"] = lambda params: order_row(params["newClientOrderId"])
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    for number, kind in enumerate(("market", "limit")):
        order = NewOrder(f"TRAP000000{number}E", BTC, kind, 1, 0.1, False, 50_000.0)
        await connection.gateway.dialect.create(connection.link.client, order)
    for sent in wire.sent("POST", "/fapi/v1/order"):
        assert not {"stopLoss", "takeProfit", "stopLossPrice", "takeProfitPrice"} & sent.keys()


async def test_a_second_stop_of_a_kind_is_for_the_quantity_when_the_venue_refuses_another_whole_one() -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]

    def algo(params: dict[str, str]) -> Any:
        if "closePosition" in params:
            return error(-4130, "An open stop or take profit order with GTE and closePosition")
        return algo_row(params["clientAlgoId"], closePosition=False, quantity="0.100", reduceOnly=True)

    wire.answers["POST /fapi/v1/algoOrder"] = algo
    events = await connection.gateway.execute(intent(PlaceStop(BTC, 1, 49_500.0)))
    assert [type(event) for event in events] == [OrderAccepted]
    sent = wire.sent("POST", "/fapi/v1/algoOrder")
    assert (sent[1]["quantity"], sent[1]["reduceOnly"]) == ("0.1", "true")
    assert "closePosition" not in sent[1]


async def test_the_successor_of_a_resting_whole_stop_is_for_the_quantity_at_once() -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    wire.answers["GET /fapi/v1/openAlgoOrders"] = [algo_row("TRAP0000009S")]
    wire.answers["POST /fapi/v1/algoOrder"] = lambda params: algo_row(
        params["clientAlgoId"], closePosition=False, quantity="0.100", reduceOnly=True
    )
    await connection.gateway.execute(intent(PlaceStop(BTC, 1, 49_600.0)))
    sent = wire.sent("POST", "/fapi/v1/algoOrder")
    assert [each.get("closePosition") for each in sent] == [None]


async def test_conditional_orders_are_seen_in_their_own_list() -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v1/openAlgoOrders"] = [algo_row(STOP)]
    wire.answers["GET /fapi/v1/openOrders"] = [
        order_row("TRAP0000002E", status="NEW", type="LIMIT", price="49000", executedQty="0")
    ]
    orders = (await connection.gateway.account()).orders
    assert {(each.client_id, each.leg) for each in orders} == {(STOP, "stop"), ("TRAP0000002E", "entry")}


async def test_a_conditional_order_is_cancelled_in_its_own_service_and_the_result_is_read() -> None:
    """The reply of DELETE algoOrder has no status."""
    connection, wire = wired()
    wire.answers["GET /fapi/v1/openAlgoOrders"] = [algo_row(STOP)]
    await connection.gateway.account()

    def cancelled(_params: dict[str, str]) -> Any:
        wire.answers["GET /fapi/v1/openAlgoOrders"] = []
        wire.answers["GET /fapi/v1/algoOrder"] = algo_row(STOP, algoStatus="CANCELED")
        return {"algoId": 88, "clientAlgoId": STOP, "code": "200", "msg": "success"}

    wire.answers["DELETE /fapi/v1/algoOrder"] = cancelled
    events = await connection.gateway.execute(intent(CancelOrder(BTC, STOP), "TRAP0000003C"))
    assert [(type(event), event.cause) for event in events if isinstance(event, OrderCancelled)] == [
        (OrderCancelled, "requested")
    ]
    assert wire.sent("DELETE", "/fapi/v1/order") == []


async def test_a_cancel_that_did_not_cancel_stays_in_doubt_and_is_sent_again() -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v1/openAlgoOrders"] = [algo_row(STOP)]
    reply = {"algoId": 88, "clientAlgoId": STOP, "code": "200", "msg": "success"}
    wire.answers["DELETE /fapi/v1/algoOrder"] = reply
    cancel = intent(CancelOrder(BTC, STOP), "TRAP0000003C")
    with pytest.raises(OutcomeUnknown):
        await connection.gateway.execute(cancel)
    assert await connection.gateway.outcome_of(cancel) is None


async def test_a_trigger_whose_order_was_rejected_is_a_vanished_stop_not_a_fill() -> None:
    """ccxt calls TRIGGERED and FINISHED "closed" with filled = amount, whatever became of the order."""
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    wire.answers["GET /fapi/v1/openAlgoOrders"] = [algo_row(STOP)]
    await connection.gateway.account()
    wire.answers["GET /fapi/v1/openAlgoOrders"] = []
    wire.answers["GET /fapi/v1/algoOrder"] = algo_row(STOP, algoStatus="FINISHED", actualOrderId="99")
    wire.answers["GET /fapi/v1/order"] = order_row("x", orderId=99, status="EXPIRED", executedQty="0")
    events = await connection.gateway.sweep(BTC)
    assert [(type(each), getattr(each, "cause", "")) for each in events] == [(OrderCancelled, "expired")]
    assert BTC in connection.gateway.book.positions


async def test_a_trigger_whose_order_still_works_is_neither_filled_nor_gone() -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    wire.answers["GET /fapi/v1/openAlgoOrders"] = [algo_row(STOP)]
    await connection.gateway.account()
    wire.answers["GET /fapi/v1/openAlgoOrders"] = []
    wire.answers["GET /fapi/v1/algoOrder"] = algo_row(STOP, algoStatus="TRIGGERED", actualOrderId="99")
    child = order_row("venue-made-id", orderId=99, status="NEW", side="SELL", executedQty="0")
    wire.answers["GET /fapi/v1/openOrders"] = wire.answers["GET /fapi/v1/order"] = None
    wire.answers["GET /fapi/v1/openOrders"] = [child]
    wire.answers["GET /fapi/v1/order"] = child
    assert await connection.gateway.sweep(BTC) == ()
    assert list(connection.gateway.book.orders) == [STOP]
    wire.answers["GET /fapi/v1/openOrders"] = []
    wire.answers["GET /fapi/v1/order"] = {**child, "status": "FILLED", "executedQty": "0.100"}
    wire.answers["GET /fapi/v1/userTrades"] = [trade_row(5, 99, side="SELL", buyer=False)]
    wire.answers["GET /fapi/v3/positionRisk"] = []
    events = await connection.gateway.sweep(BTC)
    assert [(type(each), getattr(each, "client_id", "")) for each in events] == [(OrderFilled, STOP)]


async def test_a_triggers_order_that_no_list_shows_yet_is_not_gone() -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    wire.answers["GET /fapi/v1/openAlgoOrders"] = [algo_row(STOP)]
    await connection.gateway.account()
    wire.answers["GET /fapi/v1/openAlgoOrders"] = []
    wire.answers["GET /fapi/v1/algoOrder"] = algo_row(STOP, algoStatus="TRIGGERED", actualOrderId="99")
    wire.answers["GET /fapi/v1/order"] = order_row("child", orderId=99, status="NEW", executedQty="0")
    assert await connection.gateway.sweep(BTC) == ()
    assert list(connection.gateway.book.orders) == [STOP]


async def test_a_list_that_lags_does_not_lose_a_stop() -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v1/openAlgoOrders"] = [algo_row(STOP)]
    await connection.gateway.account()
    wire.answers["GET /fapi/v1/openAlgoOrders"] = []
    wire.answers["GET /fapi/v1/algoOrder"] = algo_row(STOP)
    assert await connection.gateway.sweep(BTC) == ()
    assert list(connection.gateway.book.orders) == [STOP]
