"""The flags that several commands share, and the settings they lead to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings in TOML; see the folder config/.")
]
Database = Annotated[
    Path | None, typer.Option("--db", metavar="FILE", help="SQLite database (default var/paper.db).")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable JSON on standard output.")]
Symbol = Annotated[str | None, typer.Option("--symbol", help='Only this symbol ("BTC/USDT:USDT").')]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Newest rows shown.")]


def settings_of(config: Path | None, given: dict[str, tuple[str, Any]]) -> "Settings":
    """Return the settings of a command: `given` maps a key to its flag and value, None if not typed."""
    from bot.settings import Flag, load

    flags = (Flag(key, name, value) for key, (name, value) in given.items() if value is not None)
    return load(config, tuple(flags))


def database_of(config: Path | None, database: Path | None) -> Path:
    """Return the database that the settings name."""
    return settings_of(config, {"run.db": ("--db", database)}).run.db
