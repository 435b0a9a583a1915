"""Requests for orders that only foreign clients send: partial stops, reducing limits, amendments."""

from bot.core.position import side_name
from bot.sim.checks import (
    liquidation_problem,
    price_problem,
    quantity_problem,
    symbol_problem,
)
from bot.sim.matching import entry_refusal, reserve
from bot.sim.order_entry import (
    accept,
    close_quantity_problem,
    execute_if_due,
    new_order,
    number_problem,
    rest_trigger,
    resting_problem,
)
from bot.sim.orders import Order
from bot.sim.requests import AmendLimit, ReduceAtLimit, RestEntry, RestStop
from bot.sim.state import Moment, Refusal, State


def rest_stop(state: State, client_id: str, action: RestStop, at: Moment) -> Refusal | None:
    """Rest a stop for a part of the position; it is clipped to the position when it fires."""
    problem = (
        symbol_problem(state, action.symbol)
        or resting_problem(state, action.symbol, action.side)
        or close_quantity_problem(state, action.symbol, action.quantity)
    )
    if problem:
        return problem
    order = new_order(state, client_id, action.symbol, "stop", at)
    return rest_trigger(state, order._replace(quantity=action.quantity), action, at)


def rest_entry(state: State, client_id: str, action: RestEntry, at: Moment) -> Refusal | None:
    """Rest a conditional order that opens; money is asked for when it fires, as the venues do."""
    problem = (
        symbol_problem(state, action.symbol)
        or quantity_problem(state.instruments[action.symbol], action.quantity)
        or number_problem(state)
    )
    if problem:
        return problem
    order = new_order(state, client_id, action.symbol, "entry", at)
    order = order._replace(quantity=action.quantity, is_reduce_only=False)
    return rest_trigger(state, order, action, at)


def reduce_at_limit(state: State, client_id: str, action: ReduceAtLimit, at: Moment) -> Refusal | None:
    """Reduce at a price or better; trades at once what crosses, the rest waits in the book."""
    problem = (
        symbol_problem(state, action.symbol)
        or resting_problem(state, action.symbol, action.side)
        or quantity_problem(state.instruments[action.symbol], action.quantity)
        or price_problem(state.instruments[action.symbol], "limit price", action.limit_price)
        or _whole_problem(state, action)
        or liquidation_problem(state, action.symbol)
    )
    if problem:
        return problem
    order = new_order(state, client_id, action.symbol, "exit", at)._replace(
        order_side=-action.side, quantity=action.quantity, limit_price=action.limit_price
    )
    accept(state, order, at)
    execute_if_due(state, order, at)
    return None


def amend_limit(state: State, client_id: str, action: AmendLimit, at: Moment) -> Refusal | None:
    """Change a resting limit order; it loses its place in time and may trade at once."""
    order = state.orders.get(action.symbol, action.target_client_id)
    if order is None or order.kind != "limit":
        return Refusal("unknown_order", f"{action.target_client_id} is no resting limit order")
    amended = order._replace(
        number=state.next_order(),
        kind="market",
        quantity=action.quantity,
        limit_price=action.limit_price,
        due_ms=at.ts_ms,
    )
    problem = _amend_problem(state, amended)
    if problem:
        return problem
    state.put_order(amended)
    if not amended.is_reduce_only:
        reserve(state, amended, amended.limit_price)
    execute_if_due(state, amended, at)
    return None


def _amend_problem(state: State, amended: Order) -> Refusal | None:
    instrument = state.instruments[amended.symbol]
    problem = quantity_problem(instrument, amended.quantity) or price_problem(
        instrument, "limit price", amended.limit_price
    )
    if problem or amended.is_reduce_only:
        return problem
    return entry_refusal(state, amended, amended.limit_price)


def _whole_problem(state: State, action: ReduceAtLimit) -> Refusal | None:
    held = state.positions[action.symbol]
    if action.quantity <= held.quantity:
        return None
    message = f"{action.quantity} is more than the {side_name(held.side)} position of {held.quantity}"
    return Refusal("reduce_only", message)
