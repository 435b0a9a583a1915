"""Algo orders: conditional (TP/SL) and trailing. Their lists must be asked for by ordType."""

from typing import Any, Final

from bot.core.intent import CancelOrder, PlaceStop, PlaceTakeProfit, PlaceTrailingStop, TriggerOn
from bot.sim.requests import RestEntry, RestStop, VenueAction
from bot.sim.server.books import ConditionalOrder, ConditionalType
from bot.sim.server.okx.desk import Desk
from bot.sim.server.okx.errors import (
    DUPLICATE_ALGO,
    EITHER_ID,
    FRACTION_REDUCES,
    NO_SUCH_CANCEL,
    NO_SUCH_ORDER,
    NOT_HERE,
    NOTHING_TO_REDUCE,
    ONE_WHOLE_CLOSE,
    PARAMETER,
    ApiError,
    Code,
    refusal,
    trigger_refusal,
)
from bot.sim.server.okx.order_rows import ALGO_STATE, algo_row
from bot.sim.server.okx.orders import client_id_of, side_of
from bot.sim.server.okx.wire import Params, flag, needed, number, number_or_zero, page

Row = dict[str, Any]
_TRIGGERS: Final[dict[str, TriggerOn]] = {"mark": "mark", "last": "last", "": "last"}


def place(desk: Desk, params: Params) -> Row:
    """POST trade/order-algo."""
    symbol = desk.symbol(params)
    desk.check_tradable(params)
    order = _wanted(desk, symbol, params)
    if desk.exchange.books.is_client_open(order.client_id, symbol, is_conditional=True):
        raise ApiError(DUPLICATE_ALGO)
    action = _action(desk, order)
    if order.is_close_position and _has_whole(desk, order):
        raise ApiError(ONE_WHOLE_CLOSE)
    refused = desk.exchange.place_order(order, action)
    if refused:
        raise trigger_refusal(refused, order.side, is_stop=order.order_type == "stop")
    return _told(order, params.get("algoClOrdId", ""))


def cancel(desk: Desk, params: Params) -> Row:
    """POST trade/cancel-algos, each of its list."""
    desk.symbol(params)
    order = _found(desk, params, NO_SUCH_CANCEL)
    if not order.is_open:
        raise ApiError(NO_SUCH_CANCEL)
    refused = desk.exchange.request(CancelOrder(order.symbol, order.venue_id))
    if refused:
        raise refusal(refused)
    return _told(order, order.client_id)


def look_up(desk: Desk, params: Params) -> list[Row]:
    """GET trade/order-algo."""
    return [algo_row(desk, _found(desk, params, NO_SUCH_ORDER))]


def list_open(desk: Desk, params: Params) -> list[Row]:
    """GET trade/orders-algo-pending: only of the types asked for."""
    wanted, chosen = needed(params, "ordType").split(","), desk.chosen(params)
    orders = [each for each in desk.exchange.books.open_conditionals(None) if each.symbol in chosen]
    rows = [row for row in (algo_row(desk, each) for each in orders) if row["ordType"] in wanted]
    return page(rows, params, "algoId")


def list_done(desk: Desk, params: Params) -> list[Row]:
    """GET trade/orders-algo-history: by type, and by state or id."""
    wanted, chosen = needed(params, "ordType").split(","), desk.chosen(params)
    state, algo_id = params.get("state", ""), params.get("algoId", "")
    if not (state or algo_id):
        raise ApiError(EITHER_ID)
    rows = [
        algo_row(desk, order)
        for order in desk.exchange.books.conditionals.values()
        if not order.is_open
        and order.symbol in chosen
        and state in ("", ALGO_STATE[order.status])
        and algo_id in ("", str(order.algo_id))
    ]
    return page([row for row in rows if row["ordType"] in wanted], params, "algoId")


