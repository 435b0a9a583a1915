"""`ringfence lookahead` and `ringfence recursive`: may a backtest of this strategy be believed?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bot.cli import options
from bot.cli.output import Column, aligned, columns, show_json
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.backtest.lookahead import Lookahead
    from bot.backtest.recursive import Recursive
    from bot.core.candles import Candles
    from bot.settings import Settings
    from bot.strategy import Strategy

_FINDING: Final = 1
_MADE_UP_DAYS: Final = 30
_DAY_MS: Final = 86_400_000

_Name = Annotated[str, typer.Argument(metavar="STRATEGY", help="See list-strategies; or a path to a file.")]
_Symbol = Annotated[str, typer.Option("--symbol", help="Whose candles; it must be in the files.")]
_Rows = Annotated[
    int, typer.Option("--rows", min=10, max=100_000, help="In how many places to look; more takes longer.")
]


def lookahead(
    name: _Name,
    *,
    config: options.Config = None,
    data: options.Data = None,
    symbol: _Symbol = "BTC/USDT:USDT",
    timerange: options.Timerange = None,
    timeframe: options.Timeframe = None,
    rows: _Rows = 200,
    as_json: options.Json = False,
) -> None:
    """Cut the future off and see whether the strategy's signals over the past change. Exit code 1: they do.

    Without --data thirty days of the made-up market are used.
    """
    from bot.backtest.lookahead import lookahead as looked

    strategy, candles = _subject(name, config, data, symbol, timerange, timeframe)
    found = looked(strategy, candles, rows)
    if as_json:
        show_json({**found._asdict(), "changes": [change._asdict() for change in found.changes]})
    else:
        print("\n".join(_lookahead_lines(name, found)))
    if found.changes:
        raise typer.Exit(_FINDING)


def recursive(
    name: _Name,
    *,
    config: options.Config = None,
    data: options.Data = None,
    symbol: _Symbol = "BTC/USDT:USDT",
    timerange: options.Timerange = None,
    timeframe: options.Timeframe = None,
    rows: _Rows = 200,
    as_json: options.Json = False,
) -> None:
    """Show the strategy more and less history and see whether its newest signal changes.

    Exit code 1: with the candles that it asks for it says something else than with all. Without --data thirty
    days of the made-up market are used.
    """
    from bot.backtest.recursive import recursive as asked

    strategy, candles = _subject(name, config, data, symbol, timerange, timeframe)
    found = asked(strategy, candles, rows)
    if as_json:
        windows = [{**window._asdict(), "is_enough": window.is_enough} for window in found.windows]
        known = {"is_warmup_enough": found.is_warmup_enough, "enough": found.enough}
        show_json({**found._asdict(), **known, "windows": windows})
    else:
        print("\n".join(_recursive_lines(name, found)))
    if not found.is_warmup_enough:
        raise typer.Exit(_FINDING)


def _subject(
    name: str,
    config: Path | None,
    data: Path | None,
    symbol: str,
    timerange: str | None,
    timeframe: str | None,
) -> "tuple[Strategy, Candles]":
    """Return the strategy and the candles it is tried on."""
    from bot.core.timeframe import timeframe_ms, timeframe_text
    from bot.plugins import load_strategy, strategy_key

    settings = options.settings_of(
        config,
        {
            "feed.kind": ("--data", None if data is None else "replay"),
            "feed.data": ("--data", data),
            "feed.symbols": ("--symbol", symbol),
            "feed.timerange": ("--timerange", timerange),
            "feed.timeframe": ("--timeframe", timeframe),
            "strategy.name": ("STRATEGY", name),
        },
    )
    choice = settings.strategy
    strategy = load_strategy(name, choice.directory, choice.params.get(strategy_key(name), {}))
    length_ms = timeframe_ms(settings.feed.timeframe or strategy.timeframe)
    candles = _recorded(settings, length_ms) if settings.feed.data else _made_up(settings, length_ms)
    where = "recorded" if settings.feed.data else "made-up"
    print(f"{len(candles.close)} {where} candles of {timeframe_text(length_ms)}, {symbol}.", file=sys.stderr)
    return strategy, candles


def _recorded(settings: "Settings", length_ms: int) -> "Candles":
    from bot.backtest.history import load_history
    from bot.sim.candle_builder import resample

    feed = settings.feed
    if feed.data is None:
        raise UserError("Name the folder of the candles with --data.")
    history = load_history(
        feed.data, feed.symbols, feed.timerange, length_ms, allow_gaps=feed.allow_gaps, warmup_ms=0
    )
    print(history.played, file=sys.stderr)
    series = history.series[0]
    return resample(series.candles, history.timeframe_ms, length_ms, series.funding)


def _made_up(settings: "Settings", length_ms: int) -> "Candles":
    from bot.sim.market import SyntheticMarket

    symbol = settings.feed.symbols[0]
    market = SyntheticMarket(settings.run.seed, (symbol,), length_ms)
    return market.history(symbol, length_ms, _MADE_UP_DAYS * _DAY_MS // length_ms)


def _lookahead_lines(name: str, found: "Lookahead") -> list[str]:
    from bot.core.timerange import utc_text

    did = f"{name}: {found.candles} candles were cut off at {found.cuts} places"
    if not found.changes:
        return [
            f"{did}, and no row before a cut changed: it does not look ahead.",
            "Places where it would not have acted may still hide one; --rows looks at more.",
        ]
    lines = [f"{did}, and rows before the cut changed: it LOOKS AHEAD. A backtest of it means nothing.", ""]
    rows = [
        {**change._asdict(), "at": utc_text(change.open_ms), "cut": utc_text(change.cut_ms)}
        for change in found.changes
    ]
    shown = columns(
        "column",
        "rows#:rows changed",
        "at:first at (UTC)",
        "with_future#:said there",
        "without#:without future",
    )
    return [*lines, *aligned(rows, shown)]


def _recursive_lines(name: str, found: "Recursive") -> list[str]:
    from bot.core.timerange import utc_text

    head = f"{name} asks for {found.warmup} candles. Its newest signal over windows, against all history:"
    rows = [
        {
            **window._asdict(),
            "window": f"{window.candles}{' (asked for)' if window.candles == found.warmup else ''}",
            "first": "" if window.is_enough else utc_text(window.open_ms),
        }
        for window in found.windows
    ]
    shown = (
        Column("window", "candles", True),
        Column("decisions", "decisions changed", True),
        Column("strength", "strength", True, lambda row: _share(row["strength"])),
        Column("stop_distance", "stop distance", True, lambda row: _share(row["stop_distance"])),
        Column("first", "first at (UTC)"),
    )
    return [head, "", *aligned(rows, shown), "", _verdict(found)]


def _share(apart: float) -> str:
    return "the same" if apart == 0.0 else f"{apart:.2g}"


def _verdict(found: "Recursive") -> str:
    if found.is_warmup_enough:
        return f"The {found.warmup} candles are enough: of {found.rows} rows none changed."
    needed = f"{found.enough} are enough" if found.enough else "no window tried was enough"
    return (
        f"The {found.warmup} candles are NOT enough: the bot would do something else than a backtest; "
        f"{needed}. Raise what its warmup returns."
    )
