"""Requests that place or cancel orders: what the venue accepts, and what it does at once."""

from typing import Final

from bot.core.event import Leg, OrderAccepted
from bot.core.intent import (
    CancelOrder,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
)
from bot.sim.checks import (
    liquidation_problem,
    position_problem,
    positive_problem,
    price_problem,
    quantity_problem,
    symbol_problem,
)
from bot.sim.config import latency_of
from bot.sim.matching import Trade, entry_refusal, fill, fillable, reserve, taker_price
from bot.sim.orders import Order
from bot.sim.requests import RestEntry, RestStop
from bot.sim.state import Moment, Refusal, State, value_of
from bot.sim.triggers import is_crossed, is_met, trailing_extreme

_MOST_STOPS: Final = 2  # the resting one and its replacement
_MOST_ORDERS: Final = 200  # Binance: conditional orders over all symbols
_CALLBACK_RATES: Final = (0.001, 0.1)  # Binance: 0.1 % to 10 %


def open_position(state: State, client_id: str, action: OpenPosition, at: Moment) -> Refusal | None:
    """Enter or enlarge: a market order trades at once (after the latency), a limit order may rest."""
    problem = symbol_problem(state, action.symbol) or _entry_problem(state, action)
    if problem:
        return problem
    order = new_order(state, client_id, action.symbol, "entry", at)._replace(
        order_side=action.side,
        quantity=action.quantity,
        is_reduce_only=False,
        limit_price=_limit_price(action),
    )
    price = order.limit_price or taker_price(state, order, state.quote(action.symbol).last)
    problem = entry_refusal(state, order, price)
    if problem:
        return problem
    accept(state, order, at)
    reserve(state, order, price)
    execute_if_due(state, order, at)
    return None


def reduce_position(state: State, client_id: str, action: ReducePosition, at: Moment) -> Refusal | None:
    """Reduce or close with a market order; clipped to the position, so that it never flips."""
    problem = (
        symbol_problem(state, action.symbol)
        or position_problem(state, action.symbol, action.side)
        or close_quantity_problem(state, action.symbol, action.quantity)
        or liquidation_problem(state, action.symbol)
    )
    if problem:
        return problem
    order = new_order(state, client_id, action.symbol, "exit", at)
    order = order._replace(order_side=-action.side, quantity=action.quantity)
    accept(state, order, at)
    execute_if_due(state, order, at)
    return None


def place_stop(state: State, client_id: str, action: PlaceStop, at: Moment) -> Refusal | None:
    """Rest a stop that closes the whole position; a second one is let in while the first is replaced."""
    problem = symbol_problem(state, action.symbol) or resting_problem(state, action.symbol, action.side)
    if problem:
        return problem
    stops = sum(order.leg == "stop" for order in state.orders.of(action.symbol))
    if stops >= _MOST_STOPS:
        return Refusal("position_limit", f"{stops} stops rest on {action.symbol} already: cancel one first")
    return rest_trigger(state, new_order(state, client_id, action.symbol, "stop", at), action, at)


def place_take_profit(state: State, client_id: str, action: PlaceTakeProfit, at: Moment) -> Refusal | None:
    """Rest a reduce-only take-profit; quantity 0 closes the whole position."""
    problem = (
        symbol_problem(state, action.symbol)
        or resting_problem(state, action.symbol, action.side)
        or close_quantity_problem(state, action.symbol, action.quantity)
    )
    if problem:
        return problem
    order = new_order(state, client_id, action.symbol, "take_profit", at)
    return rest_trigger(state, order._replace(quantity=action.quantity), action, at)


def place_trailing_stop(
    state: State, client_id: str, action: PlaceTrailingStop, at: Moment
) -> Refusal | None:
    """Rest a trailing stop on the mark; activation price 0 (or one already reached) is active at once."""
    problem = (
        symbol_problem(state, action.symbol)
        or resting_problem(state, action.symbol, action.side)
        or close_quantity_problem(state, action.symbol, action.quantity)
        or _trailing_problem(state, action)
    )
    if problem:
        return problem
    order = new_order(state, client_id, action.symbol, "trailing", at)._replace(
        kind="trailing",
        order_side=-action.side,
        quantity=action.quantity,
        callback_rate=action.callback_rate,
        activation_price=action.activation_price,
    )
    extreme = trailing_extreme(order, state.quote(action.symbol).mark)
    accept(state, order._replace(extreme_price=extreme), at)
    return None


def cancel_order(state: State, client_id: str, action: CancelOrder, at: Moment) -> Refusal | None:
    """Take an open order back; the event names the cancelled order, not the request."""
    order = state.orders.get(action.symbol, action.target_client_id)
    if order is None:
        return Refusal("unknown_order", f"no open order {action.target_client_id} in {action.symbol}")
    state.cancel(order, "requested", at)
    return None


