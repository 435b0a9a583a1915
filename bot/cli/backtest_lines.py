"""A backtest in plain words and tables: totals, groups of trades, and what moving the margin did."""

import math
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from bot.cli.columns import money_column, percent_column, signed_money_column, words_column
from bot.cli.evidence_lines import difference_text, verdict
from bot.cli.output import Column, show_rows
from bot.view.figures import counted, money, percent, signed_money, signed_percent

if TYPE_CHECKING:
    from bot.backtest.backtest import Backtest
    from bot.backtest.margin_evidence import LeftAlone, MarginEvidence
    from bot.backtest.summary import Group, Totals

Facts = Mapping[str, str]

_GROUP: Final = (
    Column("trades", "trades", True),
    percent_column("win_rate", "won"),
    signed_money_column("net_quote", "net"),
    signed_money_column("mean_quote", "mean"),
    Column("profit_factor", "profit factor", True, lambda row: ratio_text(row["profit_factor"])),
    money_column("fees_quote", "fees"),
    signed_money_column("funding_quote", "funding"),
    money_column("added_quote", "added"),
    money_column("released_quote", "released"),
    Column("liquidations", "liquidated", True),
    money_column("margin_quote_hours", "margin-hours"),
)


_WIDE: Final = 136
_NARROW: Final = {"trades", "win_rate", "net_quote", "mean_quote", "liquidations"}


def show_backtest(found: "Backtest") -> None:
    """Print the whole report; in a terminal that is too narrow for a table, its rows one below the other."""
    tables = found.summary
    facts = [
        *_head(found),
        *_section("Result", _result(tables.totals)),
        *_section("Trades", _trades(tables.totals)),
    ]
    print("\n".join(facts))
    _show_groups("symbol", tables.by_symbol)
    _show_groups("closed by", tables.by_cause)
    _show_groups("side", tables.by_side)
    _show_groups("month", tables.by_month)
    print("\n".join(_evidence(found)))


def _evidence(found: "Backtest") -> list[str]:
    return [
        *_section("Margin", _margin(found.evidence)),
        *_left_alone(found.evidence.left_alone, found.result.engine),
        *_nearness(found.evidence),
    ]


def ratio_text(value: float) -> str:
    """Return a ratio with two decimals, a dash where it is not known."""
    if math.isnan(value):
        return "-"
    return "no loss" if math.isinf(value) else f"{value:.2f}"


def _head(found: "Backtest") -> list[str]:
    from bot.core.timeframe import timeframe_text
    from bot.core.timerange import TimeRange, timerange_text

    plan, result = found.plan, found.result
    span = timerange_text(TimeRange(result.start_ms, result.end_ms))
    detail = timeframe_text(result.detail_ms)
    bars, seconds = result.counts.bars, max(found.cpu_seconds, 1e-9)
    played = (
        f"{plan.settings.strategy.name} on {', '.join(result.symbols)}, {span}, "
        f"{timeframe_text(result.timeframe_ms)} candles played in {detail} ones; margin policy "
        f"{plan.settings.margin.policy}."
    )
    speed = (
        f"{bars:,} candles by the {result.engine} engine in {found.cpu_seconds:.2f} CPU seconds "
        f"({bars / seconds:,.0f} a second). Money in quote."
    )
    return [played, speed]


def _result(totals: "Totals") -> Facts:
    return {
        "wallet": f"{money(totals.deposit_quote)} to {money(totals.equity_quote)} "
        f"({signed_money(totals.net_quote)}, {signed_percent(totals.total_return)})",
        "a year": _known(totals.annual_return, signed_percent, "not told from less than 90 days"),
        "deepest drawdown": _drawdown(totals),
        "Sharpe, Sortino, Calmar": ", ".join(map(ratio_text, (totals.sharpe, totals.sortino, totals.calmar))),
        "fees paid, funding": f"{money(totals.fees_quote)}, {signed_money(totals.funding_quote)}",
    }


def _drawdown(totals: "Totals") -> str:
    from bot.core.timerange import utc_text

    if not totals.max_drawdown < 0.0:
        return "none"
    back = "not made good" if totals.recovered_ms < 0 else f"made good {utc_text(totals.recovered_ms)}"
    return (
        f"{percent(-totals.max_drawdown)}, {utc_text(totals.drawdown_from_ms)} to "
        f"{utc_text(totals.drawdown_to_ms)} UTC, {back}"
    )


