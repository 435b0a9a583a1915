"""`ringfence compare`: the same trades on recorded candles, held in every way, side by side."""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import options
from bot.cli.columns import money_column, percent_column, signed_money_column, words_column
from bot.cli.evidence_lines import difference_text
from bot.cli.output import Column, aligned, show_json
from bot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.backtest.comparison import Comparison, Span
    from bot.backtest.ways import Plan
    from bot.core.timerange import TimeRange
    from bot.evidence.rescues import Share
    from bot.sim.series import MarketHistory

_SIDES = {"long": (1,), "short": (-1,), "both": (1, -1)}


def compare(
    *,
    config: options.Config = None,
    data: options.Data = None,
    symbols: options.Symbols = None,
    timerange: Annotated[
        str | None,
        typer.Option(
            "--timerange", metavar="YYYYMMDD-YYYYMMDD,...", help="UTC days; several ranges are pooled."
        ),
    ] = None,
    timeframe: Annotated[
        str, typer.Option("--timeframe", help="Longest candles to walk; the finest there are are taken.")
    ] = "15m",
    leverage: Annotated[
        float, typer.Option(min=1.0, max=125.0, help="Margin posted: notional over this.")
    ] = 10.0,
    notional: Annotated[float, typer.Option(help="Size of every trade, quote.")] = 5_000.0,
    account: Annotated[float, typer.Option(help="Balance behind each trade, quote.")] = 2_000.0,
    stop: Annotated[str, typer.Option(metavar="PERCENT|none", help="Stop, from the entry.")] = "3%",
    target: Annotated[str, typer.Option(metavar="PERCENT|none", help="Take-profit, from the entry.")] = "6%",
    gap: Annotated[
        str,
        typer.Option(
            metavar="PERCENT|none",
            help="Part of the way from a stop to its candle's end where nothing fills.",
        ),
    ] = "25%",
    horizon: Annotated[
        str, typer.Option(metavar="DURATION", help="What is still open then is closed.")
    ] = "3d",
    every: Annotated[str, typer.Option(metavar="DURATION", help="Time between two entries.")] = "8h",
    side: Annotated[str, typer.Option(metavar="long|short|both")] = "both",
    as_json: options.Json = False,
) -> None:
    """Hold the same trades with static margin, the exchange's auto-add, every policy and cross margin.

    Policies act at their defaults, at every close. Within a candle the price goes against the trade first.
    """
    from bot.backtest.compare import STUDY_LIMITS
    from bot.backtest.compare import compare as compared
    from bot.backtest.ways import Plan
    from bot.evidence.named import named
    from bot.risk.policies import POLICIES

    plan = Plan(
        leverage=leverage,
        notional_quote=_positive("--notional", notional),
        account_quote=_positive("--account", account),
        stop_fraction=_fraction("--stop", stop),
        target_fraction=_fraction("--target", target),
        gap_share=_fraction("--gap", gap),
        horizon_ms=_duration_ms("--horizon", horizon),
        every_ms=_duration_ms("--every", every),
        sides=_sides(side),
    )
    histories = _histories(config, data, symbols, timerange, timeframe)
    policies = {name: policy.default for name, policy in POLICIES.items()}
    found = compared(histories, plan, policies, STUDY_LIMITS, _say)
    if as_json:
        show_json(named({"plan": plan, **found._asdict()}))
    else:
        print("\n".join(_lines(found, plan)))


def _histories(
    config: Path | None, data: Path | None, symbols: str | None, timeranges: str | None, timeframe: str
) -> "list[MarketHistory]":
    """Return the candles of each range; ranges are separated by commas."""
    from bot.backtest.bars import WARMUP_MS
    from bot.backtest.history import load_history
    from bot.core.timeframe import timeframe_ms

    histories = []
    played: list[TimeRange] = []
    for timerange in [None] if timeranges is None else timeranges.split(","):
        feed = _feed(config, data, symbols, timerange, timeframe)
        if feed.timerange is not None:
            _refuse_overlap(played, feed.timerange)
            played.append(feed.timerange)
        histories.append(
            load_history(
                feed.data, feed.symbols, feed.timerange, timeframe_ms(timeframe), warmup_ms=WARMUP_MS
            )
        )
    # Ranges of the same files lack the same things: each sentence once.
    for sentence in dict.fromkeys(text for one in histories for text in (one.played, *one.notices)):
        _say(sentence)
    return histories


def _refuse_overlap(played: "list[TimeRange]", another: "TimeRange") -> None:
    """Refuse a range that would count some trades twice."""
    from bot.core.timerange import timerange_text

    for known in played:
        if another.start_ms < known.end_ms and known.start_ms < another.end_ms:
            raise UserError(
                f"--timerange has {timerange_text(known)} and {timerange_text(another)}, which overlap: "
                "their trades would be counted twice. Give ranges that do not."
            )


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _feed(
    config: Path | None, data: Path | None, symbols: str | None, timerange: str | None, timeframe: str
) -> Any:
    feed = options.settings_of(
        config,
        {
            "feed.kind": ("--feed", "replay"),
            "feed.data": ("--data", data),
            "feed.symbols": ("--symbols", symbols),
            "feed.timerange": ("--timerange", timerange),
            "feed.timeframe": ("--timeframe", timeframe),
        },
    ).feed
    if feed.data is None:
        raise UserError("A comparison needs candles: name their folder with --data (feed.data).")
    return feed


