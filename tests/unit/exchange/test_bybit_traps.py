"""What ccxt or Bybit does that would cost money if believed. Each fails without its fix."""

from typing import Any

import pytest

from bot.core.event import (
    FundingSettled,
    LeverageSet,
    Liquidated,
    MarginAdjusted,
    OrderAccepted,
    OrderFilled,
    Refused,
)
from bot.core.intent import AddMargin, OpenPosition, PlaceStop, ReleaseMargin, SetLeverage
from bot.errors import OutcomeUnknown, Unavailable, UserError
from tests.unit.exchange.bybit_wire import (
    BybitWire,
    Refusal,
    execution_row,
    intent,
    order_row,
    position_row,
    stop_row,
    wired,
)
from tests.unit.exchange.wire import BTC, START_MS


class Purse:
    """A position whose wallet follows the margin requests."""

    def __init__(self, wire: BybitWire, wallet: float = 100.0) -> None:
        self.wallet = wallet
        wire.answers["GET /v5/position/list"] = self.row
        wire.answers["POST /v5/position/add-margin"] = self.move

    def row(self, _params: dict[str, Any]) -> dict[str, Any]:
        return {"list": [position_row(balance=f"{self.wallet:.8f}")], "nextPageCursor": ""}

    def move(self, params: dict[str, Any]) -> dict[str, Any]:
        self.wallet += float(params["margin"])
        return position_row(balance=f"{self.wallet:.8f}")


def codes(events: Any) -> list[str]:
    return [event.code for event in events if isinstance(event, Refused)]


# --- margin -----------------------------------------------------------------------------------------


async def test_margin_is_added_at_the_raw_endpoint_because_ccxt_has_none() -> None:
    connection, wire = wired()
    assert not connection.link.client.has["addMargin"]
    Purse(wire)
    added = await connection.gateway.execute(intent(AddMargin(BTC, 110.0)))
    (sent,) = wire.sent("POST", "position/add-margin")
    assert sent == {"category": "linear", "symbol": "BTCUSDT", "margin": "10.0000", "positionIdx": 0}
    assert [event.amount_quote for event in added if isinstance(event, MarginAdjusted)] == [10.0]


async def test_margin_is_released_by_a_negative_amount() -> None:
    connection, wire = wired()
    Purse(wire)
    await connection.gateway.execute(intent(ReleaseMargin(BTC, 90.5)))
    assert [sent["margin"] for sent in wire.sent("POST", "position/add-margin")] == ["-9.5000"]


async def test_margin_has_four_decimals_added_up_and_released_down() -> None:
    """The venue takes no more: a target in between is passed on adding, never on releasing."""
    connection, wire = wired()
    Purse(wire)
    await connection.gateway.execute(intent(AddMargin(BTC, 110.00001)))
    await connection.gateway.execute(intent(ReleaseMargin(BTC, 99.99999)))
    sent = [float(each["margin"]) for each in wire.sent("POST", "position/add-margin")]
    assert sent == [10.0001, -10.0001]


async def test_a_margin_move_without_an_answer_is_not_sent_again() -> None:
    """There is neither an idempotency key nor a history: only the wallet tells."""
    connection, wire = wired()
    purse = Purse(wire)

    def lost(params: dict[str, Any]) -> Exception:
        purse.move(params)
        return TimeoutError("no answer")

    import ccxt

    wire.answers["POST /v5/position/add-margin"] = lambda params: (
        lost(params) and ccxt.RequestTimeout("no answer")
    )
    request = intent(AddMargin(BTC, 110.0))
    with pytest.raises(OutcomeUnknown):
        await connection.gateway.execute(request)
    told = await connection.gateway.outcome_of(request)
    assert told is not None
    assert [event.amount_quote for event in told if isinstance(event, MarginAdjusted)] == [10.0]
    assert len(wire.sent("POST", "position/add-margin")) == 1
    assert purse.wallet == 110.0


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (110011, "beyond_removable"),
        (110014, "insufficient_balance"),
        (110015, "margin_mode_refused"),
        (110033, "no_position"),
        (110005, "in_liquidation"),
    ],
)
async def test_refused_margin_moves_say_why(code: int, said: str) -> None:
    connection, wire = wired()
    wire.holds(position_row())
    wire.answers["POST /v5/position/add-margin"] = Refusal(code)
    assert codes(await connection.gateway.execute(intent(AddMargin(BTC, 110.0)))) == [said]


# --- what the account is ------------------------------------------------------------------------------


