"""The documented price path inside a candle: adverse first.

A candle says how far the price went, not in which order. The replay assumes the order that hurts:
open, then the extreme against the side held when the bar opens (long: low, short: high), then the
other extreme, then close. Without a position the extreme opposite to the candle's direction comes
first. A leg longer than `max_step` is walked in equal relative steps: a 14 % minute is met on the way.
"""

from math import ceil, log, log1p
from typing import NamedTuple

from bot.core.compiled import compiled

Points = tuple[float, float, float, float]


class Bar(NamedTuple):
    open: float
    high: float
    low: float
    close: float


@compiled
def waypoints(bar: Bar, side: int) -> Points:
    """Return open, first extreme, second extreme, close. `side`: +1 long, -1 short, 0 flat."""
    open_, high, low, close = bar
    is_low_first = side > 0 or (side == 0 and close >= open_)
    return (open_, low, high, close) if is_low_first else (open_, high, low, close)


def walk(mark: Points, last: Points, max_step: float) -> list[tuple[float, float]]:
    """Return the (mark, last) prices from open to close, at least four."""
    if is_calm(last, max_step) and (mark is last or is_calm(mark, max_step)):
        return list(zip(mark, last, strict=True))
    prices = [(mark[0], last[0])]
    for leg in range(3):
        count = steps_of(mark, last, leg, max_step)
        for number in range(1, count):
            prices.append((between(mark, leg, number / count), between(last, leg, number / count)))
        prices.append((mark[leg + 1], last[leg + 1]))
    return prices


@compiled
def is_calm(points: Points, max_step: float) -> bool:
    """Return whether no leg needs a step between, told without a logarithm; False leaves it open."""
    low = min(points[0], points[1], points[2], points[3])
    high = max(points[0], points[1], points[2], points[3])
    return high - low < 0.99 * max_step * low


@compiled
def steps_of(mark: Points, last: Points, leg: int, max_step: float) -> int:
    """Return into how many equal relative steps a leg falls so that none exceeds `max_step` (a fraction)."""
    longest = max(
        abs(log(mark[leg + 1] / mark[leg])) / log1p(max_step),
        abs(log(last[leg + 1] / last[leg])) / log1p(max_step),
    )
    return max(1, ceil(longest))


@compiled
def between(points: Points, leg: int, part: float) -> float:
    """Return the price `part` of the way along a leg."""
    start, end = points[leg], points[leg + 1]
    price = start * (end / start) ** part
    return min(max(price, min(start, end)), max(start, end))