def execute_market_order(state: State, order: Order, at: Moment) -> None:
    """Trade an order that has arrived at the price now; a limit order that does not cross starts to rest."""
    last = state.quote(order.symbol).last
    if order.limit_price > 0.0 and not is_crossed(state, order, last):
        state.put_order(order._replace(kind="limit"))
        return
    price = taker_price(state, order, last)
    if order.limit_price > 0.0:
        price = min(price, order.limit_price) if order.order_side > 0 else max(price, order.limit_price)
    fill_or_expire(state, order, price, False, at)


def fill_or_expire(state: State, order: Order, price: float, is_maker: bool, at: Moment) -> None:
    """Fill what one tick gives; cancel an entry order that the account cannot carry any more."""
    if not order.is_reduce_only and entry_refusal(state, order, price):
        state.cancel(order, "expired", at)
        return
    fill(state, order, Trade(price, fillable(state, order, price), is_maker), at)


def _limit_price(action: OpenPosition) -> float:
    return action.limit_price if action.order == "limit" else 0.0


def _entry_problem(state: State, action: OpenPosition) -> Refusal | None:
    instrument = state.instruments[action.symbol]
    problem = quantity_problem(instrument, action.quantity)
    if not problem and action.order == "limit":
        problem = price_problem(instrument, "limit price", action.limit_price)
    if problem:
        return problem
    if action.side not in (1, -1):
        return Refusal("precision", f"side must be +1 or -1, not {action.side}")
    price = _limit_price(action) or state.quote(action.symbol).last
    return _notional_problem(state, action, price) or liquidation_problem(state, action.symbol)


def _notional_problem(state: State, action: OpenPosition, price: float) -> Refusal | None:
    instrument = state.instruments[action.symbol]
    quote = action.quantity if instrument.is_inverse else value_of(action.quantity, price, False)
    if quote >= instrument.min_notional_quote:
        return None
    return Refusal("below_minimum", f"notional {quote:.4f} is below {instrument.min_notional_quote}")


def close_quantity_problem(state: State, symbol: str, quantity: float) -> Refusal | None:
    """Refuse a quantity to close that is no multiple of the step; 0 closes everything."""
    if quantity == 0.0:
        return None
    return quantity_problem(state.instruments[symbol], quantity)


def resting_problem(state: State, symbol: str, side: int) -> Refusal | None:
    """Refuse a resting order without a position of `side`, and one too many."""
    return position_problem(state, symbol, side) or number_problem(state)


def number_problem(state: State) -> Refusal | None:
    """Refuse one resting order too many."""
    if sum(1 for _ in state.orders) >= _MOST_ORDERS:
        return Refusal("position_limit", f"{_MOST_ORDERS} orders are open already: cancel one first")
    return None


def _trailing_problem(state: State, action: PlaceTrailingStop) -> Refusal | None:
    problem = positive_problem("callback rate", action.callback_rate)
    if problem:
        return problem
    low, high = _CALLBACK_RATES
    if not low <= action.callback_rate <= high:
        return Refusal("precision", f"callback rate {action.callback_rate} is outside {low} to {high}")
    if action.activation_price == 0.0:
        return None
    return price_problem(state.instruments[action.symbol], "activation price", action.activation_price)


def new_order(state: State, client_id: str, symbol: str, leg: Leg, at: Moment) -> Order:
    """Return a reduce-only market order without side and quantity that arrives after the latency."""
    number = state.next_order()
    due_ms = at.ts_ms + latency_of(state.config, number)
    return Order(number, client_id, symbol, leg, "market", 0, 0.0, True, at.ts_ms, due_ms)


def rest_trigger(
    state: State, order: Order, action: PlaceStop | PlaceTakeProfit | RestStop | RestEntry, at: Moment
) -> Refusal | None:
    """Rest a stop or take-profit; refuse one whose trigger is reached already."""
    problem = price_problem(state.instruments[order.symbol], "trigger price", action.trigger_price)
    if problem:
        return problem
    order = order._replace(
        kind="trigger",
        order_side=-action.side,
        trigger_price=action.trigger_price,
        trigger_on=action.trigger_on,
    )
    quote = state.quote(order.symbol)
    if is_met(order, quote):
        now = quote.last if order.trigger_on == "last" else quote.mark
        message = f"trigger {order.trigger_price} is already reached: {order.trigger_on} is {now}"
        return Refusal("would_trigger_immediately", message)
    accept(state, order, at)
    return None


def accept(state: State, order: Order, at: Moment) -> None:
    """Take the order and say so."""
    state.put_order(order)
    at.out.append(OrderAccepted(order.created_ms, order.symbol, order.client_id, order.leg))


def execute_if_due(state: State, order: Order, at: Moment) -> None:
    """Trade the order when it has arrived."""
    if order.due_ms <= at.ts_ms:
        execute_market_order(state, order, at)
