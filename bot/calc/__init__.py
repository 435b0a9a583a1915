"""What a position means and would mean, as plain functions: the arithmetic behind `ringfence calc`.

`from bot.calc import position_report` and so on; the names below are all that others may import. Pure:
nothing is read or written. Prices are quote per base, money is quote (inverse contracts: the base coin),
rates, distances and probabilities are fractions. Every function raises ValueError with the field and its
value for a number that makes no sense.

A name is loaded when it is first asked for, so that one calculator costs the imports of one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bot.calc.book import Leg
    from bot.calc.case_studies import Btc500, Comparison, PortfolioStudy, btc_500, portfolio, portfolio_legs
    from bot.calc.cross import CrossAccount, CrossLiquidation, cross_account, cross_liquidation
    from bot.calc.funding import FundingCost, funding_cost
    from bot.calc.leverage import (
        LeverageAnswer,
        LeveragePoint,
        highest_leverage,
        highest_leverage_for_margin,
        leverage_points,
    )
    from bot.calc.position import PositionReport, new_position, position_report, quantity_for_margin
    from bot.calc.size import MarginAnswer, SizeAnswer, margin_adjusted_for_volatility, trade_size
    from bot.calc.tiers import TierRow, TierStanding, tier_standing, tier_table
    from bot.calc.topup import TopUp, distance_of_chance, liquidation_by_wallet, top_up
    from bot.calc.walk import LegTrace, PathLeg, PathOutcome, path_traces, straight_path, what_if_path
    from bot.calc.whatif import LegOutcome, WhatIf, what_if

__all__ = [
    "Btc500",
    "Comparison",
    "CrossAccount",
    "CrossLiquidation",
    "FundingCost",
    "Leg",
    "LegOutcome",
    "LegTrace",
    "LeverageAnswer",
    "LeveragePoint",
    "MarginAnswer",
    "PathLeg",
    "PathOutcome",
    "PortfolioStudy",
    "PositionReport",
    "SizeAnswer",
    "TierRow",
    "TierStanding",
    "TopUp",
    "WhatIf",
    "btc_500",
    "cross_account",
    "cross_liquidation",
    "distance_of_chance",
    "funding_cost",
    "highest_leverage",
    "highest_leverage_for_margin",
    "leverage_points",
    "liquidation_by_wallet",
    "margin_adjusted_for_volatility",
    "new_position",
    "path_traces",
    "portfolio",
    "portfolio_legs",
    "position_report",
    "quantity_for_margin",
    "straight_path",
    "tier_standing",
    "tier_table",
    "top_up",
    "trade_size",
    "what_if",
    "what_if_path",
]

_HOMES: Final = {
    "book": ("Leg",),
    "case_studies": ("Btc500", "Comparison", "PortfolioStudy", "btc_500", "portfolio", "portfolio_legs"),
    "cross": ("CrossAccount", "CrossLiquidation", "cross_account", "cross_liquidation"),
    "funding": ("FundingCost", "funding_cost"),
    "leverage": (
        "LeverageAnswer",
        "LeveragePoint",
        "highest_leverage",
        "highest_leverage_for_margin",
        "leverage_points",
    ),
    "position": ("PositionReport", "new_position", "position_report", "quantity_for_margin"),
    "size": ("MarginAnswer", "SizeAnswer", "margin_adjusted_for_volatility", "trade_size"),
    "tiers": ("TierRow", "TierStanding", "tier_standing", "tier_table"),
    "topup": ("TopUp", "distance_of_chance", "liquidation_by_wallet", "top_up"),
    "walk": ("LegTrace", "PathLeg", "PathOutcome", "path_traces", "straight_path", "what_if_path"),
    "whatif": ("LegOutcome", "WhatIf", "what_if"),
}


def __getattr__(name: str) -> Any:
    """Return a public name, loading the module it stands in; AttributeError for any other."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
