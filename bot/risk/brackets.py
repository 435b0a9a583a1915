"""The orders that leave a position: its stop price and its take-profit ladder."""

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
    tick = instrument.tick_size
    first = target_price_for(side, entry_price, stop_price, bracket.first_take_profit_r, tick)
    second = target_price_for(side, entry_price, stop_price, bracket.second_take_profit_r, tick)
    part = step_down(quantity * bracket.take_profit_fraction, instrument.quantity_step)
    rest = _rest(quantity, part, instrument.quantity_step)
    if _is_tradable(part, first, instrument) and _is_tradable(rest, second, instrument):
        return TakeProfit(first, part), TakeProfit(second, rest)
    return (TakeProfit(first if bracket.take_profit_fraction > 0.0 else second, quantity),)


def _rest(quantity: float, part: float, step: float) -> float:
    """`quantity - part` without float noise; a quantity off the step keeps its odd remainder."""
    if step > 0.0 and is_on_step(quantity, step):
        return step_down(quantity - part, step)
    return quantity - part


def _is_tradable(quantity: float, price: float, instrument: Instrument) -> bool:
    return (
        quantity > 0.0
        and price > 0.0
        and quantity >= instrument.min_quantity
        and quantity * price >= instrument.min_notional_quote
    )
