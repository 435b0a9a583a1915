"""KuCoin futures traded through the real gateway: replies are those of its documents, nothing was sent."""

from typing import Any

import ccxt
import pytest

from bot.core.event import FundingSettled, Liquidated, OrderCancelled, OrderFilled, Refused
from bot.core.intent import AddMargin, OpenPosition, PlaceStop, ReducePosition, SetLeverage
from bot.exchange.rows import Payment, Trade
from tests.unit.exchange.documented import BTC, ENTRY, STOP, kucoin
from tests.unit.exchange.kucoin_script import UNKNOWN, Script, fill_row, order_row, said, stop_row
from tests.unit.exchange.recorder import START_MS, Sent
from tests.unit.exchange.scripted_venue import ADD, Fill, Refusal, Resting, ScriptedAccount, live_through

FILL = Fill(1, "701", ENTRY, 1, 50_000.0, 0.1, 3.0, 0.0, START_MS)
WAITING = Resting("801", STOP, -1, 0.0, 49_000.0)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
DEPOSIT = "/api/v1/position/margin/deposit-margin"


async def test_a_position_lives_from_entry_to_close() -> None:
    account = ScriptedAccount()
    venue = Script(account).venue()
    await live_through(venue, account)
    orders = "POST /api/v1/orders"
    assert venue.writes() == [orders, orders, f"POST {DEPOSIT}", orders, orders]
    entry, stop, reduced, closed = venue.bodies("POST", "/api/v1/orders")
    assert (entry["size"], entry["leverage"], entry["marginMode"]) == (100, 10, "ISOLATED")
    assert (stop["stop"], stop["stopPriceType"], stop["closeOrder"]) == ("down", "MP", True)
    assert [(each["size"], each["reduceOnly"]) for each in (reduced, closed)] == [(40, True), (60, True)]


async def test_a_deposit_is_named_by_the_intent_so_that_a_second_one_is_the_same() -> None:
    account = ScriptedAccount()
    venue = Script(account).venue()
    await live_through(venue, account)
    assert venue.bodies("POST", DEPOSIT) == [{"symbol": "XBTUSDTM", "margin": "25.5", "bizNo": ADD}]


async def held() -> tuple[Any, ScriptedAccount]:
    account = ScriptedAccount()
    venue = Script(account).venue()
    venue.client.milliseconds = venue.clock.now_ms
    await venue.execute(SetLeverage(BTC, 10), "RF0000000L")
    await venue.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    return venue, account


async def test_an_entry_without_leverage_is_refused_unsent() -> None:
    venue = Script(ScriptedAccount()).venue()
    (refused,) = await venue.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    assert isinstance(refused, Refused)
    assert refused.code == "leverage_refused"
    assert venue.writes() == []


async def test_fills_that_are_listed_later_are_waited_for() -> None:
    account = ScriptedAccount()
    venue = Script(account).venue()
    await venue.execute(SetLeverage(BTC, 10), "RF0000000L")
    path = "GET /api/v1/recentFills"
    listed, asked = venue.answers[path], list[Any]()

    def late(query: Any) -> Any:
        asked.append(query)
        account.fills, kept = account.fills if len(asked) > 5 else [], account.fills
        try:
            return listed(query)
        finally:
            account.fills = kept

    venue.answers[path] = late
    events = await venue.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    assert [type(each).__name__ for each in events] == ["OrderAccepted", "OrderFilled"]


async def test_a_stop_that_fires_keeps_its_id() -> None:
    venue, account = await held()
    await venue.execute(PlaceStop(BTC, 1, 49_000.0), STOP)
    (stop,) = account.stops.values()
    account.price = 48_990.0
    account.trade(STOP, -1, 0.1)
    filled_row = account.fills[1]._replace(venue_id=stop.venue_id)
    account.fills[1] = filled_row
    fired = order_row(filled_row, stop="down", stopTriggered=True, stopPrice="49000", closeOrder=True)
    venue.answers["GET /api/v1/orders/byClientOid"] = said(fired)
    (filled,) = await venue.gateway.sweep(BTC)
    assert isinstance(filled, OrderFilled)
    assert (filled.client_id, filled.leg, filled.position) == (STOP, "stop", None)
    assert filled.realised_pnl_quote == pytest.approx(-101.0)


async def test_a_liquidation_is_told_as_one_and_not_as_a_fill() -> None:
    venue, account = await held()
    account.price = 45_500.0
    account.trade("", -1, 0.1)
    rows = [fill_row(account.fills[1], tradeType="liquidation"), fill_row(account.fills[0])]
    venue.answers["GET /api/v1/recentFills"] = said(rows)
    (ended,) = await venue.gateway.sweep(BTC)
    assert isinstance(ended, Liquidated)
    assert (ended.quantity, ended.loss_quote, ended.mark) == pytest.approx((0.1, 500.0, 45_500.0))


