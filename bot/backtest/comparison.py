"""How all trades went in each way of holding them: liquidations, tails, margin, differences to static."""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.claims import ClaimResult
from bot.backtest.held_trade import ENDINGS, LIQUIDATION
from bot.backtest.trade_walk import Walked
from bot.evidence.paired import PairedDifference, paired_difference, without_noise
from bot.evidence.rescues import Ending, Rescues, rescues
from bot.evidence.tail import worst_mean

_DAY_HOURS: Final = 24.0
_COLUMNS: Final = {name: index for index, name in enumerate(Walked._fields)}


class WayResult(NamedTuple):
    """How all trades went in one way; money in quote per trade where it is not said otherwise.

    `mean_margin` is what was locked over time, `margin_hours` in quote-hours per trade. Moves are per day
    of holding. `added_lost` is the mean of added margin that a liquidation took, `added_lost_share` its share
    of everything added (NaN: nothing was). `difference` and `rescues` are against static margin.
    """

    way: str
    trades: int
    liquidations: int
    liquidated_share: float
    mean_pnl: float
    difference: PairedDifference
    worst_percent_mean: float
    mean_margin: float
    margin_hours: float
    adds_per_day: float
    releases_per_day: float
    cuts_per_day: float
    added_lost: float
    added_lost_share: float
    endings: dict[str, int]
    rescues: Rescues


class Span(NamedTuple):
    """A range of candles of one length that trades were held in."""

    timeframe_ms: int
    start_ms: int
    end_ms: int


class Comparison(NamedTuple):
    """All ways over the same trades, static first, and the claims of guides.

    `weeks` are those in which trades were entered.
    """

    symbols: tuple[str, ...]
    spans: tuple[Span, ...]
    trades: int
    weeks: int
    ways: tuple[WayResult, ...]
    claims: tuple[ClaimResult, ...]


def way_result(
    name: str,
    walked: NDArray[np.float64],
    static: NDArray[np.float64],
    weeks: NDArray[np.int64],
    bar_hours: NDArray[np.float64],
) -> WayResult:
    """Return the figures of one way; rows are trades, columns Walked; `static`: the same in it."""
    pnl, ending, bars, margin_bars, adds, added, releases, _, cuts, lost, derisk_cuts = walked.T
    hours, locked = float(bars @ bar_hours), float(margin_bars @ bar_hours)
    count, total = len(pnl), float(added.sum())
    codes = np.bincount(ending.astype(np.int64), minlength=len(ENDINGS))
    return WayResult(
        way=name,
        trades=count,
        liquidations=int(codes[LIQUIDATION]),
        liquidated_share=float(codes[LIQUIDATION]) / count,
        mean_pnl=float(pnl.mean()),
        difference=paired_difference(without_noise(pnl - static[:, _COLUMNS["pnl"]]), weeks),
        worst_percent_mean=worst_mean(pnl),
        mean_margin=locked / hours,
        margin_hours=locked / count,
        adds_per_day=float(adds.sum()) / hours * _DAY_HOURS,
        releases_per_day=float(releases.sum()) / hours * _DAY_HOURS,
        cuts_per_day=float(cuts.sum() + derisk_cuts.sum()) / hours * _DAY_HOURS,
        added_lost=float(lost.mean()),
        added_lost_share=float(lost.sum()) / total if total > 0.0 else math.nan,
        endings={word: int(codes[code]) for code, word in enumerate(ENDINGS) if code},
        rescues=rescues(_endings(walked, static)),
    )


def _endings(walked: NDArray[np.float64], static: NDArray[np.float64]) -> Iterator[Ending]:
    pnl, ending = _COLUMNS["pnl"], _COLUMNS["ending"]
    for ours, theirs in zip(walked.tolist(), static.tolist(), strict=True):
        yield Ending(ours[ending] == LIQUIDATION, theirs[ending] == LIQUIDATION, ours[pnl], theirs[pnl])
