"""Whole steps of a price, quantity or margin grid, as the float nearest to the printed decimal."""

import math

from bot.core.compiled import compiled

# A value this close to a step (in steps) counts as on it: 0.3 / 0.1 is 2.9999999999999996.
_ON_STEP = 1e-9


@compiled
def steps_below(value: float, step: float) -> float:
    """Return the number of whole steps in `value` (step > 0)."""
    return float(math.floor(value / step + _ON_STEP))


@compiled
def steps_above(value: float, step: float) -> float:
    """Return the smallest number of whole steps that covers `value` (step > 0)."""
    return float(math.ceil(value / step - _ON_STEP))


@compiled
def grid_value(steps: float, step: float) -> float:
    """Return steps * step; for 0.001 and its like steps / 1000, which is the decimal itself."""
    inverse = float(round(1.0 / step)) if step < 1.0 else 1.0
    if step < 1.0 and abs(inverse * step - 1.0) < _ON_STEP:
        return steps / inverse
    return steps * step


@compiled
def floor_to_step(value: float, step: float) -> float:
    """Return the multiple of `step` at or below `value`; step 0.0 leaves the value alone."""
    return grid_value(steps_below(value, step), step) if step > 0.0 else value


@compiled
def ceil_to_step(value: float, step: float) -> float:
    """Return the multiple of `step` at or above `value`; step 0.0 leaves the value alone."""
    return grid_value(steps_above(value, step), step) if step > 0.0 else value
