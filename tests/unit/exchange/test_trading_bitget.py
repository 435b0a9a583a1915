"""Bitget traded through the real gateway: its replies are those of its documents, nothing was sent there."""

from typing import Any

import ccxt
import pytest

from bot.core.event import FundingSettled, Liquidated, OrderFilled, Refused
from bot.core.intent import AddMargin, CancelOrder, OpenPosition, PlaceStop
from bot.errors import OutcomeUnknown, Rejected
from bot.exchange.rows import MarginMove, Payment, Trade
from bot.exchange.told import AccountTold, CandleTold, MarkTold
from tests.unit.exchange.bitget_script import MIX, UNKNOWN, Script, fill_row, plan_row, said
from tests.unit.exchange.documented import BTC, ENTRY, STOP, bitget
from tests.unit.exchange.recorder import START_MS, Sent
from tests.unit.exchange.scripted_venue import Fill, Refusal, Resting, ScriptedAccount, live_through

NAMES = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES"}
FILL = Fill(1, "701", ENTRY, 1, 50_000.0, 0.1, 3.0, 0.0, START_MS)
WAITING = Resting("801", STOP, -1, 0.0, 49_000.0)


async def test_a_position_lives_from_entry_to_close() -> None:
    account = ScriptedAccount()
    venue = Script(account).venue()
    await live_through(venue, account)
    assert venue.writes() == [
        f"POST {MIX}/{path}"
        for path in ("order/place-order", "order/place-tpsl-order", "account/set-margin",
                     "order/place-order", "order/place-order")
    ]  # fmt: skip
    entry, reduced, closed = venue.bodies("POST", f"{MIX}/order/place-order")
    assert (entry["size"], entry["side"], entry.get("reduceOnly")) == ("0.1", "buy", None)
    assert (reduced["size"], reduced["side"], reduced["reduceOnly"]) == ("0.04", "sell", "YES")
    assert (closed["size"], closed["reduceOnly"]) == ("0.06", "YES")
    (moved,) = venue.bodies("POST", f"{MIX}/account/set-margin")
    assert (moved["amount"], moved["holdSide"]) == ("25.5", "long")


async def test_requests_expire_with_the_receive_window() -> None:
    """The venue takes a request for 30 s, and what is thought lost after six must not arrive later."""
    venue = Script(ScriptedAccount()).venue()
    venue.client.milliseconds = venue.clock.now_ms
    await venue.gateway.instruments()
    await venue.gateway.instruments()
    signed = venue.client.sign("v2/mix/account/accounts", ["private", "mix"], "GET", {})
    assert int(signed["headers"]["ACCESS-TIMESTAMP"]) == venue.clock.now_ms() - 25_000


async def held() -> tuple[Any, ScriptedAccount]:
    account = ScriptedAccount()
    venue = Script(account).venue()
    await venue.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    return venue, account


async def test_fills_that_are_listed_later_are_waited_for() -> None:
    account = ScriptedAccount()
    venue = Script(account).venue()
    path = f"GET {MIX}/order/fills"
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


async def test_a_stop_that_fires_is_told_as_the_fill_of_the_order_it_became() -> None:
    venue, account = await held()
    await venue.execute(PlaceStop(BTC, 1, 49_000.0), STOP)
    account.price = 48_990.0
    child = account.trade("9000000000000000001", -1, 0.1)
    fired = plan_row(WAITING, "executed", executeOrderId=child, baseVolume="0.1")
    venue.answers[f"GET {MIX}/order/orders-plan-history"] = said({"entrustedList": [fired], "endId": None})
    (filled,) = await venue.gateway.sweep(BTC)
    assert isinstance(filled, OrderFilled)
    assert (filled.client_id, filled.leg, filled.position) == (STOP, "stop", None)
    assert filled.realised_pnl_quote == pytest.approx(-101.0)


async def test_a_liquidation_is_told_as_one_and_not_as_a_fill() -> None:
    venue, account = await held()
    account.price = 45_500.0
    account.trade("9000000000000000002", -1, 0.1)
    rows = [fill_row(account.fills[1], tradeSide="burst_sell_single"), fill_row(account.fills[0])]
    venue.answers[f"GET {MIX}/order/fills"] = said({"fillList": rows, "endId": "1"})
    (ended,) = await venue.gateway.sweep(BTC)
    assert isinstance(ended, Liquidated)
    assert (ended.quantity, ended.loss_quote) == pytest.approx((0.1, 500.0))


