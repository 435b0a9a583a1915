"""`ringfence backtest`: a strategy and a margin policy on recorded candles, with the live rules."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import options
from bot.cli.output import show_json
from bot.cli.playing import Detail, EngineName, Fee, Set, Wallet, fee_rate_of, progress, settings_played

if TYPE_CHECKING:
    from bot.backtest.backtest import Backtest
    from bot.settings import Settings


def backtest(
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
    set_: Set = None,
    wallet: Wallet = None,
    fee: Fee = None,
    engine: EngineName = None,
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
    settings = settings_played(
        "backtest",
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
    with progress("candles", bars) as say:
        found = played(plan, engine, say)
    for sentence in (plan.history.played, *found.warnings):
        print(sentence, file=sys.stderr)
    if export is not None:
        write_export(found, export)
    return found


def _document(found: "Backtest", export: Path | None) -> dict[str, Any]:
    from bot.backtest.document import document_of

    return {**document_of(found), "export": None if export is None else str(export)}


def warmup() -> None:
    """Make the kernel's machine code now, which the first backtest by it would wait for."""
    import time

    from bot.backtest.kernel_engine import check_compiler, is_warm, warm_up

    check_compiler()
    if is_warm():
        print("The kernel's machine code is there.")
        return
    print("Making the kernel's machine code; this takes a minute or two.", file=sys.stderr)
    began = time.perf_counter()
    warm_up()
    print(f"The kernel's machine code is made, in {time.perf_counter() - began:.0f} s.")
