"""The figures that strategies are compared by: pure numpy over returns, equity and trade results.

Returns are simple ones of equal periods; `per_year` is how many there are in a year (365 days: a perpetual
trades every day). NaN: not known, where a formula would divide by zero or has too few values.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

DAYS_PER_YEAR: Final = 365.0
DAY_MS: Final = 86_400_000
# A spread this small beside its mean is rounding noise, and a ratio of it means nothing.
_NOISE: Final = 1e-12


class Drawdown(NamedTuple):
    """The deepest fall from a peak, a fraction <= 0, with its times; back at the peak: -1 for not yet."""

    fraction: float
    peak_ms: int
    trough_ms: int
    recovered_ms: int


def returns_of(equity: ArrayLike) -> Floats:
    """Return the simple returns from each value to the next."""
    values = np.asarray(equity, np.float64)
    return values[1:] / values[:-1] - 1.0


def sharpe_ratio(returns: ArrayLike, per_year: float = DAYS_PER_YEAR) -> float:
    """Return mean over sample standard deviation, annualised; no risk-free rate. Sharpe 1994."""
    values = np.asarray(returns, np.float64)
    if len(values) < 2:
        return math.nan
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    return mean / spread * math.sqrt(per_year) if spread > _NOISE * max(abs(mean), _NOISE) else math.nan


def sortino_ratio(returns: ArrayLike, per_year: float = DAYS_PER_YEAR) -> float:
    """Return mean over downside deviation, annualised; the deviation counts every period, gains as zero.

    Sortino and Price 1994 with a required return of 0. NaN without a loss.
    """
    values = np.asarray(returns, np.float64)
    if len(values) < 2:
        return math.nan
    downside = math.sqrt(float(np.square(np.minimum(values, 0.0)).mean()))
    return float(values.mean()) / downside * math.sqrt(per_year) if downside > 0.0 else math.nan


def annual_return(growth: float, years: float) -> float:
    """Return the compound growth per year of what grew `growth` times in so long; -1.0 once all was lost."""
    return growth ** (1.0 / years) - 1.0 if growth > 0.0 else -1.0


def max_drawdown(returns: ArrayLike) -> float:
    """Return the deepest fall of the compounded returns from a peak, the start included: a fraction <= 0."""
    values = np.asarray(returns, np.float64)
    if not len(values):
        return math.nan
    return float(_falls(np.concatenate(([1.0], np.cumprod(1.0 + values)))).min())


def calmar_ratio(annual: float, drawdown: float) -> float:
    """Return the annual return over the deepest drawdown (a fraction <= 0); NaN without one. Young 1991."""
    return annual / -drawdown if drawdown < 0.0 else math.nan


def drawdown_of(ts_ms: NDArray[np.int64], equity: Floats) -> Drawdown:
    """Return the deepest drawdown of an equity curve of at least one point, with its times."""
    falls = _falls(equity)
    trough = int(falls.argmin())
    peak = int(equity[: trough + 1].argmax())
    back = np.flatnonzero(equity[trough:] >= equity[peak])
    recovered = int(ts_ms[trough + back[0]]) if back.size else -1
    return Drawdown(float(falls[trough]), int(ts_ms[peak]), int(ts_ms[trough]), recovered)


def drawdowns(equity: Floats) -> Floats:
    """Return how far each value lies below the highest before it: fractions <= 0."""
    return _falls(equity)


def daily(ts_ms: NDArray[np.int64], equity: Floats, start_ms: int, end_ms: int, first: float) -> Floats:
    """Return the equity at the start and at the end of each day of a range: the last known value.

    `first` is what it was at `start_ms`. A last day that is not whole is left out, unless it is the only one.
    """
    days = max((end_ms - start_ms) // DAY_MS, 1)
    ends = np.minimum(start_ms + DAY_MS * np.arange(1, days + 1), end_ms)
    rows = np.searchsorted(ts_ms, ends, side="right") - 1
    known = np.where(rows >= 0, equity[np.maximum(rows, 0)] if len(equity) else first, first)
    return np.concatenate(([first], known))


def profit_factor(results: ArrayLike) -> float:
    """Return what the winners won over what the losers lost; inf without a loss, NaN without a trade."""
    values = np.asarray(results, np.float64)
    won, lost = float(values[values > 0.0].sum()), float(-values[values < 0.0].sum())
    if lost == 0.0:
        return math.inf if won > 0.0 else math.nan
    return won / lost


def expectancy(results: ArrayLike) -> float:
    """Return the mean result of a trade; NaN without one."""
    values = np.asarray(results, np.float64)
    return float(values.mean()) if len(values) else math.nan


def win_rate(results: ArrayLike) -> float:
    """Return the share of trades that gained; NaN without a trade."""
    values = np.asarray(results, np.float64)
    return float((values > 0.0).mean()) if len(values) else math.nan


def _falls(equity: Floats) -> Floats:
    return equity / np.maximum.accumulate(equity) - 1.0