async def test_the_wallet_is_the_position_balance_and_never_the_initial_margin() -> None:
    connection, wire = wired()
    wire.holds(position_row(balance="123.45"))
    account = await connection.gateway.account()
    assert account.positions[0].isolated_wallet == 123.45
    assert account.positions[0].leverage == 10.0


async def test_free_money_is_what_neither_positions_nor_orders_hold() -> None:
    """totalAvailableBalance is empty in isolated margin mode, and equity holds unrealised PnL."""
    connection, _ = wired()
    account = await connection.gateway.account()
    assert (account.free_quote, account.wallet_quote) == (9_875.0, 10_000.0)


async def test_a_position_without_a_balance_is_unavailable_not_guessed() -> None:
    connection, wire = wired()
    row = position_row()
    del row["positionBalance"]
    wire.holds(row)
    with pytest.raises(Unavailable, match="positionBalance"):
        await connection.gateway.account()


@pytest.mark.parametrize(
    ("more", "mode"), [({"positionIdx": 1}, "hedge mode"), ({"positionBalance": "0"}, "cross")]
)
async def test_a_hedged_or_cross_position_is_refused_in_words(more: dict[str, Any], mode: str) -> None:
    """tradeMode is always 0 on unified accounts: it says nothing."""
    connection, wire = wired()
    wire.holds(position_row(**more))
    with pytest.raises(UserError, match=mode):
        await connection.gateway.account()


async def test_an_account_that_is_not_unified_is_refused_in_words() -> None:
    connection, wire = wired()
    wire.answers["GET /v5/account/info"] = {"marginMode": "ISOLATED_MARGIN", "unifiedMarginStatus": 1}
    with pytest.raises(UserError, match="unified"):
        await connection.gateway.execute(intent(SetLeverage(BTC, 5)))


async def test_leverage_of_a_flat_symbol_is_read_from_its_own_row() -> None:
    """By settleCoin the venue lists open positions only, and ccxt has no leverage of a flat symbol."""
    connection, wire = wired()

    def rows(params: dict[str, Any]) -> dict[str, Any]:
        return {"list": [position_row("0", leverage="7")] if "symbol" in params else []}

    wire.answers["GET /v5/position/list"] = rows
    assert (await connection.gateway.account()).leverage == {BTC: 7}


async def test_tiers_are_asked_per_symbol_and_carry_the_deductions_that_ccxt_leaves_out() -> None:
    """ccxt reads the tiers of every symbol of the venue, page by page."""
    connection, wire = wired()
    instrument = (await connection.gateway.instruments())[BTC]
    assert instrument.tiers.maintenance_amount.tolist() == [0.0, 10_000.0]
    assert (instrument.taker_fee_rate, instrument.margin_step_quote) == (0.00055, 1e-4)
    assert [sent["symbol"] for sent in wire.sent("GET", "market/risk-limit")] == ["BTCUSDT"]


# --- modes and leverage -------------------------------------------------------------------------------