async def test_funding_is_told_with_its_rate() -> None:
    venue, account = await held()
    account.wallet -= 0.5
    settled_ms = START_MS + 3_600_000
    bill = {"billId": "99", "symbol": "BTCUSDT", "amount": "-0.5", "fee": "0", "feeByCoupon": "",
            "businessType": "contract_settle_fee", "coin": "USDT", "cTime": str(settled_ms + 40)}  # fmt: skip
    venue.answers[f"GET {MIX}/account/bill"] = said({"bills": [bill], "endId": "99"})
    rates = [{"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingTime": str(settled_ms)}]
    rates.append({"symbol": "BTCUSDT", "fundingRate": "0.0009", "fundingTime": str(settled_ms + 3_600_000)})
    venue.answers[f"GET {MIX}/market/history-fund-rate"] = said(rates)
    (settled,) = await venue.gateway.sweep(BTC)
    assert isinstance(settled, FundingSettled)
    assert (settled.amount_quote, settled.rate, settled.mark) == (-0.5, 0.0001, 0.0)


async def test_a_refused_margin_move_says_why() -> None:
    venue, _ = await held()
    refusal = {"code": "40762", "msg": "The order amount exceeds the balance", "data": None}
    venue.answers[f"POST {MIX}/account/set-margin"] = Refusal(refusal, 400)
    (refused,) = await venue.execute(AddMargin(BTC, 100_000.0), "RF0000009M")
    assert isinstance(refused, Refused)
    assert refused.code == "insufficient_balance"


async def test_a_cancellation_that_failed_inside_a_success_stays_in_doubt_while_the_order_rests() -> None:
    venue, _ = await held()
    await venue.execute(PlaceStop(BTC, 1, 49_000.0), STOP)
    failure = {"orderId": "801", "clientOid": STOP, "errorMsg": "The order does not exist"}
    venue.answers[f"POST {MIX}/order/cancel-plan-order"] = said({"successList": [], "failureList": [failure]})
    with pytest.raises(OutcomeUnknown) as doubt:
        await venue.execute(CancelOrder(BTC, STOP), "RF0000010C")
    assert isinstance(doubt.value.__cause__, Rejected)
    assert doubt.value.__cause__.args[0] == "unknown_order"


# --- requests and rows ----------------------------------------------------------------------------


async def test_an_order_is_asked_from_the_service_that_keeps_its_kind() -> None:
    made = bitget()
    made.answers[f"GET {MIX}/order/detail"] = said(
        {"symbol": "BTCUSDT", "size": "0.1", "orderId": "701", "clientOid": ENTRY, "baseVolume": "0.04",
         "price": "48000", "state": "canceled", "side": "buy", "orderType": "limit", "reduceOnly": "NO",
         "cTime": str(START_MS)}
    )  # fmt: skip
    plain = await made.trading.order(made.client, BTC, ENTRY, False)
    assert made.take() == [Sent("GET", f"{MIX}/order/detail", {**NAMES, "clientOid": ENTRY}, None)]
    assert (plain.status, plain.filled_quantity, plain.limit_price) == ("cancelled", 0.04, 48_000.0)
    nothing = said({"entrustedList": [], "endId": None})
    fired = said({"entrustedList": [plan_row(WAITING, "executed", executeOrderId="702")], "endId": "1"})
    made.answers[f"GET {MIX}/order/orders-plan-pending"] = nothing
    made.answers[f"GET {MIX}/order/orders-plan-history"] = fired
    stop = await made.trading.order(made.client, BTC, STOP, True)
    asked = {**NAMES, "planType": "profit_loss", "clientOid": STOP}
    assert made.take() == [
        Sent("GET", f"{MIX}/order/orders-plan-{kind}", asked, None) for kind in ("pending", "history")
    ]
    assert (stop.status, stop.child_id, stop.quantity, stop.is_conditional) == ("done", "702", 0.0, True)


async def test_an_order_that_nobody_knows_is_not_found() -> None:
    made = Script(ScriptedAccount()).venue()
    dialect = made.gateway.dialect
    await made.gateway.instruments()
    assert made.answers[f"GET {MIX}/order/detail"]({}) == UNKNOWN
    for is_conditional in (False, True):
        with pytest.raises(ccxt.OrderNotFound):
            await dialect.order(made.client, BTC, ENTRY, is_conditional)
    burst = await dialect.order_by_venue_id(made.client, BTC, "burst-71")
    assert dialect.is_liquidation(burst.client_id)
    assert not dialect.is_liquidation(ENTRY)


