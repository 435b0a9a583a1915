"""How much margin puts liquidation a wanted distance from the mark."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from bot.calc.inputs import check_alive, check_positive
from bot.core.margin import liquidation_distance, liquidation_price, margin_ratio, removable_margin
from bot.core.margin import wallet_for_distance as wallet_for
from bot.core.position import Position
from bot.core.probability import distance_for_probability
from bot.core.profile import MarginRules
from bot.core.steps import step_up


class TopUp(NamedTuple):
    """Money in quote (inverse: base coin), distances and ratios as fractions.

    `amount` > 0 is to be added, rounded up; < 0 could be released, as far as the venue's rule lets it
    (`removable`). The "after" values hold with `target_wallet`.
    """

    amount: float
    target_wallet: float
    removable: float
    liquidation_price: float
    liquidation_price_after: float
    distance: float
    distance_after: float
    margin_ratio: float
    margin_ratio_after: float


def top_up(
    position: Position, mark: float, wanted_distance: float, rules: MarginRules, margin_step: float = 0.0
) -> TopUp:
    """Return the margin to add (or what is too much) for liquidation at mark * (1 - side * wanted_distance).

    ValueError names a mark past liquidation, or a distance not above 0 (for a long: or not below 1).
    """
    check_alive(position, mark, rules)
    farthest = 1.0 if position.side > 0 else math.inf
    if not 0.0 < wanted_distance < farthest:
        raise ValueError(f"wanted_distance is {wanted_distance!r}; it must be above 0 and below {farthest}")
    exact = wallet_for(position, mark, wanted_distance, rules) - position.isolated_wallet
    amount = step_up(exact, margin_step)
    after = position._replace(isolated_wallet=position.isolated_wallet + amount)
    return TopUp(
        amount,
        after.isolated_wallet,
        removable_margin(position, mark, rules),
        liquidation_price(position, rules),
        liquidation_price(after, rules),
        liquidation_distance(position, mark, rules),
        liquidation_distance(after, mark, rules),
        margin_ratio(position, mark, rules),
        margin_ratio(after, mark, rules),
    )


def distance_of_chance(side: int, probability: float, sigma_day: float, days: float) -> float:
    """Return the liquidation distance (fraction) that is met with `probability` within `days`.

    The fat-tailed first passage of bot.core.probability. ValueError names a number out of range.
    """
    if not 0.0 < probability < 1.0:
        raise ValueError(f"probability is {probability!r}; it must be above 0 and below 1")
    check_positive("sigma_day", sigma_day)
    check_positive("days", days)
    away = distance_for_probability(probability, sigma_day * math.sqrt(days))
    return side * (1.0 - math.exp(-side * away))


def liquidation_by_wallet(
    position: Position, wallets: Sequence[float], rules: MarginRules
) -> tuple[float, ...]:
    """Return the liquidation price with each of `wallets` as the isolated wallet."""
    return tuple(
        float(liquidation_price(position._replace(isolated_wallet=wallet), rules)) for wallet in wallets
    )
