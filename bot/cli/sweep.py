"""`ringfence sweep`: many backtests, the best of them, and what that is worth."""

import hashlib
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bot.cli import options, sweeping
from bot.cli.output import Column, aligned, columns, show_json
from bot.cli.playing import Detail, EngineName, Fee, Set, Wallet, fee_rate_of, progress, settings_played
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.backtest.plan import Plan
    from bot.backtest.sweep.axes import Axis
    from bot.backtest.sweep.search import Search
    from bot.backtest.sweep.splits import Split
    from bot.backtest.sweep.sweep import Chosen
    from bot.backtest.sweep.trial import Base
    from bot.core.timerange import TimeRange
    from bot.settings import Settings

_MOST_SHOWN: Final = 10
_DEFAULT_TRIALS: Final = 200
_SHOWN_FIGURES: Final = ("return", "sharpe", "drawdown", "worst", "margin-hours", "liquidations", "trades")


class _Asked(NamedTuple):
    base: "Base"
    search: "Search"
    splits: "tuple[Split, ...]"
    trials: int
    record: Path | None


def sweep(
    *,
    config: options.Config = None,
    data: options.Data = None,
    symbols: options.Symbols = None,
    timerange: options.Timerange = None,
    timeframe: options.Timeframe = None,
    detail: Detail = "",
    strategy: options.StrategyName = None,
    preset: options.PresetName = None,
    policy: options.PolicyName = None,
    param: sweeping.Param = None,
    set_: Set = None,
    sampler: sweeping.Sampler = "tpe",
    trials: sweeping.Trials = None,
    objective: sweeping.Objectives = None,
    walk_forward: sweeping.WalkForward = 0,
    folds: sweeping.Folds = 0,
    purge: sweeping.Purge = "1d",
    wallet: Wallet = None,
    fee: Fee = None,
    engine: EngineName = None,
    allow_gaps: options.AllowGaps = None,
    seed: options.Seed = None,
    batch: sweeping.Batch = 32,
    jobs: sweeping.Jobs = None,
    cluster: sweeping.Cluster = "",
    record: sweeping.Kept = None,
    export: sweeping.Export = None,
    as_json: options.Json = False,
) -> None:
    """Vary parameters, play each combination, and say whether the best is more than the luck of many tries.

    The result depends on the seed and the batch, not on how many work. Parameters go by the names of
    list-strategies and list-policies, risk settings by their keys (margin.limits.max_adds).
    """
    from bot.backtest.memory import give_back_memory
    from bot.backtest.sweep.crew import crew_of
    from bot.backtest.sweep.report import check_folder, document_of, write_report
    from bot.backtest.sweep.sweep import sweep as swept

    if export is not None:
        check_folder(export)
    settings = settings_played(
        "sweep",
        config,
        {
            "feed.data": ("--data", data),
            "feed.symbols": ("--symbols", symbols),
            "feed.timerange": ("--timerange", timerange),
            "feed.timeframe": ("--timeframe", timeframe),
            "feed.allow_gaps": ("--allow-gaps", allow_gaps),
            "strategy.name": ("--strategy", strategy),
            "preset": ("--preset", preset),
            "margin.policy": ("--policy", policy),
            "venue.deposit_quote": ("--wallet", wallet),
            "run.seed": ("--seed", seed),
        },
        set_ or [],
    )
    ways = (walk_forward, folds, purge)
    looking = (sampler, objective or ["sharpe"], trials, batch)
    asked = _asked(settings, detail, fee_rate_of(fee), engine, param or [], looking, ways, record)
    give_back_memory()
    found = []
    with crew_of(jobs or os.cpu_count() or 1, cluster) as crew:
        for number, split in enumerate(asked.splits):
            name = f"split {number + 1} of {len(asked.splits)}" if len(asked.splits) > 1 else "tries"
            with progress(name, asked.trials) as say:
                kept = _record_of(asked, split, number)
                found.append(swept(asked.base, asked.search, split, asked.trials, crew, kept, say))
    if as_json:
        show_json(document_of(asked.search, found))
    else:
        print("\n".join(_lines(asked, found)))
    if export is not None:
        name, policy = settings.strategy.name, settings.margin.policy
        write_report(asked.search, found, f"{name} with {policy}", export)


