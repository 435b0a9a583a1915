"""The figures of the page: cards, facts side by side, groups of trades, settings."""

import json
import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from bot.backtest.backtest import Backtest
from bot.backtest.margin_evidence import LeftAlone, MarginEvidence, Nearness
from bot.backtest.page.shell import card
from bot.backtest.summary import Group, Summary, Totals
from bot.core.timerange import utc_text
from bot.settings import effective

_NOTHING: Final = "\N{EN DASH}"
_NOT_PLAYED: Final = frozenset({"alerts", "telegram", "web"})  # tables of settings that no backtest reads
_MINUS: Final = "\N{MINUS SIGN}"


def cards_of(found: Backtest) -> str:
    """Return the figures that are looked at first."""
    totals, evidence = found.summary.totals, found.evidence
    cards = [
        card(
            "Result",
            _signed(totals.net_quote),
            f"{totals.deposit_quote:,.0f} to {totals.equity_quote:,.2f}",
            _tone(totals.net_quote),
        ),
        card(
            "Return",
            _percent(totals.total_return, sign=True),
            _a_year(totals.annual_return),
            _tone(totals.net_quote),
        ),
        card("Deepest drawdown", _percent(-totals.max_drawdown), _recovery(totals)),
        card("Sharpe", _ratio(totals.sharpe), f"Sortino {_ratio(totals.sortino)}"),
        card(
            "Trades",
            f"{totals.trades:,}",
            f"{_percent(totals.win_rate)} won, factor {_ratio(totals.profit_factor)}",
        ),
        card(
            "Expectancy",
            _signed(totals.expectancy_quote),
            f"{_known(totals.expectancy_r, '{:+.3f}'.format)} R a trade",
            _tone(totals.expectancy_quote),
        ),
        card(
            "Liquidations",
            f"{evidence.liquidations}",
            _static_liquidations(evidence.left_alone),
            "bad" if evidence.liquidations else "",
        ),
        card(
            "Worst 1 % of trades",
            _signed(evidence.worst_percent_mean),
            f"worst 5 % of days {_percent(evidence.cvar_daily_return, sign=True)}",
        ),
    ]
    return "\n".join(cards)


def facts_of(found: MarginEvidence) -> str:
    """Return what moving the margin did, against the same trades left alone where that is known."""
    blocks = [
        _facts(
            "Margin",
            [
                ("locked on average", f"{found.mean_committed_quote:,.2f}"),
                ("locked at most", f"{found.most_committed_quote:,.2f}"),
                ("which is of the wallet", _percent(found.most_utilisation)),
                ("margin-hours", f"{found.margin_quote_hours:,.0f}"),
                ("return on it", _percent(found.return_on_committed_margin, sign=True)),
                ("per 1,000 locked for a day", _signed(found.pnl_per_1000_quote_days)),
                ("added", f"{found.added_quote:,.2f} in {found.adds:,}"),
                ("released", f"{found.released_quote:,.2f} in {found.releases:,}"),
                ("moves a day of holding", _known(found.moves_per_day, "{:.1f}".format)),
                ("refused", f"{found.moves_refused:,}"),
            ],
        )
    ]
    if found.left_alone is not None and found.left_alone.trades:
        blocks.append(_left_alone(found.left_alone))
    if found.nearness is not None:
        blocks.append(_nearness(found.nearness))
    return "\n".join(blocks)


def groups_of(summary: Summary) -> str:
    """Return the tables of groups of trades."""
    tables = (
        ("Symbol", summary.by_symbol),
        ("Closed by", summary.by_cause),
        ("Side", summary.by_side),
        ("Month", summary.by_month),
    )
    return "\n".join(_table(heading, groups) for heading, groups in tables if groups)


def settings_of(found: Backtest) -> str:
    """Return every setting that was played, as it was in force; secrets are never among them."""
    played = {name: each for name, each in effective(found.plan.settings).items() if name not in _NOT_PLAYED}
    known = {**played, "strategy_parameters": dict(found.plan.strategy.values)}
    return f"<pre>{escape(json.dumps(known, indent=2, ensure_ascii=False))}</pre>"


