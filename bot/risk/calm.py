"""Whether a position's margin is left alone at every mark of a range: a proof, cheaper than the ladder.

No rung lies where the distance to liquidation stays within the band, and no release short of the mark from
which the venue lets one out. The room left within the band shrinks at most STEEPEST times as fast as the mark
moves, so that a few marks speak for all between them.
"""

import math
from typing import Any, Final

from bot.core.compiled import compiled
from bot.risk.adjust import reserved_band
from bot.risk.limits import MarginLimits
from bot.risk.permissions import Permissions
from bot.risk.triggers import BandFunction, at_mark
from bot.risk.view import MarginView

STEEPEST: Final = 2.0


@compiled
def holds_between(
    view: MarginView,
    policy_band: BandFunction,
    params: Any,
    allowed: Permissions,
    limits: MarginLimits,
    liquidation: float,
    wall: float,
    low: float,
    high: float,
) -> bool:
    """Return whether nothing is added, released or cut at the mark of `view` and at any from low to high.

    False where that is not proven. `liquidation`: the position's liquidation price; `wall`: from where the
    venue lets a release out. The numbers must be those that a decision at the mark would be made of.
    """
    side = view.position.side
    if not _is_usable(view, allowed, limits, liquidation) or not 0.0 < low <= high:
        return False
    if side * (view.mark - liquidation) < allowed.derisk_below * view.mark:
        return False
    payments = limits.funding_payments_ahead
    is_walled = side * wall > side * (high if side > 0 else low)
    here = _room(view, policy_band, params, payments, liquidation, is_walled)
    if not here > 0.0:
        return False
    if here > STEEPEST * max(high - view.mark, view.mark - low):
        return True
    below = _room(at_mark(view, low), policy_band, params, payments, liquidation, is_walled)
    above = _room(at_mark(view, high), policy_band, params, payments, liquidation, is_walled)
    is_below = below > 0.0 and here + below > STEEPEST * (view.mark - low)
    return is_below and above > 0.0 and here + above > STEEPEST * (high - view.mark)


@compiled
def _room(
    view: MarginView,
    policy_band: BandFunction,
    params: Any,
    payments: int,
    liquidation: float,
    is_walled: bool,
) -> float:
    """How far the view's mark is, in price, from where an add or a release is due; NaN without a band."""
    band = reserved_band(view, policy_band(view, params), payments)
    if not 0.0 < band.low <= band.target <= band.high:
        return math.nan
    away = view.position.side * (view.mark - liquidation)
    to_add = away - band.low * view.mark
    return to_add if is_walled else min(to_add, band.high * view.mark - away)


@compiled
def _is_usable(view: MarginView, allowed: Permissions, limits: MarginLimits, liquidation: float) -> bool:
    is_priced = 0.0 < liquidation < math.inf and 0.0 < view.mark < math.inf
    is_known = 0.0 < view.sigma_day < math.inf and math.isfinite(view.funding_rate)
    is_fresh = 0 <= view.mark_age_ms <= limits.max_mark_age_ms and math.isfinite(view.stop_price)
    is_cut = allowed.cut_fraction > 0.0 or (view.is_high_volatility and limits.volatile_cut_fraction > 0.0)
    return is_priced and is_known and is_fresh and not is_cut
