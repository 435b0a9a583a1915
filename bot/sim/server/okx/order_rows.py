"""Orders, algo orders and fills as OKX writes them, in contracts."""

from typing import Any, Final

from bot.sim.server.books import ConditionalOrder, PlacedOrder, TradeRow
from bot.sim.server.decimals import decimal_text
from bot.sim.server.okx.desk import COIN, Desk

STATE: Final = {
    "new": "live",
    "partly_filled": "partially_filled",
    "filled": "filled",
    "cancelled": "canceled",
    "expired": "canceled",
}
ALGO_STATE: Final = {
    "new": "live",
    "triggered": "effective",
    "finished": "effective",
    "cancelled": "canceled",
    "expired": "canceled",
}
_ORDER_TYPE: Final = {"GTC": "limit", "GTX": "post_only", "IOC": "ioc", "FOK": "fok"}
_SUB_TYPE: Final = {1: "1", -1: "2"}


def side_text(side: int) -> str:
    """Return buy for +1, sell for -1."""
    return "buy" if side > 0 else "sell"


def order_type(order: PlacedOrder) -> str:
    """Return ordType: time in force is part of it here."""
    return _ORDER_TYPE[order.time_in_force] if order.order_type == "limit" else "market"


def order_row(desk: Desk, order: PlacedOrder, trade: TradeRow | None = None) -> dict[str, Any]:
    """Return an order as GET trade/order gives it; what a trigger became has no clOrdId but the algo's."""
    symbol, parent = order.symbol, desk.exchange.books.conditionals.get(order.algo_id)
    is_ours = order.order_type != "liquidation" and parent is None
    fees = _trades_of(desk, order)
    row = {
        "instType": "SWAP",
        "instId": desk.ids[symbol],
        "ordId": str(order.order_id),
        "clOrdId": order.client_id if is_ours else "",
        "algoId": str(parent.algo_id) if parent else "",
        "algoClOrdId": parent.client_id if parent else "",
        "tag": "",
        "px": decimal_text(order.limit_price) if order.order_type == "limit" else "",
        "sz": desk.contracts(symbol, order.quantity),
        "ordType": order_type(order),
        "side": side_text(order.side),
        "posSide": "net",
        "tdMode": "isolated",
        "accFillSz": desk.contracts(symbol, order.filled_quantity),
        "avgPx": decimal_text(order.average_price) if order.filled_quantity else "",
        "state": STATE[order.status],
        "lever": f"{desk.exchange.state.leverage[symbol]:g}",
        "category": "full_liquidation" if order.order_type == "liquidation" else "normal",
        "reduceOnly": str(order.is_reduce_only).lower(),
        "fee": decimal_text(-sum(each.fee_quote for each in fees)),
        "feeCcy": COIN,
        "pnl": decimal_text(sum(each.realised_pnl_quote for each in fees)),
        "rebate": "0",
        "rebateCcy": COIN,
        "cancelSource": "",
        "attachAlgoOrds": [],
        "cTime": str(order.created_ms),
        "uTime": str(order.updated_ms),
    }
    last = trade or (fees[-1] if fees else None)
    return row | (_last_fill(desk, last) if last else _NO_FILL)


def _trades_of(desk: Desk, order: PlacedOrder) -> list[TradeRow]:
    """Return the order's trades, oldest first; none is older than the order."""
    found: list[TradeRow] = []
    for trade in reversed(desk.exchange.books.trades):
        if trade.ts_ms < order.created_ms:
            break
        if trade.order_id == order.order_id:
            found.insert(0, trade)
    return found


_NO_FILL: Final = {
    "fillPx": "",
    "fillSz": "0",
    "fillTime": "",
    "tradeId": "",
    "fillFee": "0",
    "fillFeeCcy": "",
    "fillPnl": "0",
    "execType": "",
}


