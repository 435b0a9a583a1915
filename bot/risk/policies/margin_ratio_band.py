"""Keep the venue's own margin ratio (maintenance margin / equity) near a target."""

from collections.abc import Mapping
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.core.margin import equity, liquidation_distance, maintenance_margin
from bot.core.position import Position
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
    """Return the liquidation distances at which the position would have the three ratios.

    M* = MM / MR* - U, and the distance with that wallet: exact in every tier, where the closed form
    d = mmr * (1 / MR - 1) / (1 - q * mmr) holds inside one. The same ratio means different distances on
    different tiers and symbols. Source: margin-science 3.2 (b).
    """
    return Band(
        _distance_at(view, params.add_above),
        _distance_at(view, params.target_ratio),
        _distance_at(view, params.release_below),
    )


@compiled
def _distance_at(view: MarginView, ratio: float) -> float:
    held = view.position
    needed = maintenance_margin(held, view.mark, view.rules) / ratio
    wallet = held.isolated_wallet + needed - equity(held, view.mark, view.rules)
    moved = Position(
        held.symbol, held.side, held.quantity, held.entry_price, wallet, held.leverage, held.opened_ms
    )
    return max(float(liquidation_distance(moved, view.mark, view.rules)), _NEAREST)
