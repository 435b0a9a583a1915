"""What happened to the account: executions and the transaction log, newest first, a page at a time."""

from collections.abc import Iterable
from typing import Final

from bot.sim.server.books import IncomeRow, Settlement
from bot.sim.server.bybit.desk import COIN, Desk
from bot.sim.server.bybit.errors import INVALID_PARAMETER, ApiError
from bot.sim.server.bybit.order_rows import (
    SIDE,
    execution_id,
    execution_row,
    funding_row,
    id_text,
    link_id,
)
from bot.sim.server.bybit.wire import Params, Row, page, whole_or
from bot.sim.server.decimals import decimal_text

_DAY_MS: Final = 86_400_000
_WEEK_MS: Final = 7 * _DAY_MS
_LOG_TYPE: Final = {"pnl": "TRADE", "fee": "TRADE", "funding": "SETTLEMENT", "deposit": "TRANSFER_IN"}


def executions(desk: Desk, params: Params) -> Row:
    """GET /v5/execution/list: fills, liquidations (BustTrade) and funding."""
    symbol = desk.symbol_or_none(params)
    begin_ms, end_ms = _span(desk, params, _WEEK_MS)
    wanted, order_id, link = params.get("execType"), params.get("orderId"), params.get("orderLinkId")
    rows = [
        row
        for row in (*_trades(desk, symbol, begin_ms, end_ms), *_fundings(desk, symbol, begin_ms, end_ms))
        if wanted in (None, "", row["execType"])
        and (not order_id or row["orderId"] == order_id)
        and (not link or row["orderLinkId"] == link)
    ]
    return page(params, _newest_first(rows, "execTime"), 50, 100)


def _trades(desk: Desk, symbol: str | None, begin_ms: int, end_ms: int) -> Iterable[Row]:
    books = desk.exchange.books
    for trade in books.trades:
        if begin_ms <= trade.ts_ms <= end_ms and symbol in (None, trade.symbol):
            yield execution_row(books, trade, desk.ids[trade.symbol], trade.price)


def _fundings(desk: Desk, symbol: str | None, begin_ms: int, end_ms: int) -> Iterable[Row]:
    for paid in desk.exchange.books.incomes:
        is_wanted = paid.kind == "funding" and symbol in (None, paid.symbol)
        if is_wanted and begin_ms <= paid.ts_ms <= end_ms:
            yield funding_execution(desk, paid)


def funding_execution(desk: Desk, paid: IncomeRow) -> Row:
    """Return a funding payment as an execution: quantity and side follow from amount, rate and mark."""
    settled = _settlement(desk, paid)
    side = -1 if paid.amount_quote * settled.rate > 0.0 else 1
    value = abs(paid.amount_quote / settled.rate) if settled.rate else 0.0
    quantity = round(value / settled.mark, 8) if settled.mark else 0.0
    return funding_row(paid, desk.ids[paid.symbol], side, settled.rate, settled.mark, quantity)


def _settlement(desk: Desk, paid: IncomeRow) -> Settlement:
    found = (
        each
        for each in reversed(desk.exchange.books.settlements)
        if each.symbol == paid.symbol and each.ts_ms == paid.ts_ms
    )
    return next(found, Settlement(paid.symbol, 0.0, 0.0, paid.ts_ms))


def transactions(desk: Desk, params: Params) -> Row:
    """GET /v5/account/transaction-log: the last day unless asked otherwise, at most seven days."""
    if params.get("category"):
        desk.check_category(params)
    begin_ms, end_ms = _span(desk, params, _DAY_MS)
    if end_ms - begin_ms > _WEEK_MS:
        raise ApiError(INVALID_PARAMETER, why="the time range exceeds 7 days")
    wanted = params.get("type")
    rows = [
        row
        for row in _log(desk)
        if begin_ms <= int(row["transactionTime"]) <= end_ms and wanted in (None, "", row["type"])
    ]
    return page(params, _newest_first(rows, "transactionTime"), 20, 50)


def _log(desk: Desk) -> Iterable[Row]:
    """One row a fill: what it earned (cashFlow) and its fee; one a funding payment, received > 0."""
    books = desk.exchange.books
    for trade in books.trades:
        order = books.orders[trade.order_id]
        kind = "LIQUIDATION" if order.order_type == "liquidation" else "TRADE"
        change = trade.realised_pnl_quote - trade.fee_quote
        yield {
            **_log_row(desk, trade.symbol, kind, trade.ts_ms, change),
            "id": f"l{trade.trade_id}",
            "side": SIDE[trade.side],
            "qty": decimal_text(trade.quantity),
            "tradePrice": decimal_text(trade.price),
            "cashFlow": decimal_text(trade.realised_pnl_quote),
            "fee": decimal_text(trade.fee_quote),
            "tradeId": execution_id("t", trade.trade_id),
            "orderId": id_text(order.algo_id or order.order_id),
            "orderLinkId": link_id(order.client_id),
        }
    for paid in books.incomes:
        if paid.kind in ("funding", "deposit"):
            row = _log_row(desk, paid.symbol, _LOG_TYPE[paid.kind], paid.ts_ms, paid.amount_quote)
            name = "funding" if paid.kind == "funding" else "cashFlow"
            yield {**row, "id": f"i{paid.income_id}", name: row["change"]}


def _log_row(desk: Desk, symbol: str, kind: str, ts_ms: int, change: float) -> Row:
    texts = "id side qty size tradePrice funding fee cashFlow cashBalance feeRate tradeId orderId orderLinkId"
    return {
        **dict.fromkeys(texts.split(), ""),
        "symbol": desk.ids.get(symbol, ""),
        "category": "linear" if symbol else "",
        "transactionTime": str(ts_ms),
        "type": kind,
        "currency": COIN,
        "change": decimal_text(change),
    }


def settlements(desk: Desk, params: Params) -> Row:
    """GET /v5/market/funding/history: the market's settlements. No mark."""
    symbol = desk.symbol(params)
    begin_ms, end_ms = whole_or(params, "startTime", 0), whole_or(params, "endTime", 1 << 62)
    rows = [
        {
            "symbol": desk.ids[symbol],
            "fundingRate": decimal_text(each.rate),
            "fundingRateTimestamp": str(each.ts_ms),
        }
        for each in desk.exchange.settlements(symbol)
        if begin_ms <= each.ts_ms <= end_ms
    ]
    return page(params, _newest_first(rows, "fundingRateTimestamp"), 200, 200)


def _span(desk: Desk, params: Params, length_ms: int) -> tuple[int, int]:
    """Return begin and end: one bound alone spans `length_ms` from it, none the newest of it."""
    end_ms = whole_or(params, "endTime", 0)
    begin_ms = whole_or(params, "startTime", 0)
    if begin_ms:
        return begin_ms, end_ms or begin_ms + max(length_ms, _WEEK_MS)
    end_ms = end_ms or desk.exchange.market_ms
    return end_ms - length_ms, end_ms


def _newest_first(rows: list[Row], field: str) -> list[Row]:
    return sorted(rows, key=lambda row: int(row[field]))[::-1]
