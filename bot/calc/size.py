"""How large a trade may be: size from the loss at the stop, leverage from the stop, odds from volatility."""

from typing import NamedTuple

from bot.calc.inputs import check_not_negative, check_positive, check_side
from bot.core.margin import initial_margin
from bot.core.position import Position
from bot.core.probability import liquidation_probability
from bot.core.profile import MarginRules
from bot.risk.odds import EntryOdds, entry_odds
from bot.risk.sizing import (
    EntryOrder,
    Sizing,
    SizingRules,
    margin_without_stop,
    quantity_for,
    size_entry,
)


class SizeAnswer(NamedTuple):
    """The sized trade, its odds, and how likely it is liquidated within a day (were there no stop).

    Odds and probability are None without a volatility.
    """

    sizing: Sizing
    odds: EntryOdds | None
    liquidation_probability_24h: float | None


class MarginAnswer(NamedTuple):
    """Margin of a position without a stop, quote: by leverage, by volatility, and the larger of the two."""

    by_leverage: float
    by_volatility: float
    required_margin: float


def trade_size(
    order: EntryOrder,
    account: SizingRules,
    sigma_day: float | None,
    horizon_days: float,
    rules: MarginRules,
) -> SizeAnswer:
    """Return the trade that loses `account.risk_fraction` of equity at its stop, fees and slippage included.

    `sigma_day`: volatility per sqrt(day), None when not known; `horizon_days`: how long it may take to the
    stop or target.
    Linear contracts. Source: margin-science 3.10. ValueError names a field out of range, prices on the
    wrong side, or a risk that buys less than one step.
    """
    _check_order(order)
    _check_account(account)
    check_positive("horizon_days", horizon_days)
    if sigma_day is not None:
        check_positive("sigma_day", sigma_day)
    if quantity_for(order, account) <= 0.0:
        exact = quantity_for(order, account._replace(quantity_step=0.0))
        raise ValueError(
            f"risk_fraction is {account.risk_fraction!r}; it buys {exact:.3g}, less than one quantity step"
        )
    sizing = size_entry(order, account, rules)
    if sigma_day is None:
        return SizeAnswer(sizing, None, None)
    chance = liquidation_probability(order.entry_price, sizing.liquidation_price, sigma_day, 1.0)
    return SizeAnswer(sizing, entry_odds(order, sigma_day, horizon_days), chance)


def margin_adjusted_for_volatility(
    position: Position, mark: float, sigma_day: float, probability: float, days: float, rules: MarginRules
) -> MarginAnswer:
    """Return what a position WITHOUT a stop should hold: liquidated with `probability` within `days`.

    ValueError names a number out of range; `probability` is in (0, 1).
    """
    for name, value in (("mark", mark), ("sigma_day", sigma_day), ("days", days)):
        check_positive(name, value)
    if not 0.0 < probability < 1.0:
        raise ValueError(f"probability is {probability!r}; it must be above 0 and below 1")
    by_leverage = initial_margin(position, mark, rules)
    # A leverage without bound asks for no margin of its own.
    unbound = position._replace(leverage=1e12)
    by_volatility = margin_without_stop(unbound, mark, sigma_day, probability, days, rules)
    return MarginAnswer(by_leverage, by_volatility, max(by_leverage, by_volatility))


def _check_order(order: EntryOrder) -> None:
    check_side(order.side)
    for name in ("entry_price", "stop_price", "target_price"):
        check_positive(name, getattr(order, name))
    check_not_negative("taker_fee_rate", order.taker_fee_rate)
    check_not_negative("stop_slippage", order.stop_slippage)
    if order.side * (order.entry_price - order.stop_price) <= 0.0:
        raise ValueError(f"stop_price is {order.stop_price!r}; it must be on the losing side of the entry")
    if order.side * (order.target_price - order.entry_price) <= 0.0:
        raise ValueError(
            f"target_price is {order.target_price!r}; it must be on the winning side of the entry"
        )


def _check_account(account: SizingRules) -> None:
    check_positive("equity_quote", account.equity_quote)
    check_positive("risk_fraction", account.risk_fraction)
    check_not_negative("buffer", account.buffer)
    check_not_negative("quantity_step", account.quantity_step)
    if not account.max_leverage >= 1.0:
        raise ValueError(f"max_leverage is {account.max_leverage!r}; it must be at least 1")
