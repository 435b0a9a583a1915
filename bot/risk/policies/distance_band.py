"""Keep the liquidation distance near a fixed fraction, or near what it was at entry."""

from collections.abc import Mapping
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.view import MarginView


class DistanceBandParams(NamedTuple):
    """`target_distance` 0 means the distance at entry; the three factors multiply what it gives."""

    target_distance: float = 0.0
    target: float = 1.0
    low: float = 0.65
    high: float = 1.5


BOUNDS: Mapping[str, Bound] = {
    "target_distance": Bound(0.0, 0.9, "fraction of price", "Distance to hold; 0: the one at entry."),
    "target": Bound(0.1, 5.0, "x", "Target as a multiple of that distance."),
    "low": Bound(0.05, 0.98, "x target", "Below it margin is added."),
    "high": Bound(1.02, 20.0, "x target", "Above it margin is released."),
}


@compiled
def band(view: MarginView, params: DistanceBandParams) -> Band:
    """Return the band around a fixed distance or the entry distance; blind to volatility.

    Source: margin-science 3.1.
    """
    base = params.target_distance if params.target_distance > 0.0 else view.entry_distance
    wanted = params.target * base
    return Band(params.low * wanted, wanted, params.high * wanted)