async def test_fills_are_read_page_by_page_until_they_are_older() -> None:
    made = bitget()
    newest = [
        fill_row(FILL._replace(trade_id=200 - each, ts_ms=START_MS + 200 - each)) for each in range(100)
    ]
    older = [fill_row(FILL._replace(trade_id=100, ts_ms=START_MS + 100)),
             fill_row(FILL._replace(trade_id=1, ts_ms=START_MS - 1))]  # fmt: skip
    made.answers[f"GET {MIX}/order/fills"] = said({"fillList": newest, "endId": "101"})
    pages = [said({"fillList": newest, "endId": "101"}), said({"fillList": older, "endId": "1"})]
    made.answers[f"GET {MIX}/order/fills"] = lambda _: pages.pop(0)
    rows = await made.trading.trades(made.client, BTC, START_MS)
    assert len(rows) == 101
    assert rows[0] == Trade(START_MS + 100, BTC, 100, "701", 1, 50_000.0, 0.1, 3.0, False, 0.0)
    first, second = made.take()
    assert first.query == {**NAMES, "limit": "100"}
    assert second.query == {**NAMES, "limit": "100", "idLessThan": "101"}


async def test_a_fee_in_another_coin_is_not_the_wallets() -> None:
    made = bitget()
    fee = {"deduction": "yes", "feeCoin": "BGB", "totalDeductionFee": "-0.1", "totalFee": "-0.1"}
    rows = [fill_row(FILL, feeDetail=[fee], tradeScope="maker")]
    made.answers[f"GET {MIX}/order/fills"] = said({"fillList": rows, "endId": None})
    (row,) = await made.trading.trades(made.client, BTC, None)
    assert (row.fee_quote, row.is_maker) == (0.0, True)


def bill(kind: str, amount: str, symbol: str = "BTCUSDT") -> dict[str, Any]:
    return {"billId": "7", "symbol": symbol, "amount": amount, "fee": "0", "feeByCoupon": "",
            "businessType": kind, "coin": "USDT", "balance": "232.21", "cTime": str(START_MS)}  # fmt: skip


async def test_bills_of_other_symbols_are_left_out() -> None:
    made = bitget()
    rows = [bill("contract_settle_fee", "0.25", "ETHUSDT"), bill("contract_settle_fee", "-0.004992")]
    made.answers[f"GET {MIX}/account/bill"] = said({"bills": rows, "endId": None})
    paid = await made.trading.funding(made.client, BTC, None)
    assert paid == (Payment(START_MS, BTC, "7", -0.004992),)
    query = {"productType": "USDT-FUTURES", "businessType": "contract_settle_fee", "limit": "100"}
    assert made.take() == [Sent("GET", f"{MIX}/account/bill", query, None)]


async def test_margin_moves_are_signed_by_their_kind() -> None:
    made = bitget()
    made.answers[f"GET {MIX}/account/bill"] = said({"bills": [bill("any", "10.5")], "endId": None})
    moves = await made.trading.margin_moves(made.client, BTC, START_MS)
    assert moves == (MarginMove(START_MS, BTC, -10.5), MarginMove(START_MS, BTC, 10.5))
    assert [each.query["businessType"] for each in made.take()] == ["append_margin", "reduce_margin"]


async def test_the_rate_before_the_first_settlement_is_unknown() -> None:
    made = bitget()
    made.answers[f"GET {MIX}/market/history-fund-rate"] = said([])
    found = await made.trading.funding_rate_at(made.client, BTC, START_MS)
    assert found == (0.0, 0.0)
    assert made.take()[0].query == {**NAMES, "pageSize": "100"}


async def test_marks_and_the_next_settlement_are_read_while_the_stream_is_silent() -> None:
    made = bitget()
    price = {"symbol": "BTCUSDT", "price": "50000", "indexPrice": "50001", "markPrice": "50002.5",
             "ts": str(START_MS)}  # fmt: skip
    due = {"symbol": "BTCUSDT", "nextFundingTime": str(START_MS + 60_000), "ratePeriod": "8"}
    made.answers[f"GET {MIX}/market/symbol-price"] = said([price])
    made.answers[f"GET {MIX}/market/funding-time"] = said([due])
    found = await made.trading.marks(made.client, [BTC])
    assert found == (MarkTold(START_MS, BTC, 50_002.5, START_MS + 60_000),)


async def test_a_refused_cancellation_is_a_refusal_of_the_dialect() -> None:
    made = bitget()
    failure = {"orderId": "801", "clientOid": STOP, "errorMsg": "no"}
    made.answers[f"POST {MIX}/order/cancel-plan-order"] = said({"successList": [], "failureList": [failure]})
    with pytest.raises(Rejected, match="no"):
        await made.dialect.cancel(made.client, BTC, STOP, True)


