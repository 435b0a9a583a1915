"""What the worst trades cost: a mean hides them, and margin is what makes them large."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bot.evidence.paired import LEAST_CLUSTERS, without_noise

_SAMPLES: Final = 2_000
_SEED: Final = 20_200_312
_INTERVAL: Final = (0.025, 0.975)


class TailDifference(NamedTuple):
    """How much better the worst trades are (quote), with a 95 % interval; NaN where nothing is known."""

    mean: float
    low: float
    high: float
    is_distinguishable: bool


def worst_mean(values: ArrayLike, share: float = 0.01) -> float:
    """Return the mean of the worst `share` of the values (at least one of them); NaN without values.

    Expected shortfall, margin-science 4 (ES1%). ValueError: a share outside (0, 1].
    """
    if not 0.0 < share <= 1.0:
        raise ValueError(f"share is {share!r}; it must be above 0 and at most 1")
    ordered = np.sort(np.asarray(values, np.float64))
    if not ordered.size:
        return math.nan
    # 100 * 0.07 is 7.000000000000001: the worst 7 % of 100 are seven.
    worst = max(math.ceil(round(ordered.size * share, 9)), 1)
    return float(ordered[:worst].mean())


def worst_mean_difference(
    ours: ArrayLike, theirs: ArrayLike, clusters: Sequence[int] | NDArray[np.int64], share: float = 0.01
) -> TailDifference:
    """Return worst_mean(ours) - worst_mean(theirs) over the same trades; above 0: ours lose less.

    The interval draws whole clusters (calendar weeks) with replacement 2,000 times, from a fixed seed: the
    cluster bootstrap of Cameron and Miller 2015, VI.C. Distinguishable from zero as in `paired_difference`.
    ValueError: a share outside (0, 1].
    """
    left, right = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    mean = worst_mean(left, share) - worst_mean(right, share)
    members = np.unique(np.asarray(clusters), return_inverse=True)[1]
    number = int(members.max(initial=-1)) + 1
    if number < 2:
        return TailDifference(mean, math.nan, math.nan, False)
    draws = np.random.default_rng(_SEED).multinomial(number, np.full(number, 1.0 / number), _SAMPLES)
    drawn = _drawn_means(left, members, draws, share) - _drawn_means(right, members, draws, share)
    mean, low, high = without_noise([mean, *np.quantile(drawn, _INTERVAL)]).tolist()
    return TailDifference(mean, low, high, number >= LEAST_CLUSTERS and (low > 0.0 or high < 0.0))


def _drawn_means(
    values: NDArray[np.float64], members: NDArray[np.int64], draws: NDArray[np.int64], share: float
) -> NDArray[np.float64]:
    """The worst mean of each draw; `draws` says how often each cluster was drawn."""
    order = np.argsort(values, kind="stable")
    ordered, owners = values[order], members[order]
    means = np.empty(len(draws))
    for number, times in enumerate(draws):
        weights = times[owners].astype(np.float64)
        wanted = max(math.ceil(round(weights.sum() * share, 9)), 1)
        before = np.cumsum(weights) - weights
        taken = np.clip(wanted - before, 0.0, weights)
        means[number] = taken @ ordered / wanted
    return means
