"""Orders and executions as Bybit writes them. One id names an order before and after its trigger."""

from typing import Any, Final

from bot.core.intent import TriggerOn
from bot.sim.server.books import Books, ConditionalOrder, IncomeRow, PlacedOrder, TradeRow
from bot.sim.server.bybit.desk import COIN
from bot.sim.server.decimals import decimal_text

Row = dict[str, Any]
NATIVE: Final = "~"  # begins the id of an order that the position owns; clients see no link id
SIDE: Final = {1: "Buy", -1: "Sell"}
TRIGGER_BY: Final[dict[TriggerOn, str]] = {"mark": "MarkPrice", "last": "LastPrice"}
_STATUS: Final = {
    "new": "New",
    "partly_filled": "PartiallyFilled",
    "filled": "Filled",
    "cancelled": "Cancelled",
    "expired": "Cancelled",
}
_WAITING_STATUS: Final = {
    "new": "Untriggered",
    "triggered": "Triggered",
    "finished": "Triggered",
    "cancelled": "Deactivated",
    "expired": "Deactivated",
}
_NATIVE_TYPE: Final = {"stop": "StopLoss", "take_profit": "TakeProfit", "trailing": "TrailingStop"}
_REASON: Final = {"PostOnly": "EC_PostOnlyWillTakeLiquidity", "FOK": "EC_NoEnoughQtyToFill"}


def id_text(number: int) -> str:
    """Return an order's number as the venue writes it."""
    return f"{number:08x}-0000-4000-8000-{number:012d}"


def id_number(text: str) -> int:
    """Return the number of an order id, -1 for a text that is none."""
    try:
        return int(text[:8], 16)
    except ValueError:
        return -1


def link_id(client_id: str) -> str:
    """Return the client's own id, "" for orders that the venue made."""
    return "" if client_id.startswith((NATIVE, "autoclose-")) else client_id


def row_of(books: Books, order: PlacedOrder | ConditionalOrder, name: str) -> Row:
    """Return an order of `name` (BTCUSDT) in its present state."""
    if isinstance(order, ConditionalOrder):
        child = books.orders.get(order.order_id)
        return _waiting_row(order, name) if child is None else _working_row(child, order, name)
    return _working_row(order, books.conditionals.get(order.algo_id), name)


def waiting_row(order: ConditionalOrder, name: str) -> Row:
    """Return a conditional order as the stream tells of it, in the state that it says itself."""
    return _waiting_row(order, name)


def _working_row(order: PlacedOrder, parent: ConditionalOrder | None, name: str) -> Row:
    left = order.quantity - order.filled_quantity if order.is_open else 0.0
    fee_value = decimal_text(order.filled_quote)
    row = {
        **_common(order, name, order.algo_id or order.order_id),
        "orderType": "Limit" if order.order_type == "limit" else "Market",
        "price": decimal_text(order.limit_price),
        "qty": decimal_text(order.quantity),
        "orderStatus": _STATUS[order.status],
        "avgPrice": decimal_text(order.average_price) if order.filled_quantity else "",
        "cumExecQty": decimal_text(order.filled_quantity),
        "cumExecValue": fee_value,
        "leavesQty": decimal_text(round(left, 12)),
        "timeInForce": order.time_in_force,
        "closeOnTrigger": order.is_close_position,
        "createType": "CreateByLiquidate" if order.order_type == "liquidation" else "CreateByUser",
        "rejectReason": _reason(order),
    }
    return row if parent is None else {**row, **_trigger(parent)}


def _waiting_row(order: ConditionalOrder, name: str) -> Row:
    quantity = decimal_text(order.quantity)
    return {
        **_common(order, name, order.algo_id),
        "orderType": "Market",
        "price": "0",
        "qty": quantity,
        "orderStatus": _WAITING_STATUS[order.status],
        "avgPrice": "",
        "cumExecQty": "0",
        "cumExecValue": "0",
        "leavesQty": quantity,
        "timeInForce": "IOC",
        "closeOnTrigger": order.is_close_position,
        "createType": "CreateByUser",
        "rejectReason": "EC_NoError",
        **_trigger(order),
    }


