"""Keep the liquidation distance near a fixed fraction, a number of true ranges, or what it was at entry."""

from collections.abc import Mapping
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.view import MarginView


class DistanceBandParams(NamedTuple):
    """The distance in percent, in ATRs or, with both 0, relative to entry; the factors multiply it."""

    target_distance: float = 0.0
    target_atrs: float = 0.0
    target: float = 1.0
    low: float = 0.65
    high: float = 1.5


BOUNDS: Mapping[str, Bound] = {
    "target_distance": Bound(0.0, 0.9, "fraction of price", "Distance to hold; 0: in ATRs, or as at entry."),
    "target_atrs": Bound(0.0, 200.0, "x ATR(14, 1h)", "Distance to hold; 0: a fraction, or as at entry."),
    "target": Bound(0.1, 5.0, "x", "Target as a multiple of that distance."),
    "low": Bound(0.05, 0.98, "x target", "Below it margin is added."),
    "high": Bound(1.02, 20.0, "x target", "Above it margin is released."),
}


@compiled
def band(view: MarginView, params: DistanceBandParams) -> Band:
    """Return the band around a fixed distance, `target_atrs` * ATR / mark, or the entry distance.

    Simple and explainable, but the first and the last are blind to volatility: too little on a wild
    market, too much on a quiet one. Source: margin-science 3.1 (a).
    """
    wanted = params.target * _distance(view, params)
    return Band(params.low * wanted, wanted, params.high * wanted)


@compiled
def _distance(view: MarginView, params: DistanceBandParams) -> float:
    if params.target_distance > 0.0:
        return params.target_distance
    return params.target_atrs * view.atr / view.mark if params.target_atrs > 0.0 else view.entry_distance
