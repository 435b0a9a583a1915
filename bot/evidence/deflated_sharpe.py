"""Whether the best of many tries is more than luck: the deflated Sharpe ratio.

Source: Bailey and Lopez de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40 (2014), 94.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

_EULER: Final = 0.5772156649015329
_NORMAL: Final = NormalDist()
_LEAST: Final = 3


class Deflated(NamedTuple):
    """Sharpe ratios per period (not annualised). `probability`: that the true one is above `expected_best`.

    That is what the best of `tries` without any skill is expected to show. `periods` of returns.
    """

    sharpe: float
    expected_best: float
    probability: float
    tries: int
    periods: int


def deflated_sharpe(returns: ArrayLike, sharpes: Sequence[float], tries: int | None = None) -> Deflated:
    """Return how much of a Sharpe ratio remains once it is known to be the best of `sharpes`.

    `returns` are the best one's, one per period; `sharpes` those of every try, per period; NaN is a try whose
    ratio is not known. `tries`: when only some of them are among `sharpes`. They count as independent, which
    is cautious: neighbours in a sweep are not. NaN fields: fewer than three returns, or a spread of zero.
    """
    values = np.asarray(returns, np.float64)
    known = np.array([sharpe for sharpe in sharpes if math.isfinite(sharpe)], np.float64)
    count = len(sharpes) if tries is None else tries
    periods = len(values)
    spread = float(values.std(ddof=1)) if periods >= _LEAST else 0.0
    best = expected_best(float(known.std(ddof=1)) if len(known) > 1 else 0.0, count)
    if spread <= 0.0:
        return Deflated(math.nan, best, math.nan, count, periods)
    centred = values - values.mean()
    variance = float(np.mean(centred**2))
    skew = float(np.mean(centred**3)) / variance**1.5
    kurtosis = float(np.mean(centred**4)) / variance**2
    sharpe = float(values.mean()) / spread
    chance = probability_above(sharpe, best, periods, skew, kurtosis)
    return Deflated(sharpe, best, chance, count, periods)


def expected_best(spread: float, tries: int) -> float:
    """Return the expected largest of `tries` Sharpe ratios that scatter by `spread` around zero."""
    if tries < 2 or not spread > 0.0:
        return 0.0
    first, second = (_NORMAL.inv_cdf(1.0 - 1.0 / (tries * each)) for each in (1.0, math.e))
    return spread * ((1.0 - _EULER) * first + _EULER * second)


def probability_above(sharpe: float, threshold: float, periods: int, skew: float, kurtosis: float) -> float:
    """Return P(the true Sharpe ratio > threshold) for returns with this skew and (not excess) kurtosis.

    Ratios per period. NaN: the moments and the ratio do not fit together.
    """
    scatter = 1.0 - skew * sharpe + 0.25 * (kurtosis - 1.0) * sharpe * sharpe
    if scatter <= 0.0:
        return math.nan
    return _NORMAL.cdf((sharpe - threshold) * math.sqrt(periods - 1.0) / math.sqrt(scatter))
