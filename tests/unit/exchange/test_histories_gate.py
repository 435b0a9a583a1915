"""Gate's histories and orders: what is asked, compared whole, and what documented replies say."""

from typing import Any

import ccxt
import pytest

from bot.errors import Rejected
from bot.exchange.rows import Payment, Settings, Trade
from tests.unit.exchange.documented import BTC, ENTRY, EXIT, FUTURES, STOP, gate, order
from tests.unit.exchange.recorder import START_MS, Recorder, Sent

SECONDS = START_MS // 1000
ABSENT = {"label": "ORDER_NOT_FOUND", "message": "Order not found"}
PLAIN = {
    "id": 71, "user": 11, "contract": "BTC_USDT", "size": 100, "left": 0, "price": "0", "tif": "ioc",
    "fill_price": "50000", "text": f"t-{ENTRY}", "status": "finished", "finish_as": "filled",
    "create_time": SECONDS + 0.5, "is_reduce_only": False, "is_close": False, "is_liq": False,
}  # fmt: skip
TRIGGERED = {
    "id": 88, "user": 11, "status": "finished", "finish_as": "succeeded", "trade_id": 72, "reason": "",
    "create_time": SECONDS, "order_type": "close-long-position",
    "initial": {"contract": "BTC_USDT", "size": 0, "price": "0", "tif": "ioc", "text": f"t-{STOP}",
                "is_close": True, "is_reduce_only": True},
    "trigger": {"strategy_type": 0, "price_type": 1, "price": "49000", "rule": 2, "expiration": 0},
}  # fmt: skip
TRADE = {
    "id": 5, "create_time": SECONDS + 1.25, "contract": "BTC_USDT", "order_id": "71", "size": 100,
    "close_size": 0, "price": "50000", "role": "taker", "text": f"t-{ENTRY}", "fee": "0.3",
    "point_fee": "0",
}  # fmt: skip
CLOSING = {**TRADE, "id": 6, "order_id": "72", "size": -100, "close_size": -100, "price": "50500",
           "text": "ao-88", "role": "maker", "fee": "-0.05"}  # fmt: skip
CONTRACT = {"contract": "BTC_USDT"}


def made_with(**answers: Any) -> Recorder:
    made = gate()
    for path, answer in answers.items():
        made.answers[f"GET {FUTURES}/{path}"] = answer
    return made


def asked(path: str, **query: str) -> Sent:
    return Sent("GET", f"{FUTURES}/{path}", query, None)


async def test_gates_order_is_asked_for_by_our_text() -> None:
    made = made_with(**{f"orders/t-{ENTRY}": {**PLAIN, "left": 40}})
    found = await made.trading.order(made.client, BTC, ENTRY, False)
    assert made.take() == [asked(f"orders/t-{ENTRY}")]
    assert (found.client_id, found.venue_id, found.leg, found.order_side) == (ENTRY, "71", "entry", 1)
    assert (found.quantity, found.filled_quantity) == pytest.approx((0.01, 0.006))
    assert (found.status, found.created_ms) == ("done", START_MS + 500)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"status": "open", "left": 100, "tif": "gtc"}, "open"),
        ({"finish_as": "cancelled", "left": 40, "tif": "gtc"}, "cancelled"),
        ({"finish_as": "ioc", "left": 100}, "cancelled"),
        ({"finish_as": "filled", "left": 0, "tif": "gtc"}, "done"),
    ],
)
async def test_gates_order_has_ended_well_when_it_was_filled(more: dict[str, Any], status: str) -> None:
    made = made_with(**{f"orders/t-{ENTRY}": {**PLAIN, **more}})
    assert (await made.trading.order(made.client, BTC, ENTRY, False)).status == status


async def test_a_minute_later_gates_order_is_found_among_the_ended_ones() -> None:
    made = made_with(**{f"orders/t-{ENTRY}": ABSENT, "orders": [{**PLAIN, "text": "web"}, PLAIN]})
    assert (await made.trading.order(made.client, BTC, ENTRY, False)).venue_id == "71"
    listed = asked("orders", **CONTRACT, status="finished", limit="100")
    assert made.take()[1:] == [listed]
    made = made_with(**{f"orders/t-{EXIT}": ABSENT, "orders": [PLAIN]})
    with pytest.raises(ccxt.OrderNotFound):
        await made.trading.order(made.client, BTC, EXIT, False)


async def test_gates_conditional_order_is_asked_for_by_the_id_it_got() -> None:
    made = made_with(**{"price_orders/71": {**TRIGGERED, "id": 71}})
    await made.trading.create(made.client, order("stop", -1, 0.0, trigger_price=49_000.0))
    made.take()
    found = await made.trading.order(made.client, BTC, STOP, True)
    assert made.take() == [asked("price_orders/71")]
    assert (found.client_id, found.leg, found.order_side, found.trigger_on) == (STOP, "stop", -1, "mark")
    assert (found.status, found.child_id, found.is_conditional) == ("done", "72", True)