def _left_alone(found: LeftAlone) -> str:
    groups, difference = found.rescues, found.difference
    interval = (
        f" ({_signed(difference.low)} to {_signed(difference.high)})" if math.isfinite(difference.low) else ""
    )
    is_same = difference.mean == difference.low == difference.high == 0.0
    verdict = "more than chance" if difference.is_distinguishable else "not distinguishable from zero"
    verdict = "the same in every trade" if is_same else verdict
    return _facts(
        "Against the same trades left alone",
        [
            ("trades compared", f"{found.trades:,}"),
            ("result", _signed(found.pnl_quote)),
            ("left alone", _signed(found.static_pnl_quote)),
            ("difference a trade", f"{_signed(difference.mean)}{interval}"),
            ("", verdict),
            ("rescued, better or worse", f"{groups.rescued_better.trades}, {groups.rescued_worse.trades}"),
            (
                "liquidated anyway, only here",
                f"{groups.still_liquidated.trades}, {groups.only_ours.trades}",
            ),
            ("added and lost", f"{found.added_lost_quote:,.2f} ({_percent(found.added_lost_share)} of it)"),
            ("adds against the strategy", f"{found.adds_without_reentry:,}"),
            ("margin-hours left alone", f"{found.static_margin_quote_hours:,.0f}"),
            (
                "freed, used by others",
                f"{found.freed_quote_days:,.0f} quote-days, {_percent(found.redeployed_share)}",
            ),
        ],
    )


def _nearness(found: Nearness) -> str:
    return _facts(
        "Nearness to liquidation",
        [
            ("least distance", _percent(found.least_distance)),
            ("in hourly standard deviations", _known(found.least_distance_sigma_hours, "{:.1f}".format)),
            ("within one of them", f"{found.near_miss_minutes:,.0f} minutes"),
            ("anchor's gap not kept", f"{found.stop_gap_short_minutes:,.0f} minutes"),
            ("filled beyond the stop, median", _known(found.beyond_stop_median, "{:.2%}".format)),
            ("at 99 %", _known(found.beyond_stop_p99, "{:.2%}".format)),
            ("at most", _known(found.beyond_stop_most, "{:.2%}".format)),
        ],
    )


def _static_liquidations(found: LeftAlone | None) -> str:
    return "" if found is None else f"{found.static_liquidations} left alone"


def _recovery(totals: Totals) -> str:
    if math.isfinite(totals.calmar):
        return f"Calmar {_ratio(totals.calmar)}"
    if not totals.max_drawdown < 0.0:
        return ""
    return "not made good" if totals.recovered_ms < 0 else f"made good {utc_text(totals.recovered_ms)[:10]}"


def _a_year(value: float) -> str:
    return f"{_percent(value, sign=True)} a year" if math.isfinite(value) else "range below 90 days"


def _facts(title: str, facts: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    return f"<div><h3>{escape(title)}</h3><dl>{rows}</dl></div>"


_COLUMNS: Final[tuple[tuple[str, Callable[[Group], str]], ...]] = (
    ("Trades", lambda row: f"{row.trades:,}"),
    ("Won", lambda row: _percent(row.win_rate)),
    ("Net", lambda row: _toned(row.net_quote)),
    ("Mean", lambda row: _toned(row.mean_quote)),
    ("Factor", lambda row: _ratio(row.profit_factor)),
    ("Fees", lambda row: f"{row.fees_quote:,.2f}"),
    ("Funding", lambda row: _signed(row.funding_quote)),
    ("Added", lambda row: f"{row.added_quote:,.2f}"),
    ("Released", lambda row: f"{row.released_quote:,.2f}"),
    ("Liquidated", lambda row: f"{row.liquidations:,}"),
    ("Margin-hours", lambda row: f"{row.margin_quote_hours:,.0f}"),
)


def _table(heading: str, groups: Sequence[Group]) -> str:
    head = "".join(f"<th>{name}</th>" for name, _ in _COLUMNS)
    rows = "".join(
        f"<tr><th>{escape(group.name.replace('_', ' ').partition(':')[0])}</th>"
        f"{''.join(f'<td>{write(group)}</td>' for _, write in _COLUMNS)}</tr>"
        for group in groups
    )
    return (
        f'<div class="scroll"><table><thead><tr><th>{heading}</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _toned(value: float) -> str:
    return f'<span class="{_tone(value)}">{_signed(value)}</span>'


def _tone(value: float) -> str:
    return "good" if value > 0.0 else "bad" if value < 0.0 else ""


def _signed(value: float) -> str:
    return _known(value, lambda known: f"{known:+,.2f}".replace("-", _MINUS) if round(known, 2) else "0.00")


def _percent(value: float, *, sign: bool = False) -> str:
    return _known(value, lambda known: f"{100.0 * known:{'+' if sign else ''},.1f} %".replace("-", _MINUS))


def _ratio(value: float) -> str:
    return (
        "no loss" if value == math.inf else _known(value, lambda known: f"{known:.2f}".replace("-", _MINUS))
    )


def _known(value: float, write: Callable[[float], str]) -> str:
    return write(value) if math.isfinite(value) else _NOTHING
