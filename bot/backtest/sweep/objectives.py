"""What a sweep may look for, and how several stretches of time become one figure."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.result import Result
from bot.backtest.statistics import daily, max_drawdown, returns_of, sharpe_ratio, win_rate
from bot.evidence.tail import worst_mean

_LIQUIDATION: Final = "liquidation"


class Stretch(NamedTuple):
    """What is kept of one backtest: daily returns and each closed trade's result over the deposit.

    `margin_hours`: quote-hours of margin per quote of the deposit.
    """

    returns: NDArray[np.float64]
    results: NDArray[np.float64]
    liquidations: int
    margin_hours: float
    total_return: float


class Objective(NamedTuple):
    """`of` returns the figure of some stretches; more is better where `is_more_better`."""

    name: str
    doc: str
    is_more_better: bool
    of: Callable[[Sequence[Stretch]], float]

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """Return the word of Optuna."""
        return "maximize" if self.is_more_better else "minimize"


def stretch_of(result: Result) -> Stretch:
    """Return what a sweep keeps of a result."""
    account, trades, deposit = result.account, result.trades, result.deposit_quote
    equity = account.equity_quote()
    days = daily(account.ts_ms, equity, result.start_ms, result.end_ms, deposit)
    last = float(equity[-1]) if len(equity) else result.wallet_quote
    hours = float(trades.margin_quote_hours.sum() + result.open_trades.margin_quote_hours.sum())
    return Stretch(
        returns_of(days),
        trades.net_quote() / deposit,
        result.counts.liquidations,
        hours / deposit,
        last / deposit - 1.0,
    )


def _joined(stretches: Sequence[Stretch], name: str) -> NDArray[np.float64]:
    return np.concatenate([getattr(stretch, name) for stretch in stretches])


def _return(stretches: Sequence[Stretch]) -> float:
    return math.prod(1.0 + stretch.total_return for stretch in stretches) - 1.0


def _worst(stretches: Sequence[Stretch]) -> float:
    return worst_mean(_joined(stretches, "results"))


def _sharpe(stretches: Sequence[Stretch]) -> float:
    return sharpe_ratio(_joined(stretches, "returns"))


def _drawdown(stretches: Sequence[Stretch]) -> float:
    return max_drawdown(_joined(stretches, "returns"))


def _margin_hours(stretches: Sequence[Stretch]) -> float:
    return sum(stretch.margin_hours for stretch in stretches)


def _liquidations(stretches: Sequence[Stretch]) -> float:
    return float(sum(stretch.liquidations for stretch in stretches))


def _trades(stretches: Sequence[Stretch]) -> float:
    return float(len(_joined(stretches, "results")))


def _win_rate(stretches: Sequence[Stretch]) -> float:
    return win_rate(_joined(stretches, "results"))


_ALL: Final = (
    Objective("return", "Growth of the equity over all stretches, a fraction.", True, _return),
    Objective("sharpe", "Mean over standard deviation of daily returns, a year.", True, _sharpe),
    Objective("drawdown", "Deepest fall of the equity from a peak, a fraction <= 0.", True, _drawdown),
    Objective("worst", "Mean of the worst 1 % of trades over the deposit.", True, _worst),
    Objective("margin-hours", "Hours of locked margin per quote of the deposit.", False, _margin_hours),
    Objective("liquidations", "How many positions the venue liquidated.", False, _liquidations),
    Objective("trades", "How many positions closed.", True, _trades),
    Objective("win-rate", "Share of trades that gained.", True, _win_rate),
)

OBJECTIVES: Final[Mapping[str, Objective]] = {each.name: each for each in _ALL}


def figures_of(stretches: Sequence[Stretch]) -> dict[str, float]:
    """Return every figure of the stretches by name; NaN where it is not known (no trade, no loss)."""
    return {name: objective.of(stretches) for name, objective in OBJECTIVES.items()}
