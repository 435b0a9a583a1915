"""The orders that leave a position: its stop price and its take-profit ladder."""

from typing import NamedTuple

from bot.core.compiled import compiled
from bot.core.instrument import Instrument
from bot.core.steps import is_on_step, step_down
from bot.risk.limits import BracketLimits
from bot.risk.trailing import on_tick_toward_mark
from bot.risk.view import TakeProfit


@compiled
def stop_price_for(side: int, entry_price: float, stop_distance: float, tick: float) -> float:
    """Return the stop `stop_distance` (fraction) from entry, on the tick toward the mark."""
    return on_tick_toward_mark(side, entry_price * (1.0 - side * stop_distance), tick)


@compiled
def target_price_for(side: int, entry_price: float, stop_price: float, multiple: float, tick: float) -> float:
    """Return entry + side * multiple * R on the tick nearer to entry, so that it fills no later."""
    risk = side * (entry_price - stop_price)
    return on_tick_toward_mark(-side, entry_price + side * multiple * risk, tick)


class TakeProfits(NamedTuple):
    """One or two take-profits; `second_quantity` 0.0: there is only the first."""

    first_price: float
    first_quantity: float
    second_price: float
    second_quantity: float


class Least(NamedTuple):
    """The venue's steps, and the least that it takes."""

    tick_size: float
    quantity_step: float
    min_quantity: float
    min_notional_quote: float


def take_profit_ladder(
    side: int,
    entry_price: float,
    stop_price: float,
    quantity: float,
    instrument: Instrument,
    bracket: BracketLimits,
) -> tuple[TakeProfit, ...]:
    """Return one or two take-profits whose steps sum exactly to those of `quantity`.

    One at the first target when either part would be below the venue's minimum.
    """
    found = take_profits_for(side, entry_price, stop_price, quantity, least_of(instrument), bracket)
    first = TakeProfit(found.first_price, found.first_quantity)
    if found.second_quantity == 0.0:
        return (first,)
    return first, TakeProfit(found.second_price, found.second_quantity)


def least_of(instrument: Instrument) -> Least:
    """Return the steps and minima of an instrument."""
    return Least(
        instrument.tick_size,
        instrument.quantity_step,
        instrument.min_quantity,
        instrument.min_notional_quote,
    )


@compiled
def take_profits_for(
    side: int, entry_price: float, stop_price: float, quantity: float, least: Least, bracket: BracketLimits
) -> TakeProfits:
    """Return the same in numbers that compile."""
    tick = least.tick_size
    first = target_price_for(side, entry_price, stop_price, bracket.first_take_profit_r, tick)
    second = target_price_for(side, entry_price, stop_price, bracket.second_take_profit_r, tick)
    part = step_down(quantity * bracket.take_profit_fraction, least.quantity_step)
    rest = _rest(quantity, part, least.quantity_step)
    if _is_tradable(part, first, least) and _is_tradable(rest, second, least):
        return TakeProfits(first, part, second, rest)
    return TakeProfits(first if bracket.take_profit_fraction > 0.0 else second, quantity, 0.0, 0.0)


@compiled
def mean_price(found: TakeProfits) -> float:
    """Return the mean price of the take-profits, weighted by quantity."""
    value = found.first_price * found.first_quantity + found.second_price * found.second_quantity
    return value / (found.first_quantity + found.second_quantity)


@compiled
def _rest(quantity: float, part: float, step: float) -> float:
    """`quantity - part` without float noise; a quantity off the step keeps its odd remainder."""
    if step > 0.0 and is_on_step(quantity, step):
        return step_down(quantity - part, step)
    return quantity - part


@compiled
def _is_tradable(quantity: float, price: float, least: Least) -> bool:
    return (
        quantity > 0.0
        and price > 0.0
        and quantity >= least.min_quantity
        and quantity * price >= least.min_notional_quote
    )