async def test_the_feed_reads_closed_candles_before_the_stream_begins() -> None:
    venue = Script(ScriptedAccount()).venue()
    await venue.gateway.instruments()
    begin_ms = START_MS - START_MS % 60_000
    rows = [[str(begin_ms - each * 60_000), "1", "2", "0.5", "1.5", "3", "4.5"] for each in (2, 1, 0)]
    for path in ("candles", "history-candles"):
        venue.answers[f"GET {MIX}/market/{path}"] = said(rows)
    candles = await venue.connection.feed(60_000).history(BTC, 60_000, 2)
    assert candles.open_ms.tolist() == [begin_ms - 120_000, begin_ms - 60_000]
    assert (candles.close[0], candles.volume[0]) == pytest.approx((1.5, 3.0))


# --- streams --------------------------------------------------------------------------------------


def pushed(channel: str, data: Any, **arg: Any) -> dict[str, Any]:
    names = {"instType": "USDT-FUTURES", "channel": channel, **(arg or {"instId": "BTCUSDT"})}
    return {"action": "snapshot", "arg": names, "data": data, "ts": START_MS}


TICKER = {"instId": "BTCUSDT", "lastPr": "43480.4", "fundingRate": "0.000096",
          "nextFundingTime": "1701849600000", "markPrice": "43476.4", "indexPrice": "43478.4",
          "symbol": "BTCUSDT", "ts": "1701843962811"}  # fmt: skip
CANDLES = [
    ["1701871620000", "44080.23", "44080.23", "44028.5", "44028.51", "9.9", "437404.1", "437404.1"],
    ["1701871680000", "44028.51", "44108.11", "44028.5", "44100.0", "17.1", "755436.8", "755436.8"],
]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (pushed("ticker", [TICKER]), MarkTold(1701843962811, BTC, 43_476.4, 1701849600000)),
        (
            pushed("candle1m", [CANDLES[0], *CANDLES]),
            [
                CandleTold(
                    START_MS, BTC, 1701871620000, 44_080.23, 44_080.23, 44_028.5, 44_028.51, 9.9, False
                ),
                CandleTold(
                    START_MS, BTC, 1701871680000, 44_028.51, 44_108.11, 44_028.5, 44_100.0, 17.1, False
                ),
            ],
        ),
        (pushed("orders", [{"instId": "BTCUSDT"}], instId="default"), AccountTold(START_MS, (BTC,))),
        (pushed("orders-algo", [{"instId": "BTCUSDT"}], instId="default"), AccountTold(START_MS, (BTC,))),
        (pushed("fill", [{"symbol": "BTCUSDT"}], instId="default"), AccountTold(START_MS, (BTC,))),
        (pushed("positions", [], instId="default"), AccountTold(START_MS, ())),
        (pushed("account", [{"marginCoin": "USDT"}], coin="default"), AccountTold(START_MS, ())),
        (pushed("ticker", [{**TICKER, "markPrice": ""}]), None),
        (pushed("ticker", [TICKER], instId="ETHUSDT"), None),
        ({"event": "subscribe", "arg": {"instType": "USDT-FUTURES", "channel": "ticker"}}, None),
        ({"event": "login", "code": 0}, None),
        ("pong", None),
    ],
)
def test_a_message_says_what_the_documents_say(message: Any, expected: Any) -> None:
    made = bitget()
    assert made.trading.told(made.client, message) == expected


async def test_streams_are_subscribed_to_raw_and_demo_accounts_have_their_own_host() -> None:
    made = bitget()
    asked: list[tuple[str, Any]] = []

    async def watch(url: str, _name: str, request: Any, _subscription: str) -> None:
        asked.append((url, request["args"]))

    async def authenticate(params: Any) -> None:
        asked.append((params["url"], "login"))

    made.client.watch, made.client.authenticate = watch, authenticate
    watchers = made.trading.watchers(made.client, [BTC], "1h")
    for name in ("marks", "candles", "account"):
        await watchers[name]()
    base = "ws://127.0.0.1:1/v2/ws"
    inst = {"instType": "USDT-FUTURES"}
    default = [{**inst, "channel": name, "instId": "default"} for name in
               ("orders", "orders-algo", "positions", "fill")]  # fmt: skip
    assert asked == [
        (f"{base}/public", [{**inst, "channel": "ticker", "instId": "BTCUSDT"}]),
        (f"{base}/public", [{**inst, "channel": "candle1H", "instId": "BTCUSDT"}]),
        (f"{base}/private", "login"),
        (f"{base}/private", [*default, {**inst, "channel": "account", "coin": "default"}]),
    ]
    made.client.options["sandboxMode"] = True
    made.client.urls["api"]["demo"]["public"] = "ws://127.0.0.1:1/demo"
    await watchers["marks"]()
    assert asked[-1][0] == "ws://127.0.0.1:1/demo"
