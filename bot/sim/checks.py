"""The venue's own refusals that several requests share. Each check returns a Refusal or None."""

import math

from bot.core.instrument import Instrument
from bot.core.position import side_name
from bot.core.steps import is_on_step
from bot.sim.state import Refusal, State


def symbol_problem(state: State, symbol: str) -> Refusal | None:
    """Refuse a symbol that is not traded here or has no price yet."""
    if symbol not in state.instruments:
        return Refusal("unknown_symbol", f"{symbol} is not traded here")
    if state.tapes[symbol].now is None:
        return Refusal("unknown_symbol", f"{symbol} has no price yet")
    return None


def positive_problem(name: str, value: float) -> Refusal | None:
    """Refuse NaN, infinity, zero and negative numbers."""
    if math.isfinite(value) and value > 0.0:
        return None
    return Refusal("not_finite", f"{name} must be a positive number, not {value}")


def quantity_problem(instrument: Instrument, quantity: float) -> Refusal | None:
    """Refuse a quantity off the step or below the minimum."""
    problem = positive_problem("quantity", quantity)
    if problem:
        return problem
    if not is_on_step(quantity, instrument.quantity_step):
        return Refusal("precision", f"quantity {quantity} is not a multiple of {instrument.quantity_step}")
    if quantity < instrument.min_quantity:
        return Refusal("below_minimum", f"quantity {quantity} is below {instrument.min_quantity}")
    return None


def price_problem(instrument: Instrument, name: str, price: float) -> Refusal | None:
    """Refuse a price that is not a positive multiple of the tick."""
    problem = positive_problem(name, price)
    if problem:
        return problem
    if not is_on_step(price, instrument.tick_size):
        return Refusal("precision", f"{name} {price} is not a multiple of {instrument.tick_size}")
    return None


def position_problem(state: State, symbol: str, side: int) -> Refusal | None:
    """Refuse when the symbol has no position of this side."""
    held = state.positions.get(symbol)
    if held is not None and held.side == side:
        return None
    return Refusal("no_position", f"there is no {side_name(side)} position in {symbol}")


def liquidation_problem(state: State, symbol: str) -> Refusal | None:
    """Refuse while the mark is beyond the position's liquidation price."""
    if not state.is_liquidated_at(symbol, state.quote(symbol).mark):
        return None
    return Refusal("in_liquidation", f"the position in {symbol} is being liquidated")