def _trades(totals: "Totals") -> Facts:
    still = f", {totals.open_trades} still open" if totals.open_trades else ""
    facts = {"ended": f"{totals.trades:,}{still}"}
    if totals.trades:
        facts |= {
            "won": percent(totals.win_rate),
            "profit factor": ratio_text(totals.profit_factor),
            "expectancy": f"{signed_money(totals.expectancy_quote)} a trade, "
            f"{_known(totals.expectancy_r, '{:+.3f}'.format)} of the risk to the stop",
            "best, worst": f"{signed_money(totals.best_quote)}, {signed_money(totals.worst_quote)}",
            "held": f"{totals.mean_hours:.1f} hours on average",
        }
    return facts


def _margin(found: "MarginEvidence") -> Facts:
    return {
        "liquidations": f"{found.liquidations} ({_known(found.liquidated_share, percent)} of trades)",
        "worst 1 % of trades": _known(found.worst_percent_mean, signed_money),
        "worst 5 % of days": _known(found.cvar_daily_return, lambda value: f"{value:+.2%} on average"),
        "margin locked": f"{money(found.mean_committed_quote)} on average, "
        f"{money(found.most_committed_quote)} at most ({percent(found.most_utilisation)} of the wallet)",
        "margin-hours": money(found.margin_quote_hours),
        "return on it": f"{_known(found.return_on_committed_margin, signed_percent)}; "
        f"{_known(found.pnl_per_1000_quote_days, signed_money)} per 1,000 locked for a day",
        "moves": f"{counted(found.adds, 'add')} of {money(found.added_quote)}, "
        f"{counted(found.releases, 'release')} of {money(found.released_quote)}; "
        f"{_known(found.moves_per_day, '{:.1f}'.format)} a day of holding, {found.moves_refused} refused",
    }


def _left_alone(found: "LeftAlone | None", engine: str) -> list[str]:
    if found is None:
        return [
            "",
            f"The {engine} engine follows no shadows: --engine exact compares with the trades left alone.",
        ]
    if not found.trades:
        return []
    groups = found.rescues
    return _section(
        "Against the same trades left alone",
        {
            "trades compared": f"{found.trades:,}",
            "result": f"{signed_money(found.pnl_quote)}, left alone {signed_money(found.static_pnl_quote)}",
            "difference a trade": f"{difference_text(found.difference)}: {verdict(found.difference)}",
            "worst 1 %, left alone": _known(found.static_worst_percent_mean, signed_money),
            "liquidations, left alone": f"{found.static_liquidations}",
            "rescued": f"{groups.rescued_better.trades} better, {groups.rescued_worse.trades} worse, "
            f"{groups.still_liquidated.trades} liquidated all the same, {groups.only_ours.trades} only here",
            "added and lost": f"{money(found.added_lost_quote)} "
            f"({_known(found.added_lost_share, percent)} of what was added); "
            f"{counted(found.adds_without_reentry, 'add')} against the strategy",
            "margin-hours, left alone": money(found.static_margin_quote_hours),
            "freed": f"{money(found.freed_quote_days)} quote-days, "
            f"{_known(found.redeployed_share, percent)} of it used by others",
        },
    )


def _nearness(evidence: "MarginEvidence") -> list[str]:
    found, title = evidence.nearness, "Nearness to liquidation"
    if found is None:
        return _section(
            title, {"least distance, every hour": _known(evidence.least_distance_hourly, percent)}
        )
    return _section(
        title,
        {
            "least distance": f"{_known(found.least_distance, percent)}, "
            f"{_known(found.least_distance_sigma_hours, '{:.1f}'.format)} hourly standard deviations",
            "within one of them": f"{found.near_miss_minutes:,.0f} minutes",
            "beyond the stop": f"{_known(found.beyond_stop_median, '{:.2%}'.format)} in the middle, "
            f"{_known(found.beyond_stop_p99, '{:.2%}'.format)} at 99 %, "
            f"{_known(found.beyond_stop_most, '{:.2%}'.format)} at most",
        },
    )


def _group_columns() -> tuple[Column, ...]:
    """Return the columns of a group; in a terminal only as many as stand beside each other."""
    is_narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns < _WIDE
    return tuple(column for column in _GROUP if column.key in _NARROW) if is_narrow else _GROUP


def _show_groups(heading: str, groups: "tuple[Group, ...]") -> None:
    if groups:
        print()
        shown = (words_column("name", heading), *_group_columns())
        show_rows([group._asdict() for group in groups], shown, as_json=False, empty="")


def _section(title: str, facts: Facts) -> list[str]:
    width = max(map(len, facts))
    return ["", title, *(f"  {name:<{width}}  {text}" for name, text in facts.items())]


def _known(value: float, write: Any, unknown: str = "-") -> str:
    return write(value) if math.isfinite(value) else unknown
