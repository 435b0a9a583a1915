"""The flags that several commands share, and the settings they lead to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.settings import Flag, Settings

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings in TOML; see the folder config/.")
]
Database = Annotated[
    Path | None, typer.Option("--db", metavar="FILE", help="SQLite database; see config/README.md.")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable JSON on standard output.")]
Symbol = Annotated[str | None, typer.Option("--symbol", help='Only this symbol ("BTC/USDT:USDT").')]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Newest rows shown.")]

Feed = Annotated[
    str | None,
    typer.Option(
        "--feed",
        metavar="synthetic|replay|live",
        help="Made-up market, candles from files, or an exchange's prices now (paper money, no keys).",
    ),
]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder of candle files; with --feed replay.")
]
Symbols = Annotated[
    str | None, typer.Option("--symbols", metavar="A,B", help="Unified symbols, separated by commas.")
]
Timerange = Annotated[
    str | None,
    typer.Option("--timerange", metavar="YYYYMMDD-YYYYMMDD", help="UTC days to replay, the last excluded."),
]
Timeframe = Annotated[
    str | None, typer.Option("--timeframe", help="Candles the strategy sees (5m, 1h); default: its own.")
]
StrategyName = Annotated[
    str | None,
    typer.Option("--strategy", metavar="NAME", help="See list-strategies; or a path, or module:Class."),
]
PolicyName = Annotated[
    str | None, typer.Option("--policy", metavar="NAME", help="Margin policy; see list-policies.")
]
PresetName = Annotated[
    str | None,
    typer.Option("--preset", metavar="NAME", help="Defaults of entry, brackets, margin; see list-presets."),
]
VenueName = Annotated[
    str | None, typer.Option("--venue", metavar="NAME", help="A real exchange; see list-exchanges.")
]
BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="An exchange on this machine: ringfence exchange serve."),
]
Speed = Annotated[
    str | None,
    typer.Option("--speed", metavar="X|max", help="Market seconds per wall second: 1x, 60x, max."),
]
Duration = Annotated[
    str | None, typer.Option("--for", metavar="DURATION", help="Stop after this wall time: 90s, 10m, 2h.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of everything random.")]
Headless = Annotated[
    bool | None, typer.Option("--headless", help="No live view: one JSON log line per intent and outcome.")
]
Summary = Annotated[
    Path | None,
    typer.Option("--summary", metavar="FILE", help="Write the run's totals as JSON at the end."),
]
AllowGaps = Annotated[
    bool | None, typer.Option("--allow-gaps", help="Treat missing candles as a feed outage.")
]


def settings_of(config: Path | None, given: dict[str, tuple[str, Any]]) -> "Settings":
    """Return the settings of a command: `given` maps a key to its flag and value, None if not typed."""
    from bot.settings import load

    return load(config, flags_of(given))


def flags_of(given: dict[str, tuple[str, Any]]) -> "tuple[Flag, ...]":
    """Return the flags among `given` that were typed."""
    from bot.settings import Flag

    return tuple(Flag(key, name, value) for key, (name, value) in given.items() if value is not None)


def settings_with(config: Path | None, preset: str | None) -> "Settings":
    """Return the settings of a command that only reads them, under a preset that was typed, if any."""
    return settings_of(config, {"preset": ("--preset", preset)})


def database_of(config: Path | None, database: Path | None) -> Path:
    """Return the database that the settings name, else the one in `var` that was written last."""
    from bot.liveness import newest_database

    return settings_of(config, {"run.db": ("--db", database)}).run.db or newest_database()
