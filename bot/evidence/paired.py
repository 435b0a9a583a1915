"""Is the difference between two ways of holding the same trades more than chance? Clustered by time.

Trades of one week share one market and are no independent witnesses, so an interval over trades alone
would be far too narrow. Source: margin-science 5.1; the cluster-robust variance of a mean with the
G / (G - 1) correction and Student's t of G - 1 degrees of freedom (Cameron and Miller 2015, II and VI).
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bot.evidence.student import student_quantile

LEAST_CLUSTERS: Final = 8  # fewer weeks say nothing of how weeks differ
WEEK_MS: Final = 7 * 86_400_000
_CONFIDENCE: Final = 0.975
_NOISE_QUOTE: Final = 1e-6


class PairedDifference(NamedTuple):
    """The mean difference per trade with its 95 % interval; quote, like the differences.

    `sd` is the standard deviation of the single differences. `needed`: about how many trades of this kind
    the interval needs to leave zero, None when the mean is 0 or nothing is known of its spread.
    NaN: not known (no trade, or for the interval fewer than two clusters).
    """

    trades: int
    clusters: int
    mean: float
    low: float
    high: float
    sd: float
    needed: int | None
    is_distinguishable: bool


def paired_difference(
    differences: ArrayLike, clusters: Sequence[int] | NDArray[np.int64]
) -> PairedDifference:
    """Return the mean of `differences`, one per trade, with an interval that respects `clusters`.

    `clusters` names for each trade what it shares with others, such as its calendar week. Distinguishable
    from zero: the interval excludes 0 and there are at least LEAST_CLUSTERS clusters. `needed` is
    (1.96 * sd / mean)^2, where sd is what one trade adds once its cluster is taken into account; with
    every trade a cluster of its own it is the plain standard deviation.
    ValueError: not as many clusters as differences, or a difference that is not finite.
    """
    values, groups = _checked(differences, clusters)
    count = len(values)
    if count == 0:
        return PairedDifference(0, 0, math.nan, math.nan, math.nan, math.nan, None, False)
    mean = float(values.mean())
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], weights=values - mean)
    sd = float(values.std(ddof=1)) if count > 1 else math.nan
    number = len(sums)
    if number < 2:
        return PairedDifference(count, number, mean, math.nan, math.nan, sd, None, False)
    error = math.sqrt(number / (number - 1) * float(sums @ sums)) / count
    half = student_quantile(_CONFIDENCE, number - 1) * error
    is_apart = number >= LEAST_CLUSTERS and abs(mean) > half
    return PairedDifference(
        count, number, mean, mean - half, mean + half, sd, _needed(mean, error, count), is_apart
    )


def without_noise(differences: ArrayLike) -> NDArray[np.float64]:
    """Return the differences (quote) with what float arithmetic alone makes of equal results set to 0."""
    values = np.asarray(differences, np.float64)
    return np.where(np.abs(values) < _NOISE_QUOTE, 0.0, values)


def week_of(ts_ms: int) -> int:
    """Return the calendar week (Monday to Sunday, UTC) of an instant, counted from 1970."""
    return (ts_ms + 3 * 86_400_000) // WEEK_MS


def _needed(mean: float, error: float, count: int) -> int | None:
    if mean == 0.0:
        return None
    return max(math.ceil(count * (1.96 * error / mean) ** 2), 1)


def _checked(
    differences: ArrayLike, clusters: Sequence[int] | NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    values, groups = np.asarray(differences, np.float64), np.asarray(clusters, np.int64)
    if values.shape != groups.shape or values.ndim != 1:
        raise ValueError(
            f"clusters has {groups.size} entries; it must have one per difference, {values.size}"
        )
    for index in np.flatnonzero(~np.isfinite(values))[:1]:
        raise ValueError(f"differences[{index}] is {values[index]!r}; it must be finite")
    return values, groups
