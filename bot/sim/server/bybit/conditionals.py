"""Orders that wait for a price: order/create with triggerPrice. They share the id space of all orders."""

from typing import Any, Final

from bot.core.intent import PlaceStop, PlaceTakeProfit, PlaceTrailingStop, TriggerOn
from bot.sim.requests import RestEntry, RestStop, VenueAction
from bot.sim.server.books import ConditionalOrder, ConditionalType
from bot.sim.server.bybit.desk import Desk
from bot.sim.server.bybit.errors import (
    EXPECT_FALLING,
    EXPECT_RISING,
    INVALID_PARAMETER,
    REDUCE_ONLY,
    ApiError,
    refusal,
)
from bot.sim.server.bybit.lookups import order_reply
from bot.sim.server.bybit.order_rows import NATIVE
from bot.sim.server.bybit.wire import Params, flag, needed, number

_SIDES: Final = {"Buy": 1, "Sell": -1}
_TRIGGERS: Final[dict[str, TriggerOn]] = {"LastPrice": "last", "MarkPrice": "mark"}
_RISING, _FALLING = "1", "2"


def side_of(params: Params) -> int:
    """Return +1 for Buy, -1 for Sell. ApiError: anything else."""
    side = _SIDES.get(needed(params, "side"))
    if side is None:
        raise ApiError(INVALID_PARAMETER, why="side is invalid")
    return side


def order_type(params: Params) -> str:
    """Return Market or Limit. ApiError: anything else."""
    text = needed(params, "orderType")
    if text not in ("Market", "Limit"):
        raise ApiError(INVALID_PARAMETER, why="orderType is invalid")
    return text


def is_whole(params: Params) -> bool:
    """Return whether the order closes the position: qty 0 with reduceOnly and closeOnTrigger."""
    if number(params, "qty") != 0.0:
        return False
    if flag(params, "reduceOnly") and flag(params, "closeOnTrigger"):
        return True
    raise ApiError(INVALID_PARAMETER, why="qty is invalid")


def trigger_by(text: str) -> TriggerOn:
    """Return what a trigger looks at; the last price by default. ApiError: anything else."""
    found = _TRIGGERS.get(text or "LastPrice")
    if found is None:
        raise ApiError(INVALID_PARAMETER, why=f"this exchange does not trigger by {text}")
    return found


def place(desk: Desk, symbol: str, params: Params) -> dict[str, Any]:
    """Rest a conditional order. Only market orders are simulated, and of those that open only stops."""
    if order_type(params) != "Market":
        why = "this exchange rests only conditional market orders"
        raise ApiError(INVALID_PARAMETER, why=why)
    is_reduce_only = flag(params, "reduceOnly") or flag(params, "closeOnTrigger")
    side, direction = side_of(params), needed(params, "triggerDirection")
    trigger_on, price = trigger_by(params.get("triggerBy", "")), number(params, "triggerPrice")
    check_direction(desk, symbol, direction, price, trigger_on)
    is_stop = (direction == _RISING) == (side > 0)
    if not (is_stop or is_reduce_only):
        why = "of the conditional orders that open this exchange rests only stops: send reduceOnly"
        raise ApiError(INVALID_PARAMETER, why=why)
    whole = is_whole(params)
    order = draft(
        desk,
        symbol,
        "stop" if is_stop else "take_profit",
        side,
        0.0 if whole else number(params, "qty"),
        price,
        trigger_on,
        params.get("orderLinkId", ""),
        is_whole=whole,
        is_reduce_only=is_reduce_only,
    )
    rest(desk, order)
    return order_reply(order)


def check_direction(desk: Desk, symbol: str, direction: str, price: float, on: TriggerOn) -> None:
    """Refuse a trigger that is reached already. ApiError: 110092 or 110093."""
    quote = desk.exchange.prices.of(symbol)
    now = quote.mark if on == "mark" else quote.last
    if direction == _RISING and price <= now:
        raise ApiError(EXPECT_RISING, price=price, now=now)
    if direction == _FALLING and price >= now:
        raise ApiError(EXPECT_FALLING, price=price, now=now)
    if direction not in (_RISING, _FALLING):
        raise ApiError(INVALID_PARAMETER, why="triggerDirection is invalid")


def draft(
    desk: Desk,
    symbol: str,
    kind: ConditionalType,
    side: int,
    quantity: float,
    price: float,
    trigger_on: TriggerOn,
    link: str,
    *,
    is_whole: bool,
    is_reduce_only: bool = True,
    callback_rate: float = 0.0,
    activation_price: float = 0.0,
) -> ConditionalOrder:
    """Return a conditional order that nobody knows yet."""
    number_, now_ms = desk.exchange.recorder.next("conditionals"), desk.exchange.market_ms
    return ConditionalOrder(
        number_,
        link or f"{NATIVE}c{number_}",
        f"a{number_}",
        symbol,
        kind,
        side,
        quantity,
        is_reduce_only,
        is_whole,
        price,
        trigger_on,
        callback_rate,
        activation_price,
        "new",
        now_ms,
        now_ms,
    )


def rest(desk: Desk, order: ConditionalOrder) -> None:
    """Ask the venue to rest it. ApiError: it refuses."""
    refused = desk.exchange.place_order(order, _wanted(desk, order))
    if refused:
        raise refusal(refused)


def _wanted(desk: Desk, order: ConditionalOrder) -> VenueAction:
    if not order.is_reduce_only:
        return RestEntry(order.symbol, -order.side, order.quantity, order.trigger_price, order.trigger_on)
    held = desk.exchange.state.positions.get(order.symbol)
    if held is None or held.side == order.side:
        raise ApiError(REDUCE_ONLY)
    return _action(order, held.side)


def _action(order: ConditionalOrder, side: int) -> VenueAction:
    symbol, trigger, on = order.symbol, order.trigger_price, order.trigger_on
    if order.order_type == "trailing":
        return PlaceTrailingStop(symbol, side, order.quantity, order.callback_rate, order.activation_price)
    if order.order_type == "take_profit":
        return PlaceTakeProfit(symbol, side, order.quantity, trigger, on)
    if order.is_close_position:
        return PlaceStop(symbol, side, trigger, on)
    return RestStop(symbol, side, order.quantity, trigger, on)
