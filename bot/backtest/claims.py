"""What the usual guides to isolated margin promise, each measured on the same trades.

Rules and warnings: margin-science 4.5. A claim compares two ways of holding the trades of a plan by one
figure: the mean result, the mean of the worst 1 %, or the margin-hours.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.trade_walk import Walked
from bot.evidence.paired import PairedDifference, paired_difference, without_noise
from bot.evidence.tail import TailDifference, worst_mean, worst_mean_difference

RESULT: Final = "result"
WORST: Final = "worst 1 %"
MARGIN_HOURS: Final = "margin-hours"
_COLUMNS: Final = {name: index for index, name in enumerate(Walked._fields)}

Difference = PairedDifference | TailDifference
Trades = NDArray[np.float64]  # a row for each trade, columns are those of Walked


class Claim(NamedTuple):
    """A promise: `ours` has more (`sign` 1) or less (-1) of `measure` than `against`; both name ways."""

    text: str
    measure: str
    sign: int
    ours: str
    against: str


class ClaimResult(NamedTuple):
    """A claim on some trades, money in quote per trade; `difference` is `value` less `against_value`.

    `holds`: the difference is distinguishable from zero and has the promised sign.
    """

    text: str
    measure: str
    ours: str
    against: str
    value: float
    against_value: float
    difference: Difference
    holds: bool


class _Figure(NamedTuple):
    value: float
    against: float
    difference: Difference


def claim_result(
    claim: Claim, walked: Mapping[str, Trades], weeks: NDArray[np.int64], bar_hours: NDArray[np.float64]
) -> ClaimResult:
    """Return what became of a claim; `walked` holds the trades of every way, `bar_hours` a bar's length."""
    figure = _MEASURES[claim.measure](walked[claim.ours], walked[claim.against], weeks, bar_hours)
    holds = figure.difference.is_distinguishable and claim.sign * figure.difference.mean > 0.0
    return ClaimResult(claim.text, claim.measure, claim.ours, claim.against, *figure, holds)


def _by_result(
    ours: Trades, theirs: Trades, weeks: NDArray[np.int64], _bar_hours: NDArray[np.float64]
) -> _Figure:
    return _paired(_column(ours, "pnl"), _column(theirs, "pnl"), weeks)


def _by_worst(
    ours: Trades, theirs: Trades, weeks: NDArray[np.int64], _bar_hours: NDArray[np.float64]
) -> _Figure:
    left, right = _column(ours, "pnl"), _column(theirs, "pnl")
    return _Figure(worst_mean(left), worst_mean(right), worst_mean_difference(left, right, weeks))


def _by_margin_hours(
    ours: Trades, theirs: Trades, weeks: NDArray[np.int64], bar_hours: NDArray[np.float64]
) -> _Figure:
    left, right = _column(ours, "margin_bars") * bar_hours, _column(theirs, "margin_bars") * bar_hours
    return _paired(left, right, weeks)


def _paired(left: Trades, right: Trades, weeks: NDArray[np.int64]) -> _Figure:
    means = float(left.mean()), float(right.mean())
    return _Figure(*means, paired_difference(without_noise(left - right), weeks))


def _column(walked: Trades, name: str) -> Trades:
    return walked[:, _COLUMNS[name]]


_MEASURES: Final[Mapping[str, Callable[..., _Figure]]] = {
    RESULT: _by_result,
    WORST: _by_worst,
    MARGIN_HOURS: _by_margin_hours,
}
