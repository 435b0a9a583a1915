"""Hold a distance worth a fixed number of standard deviations."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.view import MarginView

_NEAREST = 0.012
_FARTHEST = 0.60


class VolatilityParams(NamedTuple):
    """`sigmas` 4.2 over one day is a 1 % chance of liquidation (fat-tailed law)."""

    sigmas: float = 4.2
    horizon_days: float = 1.0
    low: float = 0.8
    high: float = 1.5


BOUNDS: Mapping[str, Bound] = {
    "sigmas": Bound(0.5, 20.0, "sigmas", "Target distance over the horizon."),
    "horizon_days": Bound(0.01, 30.0, "days", "Over which the sigmas are taken."),
    "low": Bound(0.05, 0.98, "x target", "Below it margin is added."),
    "high": Bound(1.02, 20.0, "x target", "Above it margin is released."),
}


@compiled
def band(view: MarginView, params: VolatilityParams) -> Band:
    """Return the band around clip(sigmas * sigma_day * sqrt(horizon), 1.2 %, 60 %).

    Source: margin-science 3.3 (c) and the k table of 3.0.
    """
    return volatility_band(view.sigma_day, params.sigmas, params.horizon_days, params.low, params.high)


@compiled
def volatility_band(sigma_day: float, sigmas: float, horizon_days: float, low: float, high: float) -> Band:
    """Return the same band from plain numbers; NaN volatility gives a NaN band, which moves nothing."""
    if math.isnan(sigma_day):
        return Band(math.nan, math.nan, math.nan)
    wanted = min(max(sigmas * sigma_day * math.sqrt(horizon_days), _NEAREST), _FARTHEST)
    return Band(low * wanted, wanted, high * wanted)
