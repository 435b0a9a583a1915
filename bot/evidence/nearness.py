"""How near the mark came to liquidation, and between which marks there is nothing new to say about it."""

import math
from typing import Final, NamedTuple

from bot.core.margin import distance, mark_at_distance

NO_PRICE: Final = 1e300  # above every price, and unlike infinity a JSON number
_GRAIN: Final = 1e-4  # of the price: a new least distance counts from one basis point on


class Nearness(NamedTuple):
    """Least distances so far (fraction of the mark; in standard deviations of an hour) and time spent near.

    `NO_PRICE`: not seen yet. `near_since_ms`: 0 while not within one hourly standard deviation.
    """

    least_distance: float = NO_PRICE
    least_sigmas: float = NO_PRICE
    near_ms: int = 0
    near_since_ms: int = 0


def hourly(sigma_day: float) -> float:
    """Return the standard deviation of the log price over an hour."""
    return sigma_day / math.sqrt(24.0)


def can_be_reached(liquidation: float) -> bool:
    """Return whether a liquidation price is one: 0.0 and inf mean that no mark liquidates."""
    return 0.0 < liquidation < NO_PRICE


def seen(
    known: Nearness, side: int, mark: float, liquidation: float, sigma_hour: float, ts_ms: int
) -> Nearness:
    """Return `known` after one more look; a `sigma_hour` of 0.0 is not known and measures nothing."""
    if not can_be_reached(liquidation):
        return left(known, ts_ms)
    away = float(distance(side, mark, liquidation))
    least = min(known.least_distance, away)
    if sigma_hour <= 0.0:
        return left(known._replace(least_distance=least), ts_ms)
    sigmas = min(known.least_sigmas, away / sigma_hour)
    if away >= sigma_hour:
        return left(Nearness(least, sigmas, known.near_ms, known.near_since_ms), ts_ms)
    return Nearness(least, sigmas, known.near_ms, known.near_since_ms or ts_ms)


def left(known: Nearness, ts_ms: int) -> Nearness:
    """Return `known` with the running stay near liquidation, if any, ended at `ts_ms`."""
    if not known.near_since_ms:
        return known
    return known._replace(near_ms=known.near_ms + max(ts_ms - known.near_since_ms, 0), near_since_ms=0)


def rungs(known: Nearness, side: int, liquidation: float, sigma_hour: float) -> tuple[float, float]:
    """Return (adverse, favourable): the marks from which the next look has something to tell.

    0.0 for none. Adverse ones are the next record and the edge of one sigma; favourable is that edge
    while the mark is within it.
    """
    if not can_be_reached(liquidation):
        return 0.0, 0.0
    edge = float(mark_at_distance(side, liquidation, sigma_hour)) if sigma_hour > 0.0 else 0.0
    record = _record(known, side, liquidation, sigma_hour)
    if known.near_since_ms:
        return record, edge
    return (max(record, edge) if side > 0 else _lower(record, edge)), 0.0


def _record(known: Nearness, side: int, liquidation: float, sigma_hour: float) -> float:
    """The nearer of the marks that would be a new least distance and a new least number of sigmas."""
    away = known.least_distance
    if sigma_hour > 0.0:
        away = max(away, known.least_sigmas * sigma_hour)
    if away >= 1.0 and side > 0:
        return NO_PRICE
    return float(mark_at_distance(side, liquidation, away)) * (1.0 - side * _GRAIN)


def _lower(one: float, other: float) -> float:
    return min(one, other) if one > 0.0 and other > 0.0 else max(one, other)
