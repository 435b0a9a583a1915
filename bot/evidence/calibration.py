"""Do liquidation prices get touched as often as was forecast? Margin-science 4.1 and 5.6."""

import math
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bot.core.probability import STUDENT_SCALE, sigmas_for_probability

LEAST_OBSERVATIONS: Final = 200
ALARM_RATIO: Final = 2.0
_CONFIDENCE_SCORE: Final = 1.959964
_SCALES: Final = (0.2, 4.0)  # between which a is looked for
_NEAREST_ONE: Final = 1e-12
_GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0

Floats = NDArray[np.float64]


class Bin(NamedTuple):
    """Forecasts of like size: their mean, and the share that was touched with its 95 % Wilson interval."""

    forecasts: int
    forecast: float
    touched: int
    realised: float
    low: float
    high: float


class Calibration(NamedTuple):
    """`ratio` = touches / touches forecast; `brier`: mean squared error, 0 is perfect.

    `scale` is the a in P = 2 * T4(-a * z) that fits best, 1.10 being the one in use; a smaller one says that
    liquidation is nearer than forecast. NaN: not known. `is_alarming`: at least twice as many touches as
    forecast over at least 200 forecasts.
    """

    forecasts: int
    touched: int
    expected: float
    ratio: float
    brier: float
    scale: float
    is_alarming: bool
    bins: tuple[Bin, ...]


def calibration(probabilities: ArrayLike, touched: ArrayLike, bins: int = 10) -> Calibration:
    """Return how forecasts of a touch (in [0, 1]) and touches (true or false) agree.

    The bins hold equally many forecasts each, equal forecasts together. Overlapping forecasts are no
    independent witnesses; the intervals are too narrow for them.
    ValueError: lists of unequal length, or a probability outside [0, 1].
    """
    forecast, hit = _checked(probabilities, touched)
    count, expected, hits = len(forecast), float(forecast.sum()), int(hit.sum())
    if count == 0:
        return Calibration(0, 0, 0.0, math.nan, math.nan, math.nan, False, ())
    ratio = hits / expected if expected > 0.0 else (math.inf if hits else math.nan)
    return Calibration(
        count,
        hits,
        expected,
        ratio,
        float(np.mean((forecast - hit) ** 2)),
        fitted_scale(forecast, hit),
        count >= LEAST_OBSERVATIONS and ratio > ALARM_RATIO,
        _bins(forecast, hit, bins),
    )


def wilson_interval(successes: int, count: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a share; (0, 1) without trials."""
    if count == 0:
        return (0.0, 1.0)
    share, square = successes / count, _CONFIDENCE_SCORE**2
    centre = (share + square / (2 * count)) / (1.0 + square / count)
    spread = math.sqrt(share * (1.0 - share) / count + square / (4.0 * count**2))
    half = _CONFIDENCE_SCORE / (1.0 + square / count) * spread
    return (max(centre - half, 0.0), min(centre + half, 1.0))


def fitted_scale(probabilities: ArrayLike, touched: ArrayLike) -> float:
    """Return the a of P = 2 * T4(-a * z) that makes these touches most likely, between 0.2 and 4.

    z is taken back out of each forecast. NaN when all or none were touched: then no a fits best.
    """
    forecast, hit = _checked(probabilities, touched)
    if not 0 < hit.sum() < len(hit):
        return math.nan
    inside = np.clip(forecast, _NEAREST_ONE, 1.0)
    sigmas = np.array([sigmas_for_probability(value) for value in inside])
    low, high = _SCALES
    for _ in range(60):
        span = _GOLDEN * (high - low)
        is_lower = _likelihood(high - span, sigmas, hit) > _likelihood(low + span, sigmas, hit)
        low, high = (low, low + span) if is_lower else (high - span, high)
    return 0.5 * (low + high)


def first_passage(sigmas: Floats, scale: float = STUDENT_SCALE) -> Floats:
    """Return 2 * T4(-scale * sigmas) for non-negative sigmas, at most 1: bot.core.probability for columns."""
    value = scale * sigmas
    square = 4.0 + value * value
    below = 4.0 / (square * (1.0 + value / np.sqrt(square)))
    return np.minimum(below * below * (2.0 + value / np.sqrt(square)) / 2.0, 1.0)


def _likelihood(scale: float, sigmas: Floats, hit: Floats) -> float:
    chance = np.clip(first_passage(sigmas, scale), _NEAREST_ONE, 1.0 - _NEAREST_ONE)
    return float(hit @ np.log(chance) + (1.0 - hit) @ np.log1p(-chance))


def _bins(forecast: Floats, hit: Floats, bins: int) -> tuple[Bin, ...]:
    order = np.argsort(forecast, kind="stable")
    ranked, hits = forecast[order], hit[order]
    wanted = np.maximum(np.arange(1, bins) * len(ranked) // bins, 1)
    # An edge between equal forecasts moves to where they end.
    edges = np.unique(
        np.concatenate(([0], np.searchsorted(ranked, ranked[wanted - 1], side="right"), [len(ranked)]))
    )
    return tuple(_bin(ranked[begin:end], hits[begin:end]) for begin, end in pairwise(edges))


def _bin(forecast: Floats, hit: Floats) -> Bin:
    count, touched = len(forecast), int(hit.sum())
    return Bin(count, float(forecast.mean()), touched, touched / count, *wilson_interval(touched, count))


def _checked(probabilities: ArrayLike, touched: ArrayLike) -> tuple[Floats, Floats]:
    forecast, hit = np.asarray(probabilities, np.float64), np.asarray(touched, np.float64)
    if forecast.shape != hit.shape or forecast.ndim != 1:
        raise ValueError(f"touched has {hit.size} entries; it must have one per forecast, {forecast.size}")
    for index in np.flatnonzero(~((forecast >= 0.0) & (forecast <= 1.0)))[:1]:
        raise ValueError(f"probabilities[{index}] is {forecast[index]!r}; it must be in [0, 1]")
    return forecast, hit