async def test_a_stop_that_outlived_its_position_is_cancelled_before_the_next_entry() -> None:
    """The documents do not say that a stop goes with its position."""
    venue, account = await held()
    await venue.execute(PlaceStop(BTC, 1, 49_000.0), STOP)
    rest = account.stops
    await venue.execute(ReducePosition(BTC, 1, 0.0), "RF0000006X")
    account.stops, account.ended = rest, {}
    await venue.gateway.sweep(BTC)

    def cancelled(_asked: Any) -> Any:
        account.ended, account.stops = account.stops, {}
        return said({"cancelledOrderIds": ["801"]})

    venue.answers["DELETE /api/v1/orders/801"] = cancelled
    events = await venue.execute(OpenPosition(BTC, 1, 0.1), "RF0000012E")
    assert venue.writes()[-2:] == ["DELETE /api/v1/orders/801", "POST /api/v1/orders"]
    ended = [each for each in events if isinstance(each, OrderCancelled)]
    assert ended == [], "it was told with the position"


def payment(number: int, ts_ms: int, amount: float = -0.5) -> dict[str, Any]:
    return {"id": number, "symbol": "XBTUSDTM", "timePoint": ts_ms, "fundingRate": 0.0001,
            "markPrice": 50_100.5, "positionQty": 100, "positionCost": 5_010.05, "funding": amount,
            "settleCurrency": "USDT", "context": "", "marginMode": "ISOLATED"}  # fmt: skip


async def test_funding_is_told_with_its_rate_and_mark() -> None:
    venue, account = await held()
    account.wallet -= 0.5
    settled_ms = START_MS + 7 * HOUR_MS
    listed = {"dataList": [payment(9, settled_ms)], "hasMore": False}
    venue.answers["GET /api/v1/funding-history"] = said(listed)
    (settled,) = await venue.gateway.sweep(BTC)
    assert isinstance(settled, FundingSettled)
    assert (settled.amount_quote, settled.rate, settled.mark) == (-0.5, 0.0001, 50_100.5)


async def test_a_deposit_into_a_position_that_has_ended_is_refused() -> None:
    venue, account = await held()
    venue.answers[f"POST {DEPOSIT}"] = {"code": "200000", "msg": "Position does not exist"}
    (refused,) = await venue.execute(AddMargin(BTC, account.wallet + 10.0), ADD)
    assert isinstance(refused, Refused)
    assert refused.code == "no_position"


@pytest.mark.parametrize(
    ("code", "said_by_us"),
    [("300003", "insufficient_balance"), ("300009", "no_position"), ("330005", "margin_mode_refused")],
)
async def test_a_refused_entry_says_why(code: str, said_by_us: str) -> None:
    venue, _ = await held()
    venue.answers["POST /api/v1/orders"] = Refusal({"code": code, "msg": "no"})
    (refused,) = await venue.execute(OpenPosition(BTC, 1, 0.1), "RF0000011E")
    assert isinstance(refused, Refused)
    assert refused.code == said_by_us


# --- requests and rows ----------------------------------------------------------------------------


def shown(row: Any) -> tuple[Any, ...]:
    return row.leg, row.status, row.is_conditional, row.quantity, row.filled_quantity, row.is_reduce_only


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (order_row(FILL), ("entry", "done", False, 0.1, 0.1, False)),
        (order_row(FILL, isActive=True, filledSize=40), ("entry", "open", False, 0.1, 0.04, False)),
        (order_row(FILL, cancelExist=True, filledSize=40), ("entry", "cancelled", False, 0.1, 0.04, False)),
        (stop_row(WAITING), ("stop", "open", True, 0.0, 0.0, True)),
        (stop_row(WAITING, clientOid="x", stop="up"), ("take_profit", "open", True, 0.0, 0.0, True)),
        (
            stop_row(WAITING, isActive=False, stopTriggered=True, size=100, filledSize=100),
            ("stop", "done", False, 0.1, 0.1, True),
        ),
    ],
)  # fmt: skip
async def test_an_order_is_read_from_the_venues_row(row: dict[str, Any], expected: tuple[Any, ...]) -> None:
    made = kucoin()
    made.answers["GET /api/v1/orders/byClientOid"] = said(row)
    found = await made.trading.order(made.client, BTC, ENTRY, False)
    assert shown(found) == pytest.approx(expected)
    assert made.take() == [Sent("GET", "/api/v1/orders/byClientOid", {"clientOid": ENTRY}, None)]


async def test_an_order_of_somebody_else_is_named_and_found_by_the_venues_id() -> None:
    made = kucoin()
    made.answers["GET /api/v1/orders/701"] = said(order_row(FILL, clientOid=None))
    for found in (
        await made.trading.order_by_venue_id(made.client, BTC, "701"),
        await made.trading.order(made.client, BTC, "venue-701", False),
    ):
        assert (found.client_id, found.venue_id) == ("venue-701", "701")
    made.take()
    made.answers["DELETE /api/v1/orders/701"] = said({"cancelledOrderIds": ["701"]})
    await made.trading.cancel(made.client, BTC, "venue-701", False)
    assert made.take() == [Sent("DELETE", "/api/v1/orders/701", {}, None)]


