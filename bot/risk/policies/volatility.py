"""Hold a distance worth a fixed number of standard deviations."""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from bot.core.compiled import compiled
from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.policies.clip import clipped_band
from bot.risk.view import MarginView

EWMA: Final = 0
PARKINSON: Final = 1
YANG_ZHANG: Final = 2


class VolatilityParams(NamedTuple):
    """`sigmas` 4.2 over one day is a 1 % chance of liquidation (fat-tailed law)."""

    sigmas: float = 4.2
    horizon_days: float = 1.0
    low: float = 0.8
    high: float = 1.5
    estimator: int = EWMA


BOUNDS: Mapping[str, Bound] = {
    "sigmas": Bound(0.5, 20.0, "sigmas", "Target distance over the horizon."),
    "horizon_days": Bound(0.01, 30.0, "days", "Over which the sigmas are taken."),
    "low": Bound(0.05, 0.98, "x target", "Below it margin is added."),
    "high": Bound(1.02, 20.0, "x target", "Above it margin is released."),
    "estimator": Bound(0, 2, "code", "Volatility of: 0 closes (EWMA), 1 ranges (Parkinson), 2 Yang-Zhang."),
}


@compiled
def band(view: MarginView, params: VolatilityParams) -> Band:
    """Return the band around clip(sigmas * sigma * sqrt(horizon), 1.2 %, 60 %).

    Parkinson and Yang-Zhang calibrate about as well as the EWMA. An unknown volatility (NaN) gives a
    NaN band, which moves nothing. Source: margin-science 3.3 (c) and the k table of 3.0.
    """
    sigma_day = _sigma_day(view, params.estimator)
    return clipped_band(params.sigmas * sigma_day * math.sqrt(params.horizon_days), params.low, params.high)


@compiled
def _sigma_day(view: MarginView, estimator: int) -> float:
    if estimator == PARKINSON:
        return view.sigma_parkinson
    return view.sigma_yang_zhang if estimator == YANG_ZHANG else view.sigma_day
