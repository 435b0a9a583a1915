"""Conditional orders, which live in Binance's algo service: their own ids, lists and codes."""

from typing import Any, Final

from bot.core.intent import CancelOrder, PlaceStop, PlaceTakeProfit, PlaceTrailingStop, TriggerOn
from bot.sim.requests import RestEntry, RestStop, VenueAction
from bot.sim.server.binance.desk import Desk
from bot.sim.server.binance.errors import (
    ALGO_NOT_OPEN,
    DUPLICATE_ALGO_ID,
    INVALID_ORDER_TYPE,
    MISSING,
    NO_SUCH_ORDER,
    NOT_POSITIVE,
    NOTIONAL,
    ONLY_WITH_POSITION,
    REDUCE_ONLY_REJECTED,
    REJECTED,
    ApiError,
    refusal,
)
from bot.sim.server.binance.order_rows import ALGO_TYPE, WORKING_TYPE, algo_row
from bot.sim.server.binance.orders import client_id_of, side_of
from bot.sim.server.binance.wire import Params, flag, needed, number, number_or_zero, span, whole, whole_or
from bot.sim.server.books import ConditionalOrder, ConditionalType

_TYPES: Final[dict[str, ConditionalType]] = {name: kind for kind, name in ALGO_TYPE.items()}
_TRIGGERS: Final[dict[str, TriggerOn]] = {name: on for on, name in WORKING_TYPE.items()}


def place(desk: Desk, params: Params) -> dict[str, Any]:
    """POST /fapi/v1/algoOrder."""
    symbol = desk.symbol(params)
    order = _wanted(desk, symbol, params)
    desk.check_tradable(symbol, params)
    if desk.exchange.books.is_client_open(order.client_id, symbol, is_conditional=True):
        raise ApiError(DUPLICATE_ALGO_ID)
    refused = desk.exchange.place_order(order, _action(desk, order))
    if refused:
        raise refusal(refused)
    return _row(desk, order.algo_id)


def cancel(desk: Desk, params: Params) -> dict[str, Any]:
    """DELETE /fapi/v1/algoOrder."""
    order = _found(desk, params)
    if order is None or not order.is_open:
        raise ApiError(ALGO_NOT_OPEN)
    _cancel(desk, order)
    return {"algoId": order.algo_id, "clientAlgoId": order.client_id, "code": "200", "msg": "success"}


def cancel_all(desk: Desk, params: Params) -> dict[str, Any]:
    """DELETE /fapi/v1/algoOpenOrders."""
    for order in desk.exchange.books.open_conditionals(desk.symbol(params)):
        _cancel(desk, order)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def look_up(desk: Desk, params: Params) -> dict[str, Any]:
    """GET /fapi/v1/algoOrder."""
    order = _found(desk, params)
    if order is None:
        raise ApiError(NO_SUCH_ORDER)
    return _row(desk, order.algo_id)


def list_open(desk: Desk, params: Params) -> list[dict[str, Any]]:
    """GET /fapi/v1/openAlgoOrders."""
    orders = desk.exchange.books.open_conditionals(desk.symbol_or_none(params))
    wanted = params.get("algoId")
    return [_row(desk, order.algo_id) for order in orders if not wanted or str(order.algo_id) == wanted]


def list_all(desk: Desk, params: Params) -> list[dict[str, Any]]:
    """GET /fapi/v1/allAlgoOrders."""
    symbol, first = desk.symbol(params), whole_or(params, "algoId", 0)
    start_ms, end_ms, limit = span(params)
    rows = [
        _row(desk, order.algo_id)
        for order in desk.exchange.books.conditionals.values()
        if order.symbol == symbol and order.algo_id >= first and start_ms <= order.created_ms <= end_ms
    ]
    return rows[:limit] if first else rows[-limit:]


def _wanted(desk: Desk, symbol: str, params: Params) -> ConditionalOrder:
    if needed(params, "algoType") != "CONDITIONAL":
        raise ApiError(MISSING, name="algoType")
    side, order_type = side_of(params), _TYPES.get(needed(params, "type"))
    if order_type is None:
        raise ApiError(INVALID_ORDER_TYPE)
    is_whole = flag(params, "closePosition")
    quantity = 0.0 if is_whole else number(params, "quantity")
    if not is_whole and quantity <= 0.0:
        raise ApiError(NOT_POSITIVE)
    trigger_on = _TRIGGERS.get(params.get("workingType") or "CONTRACT_PRICE")
    if trigger_on is None:
        raise ApiError(MISSING, name="workingType")
    is_trailing = order_type == "trailing"
    algo_id, now_ms = desk.exchange.recorder.next("conditionals"), desk.exchange.market_ms
    return ConditionalOrder(
        algo_id,
        client_id_of(params, "clientAlgoId", f"web_{algo_id}"),
        f"a{algo_id}",
        symbol,
        order_type,
        side,
        quantity,
        flag(params, "reduceOnly") or is_whole,
        is_whole,
        0.0 if is_trailing else number(params, "triggerPrice"),
        trigger_on,
        number(params, "callbackRate") / 100.0 if is_trailing else 0.0,
        number_or_zero(params, "activatePrice") or number_or_zero(params, "activationPrice"),
        "new",
        now_ms,
        now_ms,
    )


def _action(desk: Desk, order: ConditionalOrder) -> VenueAction:
    if not order.is_reduce_only:
        return _entry(desk, order)
    held = desk.exchange.state.positions.get(order.symbol)
    if held is None or held.side == order.side:
        raise ApiError(ONLY_WITH_POSITION if order.is_close_position else REDUCE_ONLY_REJECTED)
    symbol, side, trigger, on = order.symbol, held.side, order.trigger_price, order.trigger_on
    if order.order_type == "trailing":
        return PlaceTrailingStop(symbol, side, order.quantity, order.callback_rate, order.activation_price)
    if order.order_type == "take_profit":
        return PlaceTakeProfit(symbol, side, order.quantity, trigger, on)
    if order.is_close_position:
        return PlaceStop(symbol, side, trigger, on)
    return RestStop(symbol, side, order.quantity, trigger, on)


def _entry(desk: Desk, order: ConditionalOrder) -> VenueAction:
    if order.order_type != "stop":
        why = "of the orders that open this exchange rests only STOP_MARKET: send reduceOnly or closePosition"
        raise ApiError(REJECTED, why=why)
    least = desk.exchange.state.instruments[order.symbol].min_notional_quote
    if order.quantity * order.trigger_price < least:
        raise ApiError(NOTIONAL, minimum=least)
    return RestEntry(order.symbol, -order.side, order.quantity, order.trigger_price, order.trigger_on)


def _cancel(desk: Desk, order: ConditionalOrder) -> None:
    refused = desk.exchange.request(CancelOrder(order.symbol, order.venue_id))
    if refused:
        raise refusal(refused)


def _found(desk: Desk, params: Params) -> ConditionalOrder | None:
    if params.get("algoId"):
        return desk.exchange.books.conditionals.get(whole(params, "algoId"))
    return desk.exchange.books.conditional_of(needed(params, "clientAlgoId"))


def _row(desk: Desk, algo_id: int) -> dict[str, Any]:
    books = desk.exchange.books
    order = books.conditionals[algo_id]
    return algo_row(order, desk.ids[order.symbol], books.orders.get(order.order_id))