async def test_isolated_margin_is_set_for_the_account_and_read_back() -> None:
    connection, wire = wired()
    info = {"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 6}
    wire.answers["GET /v5/account/info"] = lambda _params: dict(info)

    def set_mode(params: dict[str, Any]) -> dict[str, Any]:
        info["marginMode"] = params["setMarginMode"]
        return {"reasons": []}

    wire.answers["POST /v5/account/set-margin-mode"] = set_mode
    events = await connection.gateway.execute(intent(SetLeverage(BTC, 10)))
    assert [type(event) for event in events] == [LeverageSet]
    assert wire.writes() == ["POST /v5/account/set-margin-mode"]


async def test_a_margin_mode_that_other_positions_forbid_is_a_refusal() -> None:
    connection, wire = wired()
    wire.answers["GET /v5/account/info"] = {"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 6}
    wire.answers["POST /v5/account/set-margin-mode"] = Refusal(3_400_045, "Set margin mode failed")
    events = await connection.gateway.execute(intent(SetLeverage(BTC, 10)))
    assert codes(events) == ["margin_mode_refused"]


async def test_no_entry_is_sent_into_a_cross_account_or_a_hedged_symbol() -> None:
    for trap in ("cross", "hedge"):
        connection, wire = wired()
        if trap == "cross":
            wire.answers["GET /v5/account/info"] = {"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 6}
        else:
            wire.holds(position_row("0", positionIdx=1), position_row("0", positionIdx=2))
        events = await connection.gateway.execute(intent(OpenPosition(BTC, 1, 0.1), "TRAP0000001E"))
        assert codes(events) == ["margin_mode_refused"]
        assert wire.writes() == []


async def test_leverage_that_was_so_already_is_success() -> None:
    """110043; ccxt raises BadRequest. It happens when two processes set it, or a reply was lost."""
    connection, wire = wired()
    wire.holds(position_row("0", leverage="10"))

    def other_was_first(_params: dict[str, Any]) -> Refusal:
        wire.holds(position_row("0", leverage="25"))
        return Refusal(110043, "leverage not modified")

    wire.answers["POST /v5/position/set-leverage"] = other_was_first
    events = await connection.gateway.execute(intent(SetLeverage(BTC, 25)))
    assert wire.writes() == ["POST /v5/position/set-leverage"]
    assert [event.leverage for event in events if isinstance(event, LeverageSet)] == [25]


async def test_leverage_of_an_open_position_is_not_touched() -> None:
    """The venue would compute its initial margin anew and move the wallet, and liquidation with it."""
    connection, wire = wired()
    wire.holds(position_row())
    events = await connection.gateway.execute(intent(SetLeverage(BTC, 25)))
    assert codes(events) == ["leverage_refused"]
    assert wire.writes() == []


# --- orders -------------------------------------------------------------------------------------------


async def test_a_stop_triggers_on_the_mark_closes_everything_and_has_our_id() -> None:
    """Unasked the venue triggers on the last price; its own stops have no client id."""
    connection, wire = wired()
    wire.holds(position_row())
    wire.answers["POST /v5/order/create"] = {"orderId": "order-88", "orderLinkId": "TRAP0000001S"}
    wire.answers["GET /v5/order/realtime"] = lambda params: {
        "list": [stop_row("TRAP0000001S")] if "orderId" in params else []
    }
    events = await connection.gateway.execute(intent(PlaceStop(BTC, 1, 49_500.0)))
    assert [type(event) for event in events] == [OrderAccepted]
    (sent,) = wire.sent("POST", "order/create")
    assert (sent["triggerBy"], sent["triggerDirection"], sent["triggerPrice"]) == ("MarkPrice", 2, "49500")
    assert (sent["qty"], sent["reduceOnly"], sent["closeOnTrigger"]) == ("0", True, True)
    assert sent["orderLinkId"] == "TRAP0000001S"
    assert not {"stopLoss", "takeProfit"} & sent.keys()


async def test_a_received_order_that_was_rejected_afterwards_is_a_refusal() -> None:
    """The reply is an acknowledgement only: the order exists, as Rejected."""
    connection, wire = wired()
    wire.answers["POST /v5/order/create"] = {"orderId": "order-77", "orderLinkId": "TRAP0000001E"}
    rejected = order_row(
        "TRAP0000001E", orderStatus="Rejected", cumExecQty="0", rejectReason="EC_NoEnoughBalance"
    )
    wire.lists("order/realtime", rejected)
    events = await connection.gateway.execute(intent(OpenPosition(BTC, 1, 0.1), "TRAP0000001E"))
    assert codes(events) == ["insufficient_balance"]


async def test_an_acknowledged_order_that_no_list_shows_yet_counts_as_sent() -> None:
    connection, wire = wired()
    wire.holds(position_row())
    wire.answers["POST /v5/order/create"] = {"orderId": "order-88", "orderLinkId": "TRAP0000001S"}
    events = await connection.gateway.execute(intent(PlaceStop(BTC, 1, 49_500.0)))
    assert [type(event) for event in events] == [OrderAccepted]
    assert connection.gateway.book.orders["TRAP0000001S"].status == "open"


async def test_every_page_of_open_orders_is_read() -> None:
    """The venue gives 20 unasked and 50 at most; ccxt reads one page."""
    connection, wire = wired()
    first = [stop_row(f"TRAP{number:07d}S", orderId=f"o{number}") for number in range(50)]

    def page(params: dict[str, Any]) -> dict[str, Any]:
        if params.get("cursor") == "next":
            return {"list": [stop_row("TRAP0000050S", orderId="o50")], "nextPageCursor": ""}
        return {"list": first, "nextPageCursor": "next"}

    wire.answers["GET /v5/order/realtime"] = page
    assert len((await connection.gateway.account()).orders) == 51


async def test_a_fired_stop_keeps_its_id_and_is_a_fill_of_ours() -> None:
    connection, wire = wired()
    wire.holds(position_row())
    wire.lists("order/realtime", stop_row("TRAP0000001S"))
    await connection.gateway.account()
    wire.holds(position_row("0"))
    filled = stop_row("TRAP0000001S", orderStatus="Filled", qty="0.1", cumExecQty="0.1")
    wire.answers["GET /v5/order/realtime"] = lambda params: {
        "list": [filled] if "orderLinkId" in params or "orderId" in params else []
    }
    wire.lists("execution/list", execution_row(5, "order-88", side="Sell", execPnl="-50", closedSize="0.1"))
    events = await connection.gateway.sweep(BTC)
    assert [(type(each), getattr(each, "client_id", "")) for each in events] == [
        (OrderFilled, "TRAP0000001S")
    ]
    assert events[0].realised_pnl_quote == -50.0  # pyright: ignore[reportAttributeAccessIssue]


# --- history ------------------------------------------------------------------------------------------


async def test_a_liquidation_is_seen_although_it_is_no_trade() -> None:
    """Its executions are BustTrade: ccxt asks for execType Trade, and no order list need have it."""
    connection, wire = wired()
    wire.holds(position_row())
    await connection.gateway.account()
    wire.holds(position_row("0"))
    bust = execution_row(
        5, "liquidation-1", side="Sell", execType="BustTrade", execPrice="49000", execPnl="-100"
    )
    wire.lists("execution/list", bust)
    events = await connection.gateway.sweep(BTC)
    assert [type(event) for event in events] == [Liquidated]
    assert "execType" not in wire.sent("GET", "execution/list")[0]


async def test_realised_pnl_is_read_from_the_transaction_log_once() -> None:
    connection, wire = wired()
    wire.holds(position_row())
    await connection.gateway.account()
    wire.holds(position_row("0"))
    wire.lists("order/realtime", order_row("TRAP0000009X", orderId="order-9", side="Sell", reduceOnly=True))
    wire.lists("execution/list", execution_row(5, "order-9", side="Sell", closedSize="0.1"))
    wire.lists("account/transaction-log", {"tradeId": "exec-5", "cashFlow": "12.5", "fee": "2.5"})
    wire.answers["GET /v5/order/realtime"] = lambda params: {
        "list": [order_row("TRAP0000009X", orderId="order-9", side="Sell")] if "orderId" in params else []
    }
    (fill,) = [each for each in await connection.gateway.sweep(BTC) if isinstance(each, OrderFilled)]
    assert (fill.realised_pnl_quote, fill.fee_quote) == (12.5, 2.5)
    asked = len(wire.sent("GET", "account/transaction-log"))
    await connection.gateway.sweep(BTC)
    assert len(wire.sent("GET", "account/transaction-log")) == asked


async def test_executions_are_asked_without_a_start_because_it_would_end_the_list_a_week_later() -> None:
    connection, wire = wired()
    wire.lists("execution/list", execution_row(5, "order-9"))
    await connection.gateway.account()
    await connection.gateway.sweep(BTC)
    assert all("startTime" not in sent for sent in wire.sent("GET", "execution/list"))


async def test_funding_that_was_paid_is_negative_although_execfee_is_positive() -> None:
    """ccxt's fetch_funding_history returns execFee as the amount: money paid looks like money earned."""
    connection, wire = wired()
    wire.lists("execution/list", execution_row(6, "", execType="Funding", execFee="0.5", execQty="0.1"))
    await connection.gateway.instruments()
    (paid,) = await connection.gateway.dialect.funding(connection.link.client, BTC, None)
    assert (paid.amount_quote, paid.ts_ms) == (-0.5, START_MS + 1_000)


async def test_funding_that_the_free_balance_paid_is_told_and_leaves_the_wallet() -> None:
    """The venue takes it out of the free balance first: no wallet changes, and nothing else tells."""
    connection, wire = wired()
    wire.holds(position_row())
    await connection.gateway.account()
    book, settled_ms = connection.gateway.book, START_MS + 1_000
    book.settled(BTC, settled_ms, START_MS)
    book.saw(settled_ms)
    paid = execution_row(6, "", execType="Funding", execFee="0.5", execPrice="50100")
    wire.lists("execution/list", paid)
    rate = {"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingRateTimestamp": str(settled_ms)}
    wire.lists("market/funding/history", rate)
    assert await connection.gateway.sweep(BTC) == ()  # the position may lag
    await connection.link.clock.sleep(31.0)
    (settled,) = await connection.gateway.sweep(BTC)
    assert isinstance(settled, FundingSettled)
    assert (settled.amount_quote, settled.rate, settled.mark) == (-0.5, 0.0001, 50_100.0)
    assert settled.position.isolated_wallet == 100.0
    assert await connection.gateway.sweep(BTC) == ()


async def test_nothing_reaches_another_product_or_an_older_api() -> None:
    connection, wire = wired()
    await connection.gateway.account()
    assert all(path.startswith("/v5/") for _, path, _ in wire.requests)
    assert all(params.get("category", "linear") == "linear" for _, _, params in wire.requests)
