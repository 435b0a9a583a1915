"""Keep liquidation just beyond the resting stop: margin behind a stop buys nothing but wick insurance."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.core.margin import distance
from bot.risk.anchor import anchor_buffer, anchor_price
from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.policies.clip import clipped_band
from bot.risk.policies.hurdle import hurdle_distance, liquidation_cost
from bot.risk.policies.liquidation_probability import distance_of_probability
from bot.risk.view import MarginView

# Past the anchor the stop has failed: adding there is good money after bad, so the band shrinks to this.
_NEAREST = 1e-6


class StopAnchorParams(NamedTuple):
    """The anchor's buffer and band. The `fallback` fields hold without a stop.

    `fallback_alpha` 0: the hurdle policy's distance, by the fields below it.
    """

    buffer_min: float = 0.01
    buffer_sigmas: float = 1.0
    low: float = 0.9
    high: float = 1.15
    fallback_alpha: float = 0.0
    fallback_annual_hurdle: float = 0.20
    fallback_forfeited_share: float = 1.0
    fallback_clearance_fee: float = 0.003
    fallback_slippage: float = 0.002
    fallback_horizon_days: float = 1.0
    fallback_low: float = 0.8
    fallback_high: float = 1.5


BOUNDS: Mapping[str, Bound] = {
    "buffer_min": Bound(0.001, 0.2, "fraction of price", "Least gap between stop and liquidation."),
    "buffer_sigmas": Bound(0.0, 10.0, "daily sigmas", "Gap between stop and liquidation."),
    "low": Bound(0.05, 0.98, "x target", "Below it margin is added."),
    "high": Bound(1.02, 20.0, "x target", "Above it margin is released."),
    "fallback_alpha": Bound(
        0.0, 0.5, "probability", "Chance of liquidation in a day, held while no stop rests; 0: the hurdle's."
    ),
    "fallback_annual_hurdle": Bound(0.001, 10.0, "fraction per year", "What margin could earn elsewhere."),
    "fallback_forfeited_share": Bound(
        0.0, 1.0, "fraction of maintenance", "Kept by the venue at a liquidation."
    ),
    "fallback_clearance_fee": Bound(
        0.0, 0.05, "fraction of notional", "Charged by the venue at a liquidation."
    ),
    "fallback_slippage": Bound(0.0005, 0.05, "fraction of notional", "Lost to the forced trade."),
    "fallback_horizon_days": Bound(0.01, 30.0, "days", "Over which cost and earning are compared."),
    "fallback_low": Bound(0.05, 0.98, "x target", "Below it margin is added while no stop rests."),
    "fallback_high": Bound(1.02, 20.0, "x target", "Above it margin is released while no stop rests."),
}


@compiled
def band(view: MarginView, params: StopAnchorParams) -> Band:
    """Return the band around the distance to stop * (1 - side * max(buffer_min, buffer_sigmas * sigma)).

    Without a resting stop: the band of liquidation_probability or of hurdle. Source: margin-science 3.9 (s)
    and the buffer study of 4.3.
    """
    if view.stop_price <= 0.0:
        return _without_stop(view, params)
    if math.isnan(view.sigma_day):
        return Band(math.nan, math.nan, math.nan)
    side = view.position.side
    buffer = anchor_buffer(view.sigma_day, params.buffer_min, params.buffer_sigmas)
    wanted = max(distance(side, view.mark, anchor_price(side, view.stop_price, buffer)), _NEAREST)
    return Band(params.low * wanted, wanted, params.high * wanted)


@compiled
def _without_stop(view: MarginView, params: StopAnchorParams) -> Band:
    if params.fallback_alpha > 0.0:
        chosen = distance_of_probability(view.position.side, params.fallback_alpha, view.sigma_day, 1.0)
        return clipped_band(chosen, params.fallback_low, params.fallback_high)
    cost = liquidation_cost(
        view,
        params.fallback_forfeited_share,
        params.fallback_clearance_fee,
        params.fallback_slippage,
    )
    wanted = hurdle_distance(
        view.sigma_day, params.fallback_annual_hurdle, cost, params.fallback_horizon_days
    )
    return clipped_band(wanted, params.fallback_low, params.fallback_high)
