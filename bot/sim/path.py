"""The documented price path inside a candle: adverse first.

A candle says how far the price went, not in which order. The replay assumes the order that hurts:
open, then the extreme against the side held when the bar opens (long: low, short: high), then the
other extreme, then close. Without a position the extreme opposite to the candle's direction comes
first. A leg longer than `max_step` is walked in equal relative steps: a 14 % minute is met on the way.
"""

from itertools import pairwise
from math import ceil, log, log1p
from typing import NamedTuple

Points = tuple[float, float, float, float]


class Bar(NamedTuple):
    open: float
    high: float
    low: float
    close: float


def waypoints(bar: Bar, side: int) -> Points:
    """Return open, first extreme, second extreme, close. `side`: +1 long, -1 short, 0 flat."""
    open_, high, low, close = bar
    is_low_first = side > 0 or (side == 0 and close >= open_)
    return (open_, low, high, close) if is_low_first else (open_, high, low, close)


def walk(mark: Points, last: Points, max_step: float) -> list[tuple[float, float]]:
    """Return the (mark, last) prices from open to close, at least four."""
    if _is_calm(last, max_step) and (mark is last or _is_calm(mark, max_step)):
        return list(zip(mark, last, strict=True))
    prices = [(mark[0], last[0])]
    for mark_leg, last_leg in zip(pairwise(mark), pairwise(last), strict=True):
        count = max(_steps(mark_leg, max_step), _steps(last_leg, max_step))
        for number in range(1, count):
            prices.append((_between(mark_leg, number / count), _between(last_leg, number / count)))
        prices.append((mark_leg[1], last_leg[1]))
    return prices


def _is_calm(points: Points, max_step: float) -> bool:
    """Return whether no leg needs a step between, told without a logarithm; False leaves it open."""
    low, high = min(points), max(points)
    return high - low < 0.99 * max_step * low


def _steps(leg: tuple[float, float], max_step: float) -> int:
    """Return into how many equal relative steps a leg falls so that none exceeds `max_step` (a fraction)."""
    start, end = leg
    return max(1, ceil(abs(log(end / start)) / log1p(max_step)))


def _between(leg: tuple[float, float], part: float) -> float:
    start, end = leg
    price = start * (end / start) ** part
    return min(max(price, min(leg)), max(leg))
