"""The two case studies of the isolated-margin guide, and its isolated-against-cross table, in numbers.

The leverage tiers are illustrative (the low rows of large USDT markets), so that the numbers stay the same
on every venue and every day.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.calc.book import Leg, account_quote, book_equity, book_maintenance, shocked
from bot.calc.cross import CrossAccount, CrossLiquidation, cross_account, cross_liquidation
from bot.calc.position import PositionReport, new_position, position_report, quantity_for_margin
from bot.calc.topup import TopUp, top_up
from bot.calc.whatif import WhatIf, what_if
from bot.core.margin import liquidation_price, wallet_for_liquidation_price
from bot.core.profile import BINANCE_USDM, MarginRules
from bot.core.tiers import LeverageTier, tiers_from_rows

_BTC_ROWS: Final = (
    LeverageTier(0.0, 50_000.0, 0.004, 0.0, 125.0),
    LeverageTier(50_000.0, 250_000.0, 0.005, 50.0, 100.0),
    LeverageTier(250_000.0, 1_000_000.0, 0.01, 1_300.0, 50.0),
)
_ETH_ROWS: Final = (
    LeverageTier(0.0, 10_000.0, 0.005, 0.0, 100.0),
    LeverageTier(10_000.0, 100_000.0, 0.0065, 15.0, 75.0),
    LeverageTier(100_000.0, 500_000.0, 0.01, 365.0, 50.0),
)
_SOL_ROWS: Final = (
    LeverageTier(0.0, 10_000.0, 0.01, 0.0, 50.0),
    LeverageTier(10_000.0, 50_000.0, 0.015, 50.0, 40.0),
    LeverageTier(50_000.0, 250_000.0, 0.02, 300.0, 25.0),
)

_BTC_SHOCK: Final = -0.05
_RESTORED_DISTANCE: Final = 0.10
_SHOCKS: Final = (-0.08, -0.14, -0.15)


class Comparison(NamedTuple):
    """One feature of the guide's table as a number for each side; `unit` is "quote", "x" or "count".

    inf: nothing of the kind happens however large the shock. "shock at first liquidation" is in parts of the
    study's shock, "margin to come through it" what all positions together must hold for it.
    """

    feature: str
    measure: str
    unit: str
    isolated: float
    cross: float


class Btc500(NamedTuple):
    """500 USDT at 10x on BTC, price down 5 %: before, after, and what restores a 10 % distance.

    `account_quote` is the whole account, `safe_quote` what of it cannot be lost to this position.
    """

    account_quote: float
    safe_quote: float
    before: PositionReport
    after: PositionReport
    restore: TopUp
    ways: tuple[WhatIf, ...]
    comparison: tuple[Comparison, ...]


class PortfolioStudy(NamedTuple):
    """BTC, ETH and SOL with a margin each, through the shocks of the study.

    `cross_end` is where the same account in cross margin ends on the way of these shocks (scale 1 is their
    full size), `common_fall` where it ends when everything falls alike.
    """

    account_quote: float
    symbols: tuple[str, ...]
    shocks: tuple[float, ...]
    reports: tuple[PositionReport, ...]
    cross: CrossAccount
    cross_end: CrossLiquidation
    common_fall: CrossLiquidation
    ways: tuple[WhatIf, ...]
    comparison: tuple[Comparison, ...]


def btc_500(account: float = 2_000.0) -> Btc500:
    """Return the guide's first case study for an account of `account`, of which 500 are the margin.

    ValueError: an account of less than 500.
    """
    leg = _leg("BTC", 1, 500.0, 10.0, 60_000.0, _BTC_ROWS)
    free = _free(account, (leg,))
    mark = leg.mark * (1.0 + _BTC_SHOCK)
    ways = what_if((leg,), free, (_BTC_SHOCK,))
    return Btc500(
        account,
        free,
        position_report(leg.position, leg.mark, leg.rules),
        position_report(leg.position, mark, leg.rules),
        top_up(leg.position, mark, _RESTORED_DISTANCE, leg.rules),
        ways,
        isolated_against_cross((leg,), free, (_BTC_SHOCK,), ways),
    )


def portfolio(account: float = 1_000.0) -> PortfolioStudy:
    """Return the guide's second case study: BTC long 10x and ETH long 8x, SOL short 5x, all falling.

    The margins are 500, 300 and 200 of an account of `account`; BTC falls 8 %, ETH 14 %, SOL 15 %.
    ValueError: an account of less than 1,000.
    """
    legs = portfolio_legs()
    free = _free(account, legs)
    ways = what_if(legs, free, _SHOCKS)
    return PortfolioStudy(
        account,
        tuple(leg.position.symbol for leg in legs),
        _SHOCKS,
        tuple(position_report(leg.position, leg.mark, leg.rules) for leg in legs),
        cross_account(legs, free),
        cross_liquidation(legs, free, _SHOCKS),
        cross_liquidation(legs, free, (-1.0,) * len(legs)),
        ways,
        isolated_against_cross(legs, free, _SHOCKS, ways),
    )


def portfolio_legs() -> tuple[Leg, ...]:
    """Return the three positions of the second case study, just opened, before fees."""
    return (
        _leg("BTC", 1, 500.0, 10.0, 60_000.0, _BTC_ROWS),
        _leg("ETH", 1, 300.0, 8.0, 3_000.0, _ETH_ROWS),
        _leg("SOL", -1, 200.0, 5.0, 150.0, _SOL_ROWS),
    )


def isolated_against_cross(
    legs: Sequence[Leg], free_quote: float, shocks: Sequence[float], ways: Sequence[WhatIf]
) -> tuple[Comparison, ...]:
    """Return the guide's table for this book and shock; `ways` are what_if's: isolated first, then cross."""
    isolated, cross = ways[0], ways[1]
    account, moved = account_quote(legs, free_quote), shocked(legs, shocks)
    wallets = [leg.position.isolated_wallet for leg in legs]
    end = cross_liquidation(legs, free_quote, shocks).scale
    needed = account - book_equity(moved, free_quote) + book_maintenance(moved)
    return (
        Comparison("risk exposure", "most one position can take", "quote", max(wallets), account),
        Comparison("risk exposure", "lost in this shock", "quote", -isolated.pnl, -cross.pnl),
        Comparison(
            "leverage flexibility",
            "most leverage of a position",
            "x",
            max(leg.position.leverage for leg in legs),
            cross_account(legs, free_quote).effective_leverage,
        ),
        Comparison(
            "liquidation risk",
            "positions liquidated",
            "count",
            isolated.liquidations,
            cross.liquidations,
        ),
        Comparison(
            "liquidation risk",
            "shock at first liquidation",
            "x",
            min(_first_end(leg, end_leg) for leg, end_leg in zip(legs, moved, strict=True)),
            math.inf if end is None else end,
        ),
        Comparison(
            "capital efficiency",
            "margin to come through it",
            "quote",
            sum(_wallet_through(leg, end_leg.mark) for leg, end_leg in zip(legs, moved, strict=True)),
            needed,
        ),
    )


def _first_end(leg: Leg, moved: Leg) -> float:
    """How much of the shock brings an isolated leg to its liquidation price; inf when it moves away."""
    adverse = leg.position.side * (leg.mark - moved.mark)
    away = leg.position.side * (leg.mark - liquidation_price(leg.position, leg.rules))
    return away / adverse if adverse > 0.0 else math.inf


def _wallet_through(leg: Leg, mark: float) -> float:
    """The isolated wallet with which the leg is just not liquidated from its mark to `mark`."""
    marks = (leg.mark, mark)
    return max(wallet_for_liquidation_price(leg.position, price, leg.rules) for price in marks)


def _leg(
    symbol: str,
    side: int,
    margin: float,
    leverage: float,
    price: float,
    rows: Sequence[LeverageTier],
) -> Leg:
    rules = MarginRules(tiers_from_rows(rows), BINANCE_USDM, False, 0.0)
    quantity = quantity_for_margin(margin, leverage, price, is_inverse=False)
    position = new_position(
        symbol, side, quantity=quantity, entry_price=price, leverage=leverage, rules=rules
    )
    return Leg(position._replace(isolated_wallet=margin), price, rules)  # exact, not divided back


def _free(account: float, legs: Sequence[Leg]) -> float:
    margins = sum(leg.position.isolated_wallet for leg in legs)
    if not margins <= account < math.inf:
        raise ValueError(f"account is {account!r}; it must be finite and at least the margins, {margins:g}")
    return account - margins
