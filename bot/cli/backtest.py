"""`ringfence backtest`: a strategy and a margin policy on recorded candles, with the live rules."""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import options
from bot.cli.output import show_json
from bot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backtest.backtest import Backtest
    from bot.settings import Settings

_MOST_FEE = 0.02


def backtest(
    *,
    config: options.Config = None,
    data: options.Data = None,
    symbols: options.Symbols = None,
    timerange: options.Timerange = None,
    timeframe: options.Timeframe = None,
    detail: Annotated[
        str, typer.Option("--detail", help="Candles that are played (1m); default: the finest there are.")
    ] = "",
    strategy: options.StrategyName = None,
    preset: options.PresetName = None,
    policy: options.PolicyName = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any setting (strategy.params.ema_cross.fast=20)."),
    ] = None,
    wallet: Annotated[float | None, typer.Option("--wallet", help="Balance at the start, quote.")] = None,
    fee: Annotated[
        str | None,
        typer.Option(
            "--fee", metavar="PERCENT", help="Paid per fill (0.05%); default: the instrument's own."
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option("--engine", metavar="kernel|exact", help="Default: the fastest that does all of it."),
    ] = None,
    allow_gaps: options.AllowGaps = None,
    seed: options.Seed = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="DIR", help="Write trades, moves, result and an HTML report here."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Play recorded candles through the rules that trade live, and tell what became of them.

    Signals come at candle closes; in between, the price goes through each finer candle against the position
    first. The same command gives the same result.
    """
    settings = options.settings_of(
        config,
        {
            "feed.kind": ("--feed", "replay"),
            "run.mode": ("ringfence backtest", "paper"),
            "exchange.name": ("ringfence backtest", ""),
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
            **settings_set(set_ or []),
        },
    )
    found = _run(settings, detail, fee_rate_of(fee), engine, export)
    if as_json:
        show_json(_document(found, export))
    else:
        from bot.cli.backtest_lines import show_backtest

        show_backtest(found)
        if export is not None:
            print(f"\nWritten to {export}: report.html, result.json, trades, moves and equity.")


def _run(
    settings: "Settings", detail: str, fee_rate: float | None, engine: str | None, export: Path | None
) -> "Backtest":
    from bot.backtest.backtest import backtest as played
    from bot.backtest.compiler import can_compile
    from bot.backtest.engines import KERNEL
    from bot.backtest.export import check_folder, write_export
    from bot.backtest.kernel_engine import is_warm
    from bot.backtest.plan import plan_of

    if export is not None:
        check_folder(export)
    plan = plan_of(settings, detail, fee_rate)
    if engine == KERNEL and can_compile() and not is_warm():
        print("Making the kernel's machine code, once: a minute or two.", file=sys.stderr)
    bars = (plan.history.end_ms - plan.history.start_ms) // plan.history.timeframe_ms
    with _progress(bars) as say:
        found = played(plan, engine, say)
    for sentence in (plan.history.played, *found.warnings):
        print(sentence, file=sys.stderr)
    if export is not None:
        write_export(found, export)
    return found


@contextmanager
def _progress(bars: int) -> "Iterator[Callable[[int], None]]":
    """Show how many candles are played on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = (TextColumn("candles"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=max(bars, 1))
        yield lambda done: progress.update(task, completed=done)


def settings_set(texts: list[str]) -> dict[str, tuple[str, Any]]:
    """Return the settings of --set KEY=VALUE; numbers and true/false are read as such."""
    import json

    given: dict[str, tuple[str, Any]] = {}
    for text in texts:
        key, is_there, value = text.partition("=")
        if not (is_there and key.strip()):
            raise UserError(f'--set is "{text}"; give KEY=VALUE such as margin.limits.max_adds=3.')
        try:
            read = json.loads(value)
        except ValueError:
            read = value
        given[key.strip()] = (f"--set {key.strip()}", read)
    return given


def fee_rate_of(text: str | None) -> float | None:
    """Return the fraction of "0.05%"; None leaves the instruments' own fees."""
    if text is None:
        return None
    try:
        value = float(text.strip().removesuffix("%")) / 100.0
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= _MOST_FEE:
        raise UserError(f'--fee is "{text}"; give a percentage of 0 to {_MOST_FEE:.0%} such as 0.05%.')
    return value


def _document(found: "Backtest", export: Path | None) -> dict[str, Any]:
    from bot.backtest.document import document_of

    return {**document_of(found), "export": None if export is None else str(export)}


def warmup() -> None:
    """Make the kernel's machine code now, which the first backtest by it would wait for."""
    import time

    from bot.backtest.kernel_engine import is_warm, warm_up

    if is_warm():
        print("The kernel's machine code is there.")
        return
    print("Making the kernel's machine code; this takes a minute or two.", file=sys.stderr)
    began = time.perf_counter()
    warm_up()
    print(f"The kernel's machine code is made, in {time.perf_counter() - began:.0f} s.")