def _asked(
    settings: "Settings",
    detail: str,
    fee_rate: float | None,
    engine: str | None,
    param: Sequence[str],
    looking: tuple[str, Sequence[str], int | None, int],
    ways: tuple[int, int, str],
    record: Path | None,
) -> _Asked:
    from bot.backtest.plan import plan_of
    from bot.backtest.sweep.axes import axes_of
    from bot.backtest.sweep.objectives import OBJECTIVES
    from bot.backtest.sweep.search import GRID, Search, combinations
    from bot.backtest.sweep.trial import Base
    from bot.core.timerange import TimeRange
    from bot.plugins import did_you_mean

    sampler, names, trials, batch = looking
    unknown = next((name for name in names if name not in OBJECTIVES), None)
    if unknown is not None:
        raise UserError(f'There is no objective "{unknown}": {did_you_mean(unknown, OBJECTIVES)}')
    plan = plan_of(settings, detail, fee_rate)
    axes = axes_of(param, settings, plan.strategy)
    name, falls_back = _engine(engine, plan)
    search = Search(sampler, axes, tuple(OBJECTIVES[name] for name in names), settings.run.seed, batch)
    token = _token(settings, axes, detail, fee_rate, falls_back)
    base = Base(token, settings, axes, detail, fee_rate, name, falls_back)
    splits = _splits(TimeRange(plan.history.start_ms, plan.history.end_ms), ways)
    if sampler == GRID:
        trials = min(trials or combinations(axes), combinations(axes))
    print(plan.history.played, *plan.history.notices, sep="\n", file=sys.stderr)
    return _Asked(base, search, splits, trials or _DEFAULT_TRIALS, record)


def _engine(name: str | None, plan: "Plan") -> tuple[str, bool]:
    """Choose once which engine plays, for all that work; True: the exact one steps in where it refuses."""
    from bot.backtest.engines import EXACT, KERNEL, choose_engine
    from bot.backtest.kernel_engine import is_warm, warm_up

    chosen = choose_engine(name, plan)
    found, falls_back = chosen.engine.name, name is None and chosen.engine.name == KERNEL
    beside = f"; what it refuses by the {EXACT} one" if falls_back else ""
    print(chosen.notice or f"Played by the {found} engine{beside}.", file=sys.stderr)
    if found == KERNEL and not is_warm():
        print("Making the kernel's machine code, once: a minute or two.", file=sys.stderr)
        warm_up()
    return found, falls_back


def _token(settings: "Settings", axes: "Sequence[Axis]", *rest: Any) -> str:
    """Return a name of what is played: a worker knows by it whether it has the candles already."""
    return hashlib.sha256(repr((settings, axes, rest)).encode()).hexdigest()


def _splits(timerange: "TimeRange", ways: tuple[int, int, str]) -> "tuple[Split, ...]":
    from bot.backtest.sweep.splits import purged_folds, undivided, walk_forward
    from bot.settings.values import seconds_from_text

    forward, folds, purge = ways
    if forward and folds:
        raise UserError("--walk-forward and --folds are two ways to split the range. Give one of them.")
    try:
        purge_ms = int(seconds_from_text(purge) * 1_000)
    except ValueError as error:
        raise UserError(f'--purge is "{purge}": {error}. Give a duration such as 1d.') from error
    if forward:
        return walk_forward(timerange, forward, purge_ms)
    return purged_folds(timerange, folds, purge_ms) if folds else undivided(timerange)


def _record_of(asked: _Asked, split: "Split", number: int) -> Any:
    from bot.backtest.sweep.record import Record

    if asked.record is None:
        return None
    path = asked.record
    if len(asked.splits) > 1:
        path = path.with_name(f"{path.stem}-{number + 1}{path.suffix}")
    search = asked.search
    fingerprint = {
        "what is played": asked.base.token,
        "engine": asked.base.engine,
        "parameters": [axis._asdict() for axis in search.axes],
        "sampler": search.sampler,
        "objectives": [objective.name for objective in search.objectives],
        "seed": search.seed,
        "batch": search.batch,
        "range": [list(part) for part in split.train],
    }
    return Record(path, fingerprint, search.batch)


