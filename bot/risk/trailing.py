"""The trailing stop: when it moves and to where. R = |entry - initial stop|."""

from typing import Final

from bot.core.compiled import compiled
from bot.core.steps import step_down, step_up
from bot.risk.limits import BracketLimits

NOWHERE: Final = 0.0
_REACHED = 1e-12


@compiled
def on_tick_toward_mark(side: int, price: float, tick: float) -> float:
    """Return the stop price on the tick at or just beyond `price`, away from liquidation.

    Up for a long, down for a short, never below one tick. `tick` 0.0 leaves the price alone.
    """
    rounded = step_up(price, tick) if side > 0 else step_down(price, tick)
    return max(rounded, tick)


@compiled
def trail_mark(
    side: int,
    entry_price: float,
    initial_stop: float,
    current_stop: float,
    tick: float,
    bracket: BracketLimits,
) -> float:
    """Return the mark at which the stop moves next; 0.0 when it never does.

    The profit must have reached `trail_activate_r`, and the stop must gain at least
    `trail_min_step_r` (and one tick) when it stands `trail_distance_r` behind that mark.
    """
    risk = side * (entry_price - initial_stop)
    if bracket.trail_activate_r <= 0.0 or initial_stop <= 0.0 or not risk > 0.0:
        return NOWHERE
    stop = current_stop if current_stop > 0.0 else initial_stop
    step = max(bracket.trail_min_step_r * risk, tick)
    activated = entry_price + side * bracket.trail_activate_r * risk
    gained = stop + side * (step + bracket.trail_distance_r * risk)
    mark = max(activated, gained) if side > 0 else min(activated, gained)
    return mark if mark > 0.0 else NOWHERE


@compiled
def trailed_stop(
    side: int,
    entry_price: float,
    initial_stop: float,
    current_stop: float,
    best_mark: float,
    tick: float,
    bracket: BracketLimits,
) -> float:
    """Return the stop price to move to, or 0.0 to leave it. It only ever moves toward profit."""
    due = trail_mark(side, entry_price, initial_stop, current_stop, tick, bracket)
    if due <= 0.0 or side * (best_mark - due) < -_REACHED * due:
        return NOWHERE
    risk = side * (entry_price - initial_stop)
    wanted = on_tick_toward_mark(side, best_mark - side * bracket.trail_distance_r * risk, tick)
    return wanted if side * (best_mark - wanted) > 0.0 else NOWHERE
