"""Which resting order, or the liquidation, a tick causes next, and between which prices nothing happens.

Everything here only reads the books: the next step is a function of their state, so that a tick
taken up again after a crash, or after the caller changed something, goes on as if never stopped.
"""

import math
from typing import Final, NamedTuple

from bot.core.event import MarkPrice
from bot.sim.matching import taker_price
from bot.sim.orders import NEVER, Order
from bot.sim.state import State, Watch
from bot.sim.tape import Tape

_GUARD: Final = 1e-12  # a watched price may be early, never late


class Trigger(NamedTuple):
    """An order whose trigger the tick met. `share`: how far along the way from tick to tick, 0 to 1."""

    share: float
    number: int
    order: Order
    price: float


def next_market_order(state: State, tape: Tape, tick: MarkPrice) -> Order | None:
    """Return the market order that is executed next up to this tick, or None."""
    due = [
        (instant_of(order, tick), order.number, order)
        for order in state.orders.of(tape.symbol)
        if order.kind == "market"
        and order.due_ms <= tick.ts_ms
        and order.fill_tick != tape.number
        and not _lost_to_liquidation(state, tape, order, tick)
    ]
    return min(due)[2] if due else None


def instant_of(order: Order, tick: MarkPrice) -> int:
    """Return when a due market order trades: on arrival; the rest of a partial fill at the tick itself."""
    return order.due_ms if order.fill_tick == NEVER else tick.ts_ms


def next_limit_order(state: State, tape: Tape, tick: MarkPrice) -> Order | None:
    """Return the oldest limit order that the tick crosses, or None."""
    for order in state.orders.of(tape.symbol):
        is_due = order.kind == "limit" and order.due_ms <= tick.ts_ms and order.fill_tick != tape.number
        if is_due and is_crossed(state, order, tick.last):
            return order
    return None


def is_crossed(state: State, order: Order, last: float) -> bool:
    """Return whether the other side of the book, half a spread from `last`, reaches the limit price."""
    other_side = last * (1.0 + order.order_side * state.config.half_spread_fraction)
    return order.order_side * (order.limit_price - other_side) >= 0.0


def next_trigger(state: State, tape: Tape, tick: MarkPrice) -> Trigger | None:
    """Return the first order on the tick's way that fires and is not overtaken by liquidation.

    A tick is a jump: when it ends beyond the liquidation price, an order only wins if its trigger
    comes first on the way and its fill is still short of the liquidation price.
    """
    met = [
        found
        for order in state.orders.of(tape.symbol)
        if order.kind in ("trigger", "trailing") and (found := _met(state, tape, order, tick))
    ]
    if state.is_liquidated_at(tape.symbol, tick.mark):
        met = [trigger for trigger in met if _wins(state, tape, trigger, tick)]
    return min(met) if met else None


def is_met(order: Order, price: MarkPrice) -> bool:
    """Return whether the order's trigger is reached at this price."""
    trigger = order.current_trigger
    if trigger <= 0.0:
        return False
    watched = price.last if order.trigger_on == "last" else price.mark
    if order.leg == "take_profit":
        return order.order_side * (trigger - watched) >= 0.0
    return order.order_side * (watched - trigger) >= 0.0


def follow(state: State, symbol: str, mark: float) -> None:
    """Activate the symbol's trailing orders and move their extreme price with the mark."""
    for order in state.orders.of(symbol):
        if order.kind == "trailing":
            extreme = trailing_extreme(order, mark)
            if extreme != order.extreme_price:
                state.put_order(order._replace(extreme_price=extreme))


def trailing_extreme(order: Order, mark: float) -> float:
    """Return the order's extreme price once `mark` was seen; 0 while it is not active."""
    side = -order.order_side
    if order.extreme_price == 0.0:
        return mark if side * (mark - order.activation_price) >= 0.0 or order.activation_price == 0.0 else 0.0
    return max(order.extreme_price, mark) if side > 0 else min(order.extreme_price, mark)