def _lines(asked: _Asked, found: "Sequence[Chosen]") -> list[str]:
    if len(found) == 1:
        return _one_split(asked.search, found[0])
    return _several_splits(asked.search, found)


def _one_split(search: "Search", chosen: "Chosen") -> list[str]:
    from bot.backtest.sweep.page import ranked

    several = len(search.objectives) > 1
    refused = sum(bool(each.refusal) for each in chosen.tried)
    also = f", {refused} of them impossible" if refused else ""
    wanted = " and ".join(objective.name for objective in search.objectives)
    shown = (chosen.best if several else ranked(search, chosen.tried))[:_MOST_SHOWN]
    head = (
        f"{len(chosen.tried)} tries{also}; {len(chosen.best)} that none is as good as in {wanted}:"
        if several
        else f"{len(chosen.tried)} tries{also}; the best in {wanted}:"
    )
    rows = [{**dict(zip(_names(search), each.values, strict=True)), **each.figures} for each in shown]
    return [
        head,
        "",
        *aligned(rows, (*_value_columns(search), *_figure_columns())),
        "",
        *_deflated_lines(chosen),
    ]


def _several_splits(search: "Search", found: "Sequence[Chosen]") -> list[str]:
    from bot.core.timerange import timerange_text

    wanted = search.objectives[0].name
    rows = [
        {
            "judged_on": timerange_text(each.split.test) if each.split.test is not None else "",
            **dict(zip(_names(search), each.best[0].values, strict=True)),
            "chosen": each.best[0].figures[wanted],
            **{name: each.judged.get(name, math.nan) for name in _SHOWN_FIGURES},
        }
        for each in found
    ]
    chosen_on = "all before it" if all(each.split.looks_back for each in found) else "the rest"
    head = f"The best in {wanted} of {len(found[0].tried)} tries, chosen on {chosen_on}, judged on each part:"
    shown = (
        *columns("judged_on:judged on"),
        *_value_columns(search),
        Column("chosen", f"{wanted} chosen on", True, lambda row: _figure(wanted, row["chosen"])),
        *_figure_columns(),
    )
    kept = sum(each.judged.get("return", math.nan) > 0.0 for each in found)
    verdict = f"What was chosen gained in {kept} of {len(found)} parts that it had not been chosen on."
    return [head, "", *aligned(rows, shown), "", verdict]


def _names(search: "Search") -> list[str]:
    return [axis.name for axis in search.axes]


def _value_columns(search: "Search") -> list[Column]:
    return [Column(name, name, True, lambda row, name=name: f"{row[name]:.6g}") for name in _names(search)]


def _figure_columns() -> list[Column]:
    return [
        Column(name, name, True, lambda row, name=name: _figure(name, row[name])) for name in _SHOWN_FIGURES
    ]


def _figure(name: str, value: float) -> str:
    from bot.backtest.sweep.words import figure

    return figure(name, value)


def _deflated_lines(chosen: "Chosen") -> list[str]:
    from bot.backtest.sweep.words import FEW_TRADES, SURE

    found = chosen.deflated
    if math.isnan(found.probability):
        return ["Its Sharpe ratio cannot be judged: it has too few days, or none in which anything moved."]
    year = math.sqrt(365.0)
    luck = (
        f"Sharpe of the first: {found.sharpe * year:.2f} a year over {found.periods} days. The best of "
        f"{found.tries} tries without any skill would show about {found.expected_best * year:.2f}."
    )
    verdict = "" if found.probability >= SURE else ": NOT enough to believe in skill"
    lines = [luck, f"That it is better than that luck has a probability of {found.probability:.1%}{verdict}."]
    trades = chosen.best[0].figures["trades"]
    if trades < FEW_TRADES:
        lines.append(f"It rests on {trades:.0f} trades; below {FEW_TRADES} no figure of it means much.")
    return lines
