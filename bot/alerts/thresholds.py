"""Levels that a number falls below, with hysteresis: one that trembles at a level is told once."""

from collections.abc import Sequence
from typing import NamedTuple


class Threshold(NamedTuple):
    """Crossed by a value at or below `enter`; left again by one above `leave`, which is no lower."""

    enter: float
    leave: float


def distance_thresholds(levels: Sequence[float], hysteresis: float) -> tuple[Threshold, ...]:
    """Return thresholds for distances to liquidation, the widest first; left at `1 + hysteresis` times."""
    return tuple(Threshold(level, level * (1.0 + hysteresis)) for level in sorted(levels, reverse=True))


def loss_thresholds(levels: Sequence[float], hysteresis: float) -> tuple[Threshold, ...]:
    """Return thresholds for what is left of 1 after a loss, the smallest loss first."""
    return tuple(Threshold(1.0 - level, 1.0 - level * (1.0 - hysteresis)) for level in sorted(levels))


def depth(thresholds: Sequence[Threshold], value: float, was: int) -> int:
    """Return how many thresholds stand crossed by `value`, where `was` of them stood crossed before.

    NaN, which is "not known", changes nothing.
    """
    now = was
    while now < len(thresholds) and value <= thresholds[now].enter:
        now += 1
    while now > 0 and value > thresholds[now - 1].leave:
        now -= 1
    return now