async def test_after_a_restart_gates_conditional_order_is_found_by_its_text() -> None:
    def listed(_: Any) -> Any:
        return [TRIGGERED] if made.sent[-1].query["status"] == "finished" else []

    made = made_with(price_orders=listed)
    found = await made.trading.order(made.client, BTC, STOP, True)
    assert (found.venue_id, found.client_id) == ("88", STOP)
    states = ("open", "finished")
    assert made.take() == [asked("price_orders", **CONTRACT, status=each, limit="100") for each in states]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"status": "open"}, "open"),
        ({"status": "inactive"}, "open"),
        ({"finish_as": "cancelled"}, "cancelled"),
        ({"finish_as": "expired"}, "cancelled"),
        ({"finish_as": "failed"}, "cancelled"),
    ],
)
async def test_gates_trigger_is_done_only_when_it_succeeded(more: dict[str, Any], status: str) -> None:
    made = made_with(price_orders=[{**TRIGGERED, **more}])
    assert (await made.trading.order(made.client, BTC, STOP, True)).status == status


@pytest.mark.parametrize(
    ("text", "rule", "kind", "side"),
    [
        ("RF0000003T", 1, "", -1),
        ("RF0000003T", 2, "", 1),
        ("RF0000002S", 1, "", 1),
        ("RF0000002S", 2, "close-long-position", -1),
    ],
)
async def test_gates_order_for_the_whole_position_has_the_side_of_its_leg(
    text: str, rule: int, kind: str, side: int
) -> None:
    row = {**TRIGGERED, "order_type": kind, "initial": {**TRIGGERED["initial"], "text": f"t-{text}"},
           "trigger": {**TRIGGERED["trigger"], "rule": rule}}  # fmt: skip
    made = made_with(price_orders=[row])
    assert (await made.trading.order(made.client, BTC, text, True)).order_side == side


async def test_what_a_gate_trigger_became_has_the_name_of_the_trigger() -> None:
    made = made_with(**{"orders/72": {**PLAIN, "id": 72, "text": "ao-88"}, "price_orders/88": TRIGGERED})
    found = await made.trading.order_by_venue_id(made.client, BTC, "72")
    assert (found.client_id, found.venue_id, found.is_conditional) == (STOP, "72", False)
    assert made.take() == [asked("orders/72"), asked("price_orders/88")]


@pytest.mark.parametrize(
    ("text", "name"),
    [("web", "72"), ("api", "72"), ("", "72"), ("t-other", "other"), ("auto_deleveraging", "72")],
)
async def test_foreign_gate_orders_go_by_the_venues_id(text: str, name: str) -> None:
    made = made_with(**{"orders/72": {**PLAIN, "id": 72, "text": text}})
    assert (await made.trading.order_by_venue_id(made.client, BTC, "72")).client_id == name


@pytest.mark.parametrize("text", ["liquidation", "liq-123", "hedge-liq-1", "pm_liquidate"])
async def test_gates_liquidations_are_known_by_their_text(text: str) -> None:
    made = made_with(my_trades=[{**TRADE, "text": text}])
    (trade,) = await made.trading.trades(made.client, BTC, None)
    found = await made.trading.order_by_venue_id(made.client, BTC, trade.venue_order_id)
    assert made.trading.is_liquidation(found.client_id)
    assert not made.trading.is_liquidation(ENTRY)


async def test_gates_fills_carry_the_pnl_of_the_account_book() -> None:
    booked = {"time": SECONDS + 1.25, "change": "4.99", "balance": "1", "type": "pnl", "text": "BTC_USDT:6",
              "contract": "BTC_USDT", "trade_id": "6", "id": "b6"}  # fmt: skip
    made = made_with(my_trades=[CLOSING, TRADE], account_book=[booked])
    found = await made.trading.trades(made.client, BTC, START_MS)
    ts_ms = START_MS + 1_250
    assert [each._replace(quantity=round(each.quantity, 12)) for each in found] == [
        Trade(ts_ms, BTC, 5, "71", 1, 50_000.0, 0.01, 0.3, False, 0.0),
        Trade(ts_ms, BTC, 6, "72", -1, 50_500.0, 0.01, -0.05, True, 4.99),
    ]
    span = {"from": str(SECONDS), "to": str(SECONDS + 2)}
    page = {"limit": "100", "offset": "0"}
    assert made.take() == [
        asked("my_trades", **CONTRACT, **page),
        asked("account_book", **CONTRACT, **page, **span, type="pnl"),
        asked("liquidates", **CONTRACT, limit="100", **{"from": str(SECONDS)}),
        asked("auto_deleverages", **CONTRACT, limit="100", **{"from": str(SECONDS)}),
    ]
    await made.trading.trades(made.client, BTC, START_MS)
    names = [each.path.rpartition("/")[2] for each in made.take()]
    assert names == ["my_trades", "liquidates", "auto_deleverages"], "what is known is not asked for again"