async def test_an_order_that_nobody_knows_is_not_found() -> None:
    venue = Script(ScriptedAccount()).venue()
    await venue.gateway.instruments()
    dialect = venue.gateway.dialect
    assert venue.answers["GET /api/v1/orders/byClientOid"]({"clientOid": "?"}) == UNKNOWN
    with pytest.raises(ccxt.OrderNotFound):
        await dialect.order(venue.client, BTC, "?", False)
    venue.answers["GET /api/v1/orders/byClientOid"] = said(None)
    with pytest.raises(ccxt.OrderNotFound):
        await dialect.order(venue.client, BTC, "?", False)
    burst = await dialect.order_by_venue_id(venue.client, BTC, "liquidation-71")
    assert dialect.is_liquidation(burst.client_id)
    assert not dialect.is_liquidation(ENTRY)


async def test_fills_of_a_day_come_from_the_list_without_delay_and_older_ones_once_by_the_week() -> None:
    made = kucoin()
    now_ms = START_MS
    made.client.milliseconds = lambda: now_ms
    fresh, old = (
        FILL._replace(ts_ms=START_MS - HOUR_MS),
        FILL._replace(trade_id=2, ts_ms=START_MS - 9 * DAY_MS),
    )
    made.answers["GET /api/v1/recentFills"] = said([fill_row(fresh, liquidity="maker", feeCurrency="KCS")])
    made.answers["GET /api/v1/fills"] = said({"items": [fill_row(old)], "totalPage": 1})
    since_ms = START_MS - 10 * DAY_MS
    rows = await made.trading.trades(made.client, BTC, since_ms)
    assert rows == (
        Trade(old.ts_ms, BTC, 2, "701", 1, 50_000.0, 0.1, 3.0, False, None),
        Trade(fresh.ts_ms, BTC, 1, "701", 1, 50_000.0, 0.1, 0.0, True, None),
    )
    recent, first, second = made.take()
    assert recent == Sent("GET", "/api/v1/recentFills", {"symbol": "XBTUSDTM"}, None)
    week = {"symbol": "XBTUSDTM", "pageSize": "1000", "currentPage": "1"}
    middle_ms = since_ms + 7 * DAY_MS
    assert first.query == {**week, "startAt": str(since_ms), "endAt": str(middle_ms)}
    assert second.query == {**week, "startAt": str(middle_ms), "endAt": str(now_ms)}
    assert await made.trading.trades(made.client, BTC, since_ms) == rows
    assert [each.path for each in made.take()] == ["/api/v1/recentFills"]
    assert len(await made.trading.trades(made.client, BTC, None)) == 2
    assert len(await made.trading.trades(made.client, BTC, START_MS - DAY_MS)) == 1


async def test_payments_are_read_page_by_page_until_they_are_older() -> None:
    made = kucoin()
    pages = [
        said({"dataList": [payment(9, START_MS + 2), payment(8, START_MS + 1)], "hasMore": True}),
        said({"dataList": [payment(7, START_MS, 0.25), payment(6, START_MS - 1)], "hasMore": True}),
    ]
    made.answers["GET /api/v1/funding-history"] = lambda _: pages.pop(0)
    rows = await made.trading.funding(made.client, BTC, START_MS)
    assert rows[0] == Payment(START_MS, BTC, "7", 0.25)
    assert [row.payment_id for row in rows] == ["7", "8", "9"]
    first, second = made.take()
    assert first.query == {"symbol": "XBTUSDTM", "maxCount": "100"}
    assert second.query == {"symbol": "XBTUSDTM", "maxCount": "100", "offset": "8"}


async def test_a_rate_that_was_not_paid_is_the_markets() -> None:
    made = kucoin()
    rates = [{"symbol": "XBTUSDTM", "fundingRate": 0.0002, "timepoint": START_MS - 1},
             {"symbol": "XBTUSDTM", "fundingRate": 0.0001, "timepoint": START_MS - HOUR_MS}]  # fmt: skip
    made.answers["GET /api/v1/contract/funding-rates"] = said(rates)
    assert await made.trading.funding_rate_at(made.client, BTC, START_MS) == (0.0002, 0.0)
    (asked,) = made.take()
    assert asked.query == {
        "symbol": "XBTUSDTM",
        "from": str(START_MS - 7 * DAY_MS),
        "to": str(START_MS + 60_000),
    }
    made.answers["GET /api/v1/contract/funding-rates"] = said([])
    assert await made.trading.funding_rate_at(made.client, BTC, START_MS) == (0.0, 0.0)
    assert await made.trading.margin_moves(made.client, BTC, None) == ()


async def test_the_feed_reads_closed_candles_before_the_stream_begins() -> None:
    venue = Script(ScriptedAccount()).venue()
    venue.client.milliseconds = venue.clock.now_ms
    await venue.gateway.instruments()
    begin_ms = START_MS - START_MS % 60_000
    rows = [[begin_ms - each * 60_000, 1, 2, 0.5, 1.5, 3, 4.5] for each in (2, 1, 0)]
    venue.answers["GET /api/v1/kline/query"] = said(rows)
    candles = await venue.connection.feed(60_000).history(BTC, 60_000, 2)
    assert candles.open_ms.tolist() == [begin_ms - 120_000, begin_ms - 60_000]
    assert (candles.close[0], candles.volume[0]) == pytest.approx((1.5, 3.0))
