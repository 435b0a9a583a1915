"""What happened to the account: trades, income, margin moves."""

from typing import Any, Final

from bot.core.timeframe import DAY_MS
from bot.sim.server.binance.desk import ASSET, Desk
from bot.sim.server.binance.errors import TOO_LONG, ApiError
from bot.sim.server.binance.order_rows import order_row, trade_row
from bot.sim.server.binance.wire import Params, span, whole_or
from bot.sim.server.decimals import decimal_text

Row = dict[str, Any]
_WEEK_MS: Final = 7 * DAY_MS
_INCOME_TYPES: Final = {
    "pnl": "REALIZED_PNL",
    "fee": "COMMISSION",
    "funding": "FUNDING_FEE",
    "insurance": "INSURANCE_CLEAR",
    "deposit": "TRANSFER",
}


def trades(desk: Desk, params: Params) -> list[Row]:
    """GET /fapi/v1/userTrades: from `fromId` on, else of seven days at most."""
    symbol = desk.symbol(params)
    first, order_id = whole_or(params, "fromId", -1), whole_or(params, "orderId", 0)
    start_ms, end_ms, limit = span(params)
    is_from_start = first >= 0 or start_ms > 0
    if first < 0 and not order_id:
        start_ms, end_ms = _week(desk, params)
    rows = [
        trade_row(trade, desk.ids[symbol])
        for trade in desk.exchange.books.trades
        if trade.symbol == symbol
        and trade.trade_id >= first
        and start_ms <= trade.ts_ms <= end_ms
        and order_id in (0, trade.order_id)
    ]
    return rows[:limit] if is_from_start else rows[-limit:]


def _week(desk: Desk, params: Params) -> tuple[int, int]:
    """Return begin and end: one bound alone spans a week from it, none the last. ApiError: more."""
    end_ms = whole_or(params, "endTime", desk.exchange.market_ms)
    start_ms = whole_or(params, "startTime", end_ms - _WEEK_MS)
    if not params.get("endTime"):
        end_ms = start_ms + _WEEK_MS
    if end_ms - start_ms > _WEEK_MS:
        raise ApiError(TOO_LONG)
    return start_ms, end_ms


def income(desk: Desk, params: Params) -> list[Row]:
    """GET /fapi/v1/income: oldest first from `startTime` on, else the newest of seven days."""
    symbol, wanted = desk.symbol_or_none(params), params.get("incomeType")
    start_ms, end_ms, limit = span(params)
    since_ms = start_ms or min(end_ms, desk.exchange.market_ms) - _WEEK_MS
    rows = [
        {
            "symbol": desk.ids.get(each.symbol, ""),
            "incomeType": _INCOME_TYPES[each.kind],
            "income": decimal_text(each.amount_quote),
            "asset": ASSET,
            "info": str(each.trade_id or each.kind),
            "time": each.ts_ms,
            "tranId": each.income_id,
            "tradeId": str(each.trade_id or ""),
        }
        for each in desk.exchange.books.incomes
        if symbol in (None, each.symbol)
        and since_ms <= each.ts_ms <= end_ms
        and wanted in (None, "", _INCOME_TYPES[each.kind])
    ]
    return rows[:limit] if start_ms else rows[-limit:]


def margin_moves(desk: Desk, params: Params) -> list[Row]:
    """GET /fapi/v1/positionMargin/history: requested moves, newest last."""
    symbol, kind = desk.symbol(params), whole_or(params, "type", 0)
    start_ms, end_ms, limit = span(params)
    rows = [
        {
            "symbol": desk.ids[symbol],
            "type": 1 if move.amount_quote > 0.0 else 2,
            "deltaType": "USER_ADJUST" if move.is_requested else "TRADE",
            "amount": decimal_text(abs(move.amount_quote)),
            "asset": ASSET,
            "time": move.ts_ms,
            "positionSide": "BOTH",
        }
        for move in desk.exchange.books.moves
        if move.symbol == symbol and start_ms <= move.ts_ms <= end_ms
    ]
    return [row for row in rows if kind in (0, row["type"])][-limit:]


def settlements(desk: Desk, params: Params) -> list[Row]:
    """GET /fapi/v1/fundingRate: the market's settlements; of old ones no mark, as there."""
    symbol = desk.symbol_or_none(params)
    start_ms, end_ms, limit = span(params)
    rows = [
        {
            "symbol": desk.ids[each.symbol],
            "fundingRate": decimal_text(each.rate),
            "fundingTime": each.ts_ms,
            "markPrice": decimal_text(each.mark) if each.mark else "",
        }
        for each in desk.exchange.settlements(symbol)
        if start_ms <= each.ts_ms <= end_ms
    ]
    return rows[:limit] if start_ms else rows[-limit:]


def force_orders(desk: Desk, params: Params) -> list[Row]:
    """GET /fapi/v1/forceOrders: this account's liquidations."""
    from_ms, end_ms, limit = span(params)
    symbol = desk.symbol_or_none(params)
    rows = []
    for order in desk.exchange.books.orders.values():
        is_wanted = order.order_type == "liquidation" and symbol in (None, order.symbol)
        if is_wanted and from_ms <= order.created_ms <= end_ms:
            rows.append(order_row(order, desk.ids[order.symbol]))
    return rows[-limit:]
