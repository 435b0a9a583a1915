"""Statistics of a backtest, against empyrical-reloaded and by hand."""

import math
from typing import Any

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backtest import statistics

RETURNS = st.lists(st.floats(-0.2, 0.25), min_size=2, max_size=400).map(np.array)
DAY_MS = 86_400_000


def same(ours: float, theirs: Any) -> bool:
    """Whether two libraries say the same; they differ in nothing but the last digits."""
    return (math.isnan(ours) and math.isnan(theirs)) or ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


def annual_return(returns: np.ndarray) -> float:
    """The annual return of daily ones."""
    return statistics.annual_return(float(np.prod(1.0 + returns)), len(returns) / 365.0)


@given(RETURNS)
def test_sharpe_and_sortino_are_those_of_empyrical(returns: np.ndarray) -> None:
    if returns.std() > 1e-9:
        assert same(statistics.sharpe_ratio(returns), empyrical.sharpe_ratio(returns, annualization=365))
    if returns.min() < -1e-9:
        assert same(statistics.sortino_ratio(returns), empyrical.sortino_ratio(returns, annualization=365))


@given(RETURNS)
def test_drawdown_annual_return_and_calmar_are_those_of_empyrical(returns: np.ndarray) -> None:
    fall, annual = statistics.max_drawdown(returns), annual_return(returns)
    assert same(fall, empyrical.max_drawdown(returns))
    assert same(annual, empyrical.annual_return(returns, annualization=365))
    if fall < -1e-9:
        assert same(statistics.calmar_ratio(annual, fall), empyrical.calmar_ratio(returns, annualization=365))


def test_profit_factor_and_expectancy_of_a_few_trades() -> None:
    results = [30.0, -10.0, 0.0, -5.0]
    assert statistics.profit_factor(results) == 2.0
    assert statistics.expectancy(results) == 3.75
    assert statistics.win_rate(results) == 0.25


def test_what_cannot_be_known_is_nan_and_no_loss_is_infinite() -> None:
    assert math.isnan(statistics.sharpe_ratio([0.01]))
    assert math.isnan(statistics.sharpe_ratio([0.01, 0.01, 0.01]))
    assert math.isnan(statistics.sortino_ratio([0.01, 0.02]))
    assert math.isnan(statistics.profit_factor([]))
    assert statistics.profit_factor([1.0]) == math.inf
    assert statistics.annual_return(0.0, 0.5) == -1.0
    assert math.isnan(statistics.calmar_ratio(0.2, 0.0))


def test_the_deepest_drawdown_tells_its_peak_trough_and_recovery() -> None:
    ts_ms = np.arange(5, dtype=np.int64)
    found = statistics.drawdown_of(ts_ms, np.array([100.0, 120.0, 90.0, 110.0, 121.0]))
    assert found.fraction == pytest.approx(-0.25)
    assert found[1:] == (1, 2, 4)
    assert statistics.drawdown_of(ts_ms[:3], np.array([100.0, 120.0, 90.0])).recovered_ms == -1


def test_daily_equity_is_the_last_known_of_each_day() -> None:
    ts_ms = np.array([0, DAY_MS - 1, DAY_MS, 2 * DAY_MS + 5], np.int64)
    equity = np.array([10.0, 11.0, 12.0, 13.0])
    assert statistics.daily(ts_ms, equity, 0, 3 * DAY_MS, 9.0).tolist() == [9.0, 12.0, 12.0, 13.0]
