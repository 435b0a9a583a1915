"""Hold the distance at which liquidation within the horizon has a chosen probability."""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from bot.core.compiled import compiled
from bot.core.probability import STUDENT_SCALE, sigmas_for_probability
from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.policies.clip import FARTHEST, NEAREST
from bot.risk.view import MarginView

_LONG_HORIZON_DAYS: Final = 2.0
_LONG_SCALE: Final = 1.0
_FARTHEST_LOG: Final = 700.0  # e to more is no float64; the target is clipped long before


class LiquidationProbabilityParams(NamedTuple):
    """`alpha`: the probability to hold. `entry_share` 1: never less than the distance at entry."""

    alpha: float = 0.01
    horizon_days: float = 1.0
    entry_share: float = 0.0
    low: float = 0.8
    high: float = 1.5


BOUNDS: Mapping[str, Bound] = {
    "alpha": Bound(1e-4, 0.5, "probability", "Chance of liquidation within the horizon."),
    "horizon_days": Bound(0.01, 30.0, "days", "Over which that chance is taken."),
    "entry_share": Bound(0.0, 5.0, "x entry distance", "The target is at least this; 0: no such floor."),
    "low": Bound(0.05, 0.98, "x target", "Below it margin is added."),
    "high": Bound(1.02, 20.0, "x target", "Above it margin is released."),
}


@compiled
def band(view: MarginView, params: LiquidationProbabilityParams) -> Band:
    """Return the band around the distance of b* = k(alpha) * sigma * sqrt(horizon), 1.2 % to 60 %.

    P = 2*T4(-1.10*z), fitted to real first passages; -1.00*z beyond two days, where the tail is fatter.
    Drift has no part in it: no estimated drift may take margin away. Source: margin-science 3.4 (d), 4.1.
    """
    wanted = distance_of_probability(view.position.side, params.alpha, view.sigma_day, params.horizon_days)
    if math.isnan(wanted):
        return Band(math.nan, math.nan, math.nan)
    target = min(max(wanted, NEAREST), FARTHEST)
    if params.entry_share > 0.0:
        floor = params.entry_share * view.entry_distance
        target = floor if not floor <= target else target
    return Band(params.low * target, target, params.high * target)


@compiled
def distance_of_probability(side: int, alpha: float, sigma_day: float, days: float) -> float:
    """Return the distance reached within `days` with probability `alpha`: 1 - e^-b long, e^b - 1 short."""
    scale = STUDENT_SCALE if days <= _LONG_HORIZON_DAYS else _LONG_SCALE
    away = sigmas_for_probability(alpha) * STUDENT_SCALE / scale * sigma_day * math.sqrt(days)
    if side > 0:
        return -math.expm1(-away)
    return math.expm1(_FARTHEST_LOG if away > _FARTHEST_LOG else away)
