"""`ringfence trade`: flags into settings, everything checked before anything is written."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import Config, Database, settings_of
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.settings import Settings


def trade(
    *,
    config: Config = None,
    feed: Annotated[
        str | None, typer.Option(metavar="synthetic|replay", help="Made-up market, or candles from files.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of candle files; with --feed replay.")
    ] = None,
    symbols: Annotated[
        str | None, typer.Option(metavar="A,B", help="Unified symbols, separated by commas.")
    ] = None,
    timerange: Annotated[
        str | None, typer.Option(metavar="YYYYMMDD-YYYYMMDD", help="UTC days to replay, the last excluded.")
    ] = None,
    timeframe: Annotated[
        str | None, typer.Option(help="Candles the strategy sees (5m, 1h); default: the strategy's own.")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(metavar="NAME", help="See list-strategies; or a path, or module:Class.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(metavar="NAME", help="Margin policy; see list-policies.")
    ] = None,
    speed: Annotated[
        str | None, typer.Option(metavar="X|max", help="Market seconds per wall second: 1x, 60x, max.")
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="Stop after this wall time: 90s, 10m, 2h."),
    ] = None,
    db: Database = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = None,
    headless: Annotated[
        bool | None, typer.Option("--headless", help="No live view: one JSON log line per event.")
    ] = None,
    summary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the run's totals as JSON at the end.")
    ] = None,
    allow_gaps: Annotated[
        bool | None, typer.Option("--allow-gaps", help="Treat missing candles as a feed outage.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Like --headless, always in JSON.")] = False,
) -> int:
    """Trade on paper until stopped; the same --db continues where it was left.

    Without flags: a synthetic market, accelerated, no keys and no network; the database is
    var/paper.db in the working directory, created when missing.
    """
    settings = settings_of(
        config,
        {
            "feed.kind": ("--feed", feed),
            "feed.data": ("--data", data),
            "feed.symbols": ("--symbols", symbols),
            "feed.timerange": ("--timerange", timerange),
            "feed.timeframe": ("--timeframe", timeframe),
            "feed.allow_gaps": ("--allow-gaps", allow_gaps),
            "strategy.name": ("--strategy", strategy),
            "margin.policy": ("--policy", policy),
            "run.speed": ("--speed", speed),
            "run.for_seconds": ("--for", duration),
            "run.db": ("--db", db),
            "run.seed": ("--seed", seed),
            "run.headless": ("--headless", True if as_json else headless),
            "run.summary": ("--summary", summary),
            "log.format": ("--json", "json" if as_json else None),
        },
    )
    if settings.feed.kind == "synthetic" and (data is not None or timerange is not None):
        raise UserError(
            "--data and --timerange are for candles from files, but the feed is synthetic. "
            "Add --feed replay, or leave them out."
        )
    return _run(settings)


def _run(settings: "Settings") -> int:
    from bot.cli.readiness import check_ready

    check_ready(settings)
    from bot.identity import database_path

    with _database_folder(database_path(settings)), _log_stream(settings):
        _announce(settings)
        from bot.cli.session import trade_on

        return trade_on(settings, has_live_view(settings))


@contextmanager
def _database_folder(database: Path) -> Iterator[None]:
    """Create the default database's folder, and remove it again when nothing was put into it."""
    from bot.liveness import DEFAULT_DATABASE

    if database.parent != Path(DEFAULT_DATABASE).parent or database.parent.exists():
        yield
        return
    try:
        database.parent.mkdir()
    except OSError as error:
        raise UserError(
            f"The folder {database.parent.resolve()} cannot be created: {error.strerror}. "
            "Give write access to the working directory, or name a database elsewhere with --db."
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):  # it holds a database: the ordinary case
            database.parent.rmdir()


@contextmanager
def _log_stream(settings: "Settings") -> Iterator[None]:
    """Send log lines where the settings say; a live view owns the terminal, so they then go nowhere."""
    from bot import logs

    path = settings.log.file
    if path is None and has_live_view(settings):
        path = Path(os.devnull)
    try:
        stream = logs.open_stream(path, sys.stderr)
    except OSError as error:
        raise UserError(
            f"The log file {path} cannot be written: {error.strerror}. "
            "Correct log.file, or leave it empty for standard error."
        ) from error
    logs.configure(settings.log.format, settings.log.level, stream)
    yield
    if stream is not sys.stderr:
        stream.close()


def has_live_view(settings: "Settings") -> bool:
    """Return whether a person is looking: a terminal, and no wish to be headless."""
    return not settings.run.headless and sys.stdout.isatty()


def _announce(settings: "Settings") -> None:
    """Say what starts, with the whole configuration in the log and its hash everywhere."""
    from bot import logs
    from bot.identity import database_path
    from bot.settings import config_hash, effective
    from bot.settings.values import speed_text

    digest = config_hash(settings)
    logs.logger().info("run.configured", config_hash=digest, config=effective(settings))
    if settings.run.headless:
        return
    run, feed = settings.run, settings.feed
    source = "a synthetic market" if feed.kind == "synthetic" else f"candles of {feed.data}"
    print(
        f"Paper trading on {source} at {speed_text(run.speed)}: strategy {settings.strategy.name}, "
        f"margin policy {settings.margin.policy}, database {database_path(settings)}, "
        f"configuration {digest}. "
        "Ctrl-C stops; the positions and their stops stay in the database.",
        file=sys.stderr,
    )
