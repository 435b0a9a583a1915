"""What holding a position costs in funding, and what that does to its liquidation price."""

from typing import NamedTuple

from bot.calc.inputs import check_alive, check_finite, check_positive
from bot.core.margin import equity, liquidation_price, maintenance_margin, notional
from bot.core.pnl import funding_payment
from bot.core.position import Position
from bot.core.profile import MarginRules

_HOURS_PER_DAY = 24.0
_DAYS_PER_WEEK = 7.0


class FundingCost(NamedTuple):
    """Money in quote (inverse: base coin) at an unchanged mark and rate; negative costs are received.

    `cost_per_day_of_margin` is a fraction of the isolated wallet. `days_to_liquidation` is None when the
    position is paid, else when funding alone has spent what is above maintenance margin.
    """

    cost_per_payment: float
    cost_per_day: float
    cost_per_week: float
    cost_per_day_of_margin: float
    liquidation_price: float
    liquidation_price_after_day: float
    liquidation_price_after_week: float
    days_to_liquidation: float | None


def funding_cost(
    position: Position, mark: float, funding_rate: float, interval_hours: float, rules: MarginRules
) -> FundingCost:
    """Return what `funding_rate` (fraction of notional, every `interval_hours`) costs and moves.

    Payments leave the isolated wallet, as on Binance. ValueError names a rate that is not a number, a mark
    past liquidation, or a wallet or interval not above 0.
    """
    check_finite("funding_rate", funding_rate)
    check_positive("interval_hours", interval_hours)
    check_positive("isolated_wallet", position.isolated_wallet)
    check_alive(position, mark, rules)
    payment = -funding_payment(position.side, notional(position, mark, rules), funding_rate)
    per_day = payment * _HOURS_PER_DAY / interval_hours
    excess = equity(position, mark, rules) - maintenance_margin(position, mark, rules)
    return FundingCost(
        payment,
        per_day,
        per_day * _DAYS_PER_WEEK,
        per_day / position.isolated_wallet,
        liquidation_price(position, rules),
        liquidation_price(_after(position, per_day), rules),
        liquidation_price(_after(position, per_day * _DAYS_PER_WEEK), rules),
        excess / per_day if per_day > 0.0 else None,
    )


def _after(position: Position, paid: float) -> Position:
    return position._replace(isolated_wallet=position.isolated_wallet - paid)