def _wanted(desk: Desk, symbol: str, params: Params) -> ConditionalOrder:
    kind, trigger_price, trigger_on = _trigger(params)
    fraction = params.get("closeFraction", "")
    if fraction not in {"", "1"}:
        raise ApiError(PARAMETER, name="closeFraction")
    contracts = 0.0 if fraction else number(params, "sz")
    if not fraction and contracts <= 0.0:
        raise ApiError(PARAMETER, name="sz")
    if fraction and (not flag(params, "reduceOnly") or kind == "trailing"):
        raise ApiError(FRACTION_REDUCES)
    is_trailing = kind == "trailing"
    algo_id, now_ms = desk.exchange.recorder.next("conditionals"), desk.exchange.market_ms
    return ConditionalOrder(
        algo_id,
        client_id_of(params, "algoClOrdId", f"web{algo_id}"),
        f"a{algo_id}",
        symbol,
        kind,
        side_of(params),
        desk.quantity(symbol, contracts),
        flag(params, "reduceOnly"),
        bool(fraction),
        trigger_price,
        trigger_on,
        number(params, "callbackRatio") if is_trailing else 0.0,
        number_or_zero(params, "activePx"),
        "new",
        now_ms,
        now_ms,
    )


def _trigger(params: Params) -> tuple[ConditionalType, float, TriggerOn]:
    """Return what the order waits for. The price that triggers by default is the last one."""
    order_type = needed(params, "ordType")
    if order_type == "move_order_stop":
        return "trailing", 0.0, "last"
    if order_type != "conditional":
        raise ApiError(NOT_HERE, why=f"ordType {order_type} is not simulated: send conditional")
    is_stop, is_take = bool(params.get("slTriggerPx")), bool(params.get("tpTriggerPx"))
    if is_stop == is_take:
        raise ApiError(PARAMETER, name="slTriggerPx")
    name = "sl" if is_stop else "tp"
    if needed(params, f"{name}OrdPx") != "-1":
        raise ApiError(NOT_HERE, why="TP/SL orders are market orders here: send -1 as their price")
    trigger_on = _TRIGGERS.get(params.get(f"{name}TriggerPxType", ""))
    if trigger_on is None:
        raise ApiError(PARAMETER, name=f"{name}TriggerPxType")
    return "stop" if is_stop else "take_profit", number(params, f"{name}TriggerPx"), trigger_on


def _action(desk: Desk, order: ConditionalOrder) -> VenueAction:
    if not order.is_reduce_only:
        return _entry(order)
    held = desk.exchange.state.positions.get(order.symbol)
    if held is None or held.side == order.side:
        raise ApiError(NOTHING_TO_REDUCE)
    symbol, side, trigger, on = order.symbol, held.side, order.trigger_price, order.trigger_on
    if order.order_type == "trailing":
        return PlaceTrailingStop(symbol, side, order.quantity, order.callback_rate, order.activation_price)
    if order.order_type == "take_profit":
        return PlaceTakeProfit(symbol, side, order.quantity, trigger, on)
    if order.is_close_position:
        return PlaceStop(symbol, side, trigger, on)
    return RestStop(symbol, side, order.quantity, trigger, on)


def _entry(order: ConditionalOrder) -> VenueAction:
    if order.order_type != "stop":
        why = "of the algo orders that open only stops are simulated: send reduceOnly"
        raise ApiError(NOT_HERE, why=why)
    return RestEntry(order.symbol, -order.side, order.quantity, order.trigger_price, order.trigger_on)


def _has_whole(desk: Desk, order: ConditionalOrder) -> bool:
    resting = desk.exchange.books.open_conditionals(order.symbol)
    return any(each.is_close_position and each.order_type == order.order_type for each in resting)


def _found(desk: Desk, params: Params, absent: Code) -> ConditionalOrder:
    algo_id, client_id = params.get("algoId", ""), params.get("algoClOrdId", "")
    books = desk.exchange.books
    if algo_id.isdigit():
        order = books.conditionals.get(int(algo_id))
    elif client_id:
        order = books.conditional_of(client_id)
    else:
        raise ApiError(EITHER_ID)
    if order is None:
        raise ApiError(absent)
    return order


def _told(order: ConditionalOrder, client_id: str) -> Row:
    ids = {"algoId": str(order.algo_id), "algoClOrdId": client_id, "clOrdId": "", "tag": ""}
    return {**ids, "sCode": "0", "sMsg": ""}
