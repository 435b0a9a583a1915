"""The orders that leave a position: its stop price and its take-profit ladder."""

import math

from bot.core.compiled import compiled
from bot.core.instrument import Instrument
from bot.risk.limits import BracketLimits
from bot.risk.trailing import on_tick_toward_mark
from bot.risk.view import TakeProfit

_STEP_TOLERANCE = 1e-9


@compiled
def stop_price_for(side: int, entry_price: float, stop_distance: float, tick: float) -> float:
    """Return the stop `stop_distance` (fraction) from entry, on the tick toward the mark."""
    return on_tick_toward_mark(side, entry_price * (1.0 - side * stop_distance), tick)


@compiled
def target_price_for(side: int, entry_price: float, stop_price: float, multiple: float, tick: float) -> float:
    """Return entry + side * multiple * R on the tick nearer to entry, so that it fills no later."""
    risk = side * (entry_price - stop_price)
    return on_tick_toward_mark(-side, entry_price + side * multiple * risk, tick)


@compiled
def floor_to_step(quantity: float, step: float) -> float:
    """Return the largest multiple of `step` not above `quantity`; step 0.0 leaves it alone."""
    if step <= 0.0:
        return quantity
    return math.floor(quantity / step + _STEP_TOLERANCE) * step


def take_profit_ladder(
    side: int,
    entry_price: float,
    stop_price: float,
    quantity: float,
    instrument: Instrument,
    bracket: BracketLimits,
) -> tuple[TakeProfit, ...]:
    """Return one or two take-profits whose quantities sum exactly to `quantity`.

    One at the first target when either part would be below the venue's minimum.
    """
    tick = instrument.tick_size
    first = target_price_for(side, entry_price, stop_price, bracket.first_take_profit_r, tick)
    second = target_price_for(side, entry_price, stop_price, bracket.second_take_profit_r, tick)
    part = floor_to_step(quantity * bracket.take_profit_fraction, instrument.quantity_step)
    rest = _difference(quantity, part, instrument.quantity_step)
    if part + rest != quantity or not _is_tradable(part, first, instrument):
        part = 0.0
    if part == 0.0 or not _is_tradable(rest, second, instrument):
        return (TakeProfit(first if bracket.take_profit_fraction > 0.0 else second, quantity),)
    return TakeProfit(first, part), TakeProfit(second, rest)


def _difference(quantity: float, part: float, step: float) -> float:
    """`quantity - part` rounded to the step's decimals, so that the float is the printed number."""
    if step <= 0.0:
        return quantity - part
    decimals = max(0, 2 - math.floor(math.log10(step)))
    return round(quantity - part, decimals)


def _is_tradable(quantity: float, price: float, instrument: Instrument) -> bool:
    return (
        quantity > 0.0
        and price > 0.0
        and quantity >= instrument.min_quantity
        and quantity * price >= instrument.min_notional_quote
    )
