"""Hyperliquid's histories and orders: what is asked, compared whole, and what documented replies say."""

from types import SimpleNamespace
from typing import Any

import ccxt
import pytest

from bot.exchange.rows import Payment, Trade
from bot.exchange.told import MarkTold
from tests.unit.exchange.documented import BTC_USDC, ENTRY, STOP, hyperliquid, order
from tests.unit.exchange.recorder import CANARY, START_MS, Recorder

HOUR_MS = 3_600_000
WEEK_MS = 7 * 24 * HOUR_MS
USER = {"user": CANARY.wallet_address}
FILL = {
    "coin": "BTC", "px": "50000.0", "sz": "0.01", "side": "B", "time": START_MS, "startPosition": "0.0",
    "dir": "Open Long", "closedPnl": "0.0", "hash": "0x00", "oid": 71, "crossed": True, "fee": "0.225",
    "tid": 128423918764978, "feeToken": "USDC", "cloid": None,
}  # fmt: skip
PAID = {"time": START_MS + 57, "hash": "0x00",
        "delta": {"type": "funding", "coin": "BTC", "usdc": "-0.625", "szi": "1.0",
                  "fundingRate": "0.0000125", "nSamples": None}}  # fmt: skip
ORDER = {
    "coin": "BTC", "side": "A", "limitPx": "46550.0", "sz": "0.0", "oid": 88, "timestamp": START_MS,
    "triggerCondition": "Price below 49000", "isTrigger": True, "triggerPx": "49000.0", "children": [],
    "isPositionTpsl": False, "reduceOnly": True, "orderType": "Stop Market", "origSz": "0.01",
    "tif": None, "cloid": None,
}  # fmt: skip


def made_with(answer: Any) -> Recorder:
    made = hyperliquid()
    made.answers["POST /info"] = answer
    made.client.milliseconds = lambda: START_MS + WEEK_MS
    return made


def asked(made: Recorder) -> list[Any]:
    return [each.body for each in made.take() if each.path == "/info"]


async def test_hyperliquids_fills_are_of_one_coin_and_without_the_fee() -> None:
    made = made_with([FILL, {**FILL, "coin": "ETH"}, {**FILL, "side": "A", "tid": 9, "closedPnl": "-0.8",
                                                    "crossed": False, "fee": "-0.1"}])  # fmt: skip
    assert await made.trading.trades(made.client, BTC_USDC, START_MS) == (
        Trade(START_MS, BTC_USDC, 9, "71", -1, 50_000.0, 0.01, -0.1, True, -0.8),
        Trade(START_MS, BTC_USDC, 128423918764978, "71", 1, 50_000.0, 0.01, 0.225, False, 0.0),
    )
    assert asked(made) == [{"type": "userFillsByTime", **USER, "startTime": START_MS}]
    made = made_with([])
    await made.trading.trades(made.client, BTC_USDC, None)
    assert asked(made)[0]["startTime"] == START_MS, "a week back"


