"""What the worst trades cost: a mean hides them, and margin is what makes them large."""

import math

import numpy as np
from numpy.typing import ArrayLike


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
