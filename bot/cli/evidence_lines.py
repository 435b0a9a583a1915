"""The findings of a database in plain words: sections of facts, and a small reliability table."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from bot.cli.output import Column, aligned
from bot.view.figures import counted, date_time, money, percent, signed_money

if TYPE_CHECKING:
    from bot.evidence.calibration import Calibration
    from bot.evidence.paired import PairedDifference
    from bot.evidence.rescues import Share
    from bot.evidence.tail import TailDifference
    from bot.findings import Findings

NOTHING_YET: Final = (
    "Nothing closed yet: evidence is written when a position and its shadow, which keeps the first margin, "
    "have both ended."
)
Facts = Mapping[str, str]

_NOT_YET: Final = "not yet distinguishable from zero"

_DAYS_SHOWN: Final = 7
_DAY_COLUMNS: Final = (
    Column("day_ms", "day", False, lambda row: _day(row["day_ms"])),
    Column("trades", "trades", True),
    Column("pnl", "result", True, lambda row: signed_money(row["pnl"])),
    Column("static_pnl", "static", True, lambda row: signed_money(row["static_pnl"])),
    Column("liquidations", "liquidated", True),
    Column("static_liquidations", "with static", True),
)
_RELIABILITY: Final = (
    Column("forecasts", "forecasts", True),
    Column("forecast", "told", True, lambda row: _small_percent(row["forecast"])),
    Column("realised", "happened", True, lambda row: _small_percent(row["realised"])),
    Column("low", "95 %", True, lambda row: f"{_small_percent(row['low'])} to {_small_percent(row['high'])}"),
)


def evidence_lines(found: "Findings") -> list[str]:
    """Return the report: one sentence without trades, else every section."""
    if not found.trades:
        return [NOTHING_YET, *_calibration(found.calibration)]
    head = (
        f"{counted(found.trades, 'ended position')}, {_day(found.first_ms)} to {_day(found.last_ms)} UTC, "
        f"margin policy {_counts(found.policies)}."
    )
    return [
        head,
        "Each is compared with its shadow: the same fills, the first margin left alone. Money in quote.",
        *_section("Did moving margin pay?", _results(found)),
        *_section("Liquidations avoided, and what that cost", _rescues(found)),
        *_section("Good money after bad", _good_after_bad(found)),
        *_section("Capital", _capital(found)),
        *_section("Expected waste of liquidations avoided, where one stop in 100 fails", _dead_weight(found)),
        *_section("What closed the trades", _defence(found)),
        *_section("Near misses and margin moves", _operations(found)),
        *_section("The whole account", _envelope(found)),
        *_days(found),
        *_calibration(found.calibration),
    ]


def difference_text(found: "PairedDifference | TailDifference") -> str:
    """Return a mean with its 95 % interval: "+0.60 (-1.80 to +3.00)"; a dash where nothing is known."""
    if math.isnan(found.mean):
        return "-"
    if math.isnan(found.low):
        return signed_money(found.mean)
    return f"{signed_money(found.mean)} ({signed_money(found.low)} to {signed_money(found.high)})"


def verdict(found: "PairedDifference") -> str:
    """Return in words whether the difference is more than chance, and how many trades would tell."""
    from bot.evidence.paired import LEAST_CLUSTERS

    if found.is_distinguishable:
        return "better than static margin" if found.mean > 0.0 else "worse than static margin"
    if found.mean == found.low == found.high == 0.0:
        return "the same in every trade"
    if found.clusters < LEAST_CLUSTERS:
        weeks = counted(found.clusters, "week")
        return f"{_NOT_YET}: trades of at least {LEAST_CLUSTERS} weeks are needed, these are of {weeks}"
    more = (found.needed or 0) - found.trades
    if more <= 0:
        return f"{_NOT_YET}: a few more trades of this kind may tell"
    return f"{_NOT_YET}: about {more:,} more trades of this kind would be needed"


def _section(title: str, facts: Facts) -> list[str]:
    width = max(map(len, facts))
    return ["", title, *(f"  {name:<{width}}  {text}" for name, text in facts.items())]


def _results(found: "Findings") -> Facts:
    results = found.results
    return {
        "result": f"{signed_money(results.pnl)}, with static margin {signed_money(results.static_pnl)}",
        "difference per trade": f"{difference_text(found.difference)}, 95 %, by week of entry",
        "verdict": verdict(found.difference),
        "mean of the worst 1 %": f"{signed_money(results.worst_percent_mean)}, with static margin "
        f"{signed_money(results.static_worst_percent_mean)}",
    }


def _rescues(found: "Findings") -> Facts:
    seen = found.rescues
    return {
        "liquidated": f"{seen.liquidations}, with static margin {seen.static_liquidations}",
        "rescued, ended better": _share(seen.rescued_better),
        "rescued, ended worse": _share(seen.rescued_worse),
        "liquidated all the same": _share(seen.still_liquidated),
        "liquidated only here": _share(seen.only_ours),
    }


def _share(share: "Share") -> str:
    return f"{share.trades} ({signed_money(share.difference_quote)})" if share.trades else "0"


def _good_after_bad(found: "Findings") -> Facts:
    seen = found.good_after_bad
    return {
        "margin added": money(seen.added),
        "of it lost": f"{money(seen.lost)} ({_share_text(seen.lost_share)})",
        "adds where the strategy would not have entered again": str(seen.adds_without_reentry),
    }


def _capital(found: "Findings") -> Facts:
    seen = found.capital
    return {
        "locked": f"{money(seen.margin_quote_days)} quote-days, with static margin "
        f"{money(seen.static_margin_quote_days)}",
        "freed": f"{money(seen.freed_quote_days)} quote-days; {_share_text(seen.redeployed_share)} used by "
        "other positions",
        "result per 1,000 quote-days": _signed(seen.pnl_per_1000_quote_days),
    }


def _dead_weight(found: "Findings") -> Facts:
    seen = found.dead_weight
    return {
        "avoided": signed_money(seen.avoided_quote),
        "the capital for it": _capital_words(seen.capital_quote),
        "net": signed_money(seen.net_quote),
    }


def _capital_words(capital_quote: float) -> str:
    """Margin beyond static costs what it could have earned; margin freed saves it."""
    word = "saved, less margin was locked" if capital_quote < 0.0 else "paid"
    return f"{money(abs(capital_quote))} {word}, at 20 % a year"


def _defence(found: "Findings") -> Facts:
    seen = found.defence
    beyond = (seen.beyond_stop_median, seen.beyond_stop_p99, seen.beyond_stop_most)
    return {
        "closed by": _counts(seen.closed_by),
        "with static margin": _counts(seen.static_closed_by),
        "loss beyond the stop": "-"
        if math.isnan(beyond[0])
        else f"{_basis_points(beyond[0])} in the middle, {_basis_points(beyond[1])} in 99 of 100, "
        f"{_basis_points(beyond[2])} at most",
        "too little room between stop and liquidation": f"{seen.stop_gap_short_minutes:.0f} minutes",
    }


def _operations(found: "Findings") -> Facts:
    seen = found.operations
    sigmas = seen.least_distance_sigma_hours
    return {
        "nearest to liquidation": _share_text(seen.least_distance)
        + ("" if math.isnan(sigmas) else f", {sigmas:.1f} typical hours"),
        "nearer than one typical hour": f"{seen.near_miss_minutes:.0f} minutes",
        "margin moves": f"{seen.moves}, {_plain(seen.moves_per_day)} a day; {seen.moves_refused} refused",
        "emergency adds": f"{seen.emergencies}, of open positions too",
        "held because prices were old": str(seen.stale_holds),
        "from trigger to reply": "not recorded; on paper the reply is simulated",
    }


def _envelope(found: "Findings") -> Facts:
    seen = found.envelope
    most = f"{money(seen.most_margin_quote)}" + (f", {date_time(seen.most_ms)}" if seen.most_ms else "")
    return {
        "isolated margins now": f"{money(seen.margin_quote)}, the most the positions can lose by contract",
        "the largest so far": most,
        "of equity": f"{_share_text(seen.utilisation)} now, {_share_text(seen.most_utilisation)} at most",
    }


def _days(found: "Findings") -> list[str]:
    rows = [day._asdict() for day in found.days[-_DAYS_SHOWN:]]
    title = "By day of the end, UTC" + (
        f", the last {_DAYS_SHOWN}; all are in --json" if len(found.days) > _DAYS_SHOWN else ""
    )
    return ["", title, *(f"  {line}" for line in aligned(rows, _DAY_COLUMNS))]


def _calibration(found: "Calibration") -> list[str]:
    if not found.forecasts:
        return ["", "Forecasts of liquidation", "  none has come to its end yet (24 hours)"]
    facts = {
        "forecasts": f"{found.forecasts:,}, {found.touched:,} came true, {found.expected:.1f} were expected",
        "Brier score": f"{found.brier:.4f} (0 is perfect)",
        "tail scale that fits": f"{_plain(found.scale)} (1.10 is in use)",
        "alarm": "liquidation comes at least twice as often as forecast" if found.is_alarming else "none",
    }
    table = aligned([one._asdict() for one in found.bins], _RELIABILITY)
    return [
        *_section("Forecasts of liquidation within 24 hours", facts),
        "",
        *(f"  {line}" for line in table),
        "  Forecasts of one position overlap: the intervals are narrower than they should be.",
    ]


def _counts(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{word.replace('_', ' ')} {count}" for word, count in ordered)


def _day(ts_ms: int) -> str:
    return date_time(ts_ms)[:10]


def _share_text(value: float) -> str:
    return "-" if math.isnan(value) else percent(value)


def _small_percent(value: float) -> str:
    return f"{100.0 * value:.2f} %"


def _basis_points(fraction: float) -> str:
    return f"{10_000.0 * fraction:.1f} bp"


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else signed_money(value)


def _plain(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