async def test_hyperliquids_fills_are_read_page_by_page_and_each_once() -> None:
    rows = [{**FILL, "tid": n, "time": START_MS + n // 3} for n in range(4_500)]

    def page(said: Any) -> list[Any]:
        return [row for row in rows if row["time"] >= said["startTime"]][:2_000]

    made = made_with(page)
    found = await made.trading.trades(made.client, BTC_USDC, START_MS)
    assert [each.trade_id for each in found] == list(range(4_500))
    assert len(asked(made)) == 3


async def test_a_fill_of_the_stream_is_told_while_the_history_lags_and_once() -> None:
    later = {**FILL, "tid": 7, "time": START_MS + 5}
    made = made_with([FILL])
    for row in (later, {**later, "coin": "ETH", "tid": 8}, {**FILL, "tid": 6, "time": START_MS - 1}):
        made.trading.told(made.client, {"channel": "userFills", "data": {"fills": [row]}})
    found = await made.trading.trades(made.client, BTC_USDC, START_MS)
    assert [each.trade_id for each in found] == [FILL["tid"], 7]
    made.answers["POST /info"] = [FILL, later]
    made.trading.told(made.client, {"channel": "userFills", "data": {"fills": [later]}})
    assert await made.trading.trades(made.client, BTC_USDC, START_MS) == found


async def test_hyperliquids_payment_tells_the_price_it_was_counted_at() -> None:
    def answer(said: Any) -> Any:
        other = {**PAID, "delta": {**PAID["delta"], "coin": "ETH"}}
        rates = [{"coin": "BTC", "fundingRate": "0.0000125", "premium": "0.0", "time": START_MS + 57}]
        return {"userFunding": [PAID, other], "fundingHistory": rates}[said["type"]]

    made = made_with(answer)
    ts_ms = START_MS + 57
    paid = await made.trading.funding(made.client, BTC_USDC, START_MS)
    assert paid == (Payment(ts_ms, BTC_USDC, str(ts_ms), -0.625),)
    rate, price = await made.trading.funding_rate_at(made.client, BTC_USDC, ts_ms)
    assert (rate, price) == (0.0000125, pytest.approx(50_000.0))
    span = {"startTime": ts_ms - HOUR_MS - 60_000, "endTime": ts_ms + 60_000}
    assert asked(made) == [
        {"type": "userFunding", **USER, "startTime": START_MS},
        {"type": "fundingHistory", "coin": "BTC", **span},
    ]
    other_ms = ts_ms + 5
    assert await made.trading.funding_rate_at(made.client, BTC_USDC, other_ms) == (0.0000125, 0.0)
    made = made_with([])
    assert await made.trading.funding_rate_at(made.client, BTC_USDC, ts_ms) == (0.0, 0.0)


def told(status: str, ts_ms: int = START_MS + WEEK_MS, **more: Any) -> dict[str, Any]:
    row = {"order": {**ORDER, **more}, "status": status, "statusTimestamp": ts_ms}
    return {"status": "order", "order": row}


@pytest.mark.parametrize(
    ("status", "ts_ms", "wanted", "is_conditional"),
    [
        ("open", START_MS, "open", True),
        ("triggered", START_MS + WEEK_MS - 1_000, "open", False),
        ("triggered", START_MS, "done", False),
        ("filled", START_MS, "done", False),
        ("canceled", START_MS, "cancelled", False),
        ("reduceOnlyCanceled", START_MS, "cancelled", False),
        ("siblingFilledCanceled", START_MS, "cancelled", False),
        ("liquidatedCanceled", START_MS, "cancelled", False),
        ("scheduledCancel", START_MS, "cancelled", False),
        ("badTriggerPxRejected", START_MS, "cancelled", False),
        ("rejected", START_MS, "cancelled", False),
    ],
)
async def test_hyperliquids_statuses_say_how_an_order_ended(
    status: str, ts_ms: int, wanted: str, is_conditional: bool
) -> None:
    made = made_with(told(status, ts_ms))
    found = await made.trading.order(made.client, BTC_USDC, "88", True)
    assert (found.status, found.is_conditional, found.leg) == (wanted, is_conditional, "stop")
    assert (found.client_id, found.venue_id, found.filled_quantity) == ("88", "88", 0.01)


async def test_hyperliquids_orders_are_asked_for_by_either_id() -> None:
    made = made_with(told("open"))
    await made.trading.order(made.client, BTC_USDC, ENTRY, False)
    await made.trading.order_by_venue_id(made.client, BTC_USDC, "88")
    first, second = asked(made)
    assert first == {"type": "orderStatus", **USER, "oid": "0x" + f"{first['oid'][2:]:0>32}"}
    assert first["oid"].startswith("0x524601")
    assert second == {"type": "orderStatus", **USER, "oid": 88}
    made = made_with({"status": "unknownOid"})
    with pytest.raises(ccxt.OrderNotFound):
        await made.trading.order(made.client, BTC_USDC, ENTRY, False)


async def test_a_foreign_hyperliquid_order_is_cancelled_by_the_venues_number() -> None:
    made = hyperliquid()
    await made.trading.cancel(made.client, BTC_USDC, "88", True)
    assert [each.body["action"] for each in made.take()] == [
        {"type": "cancel", "cancels": [{"a": 0, "o": 88}]}
    ]


async def test_a_hyperliquid_stop_that_is_answered_by_a_word_is_looked_up() -> None:
    made = made_with(told("open"))
    data = {"statuses": ["waitingForTrigger"]}
    made.answers["POST /exchange"] = {"status": "ok", "response": {"type": "order", "data": data}}
    wanted = order("stop", -1, 0.0, BTC_USDC, trigger_price=49_000.0)
    found = await made.trading.create(made.client, wanted)
    assert (found.client_id, found.venue_id, found.status) == (STOP, "88", "open")
    made.answers["POST /info"] = {"status": "unknownOid"}
    found = await made.trading.create(made.client, wanted)
    assert (found.client_id, found.venue_id, found.status) == (STOP, "", "open")


async def test_hyperliquids_market_order_says_what_was_filled() -> None:
    made = hyperliquid()
    filled = {"filled": {"totalSz": "0.006", "avgPx": "50000", "oid": 71}}
    data = {"statuses": [filled]}
    made.answers["POST /exchange"] = {"status": "ok", "response": {"type": "order", "data": data}}
    found = await made.trading.create(made.client, order("market", 1, 0.01, BTC_USDC))
    assert (found.venue_id, found.status, found.filled_quantity) == ("71", "done", 0.006)


async def test_hyperliquid_refuses_no_second_stop_and_forgets_no_stream() -> None:
    made = hyperliquid()
    assert not made.trading.refuses_second_stop("Order could not be placed")
    made.trading.forget_user_stream(made.client)
    assert made.sent == []
    assert await made.trading.leverages(made.client, [BTC_USDC]) == {BTC_USDC: 10}


async def test_hyperliquids_marks_come_in_one_reply_and_funding_is_hourly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    still = SimpleNamespace(monotonic=lambda: 5.0)
    monkeypatch.setattr("bot.exchange.dialects.hyperliquid_time.time", still)
    universe = {"universe": [{"name": "ETH"}, {"name": "BTC"}]}
    made = made_with([universe, [{"markPx": "2000"}, {"markPx": "50001.5"}]])
    (mark,) = await made.trading.marks(made.client, [BTC_USDC])
    now_ms = START_MS + WEEK_MS
    assert mark == MarkTold(now_ms, BTC_USDC, 50_001.5, now_ms - now_ms % HOUR_MS + HOUR_MS)
    assert asked(made) == [{"type": "metaAndAssetCtxs"}]
