"""Keep liquidation just beyond the resting stop: margin behind a stop buys nothing but wick insurance."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.core.margin import distance
from bot.risk.anchor import anchor_buffer, anchor_price
from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.policies.volatility import volatility_band
from bot.risk.view import MarginView

# Past the anchor the stop has failed: adding there is good money after bad, so the band shrinks to this.
_NEAREST = 1e-6


class StopAnchorParams(NamedTuple):
    """The anchor's buffer and band; the `fallback` fields are the volatility band without a stop."""

    buffer_min: float = 0.01
    buffer_sigmas: float = 1.0
    low: float = 0.9
    high: float = 1.15
    fallback_sigmas: float = 4.2
    fallback_horizon_days: float = 1.0
    fallback_low: float = 0.8
    fallback_high: float = 1.5


BOUNDS: Mapping[str, Bound] = {
    "buffer_min": Bound(0.001, 0.2, "fraction of price", "Least gap between stop and liquidation."),
    "buffer_sigmas": Bound(0.0, 10.0, "daily sigmas", "Gap between stop and liquidation."),
    "low": Bound(0.05, 0.98, "x target", "Below it margin is added."),
    "high": Bound(1.02, 20.0, "x target", "Above it margin is released."),
    "fallback_sigmas": Bound(0.5, 20.0, "sigmas", "Target distance while no stop rests."),
    "fallback_horizon_days": Bound(0.01, 30.0, "days", "Over which those sigmas are taken."),
    "fallback_low": Bound(0.05, 0.98, "x target", "Below it margin is added while no stop rests."),
    "fallback_high": Bound(1.02, 20.0, "x target", "Above it margin is released while no stop rests."),
}


@compiled
def band(view: MarginView, params: StopAnchorParams) -> Band:
    """Return the band around the distance to stop * (1 - side * max(buffer_min, buffer_sigmas * sigma)).

    Without a resting stop: the volatility band. Source: margin-science 3.9 and the buffer study of 4.3.
    """
    if view.stop_price <= 0.0:
        return volatility_band(
            view.sigma_day,
            params.fallback_sigmas,
            params.fallback_horizon_days,
            params.fallback_low,
            params.fallback_high,
        )
    if math.isnan(view.sigma_day):
        return Band(math.nan, math.nan, math.nan)
    side = view.position.side
    buffer = anchor_buffer(view.sigma_day, params.buffer_min, params.buffer_sigmas)
    wanted = max(distance(side, view.mark, anchor_price(side, view.stop_price, buffer)), _NEAREST)
    return Band(params.low * wanted, wanted, params.high * wanted)