async def test_what_gates_account_book_does_not_show_yet_is_not_said() -> None:
    made = made_with(my_trades=[CLOSING], account_book=[])
    (trade,) = await made.trading.trades(made.client, BTC, None)
    assert trade.realised_pnl_quote is None


async def test_gates_fills_are_read_page_by_page_until_they_are_old_enough() -> None:
    def page(_: Any) -> list[Any]:
        offset = int(made.sent[-1].query["offset"])
        return [{**TRADE, "id": offset + n, "create_time": SECONDS - offset} for n in range(100)]

    made = made_with(my_trades=page)
    found = await made.trading.trades(made.client, BTC, START_MS - 100_000)
    assert len(found) == 200
    pages = [each for each in made.take() if each.path.endswith("my_trades")]
    assert [each.query["offset"] for each in pages] == ["0", "100", "200"]


async def test_gates_funding_is_read_from_the_account_book() -> None:
    row = {"time": SECONDS + 0.5, "change": "-0.25", "balance": "1", "type": "fund", "text": "BTC_USDT:1",
           "contract": "BTC_USDT", "id": "f1"}  # fmt: skip
    made = made_with(account_book=[row, {**row, "id": "f0", "time": SECONDS - 5}])
    assert await made.trading.funding(made.client, BTC, START_MS) == (
        Payment(START_MS + 500, BTC, "f1", -0.25),
    )
    query = {**CONTRACT, "type": "fund", "from": str(SECONDS), "limit": "100", "offset": "0"}
    assert made.take() == [asked("account_book", **query)]


async def test_gates_rate_is_that_of_the_settlement_before() -> None:
    made = made_with(funding_rate=[{"t": SECONDS + 3_600, "r": "0.9"}, {"t": SECONDS, "r": "0.0001"},
                                   {"t": SECONDS - 28_800, "r": "0.0002"}])  # fmt: skip
    assert await made.trading.funding_rate_at(made.client, BTC, START_MS) == (0.0001, 0.0)
    last = SECONDS + 60
    query = {**CONTRACT, "from": str(last - 86_400), "to": str(last), "limit": "100"}
    assert made.take() == [asked("funding_rate", **query)]
    made = made_with(funding_rate=[])
    assert await made.trading.funding_rate_at(made.client, BTC, START_MS) == (0.0, 0.0)


async def test_gate_keeps_no_history_of_margin_and_refuses_no_second_stop() -> None:
    made = gate()
    assert await made.trading.margin_moves(made.client, BTC, None) == ()
    assert not made.trading.refuses_second_stop("INVALID_PARAM_VALUE")
    made.trading.forget_user_stream(made.client)
    assert made.sent == []


async def test_a_gate_contract_that_was_never_held_is_not_isolated_yet() -> None:
    made = made_with(**{"positions/BTC_USDT": {"label": "POSITION_NOT_FOUND", "message": "x"}})
    assert await made.trading.settings(made.client, BTC) == Settings(0, False, True)
    assert await made.trading.leverages(made.client, [BTC]) == {BTC: 0}
    made = made_with(**{"positions/BTC_USDT": {"label": "INVALID_KEY", "message": "x"}})
    with pytest.raises(ccxt.AuthenticationError):
        await made.trading.settings(made.client, BTC)


async def test_gates_market_order_that_found_nothing_is_a_refusal() -> None:
    made = gate()
    made.answers[f"POST {FUTURES}/orders"] = {**PLAIN, "left": 100, "finish_as": "ioc"}
    with pytest.raises(Rejected, match="unfilled: ioc"):
        await made.trading.create(made.client, order("market", 1, 0.01))
    made.answers[f"POST {FUTURES}/orders"] = {**PLAIN, "left": 40, "finish_as": "ioc"}
    found = await made.trading.create(made.client, order("market", 1, 0.01))
    assert (found.status, found.filled_quantity) == ("done", pytest.approx(0.006))


async def test_gates_foreign_orders_are_cancelled_by_the_venues_id() -> None:
    made = gate()
    made.answers[f"DELETE {FUTURES}/orders/72"] = {**PLAIN, "id": 72}
    await made.trading.cancel(made.client, BTC, "72", False)
    assert made.take() == [Sent("DELETE", f"{FUTURES}/orders/72", CONTRACT, None)]
