"""Rounding on the venue's steps where a market may have none (step 0.0)."""

from bot.core.compiled import compiled
from bot.core.steps import step_down, step_up


@compiled
def floor_to_step(value: float, step: float) -> float:
    """Return the multiple of `step` at or below the finite `value`; step 0.0 leaves the value alone."""
    return step_down(value, step) if step > 0.0 else value


@compiled
def ceil_to_step(value: float, step: float) -> float:
    """Return the multiple of `step` at or above the finite `value`; step 0.0 leaves the value alone."""
    return step_up(value, step) if step > 0.0 else value
