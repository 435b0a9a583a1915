"""The venue's leverage tiers, and where a position stands in them."""

from typing import NamedTuple

from bot.calc.inputs import check_positive
from bot.core.margin import liquidation_price, maintenance_margin, notional
from bot.core.position import Position
from bot.core.profile import MarginRules
from bot.core.tiers import Tiers, tier_index


class TierRow(NamedTuple):
    """One tier; `number` counts from 1, notionals in quote (inverse: base coin), the rate is a fraction.

    `maintenance_margin_at_cap` is what the largest position of the tier must hold.
    """

    number: int
    notional_floor: float
    notional_cap: float
    maintenance_margin_rate: float
    maintenance_amount: float
    max_leverage: float
    maintenance_margin_at_cap: float


class TierStanding(NamedTuple):
    """Where a position is at a mark. `room` is the notional left to the next tier, from where more is due.

    `liquidation_tier` is the tier at its liquidation price, which is the one that decides it.
    `is_leverage_allowed`: the position's leverage setting is within the tier's maximum.
    """

    tier: TierRow
    notional: float
    room: float
    maintenance_margin: float
    liquidation_tier: int
    is_leverage_allowed: bool


def tier_table(tiers: Tiers) -> tuple[TierRow, ...]:
    """Return every tier in order."""
    return tuple(_row(tiers, index) for index in range(len(tiers.notional_cap)))


def tier_standing(position: Position, mark: float, rules: MarginRules) -> TierStanding:
    """Return the tier of the position's notional at `mark`; ValueError names a mark not above 0."""
    check_positive("mark", mark)
    value = notional(position, mark, rules)
    tier = _row(rules.tiers, tier_index(rules.tiers, value))
    return TierStanding(
        tier,
        value,
        tier.notional_cap - value,
        maintenance_margin(position, mark, rules),
        _liquidation_tier(position, rules),
        position.leverage <= tier.max_leverage,
    )


def _liquidation_tier(position: Position, rules: MarginRules) -> int:
    liquidation = liquidation_price(position, rules)
    # 0.0 or inf: no price liquidates; the tier there is that of no notional or of all of it.
    value = notional(position, liquidation, rules) if liquidation > 0.0 else 0.0
    return tier_index(rules.tiers, value) + 1


def _row(tiers: Tiers, index: int) -> TierRow:
    floor, cap, rate, amount, leverage = (float(column[index]) for column in tiers)
    return TierRow(index + 1, floor, cap, rate, amount, leverage, cap * rate - amount)