def watch(state: State, symbol: str) -> Watch:
    """Return the prices between which a tick of the symbol causes nothing; (inf, -inf) if every tick may."""
    bounds = [0.0, math.inf, 0.0, math.inf]
    position = state.positions.get(symbol)
    if position is not None:
        _bound(bounds, 0, -position.side, state.liquidation(position))
    for order in state.orders.of(symbol):
        if order.kind == "market":
            return Watch(math.inf, -math.inf, math.inf, -math.inf)
        _bound_order(bounds, state, order)
    return Watch(*bounds)


def _bound_order(bounds: list[float], state: State, order: Order) -> None:
    side = order.order_side
    if order.kind == "limit":
        crossing = order.limit_price / (1.0 + side * state.config.half_spread_fraction)
        _bound(bounds, 2, -side, crossing)
    elif order.kind == "trailing":
        if order.extreme_price == 0.0:
            _bound(bounds, 0, -side, order.activation_price)
        else:
            _bound(bounds, 0, -side, order.extreme_price)
            _bound(bounds, 0, side, order.current_trigger)
    else:
        column = 2 if order.trigger_on == "last" else 0
        _bound(bounds, column, -side if order.leg == "take_profit" else side, order.trigger_price)


def _bound(bounds: list[float], column: int, direction: int, price: float) -> None:
    """Tighten the pair at `column`: direction +1 is reached by a rising price, -1 by a falling one."""
    if direction > 0:
        bounds[column + 1] = min(bounds[column + 1], price * (1.0 - _GUARD))
    else:
        bounds[column] = max(bounds[column], price * (1.0 + _GUARD))


def _lost_to_liquidation(state: State, tape: Tape, order: Order, tick: MarkPrice) -> bool:
    """A reducing order that arrives when the mark is beyond the liquidation price comes too late."""
    if not order.is_reduce_only:
        return False
    return state.is_liquidated_at(tape.symbol, tape.price_at(instant_of(order, tick)).mark)


def _met(state: State, tape: Tape, order: Order, tick: MarkPrice) -> Trigger | None:
    if order.fill_tick == tape.number or not is_met(order, tick):
        return None
    trigger = order.current_trigger
    return Trigger(
        _share(tape, order.trigger_on, trigger, tick),
        order.number,
        order,
        trigger_fill_price(state, order, trigger, tick.last),
    )


def trigger_fill_price(state: State, order: Order, trigger: float, last: float) -> float:
    """Return what a fired order trades at.

    A stop gets `last` worsened by spread and slippage, never better than its trigger. A
    take-profit gets the worse of trigger and `last`, worsened likewise: a jump over the trigger is not
    given to the trader.
    """
    if order.leg == "take_profit":
        start = max(trigger, last) if order.order_side > 0 else min(trigger, last)
        return taker_price(state, order, start)
    price = taker_price(state, order, last)
    return max(price, trigger) if order.order_side > 0 else min(price, trigger)


def _share(tape: Tape, trigger_on: str, price: float, tick: MarkPrice) -> float:
    """Return how far along the way from the previous tick to this one `price` lies, within [0, 1]."""
    start = tape.previous or tick
    begin, end = (start.last, tick.last) if trigger_on == "last" else (start.mark, tick.mark)
    if begin == end:
        return 0.0
    return min(max((price - begin) / (end - begin), 0.0), 1.0)


def _wins(state: State, tape: Tape, trigger: Trigger, tick: MarkPrice) -> bool:
    position = state.positions[tape.symbol]
    liquidation = state.liquidation(position)
    is_first = trigger.share < _share(tape, "mark", liquidation, tick) or (
        trigger.order.trigger_on == "mark"
        and position.side * (trigger.order.current_trigger - liquidation) > 0.0
    )
    return is_first and position.side * (trigger.price - liquidation) > 0.0
