"""Rounding to a grid of steps that float noise cannot fool: 0.3 / 0.1 is three steps, not two.

A value within 1e-9 of a step counts as lying on the grid; with many steps (1e-8 of a coin) the room grows
with the float error of the division, to a quarter step at most. The result is the float nearest to the
decimal number (0.3, not 0.30000000000000004) for steps of 1/n and whole steps.
"""

import math

from bot.core.compiled import compiled

_ON_GRID_STEPS = 1e-9
_ON_GRID_RELATIVE = 4e-15
_ON_GRID_MOST_STEPS = 0.25


@compiled
def step_down(value: float, step: float) -> float:
    """Return the largest multiple of `step` that is <= the finite `value`; step 0.0 leaves it alone."""
    if step <= 0.0:
        return value
    count = value / step
    return _steps_value(math.floor(count + _on_grid(count)), step)


@compiled
def step_up(value: float, step: float) -> float:
    """Return the smallest multiple of `step` that is >= the finite `value`; step 0.0 leaves it alone."""
    if step <= 0.0:
        return value
    count = value / step
    return _steps_value(math.ceil(count - _on_grid(count)), step)


@compiled
def is_on_step(value: float, step: float) -> bool:
    """Return whether the finite `value` is a multiple of `step` (> 0), float noise aside."""
    count = value / step
    return abs(count - math.floor(count + 0.5)) <= _on_grid(count)


@compiled
def _on_grid(count: float) -> float:
    return min(_ON_GRID_STEPS + _ON_GRID_RELATIVE * abs(count), _ON_GRID_MOST_STEPS)


@compiled
def _steps_value(count: int, step: float) -> float:
    """count * step, through the whole number of steps per unit where there is one (exact decimals)."""
    per_unit = math.floor(1.0 / step + 0.5)
    if per_unit >= 1 and abs(1.0 / step - per_unit) <= _ON_GRID_STEPS * per_unit:
        return count / per_unit
    return count * step