def _positive(flag: str, value: float) -> float:
    if not 0.0 < value < math.inf:
        raise UserError(f"{flag} is {value:g}; it must be above 0. Correct it and try again.")
    return value


def _fraction(flag: str, text: str) -> float:
    """Return the fraction of "3%", 0.0 for "none"."""
    if text.strip().lower() == "none":
        return 0.0
    try:
        value = float(text.strip().removesuffix("%")) / 100.0
    except ValueError:
        value = math.nan
    if not 0.0 < value < 1.0:
        raise UserError(f'{flag} is "{text}"; give a percentage between 0 and 100 such as 3%, or none.')
    return value


def _duration_ms(flag: str, text: str) -> int:
    from bot.settings.values import seconds_from_text

    try:
        return int(seconds_from_text(text) * 1_000)
    except ValueError as error:
        raise UserError(f'{flag} is "{text}": {error}. Correct it and try again.') from error


def _sides(text: str) -> tuple[int, ...]:
    if text not in _SIDES:
        raise UserError(f'--side is "{text}"; it must be long, short or both.')
    return _SIDES[text]


def _verdict(row: Mapping[str, Any]) -> str:
    found = row["difference"]
    if row["way"] == "static":
        return "the reference"
    if found.is_distinguishable:
        return "better" if found.mean > 0.0 else "worse"
    return "the same" if found.mean == found.low == found.high else "not distinguishable from zero"


_WAYS = (
    words_column("way"),
    percent_column("liquidated_share", "liquidated"),
    signed_money_column("mean_pnl", "mean PnL"),
    Column("difference", "against static", True, lambda row: difference_text(row["difference"])),
    money_column("worst_percent_mean", "worst 1 %"),
    money_column("mean_margin", "margin"),
    money_column("margin_hours", "margin-hours"),
    Column("adds_per_day", "adds/day", True, lambda row: f"{row['adds_per_day']:.2f}"),
    Column("releases_per_day", "releases/day", True, lambda row: f"{row['releases_per_day']:.2f}"),
    money_column("added_lost", "adds lost"),
    Column("verdict", "verdict", False, _verdict),
)


def _lines(found: "Comparison", plan: "Plan") -> list[str]:
    head = (
        f"{found.trades} trades of {plan.notional_quote:g} at {plan.leverage:g}x on {_list(found.symbols)}, "
        f"entered in {found.weeks} weeks of {_list(map(_span_text, found.spans))}."
    )
    note = "Money in quote per trade; the interval is 95 %, clustered by week of entry."
    ways = aligned([way._asdict() for way in found.ways], _WAYS)
    claims = aligned([claim._asdict() for claim in found.claims], _CLAIMS)
    told = ["What guides to isolated margin say, on the same trades.", "", *claims]
    return [head, note, "", *ways, "", *_rescue_lines(found), "", *told]


def _span_text(span: "Span") -> str:
    from bot.core.timeframe import timeframe_text
    from bot.core.timerange import TimeRange, timerange_text

    return f"{timerange_text(TimeRange(span.start_ms, span.end_ms))} ({timeframe_text(span.timeframe_ms)})"


def _list(words: "Iterable[str]") -> str:
    return ", ".join(words)


def _rescue_lines(found: "Comparison") -> list[str]:
    """Return what became of the trades that static margin lost to liquidation."""
    lost = found.ways[0].liquidations
    if not any(way.liquidations for way in found.ways):
        return ["No trade was liquidated in any way."]
    rows = [{"way": way.way, **way.rescues._asdict()} for way in found.ways[1:]]
    head = f"Trades that static margin lost to liquidation: {lost}. In brackets what changed, quote in all."
    return [head, "", *aligned(rows, _RESCUES)]


def _share_column(key: str, heading: str) -> Column:
    return Column(key, heading, True, lambda row: _share(row[key]))


def _share(share: "Share") -> str:
    from bot.view.figures import signed_money

    return f"{share.trades} ({signed_money(share.difference_quote)})" if share.trades else "0"


_RESCUES = (
    words_column("way"),
    _share_column("rescued_better", "rescued, better"),
    _share_column("rescued_worse", "rescued, worse"),
    _share_column("still_liquidated", "still liquidated"),
    _share_column("only_ours", "liquidated only here"),
)


def _claim_verdict(row: Mapping[str, Any]) -> str:
    if row["holds"]:
        return "holds"
    found = row["difference"]
    if found.is_distinguishable:
        return "the opposite"
    return "the same" if found.mean == found.low == found.high else "not distinguishable from zero"


_CLAIMS = (
    Column("text", "claim", False),
    Column("measure", "by", False),
    words_column("ours"),
    money_column("value"),
    words_column("against"),
    money_column("against_value", "its value"),
    Column("difference", "difference", True, lambda row: difference_text(row["difference"])),
    Column("holds", "verdict", False, _claim_verdict),
)
