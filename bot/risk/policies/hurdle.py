"""Hold margin as long as another dollar of it saves more liquidation cost than the dollar could earn."""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from bot.core.compiled import compiled
from bot.core.margin import notional
from bot.core.probability import STUDENT_SCALE
from bot.core.tiers import tier_index
from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.policies.clip import clipped_band
from bot.risk.view import MarginView

_YEAR_DAYS: Final = 365.0
_DENSITY: Final = 0.375  # of Student's t with four degrees of freedom at 0
# The closed form turns at y = 0.375 / 1.25^2.5: more volatility would ask for less margin beyond it.
_TURNING_POINT: Final = 0.375 / 1.25**2.5


class HurdleParams(NamedTuple):
    """What capital could earn, and what a liquidation wastes (its market loss is no waste)."""

    annual_hurdle: float = 0.20
    forfeited_share: float = 1.0
    clearance_fee: float = 0.003
    slippage: float = 0.002
    horizon_days: float = 1.0
    low: float = 0.8
    high: float = 1.5


BOUNDS: Mapping[str, Bound] = {
    "annual_hurdle": Bound(0.001, 10.0, "fraction per year", "What margin could earn elsewhere."),
    "forfeited_share": Bound(0.0, 1.0, "fraction of maintenance", "Kept by the venue at a liquidation."),
    "clearance_fee": Bound(0.0, 0.05, "fraction of notional", "Charged by the venue at a liquidation."),
    "slippage": Bound(0.0005, 0.05, "fraction of notional", "Lost to the forced trade."),
    "horizon_days": Bound(0.01, 30.0, "days", "Over which cost and earning are compared."),
    "low": Bound(0.05, 0.98, "x target", "Below it margin is added."),
    "high": Bound(1.02, 20.0, "x target", "Above it margin is released."),
}


@compiled
def band(view: MarginView, params: HurdleParams) -> Band:
    """Return the band around the distance where the marginal saving meets the hurdle.

    d* = sigma_h * sqrt(4 * ((0.375 / y)^0.4 - 1)) / 1.10 with y = r * h * sigma_h / (2.2 * c), where c is
    forfeited maintenance + clearance + slippage per notional; 1.2 % to 60 %. Beyond the volatility at
    which the formula turns (over 100 % a day with the defaults) it is kept level.
    Source: margin-science 3.5 (d+): the recommended rule where no stop rests.
    """
    cost = liquidation_cost(view, params.forfeited_share, params.clearance_fee, params.slippage)
    wanted = hurdle_distance(view.sigma_day, params.annual_hurdle, cost, params.horizon_days)
    return clipped_band(wanted, params.low, params.high)


@compiled
def liquidation_cost(
    view: MarginView, forfeited_share: float, clearance_fee: float, slippage: float
) -> float:
    """Return what a liquidation wastes as a fraction of the notional; margin-science 2 (c / N).

    The maintenance rate is that of the tier at entry: the policy must not jump as the mark moves.
    """
    row = tier_index(view.rules.tiers, notional(view.position, view.position.entry_price, view.rules))
    rate = float(view.rules.tiers.maintenance_margin_rate[row])
    return forfeited_share * rate + clearance_fee + slippage


@compiled
def hurdle_distance(sigma_day: float, annual_hurdle: float, cost: float, days: float) -> float:
    """Return d* before it is clipped; NaN for a NaN volatility, 0.0 for none."""
    if not sigma_day > 0.0:
        return sigma_day
    sigma = sigma_day * math.sqrt(days)
    per_sigma = annual_hurdle / _YEAR_DAYS * days / (2.0 * STUDENT_SCALE * cost)
    sigma = min(sigma, _TURNING_POINT / per_sigma)
    return sigma * math.sqrt(4.0 * ((_DENSITY / (per_sigma * sigma)) ** 0.4 - 1.0)) / STUDENT_SCALE
