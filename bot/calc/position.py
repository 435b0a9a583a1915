"""One position explained in numbers: what `ringfence calc position` and the live view print."""

from typing import NamedTuple

from bot.calc.inputs import check_positive, check_side
from bot.core.margin import (
    bankruptcy_price,
    distance,
    effective_leverage,
    equity,
    initial_margin,
    liquidation_price,
    maintenance_margin,
    margin_ratio,
    notional,
    removable_margin,
    unrealised_pnl,
)
from bot.core.position import Position
from bot.core.probability import liquidation_probability
from bot.core.profile import AT_ENTRY, MarginRules
from bot.core.tiers import tier_index

_HOURS_PER_DAY = 24.0


class PositionReport(NamedTuple):
    """Money in quote (inverse: base coin); ratios, rates and distances are fractions.

    `tier` counts from 1. `liquidation_price` is 0 (long) or inf (short) when no price liquidates.
    `loss_if_liquidated` is the whole isolated wallet. The probabilities are None without a volatility,
    `liquidation_distance_atr` (the distance in average true ranges) without one of these.
    """

    notional: float
    required_margin: float
    unrealised_pnl: float
    equity: float
    maintenance_margin: float
    tier: int
    maintenance_margin_rate: float
    margin_ratio: float
    liquidation_price: float
    bankruptcy_price: float
    liquidation_distance: float
    effective_leverage: float
    removable_margin: float
    loss_if_liquidated: float
    liquidation_probability_1h: float | None
    liquidation_probability_24h: float | None
    liquidation_distance_atr: float | None = None


def new_position(
    symbol: str, side: int, *, quantity: float, entry_price: float, leverage: float, rules: MarginRules
) -> Position:
    """Return a position as just opened, before fees: its isolated wallet is notional / leverage.

    ValueError names the field: a side other than +1 or -1, or a number that is not finite and > 0.
    """
    check_side(side)
    check_positive("quantity", quantity)
    check_positive("entry_price", entry_price)
    check_positive("leverage", leverage)
    position = Position(symbol, side, quantity, entry_price, 0.0, leverage)
    return position._replace(isolated_wallet=initial_margin(position, entry_price, rules))


def quantity_for_margin(margin: float, leverage: float, entry_price: float, is_inverse: bool) -> float:
    """Return the quantity whose required margin is `margin`: base units (linear) or USD (inverse).

    ValueError names an argument that is not finite and > 0.
    """
    check_positive("margin", margin)
    check_positive("leverage", leverage)
    check_positive("entry_price", entry_price)
    return margin * leverage * (entry_price if is_inverse else 1.0 / entry_price)


def position_report(
    position: Position,
    mark: float,
    rules: MarginRules,
    sigma_day: float | None = None,
    atr: float | None = None,
) -> PositionReport:
    """Return the position's numbers at `mark`; `sigma_day`: volatility per sqrt(day), `atr`: in price units.

    ValueError names `mark`, `sigma_day` or `atr` when it is not finite and > 0.
    """
    check_positive("mark", mark)
    liquidation = liquidation_price(position, rules)
    tier = _tier_row(position, mark, rules)
    return PositionReport(
        notional=notional(position, mark, rules),
        required_margin=initial_margin(position, position.entry_price, rules),
        unrealised_pnl=unrealised_pnl(position, mark, rules),
        equity=equity(position, mark, rules),
        maintenance_margin=maintenance_margin(position, mark, rules),
        tier=tier + 1,
        maintenance_margin_rate=float(rules.tiers.maintenance_margin_rate[tier]),
        margin_ratio=margin_ratio(position, mark, rules),
        liquidation_price=liquidation,
        bankruptcy_price=bankruptcy_price(position, rules),
        liquidation_distance=distance(position.side, mark, liquidation),
        effective_leverage=effective_leverage(position, mark, rules),
        removable_margin=removable_margin(position, mark, rules),
        loss_if_liquidated=position.isolated_wallet,
        liquidation_probability_1h=_probability(position.side, mark, liquidation, sigma_day, 1.0),
        liquidation_probability_24h=_probability(position.side, mark, liquidation, sigma_day, 24.0),
        liquidation_distance_atr=_in_ranges(position.side * (mark - liquidation), atr),
    )


def _tier_row(position: Position, mark: float, rules: MarginRules) -> int:
    price = position.entry_price if rules.profile.valuation == AT_ENTRY else mark
    return tier_index(rules.tiers, notional(position, price, rules))


def _in_ranges(away: float, atr: float | None) -> float | None:
    if atr is None:
        return None
    check_positive("atr", atr)
    return away / atr


def _probability(
    side: int, mark: float, liquidation: float, sigma_day: float | None, hours: float
) -> float | None:
    if sigma_day is None:
        return None
    check_positive("sigma_day", sigma_day)
    if side * (mark - liquidation) <= 0.0:
        return 1.0
    return liquidation_probability(mark, liquidation, sigma_day, hours / _HOURS_PER_DAY)