def _last_fill(desk: Desk, trade: TradeRow) -> dict[str, Any]:
    return {
        "fillPx": decimal_text(trade.price),
        "fillSz": desk.contracts(trade.symbol, trade.quantity),
        "fillTime": str(trade.ts_ms),
        "tradeId": str(trade.trade_id),
        "fillFee": decimal_text(-trade.fee_quote),
        "fillFeeCcy": COIN,
        "fillPnl": decimal_text(trade.realised_pnl_quote),
        "execType": "M" if trade.is_maker else "T",
    }


def fill_row(desk: Desk, trade: TradeRow) -> dict[str, Any]:
    """Return a trade as GET trade/fills gives it: a fee that was paid is negative."""
    order = desk.exchange.books.orders[trade.order_id]
    is_ours = order.order_type != "liquidation" and not order.algo_id
    return {
        "instType": "SWAP",
        "instId": desk.ids[trade.symbol],
        "tradeId": str(trade.trade_id),
        "ordId": str(trade.order_id),
        "clOrdId": order.client_id if is_ours else "",
        "billId": str(trade.trade_id),
        "subType": _sub_type(order, trade),
        "tag": "",
        "fillPx": decimal_text(trade.price),
        "fillSz": desk.contracts(trade.symbol, trade.quantity),
        "fillPnl": decimal_text(trade.realised_pnl_quote),
        "side": side_text(trade.side),
        "posSide": "net",
        "execType": "M" if trade.is_maker else "T",
        "feeCcy": COIN,
        "fee": decimal_text(-trade.fee_quote),
        "ts": str(trade.ts_ms),
        "fillTime": str(trade.ts_ms),
    }


def _sub_type(order: PlacedOrder, trade: TradeRow) -> str:
    if order.order_type == "liquidation":
        return "104" if trade.side < 0 else "105"
    return _SUB_TYPE[trade.side]


def algo_row(desk: Desk, order: ConditionalOrder) -> dict[str, Any]:
    """Return an algo order as GET trade/order-algo gives it; ordId is what it became."""
    symbol = order.symbol
    child = desk.exchange.books.orders.get(order.order_id)
    is_stop, is_take = order.order_type == "stop", order.order_type == "take_profit"
    trigger = decimal_text(order.trigger_price)
    return {
        "instType": "SWAP",
        "instId": desk.ids[symbol],
        "algoId": str(order.algo_id),
        "algoClOrdId": order.client_id,
        "clOrdId": "",
        "ordType": "move_order_stop" if order.order_type == "trailing" else "conditional",
        "side": side_text(order.side),
        "posSide": "net",
        "tdMode": "isolated",
        "sz": "" if order.is_close_position else desk.contracts(symbol, order.quantity),
        "closeFraction": "1" if order.is_close_position else "",
        "state": ALGO_STATE[order.status],
        "slTriggerPx": trigger if is_stop else "",
        "slTriggerPxType": order.trigger_on if is_stop else "",
        "slOrdPx": "-1" if is_stop else "",
        "tpTriggerPx": trigger if is_take else "",
        "tpTriggerPxType": order.trigger_on if is_take else "",
        "tpOrdPx": "-1" if is_take else "",
        "callbackRatio": decimal_text(order.callback_rate) if order.callback_rate else "",
        "activePx": decimal_text(order.activation_price) if order.activation_price else "",
        "reduceOnly": str(order.is_reduce_only).lower(),
        "lever": f"{desk.exchange.state.leverage[symbol]:g}",
        "ordId": str(order.order_id) if order.order_id else "",
        "ordIdList": [str(order.order_id)] if order.order_id else [],
        "actualSz": desk.contracts(symbol, child.filled_quantity) if child else "",
        "actualPx": decimal_text(child.average_price) if child else "",
        "actualSide": ("sl" if is_stop else "tp") if child else "",
        "triggerTime": str(order.triggered_ms) if order.triggered_ms else "",
        "failCode": "",
        "cTime": str(order.created_ms),
        "uTime": str(order.updated_ms),
    }
