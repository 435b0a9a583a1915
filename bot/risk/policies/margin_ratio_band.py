"""Keep the venue's own margin ratio (maintenance margin / equity) near a target."""

from collections.abc import Mapping
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.core.margin import equity, liquidation_distance, maintenance_margin
from bot.core.position import Position
from bot.core.profile import AT_ENTRY, IN_MAINTENANCE
from bot.core.tiers import tier_index
from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.view import MarginView

_NEAREST = 1e-6


class MarginRatioBandParams(NamedTuple):
    """Ratios: 1 is liquidation, 0.05 is twenty times the maintenance margin."""

    target_ratio: float = 0.05
    add_above: float = 0.08
    release_below: float = 0.033


BOUNDS: Mapping[str, Bound] = {
    "target_ratio": Bound(0.002, 0.7, "margin ratio", "Ratio to hold."),
    "add_above": Bound(0.003, 0.9, "margin ratio", "Above it margin is added."),
    "release_below": Bound(0.001, 0.65, "margin ratio", "Below it margin is released."),
}


@compiled
def band(view: MarginView, params: MarginRatioBandParams) -> Band:
    """Return the liquidation distances of the position with the three margin ratios.

    d = (MM / MR - MM) / (N * (1 - q * mmr)) while liquidation lies in the tier of the mark; beyond it the
    distance with the wallet M* = MM / MR* - U. The same ratio means different distances on different
    tiers and symbols. Source: margin-science 3.2 (b).
    """
    maintenance = float(maintenance_margin(view.position, view.mark, view.rules))
    return Band(
        _distance_at(view, maintenance, params.add_above),
        _distance_at(view, maintenance, params.target_ratio),
        _distance_at(view, maintenance, params.release_below),
    )


@compiled
def _distance_at(view: MarginView, maintenance: float, ratio: float) -> float:
    held, rules = view.position, view.rules
    away = _distance_in_tier(view, maintenance / ratio - maintenance)
    if away < 0.0:
        wallet = held.isolated_wallet + maintenance / ratio - equity(held, view.mark, rules)
        moved = Position(
            held.symbol, held.side, held.quantity, held.entry_price, wallet, held.leverage, held.opened_ms
        )
        away = float(liquidation_distance(moved, view.mark, rules))
    return max(away, _NEAREST)


@compiled
def _distance_in_tier(view: MarginView, excess: float) -> float:
    """The distance that `excess` over maintenance is worth; negative where it leaves the mark's tier."""
    held, tiers, profile = view.position, view.rules.tiers, view.rules.profile
    if view.rules.is_inverse:
        return -1.0
    row = tier_index(tiers, held.quantity * view.mark)
    rate = 0.0
    if profile.valuation != AT_ENTRY:
        fee_rate = profile.close_fee_rate if profile.close_fee == IN_MAINTENANCE else 0.0
        rate = float(tiers.maintenance_margin_rate[row]) + fee_rate
    away = excess / (held.quantity * view.mark * (1.0 - held.side * rate))
    value = held.quantity * view.mark * (1.0 - held.side * away)
    is_inside = tiers.notional_floor[row] < value and (
        value <= tiers.notional_cap[row] or row == len(tiers.notional_cap) - 1
    )
    return away if is_inside else -1.0
