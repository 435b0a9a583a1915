"""The prices of a position's ladder in order, and which of them are too far away to draw to scale."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.risk.view import Rung

PRIORITY: Final = ("mark", "liquidation", "stop", "add", "release", "take_profit", "trail")
OUTWARD: Final = ("liquidation", "stop", "add", "mark", "release", "trail", "take_profit")

_FAR_DANGER: Final = 12.0  # beyond it everything else would share the last twelfth of the line
_FAR_PROFIT: Final = 2.0  # beyond it the way to liquidation would get less than a third of the line


class Point(NamedTuple):
    """One price of the ladder. `height`: side * price, so that larger is always better for the position."""

    height: float
    price: float
    kind: str


class Far(NamedTuple):
    """The prices that would squeeze the rest, on the side of danger and on that of profit."""

    left: tuple[Point, ...]
    right: tuple[Point, ...]


def ladder_points(side: int, mark: float, rungs: Sequence[Rung], most: int) -> tuple[Point, ...]:
    """Return the mark and the `most` important prices of a ladder, danger first."""
    drawable = [rung for rung in rungs if rung.price > 0.0 and math.isfinite(rung.price)]
    points = [Point(side * rung.price, rung.price, rung.kind) for rung in drawable]
    points.append(Point(side * mark, mark, "mark"))
    kept = sorted(points, key=lambda point: PRIORITY.index(point.kind))[:most]
    return tuple(sorted(kept, key=lambda point: (point.height, OUTWARD.index(point.kind))))


def split_far(points: tuple[Point, ...], mark_height: float) -> Far:
    """Split off what would squeeze the rest: the outermost danger price and distant profit prices."""
    below = [point for point in points if point.height < mark_height]
    others = [abs(point.height - mark_height) for point in points if point not in below[:1]]
    left = tuple(
        point
        for point in below[:1]
        if max(others) > 0.0 and _gap(point, mark_height) > _FAR_DANGER * max(others)
    )
    reach = max((_gap(point, mark_height) for point in below if point not in left), default=0.0)
    right = tuple(p for p in points if reach > 0.0 and p.height - mark_height > _FAR_PROFIT * reach)
    return Far(left, right)


def _gap(point: Point, mark_height: float) -> float:
    return abs(point.height - mark_height)
