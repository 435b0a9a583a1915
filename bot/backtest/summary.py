"""A backtest's result in figures: totals, and what each symbol, exit cause, side and month made of it."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest import statistics
from bot.backtest.result import Result, Trades
from bot.core.position import side_name
from bot.core.timeframe import DAY_MS

Rows = NDArray[np.bool_]

_LEAST_FOR_A_YEAR_MS: Final = 90 * DAY_MS


class Totals(NamedTuple):
    """The whole run. Money in quote; fractions; `wallet_quote` without, `equity_quote` with unrealised PnL.

    Sharpe, Sortino: of daily returns, 365 a year. Drawdown and Calmar: of the equity at every hour.
    `expectancy_r`: mean result per trade over what it risked between entry and first stop. NaN: not known;
    a range below 90 days has no figures of a year.
    """

    start_ms: int
    end_ms: int
    deposit_quote: float
    wallet_quote: float
    equity_quote: float
    net_quote: float
    total_return: float
    annual_return: float
    sharpe: float
    sortino: float
    calmar: float
    max_drawdown: float
    drawdown_from_ms: int
    drawdown_to_ms: int
    recovered_ms: int
    trades: int
    open_trades: int
    win_rate: float
    profit_factor: float
    expectancy_quote: float
    expectancy_r: float
    best_quote: float
    worst_quote: float
    fees_quote: float
    funding_quote: float
    mean_hours: float


class Group(NamedTuple):
    """Some of the closed trades; money in quote. `margin_quote_hours`: margin times the time it stood."""

    name: str
    trades: int
    win_rate: float
    net_quote: float
    mean_quote: float
    profit_factor: float
    fees_quote: float
    funding_quote: float
    added_quote: float
    released_quote: float
    liquidations: int
    margin_quote_hours: float


class Summary(NamedTuple):
    """All tables of one run."""

    totals: Totals
    by_symbol: tuple[Group, ...]
    by_cause: tuple[Group, ...]
    by_side: tuple[Group, ...]
    by_month: tuple[Group, ...]


def summary_of(result: Result) -> Summary:
    """Return the tables of a result; a group without a trade has no row."""
    trades = result.trades
    months = np.array([_month(ts_ms) for ts_ms in trades.closed_ms.tolist()], dtype=np.str_)
    return Summary(
        _totals(result),
        tuple(_groups(result, trades.symbol, result.symbols)),
        tuple(sorted(_groups(result, trades.cause, result.causes), key=_most_first)),
        tuple(
            _group(result, side_name(side), trades.side == side) for side in (1, -1) if side in trades.side
        ),
        tuple(_group(result, month, months == month) for month in np.unique(months).tolist()),
    )


def _totals(result: Result) -> Totals:
    trades, account = result.trades, result.account
    equity = account.equity_quote()
    end_quote = float(equity[-1]) if len(equity) else result.wallet_quote
    days = statistics.daily(account.ts_ms, equity, result.start_ms, result.end_ms, result.deposit_quote)
    returns = statistics.returns_of(days)
    fall = statistics.drawdown_of(
        np.concatenate(([result.start_ms], account.ts_ms)), np.concatenate(([result.deposit_quote], equity))
    )
    growth = end_quote / result.deposit_quote
    annual = _annual(growth, result.end_ms - result.start_ms)
    net = trades.net_quote()
    return Totals(
        start_ms=result.start_ms,
        end_ms=result.end_ms,
        deposit_quote=result.deposit_quote,
        wallet_quote=result.wallet_quote,
        equity_quote=end_quote,
        net_quote=end_quote - result.deposit_quote,
        total_return=growth - 1.0,
        annual_return=annual,
        sharpe=statistics.sharpe_ratio(returns),
        sortino=statistics.sortino_ratio(returns),
        calmar=statistics.calmar_ratio(annual, fall.fraction),
        max_drawdown=fall.fraction,
        drawdown_from_ms=fall.peak_ms,
        drawdown_to_ms=fall.trough_ms,
        recovered_ms=fall.recovered_ms,
        trades=len(net),
        open_trades=len(result.open_trades.side),
        win_rate=statistics.win_rate(net),
        profit_factor=statistics.profit_factor(net),
        expectancy_quote=statistics.expectancy(net),
        expectancy_r=_expectancy_r(trades),
        best_quote=float(net.max()) if len(net) else math.nan,
        worst_quote=float(net.min()) if len(net) else math.nan,
        fees_quote=float(trades.fees_quote.sum() + result.open_trades.fees_quote.sum()),
        funding_quote=float(trades.funding_quote.sum() + result.open_trades.funding_quote.sum()),
        mean_hours=statistics.expectancy((trades.closed_ms - trades.opened_ms) / 3_600_000.0),
    )


def _annual(growth: float, span_ms: int) -> float:
    if span_ms < _LEAST_FOR_A_YEAR_MS:
        return math.nan
    return statistics.annual_return(growth, span_ms / (statistics.DAYS_PER_YEAR * DAY_MS))


def _expectancy_r(trades: Trades) -> float:
    risk = np.abs(trades.entry_price - trades.stop_price) * trades.quantity
    is_known = risk > 0.0
    return statistics.expectancy(trades.net_quote()[is_known] / risk[is_known])


def _groups(result: Result, column: NDArray[np.int64], names: tuple[str, ...]) -> Iterator[Group]:
    for index, name in enumerate(names):
        rows = column == index
        if rows.any():
            yield _group(result, name, rows)


def _group(result: Result, name: str, rows: Rows) -> Group:
    trades = result.trades
    net = trades.net_quote()[rows]
    liquidation = result.causes.index("liquidation") if "liquidation" in result.causes else -1
    return Group(
        name,
        len(net),
        statistics.win_rate(net),
        float(net.sum()),
        statistics.expectancy(net),
        statistics.profit_factor(net),
        float(trades.fees_quote[rows].sum()),
        float(trades.funding_quote[rows].sum()),
        float(trades.added_quote[rows].sum()),
        float(trades.released_quote[rows].sum()),
        int((trades.cause[rows] == liquidation).sum()),
        float(trades.margin_quote_hours[rows].sum()),
    )


def _most_first(group: Group) -> tuple[int, str]:
    return -group.trades, group.name


def _month(ts_ms: int) -> str:
    return datetime.fromtimestamp(ts_ms / 1000, UTC).strftime("%Y-%m")