def _common(order: PlacedOrder | ConditionalOrder, name: str, number: int) -> Row:
    return {
        "orderId": id_text(number),
        "orderLinkId": link_id(order.client_id),
        "symbol": name,
        "side": SIDE[order.side],
        "positionIdx": 0,
        "reduceOnly": order.is_reduce_only,
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
        "stopOrderType": "",
        "triggerDirection": 0,
        "triggerPrice": "",
        "triggerBy": "",
        "takeProfit": "",
        "stopLoss": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "tpslMode": "",
        "cancelType": "UNKNOWN",
        "cumExecFee": "0",
        "cumFeeDetail": {},
    }


def _trigger(order: ConditionalOrder) -> Row:
    is_native = order.client_id.startswith(NATIVE)
    kind = _NATIVE_TYPE[order.order_type]
    return {
        "stopOrderType": kind if is_native else "Stop",
        "createType": f"CreateBy{kind}" if is_native else "CreateByUser",
        "triggerDirection": 1 if (order.side > 0) == (order.order_type != "take_profit") else 2,
        "triggerPrice": decimal_text(order.trigger_price),
        "triggerBy": TRIGGER_BY[order.trigger_on],
        "tpslMode": ("Full" if order.is_close_position else "Partial") if is_native else "",
    }


def _reason(order: PlacedOrder) -> str:
    if order.status in ("cancelled", "expired") and not order.filled_quantity:
        return _REASON.get(order.time_in_force, "EC_PerCancelRequest")
    return "EC_NoError"


def execution_row(books: Books, trade: TradeRow, name: str, mark: float) -> Row:
    """Return a fill as GET /v5/execution/list gives it. It has no realised PnL; the transaction log has."""
    order = books.orders[trade.order_id]
    row = row_of(books, order, name)
    is_bust = order.order_type == "liquidation"
    return {
        **{key: row[key] for key in ("orderId", "orderLinkId", "symbol", "side", "orderType", "createType")},
        "stopOrderType": row["stopOrderType"] or "UNKNOWN",
        "execId": execution_id("t", trade.trade_id),
        "execType": "BustTrade" if is_bust else "Trade",
        "execPrice": decimal_text(trade.price),
        "execQty": decimal_text(trade.quantity),
        "execValue": decimal_text(trade.price * trade.quantity),
        "execFee": decimal_text(trade.fee_quote),
        "feeRate": decimal_text(round(trade.fee_quote / (trade.price * trade.quantity), 10)),
        "feeCurrency": COIN,
        "execTime": str(trade.ts_ms),
        "isMaker": trade.is_maker,
        "closedSize": decimal_text(
            trade.quantity if order.is_reduce_only or is_bust or _closes(trade) else 0.0
        ),
        "orderPrice": decimal_text(order.limit_price),
        "orderQty": row["qty"],
        "leavesQty": row["leavesQty"],
        "markPrice": decimal_text(mark),
        "seq": trade.trade_id,
    }


def funding_row(paid: IncomeRow, name: str, side: int, rate: float, mark: float, quantity: float) -> Row:
    """Return a funding payment as an execution: execFee > 0 was paid, the sign of the log turned around."""
    return {
        "orderId": "",
        "orderLinkId": "",
        "symbol": name,
        "side": SIDE[side],
        "orderType": "UNKNOWN",
        "createType": "",
        "stopOrderType": "UNKNOWN",
        "execId": execution_id("f", paid.income_id),
        "execType": "Funding",
        "execPrice": decimal_text(mark),
        "execQty": decimal_text(quantity),
        "execValue": decimal_text(mark * quantity),
        "execFee": decimal_text(-paid.amount_quote),
        "feeRate": decimal_text(side * rate),
        "feeCurrency": COIN,
        "execTime": str(paid.ts_ms),
        "isMaker": False,
        "closedSize": "0",
        "orderPrice": "0",
        "orderQty": "0",
        "leavesQty": "0",
        "markPrice": decimal_text(mark),
        "seq": paid.income_id,
    }


def execution_id(kind: str, number: int) -> str:
    """Return an execution's id: a text that is no number, as at the venue."""
    return f"{kind}{number:07x}-0000-5000-8000-{number:012d}"


def _closes(trade: TradeRow) -> bool:
    return trade.realised_pnl_quote != 0.0
