"""Orders and trades as Binance writes them."""

from typing import Any, Final

from bot.core.intent import TriggerOn
from bot.sim.server.binance.desk import ASSET
from bot.sim.server.books import ConditionalOrder, ConditionalType, PlacedOrder, TradeRow
from bot.sim.server.decimals import decimal_text

STATUS: Final = {
    "new": "NEW",
    "partly_filled": "PARTIALLY_FILLED",
    "filled": "FILLED",
    "cancelled": "CANCELED",
    "expired": "EXPIRED",
}
ALGO_STATUS: Final = {
    "new": "NEW",
    "triggered": "TRIGGERED",
    "finished": "FINISHED",
    "cancelled": "CANCELED",
    "expired": "EXPIRED",
}
ORDER_TYPE: Final = {"market": "MARKET", "limit": "LIMIT", "liquidation": "LIQUIDATION"}
ALGO_TYPE: Final[dict[ConditionalType, str]] = {
    "stop": "STOP_MARKET",
    "take_profit": "TAKE_PROFIT_MARKET",
    "trailing": "TRAILING_STOP_MARKET",
}
WORKING_TYPE: Final[dict[TriggerOn, str]] = {"mark": "MARK_PRICE", "last": "CONTRACT_PRICE"}


def side_text(side: int) -> str:
    """Return BUY for +1, SELL for -1."""
    return "BUY" if side > 0 else "SELL"


def order_row(order: PlacedOrder, name: str) -> dict[str, Any]:
    """Return an order of `name` (BTCUSDT) as GET /fapi/v1/order gives it."""
    order_type = ORDER_TYPE[order.order_type]
    quantity, filled = decimal_text(order.quantity), decimal_text(order.filled_quantity)
    return {
        "orderId": order.order_id,
        "symbol": name,
        "status": STATUS[order.status],
        "clientOrderId": order.client_id,
        "price": decimal_text(order.limit_price),
        "avgPrice": decimal_text(order.average_price),
        "origQty": quantity,
        "executedQty": filled,
        "cumQty": filled,
        "cumQuote": decimal_text(order.filled_quote),
        "timeInForce": order.time_in_force,
        "type": order_type,
        "reduceOnly": order.is_reduce_only,
        "closePosition": order.is_close_position,
        "side": side_text(order.side),
        "positionSide": "BOTH",
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": order_type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }


def algo_row(order: ConditionalOrder, name: str, child: PlacedOrder | None) -> dict[str, Any]:
    """Return a conditional order as GET /fapi/v1/algoOrder gives it; `child` is what it became."""
    row = {
        "algoId": order.algo_id,
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": ALGO_TYPE[order.order_type],
        "symbol": name,
        "side": side_text(order.side),
        "positionSide": "BOTH",
        "timeInForce": "GTC",
        "quantity": decimal_text(order.quantity),
        "algoStatus": ALGO_STATUS[order.status],
        "actualOrderId": str(order.order_id) if order.order_id else "",
        "actualPrice": decimal_text(child.average_price if child else 0.0),
        "triggerPrice": decimal_text(order.trigger_price),
        "price": "0.00",
        "icebergQuantity": None,
        "tpTriggerPrice": "0.00",
        "tpPrice": "0.00",
        "slTriggerPrice": "0.00",
        "slPrice": "0.00",
        "tpOrderType": "",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": WORKING_TYPE[order.trigger_on],
        "priceMatch": "NONE",
        "closePosition": order.is_close_position,
        "priceProtect": False,
        "reduceOnly": order.is_reduce_only,
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.triggered_ms,
        "goodTillDate": 0,
    }
    if order.order_type == "trailing":
        row["activatePrice"] = decimal_text(order.activation_price)
        row["callbackRate"] = decimal_text(round(order.callback_rate * 100.0, 10))
    return row


def trade_row(trade: TradeRow, name: str) -> dict[str, Any]:
    """Return a trade as GET /fapi/v1/userTrades gives it."""
    return {
        "symbol": name,
        "id": trade.trade_id,
        "orderId": trade.order_id,
        "side": side_text(trade.side),
        "price": decimal_text(trade.price),
        "qty": decimal_text(trade.quantity),
        "quoteQty": decimal_text(trade.price * trade.quantity),
        "realizedPnl": decimal_text(trade.realised_pnl_quote),
        "commission": decimal_text(trade.fee_quote),
        "commissionAsset": ASSET,
        "time": trade.ts_ms,
        "positionSide": "BOTH",
        "buyer": trade.side > 0,
        "maker": trade.is_maker,
    }
