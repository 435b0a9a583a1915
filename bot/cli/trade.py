"""`ringfence trade`: flags into settings, everything checked before anything is written."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import options
from bot.cli.confirmation import confirm
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.settings import Settings


def trade(
    *,
    config: options.Config = None,
    feed: options.Feed = None,
    data: options.Data = None,
    symbols: options.Symbols = None,
    timerange: options.Timerange = None,
    timeframe: options.Timeframe = None,
    strategy: options.StrategyName = None,
    preset: options.PresetName = None,
    policy: options.PolicyName = None,
    venue: options.VenueName = None,
    base_url: options.BaseUrl = None,
    paper: Annotated[
        bool, typer.Option("--paper", help="Nobody's money, also with --base-url; the default without it.")
    ] = False,
    testnet: Annotated[
        bool, typer.Option("--testnet", help="The exchange's test or demo account; no real money.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="REAL MONEY; exchange.allow_live must be set as well.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Trade live without asking.")] = False,
    speed: options.Speed = None,
    duration: options.Duration = None,
    db: options.Database = None,
    seed: options.Seed = None,
    headless: options.Headless = None,
    summary: options.Summary = None,
    allow_gaps: options.AllowGaps = None,
    no_web: Annotated[
        bool, typer.Option("--no-web", help="Serve no pages; else their address is printed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Like --headless, always in JSON.")] = False,
) -> int:
    """Trade until stopped; the same command continues where it was left.

    Without flags on paper: a synthetic market, accelerated, no keys, no network, its database var/paper.db.
    """
    settings = options.settings_of(
        config,
        {
            "feed.kind": ("--feed", feed),
            "feed.data": ("--data", data),
            "feed.symbols": ("--symbols", symbols),
            "feed.timerange": ("--timerange", timerange),
            "feed.timeframe": ("--timeframe", timeframe),
            "feed.allow_gaps": ("--allow-gaps", allow_gaps),
            "strategy.name": ("--strategy", strategy),
            "preset": ("--preset", preset),
            "margin.policy": ("--policy", policy),
            "exchange.name": ("--venue", venue),
            "exchange.base_url": ("--base-url", base_url),
            "run.mode": _mode(base_url, paper=paper, testnet=testnet, live=live),
            "run.speed": ("--speed", speed),
            "run.for_seconds": ("--for", duration),
            "run.db": ("--db", db),
            "run.seed": ("--seed", seed),
            "run.headless": ("--headless", True if as_json else headless),
            "run.summary": ("--summary", summary),
            "web.enabled": ("--no-web", False if no_web else None),
            "log.format": ("--json", "json" if as_json else None),
        },
    )
    _refuse_idle(settings, {"--data": data, "--timerange": timerange, "--allow-gaps": allow_gaps}, speed)
    return _run(settings, is_confirmed=yes)


def _mode(base_url: str | None, **chosen: bool) -> tuple[str, str | None]:
    """Return the flag that says whose money is traded, and the mode; an exchange of one's own: testnet."""
    modes = [name for name, is_chosen in chosen.items() if is_chosen]
    if len(modes) > 1:
        raise UserError(
            f"{' and '.join(f'--{name}' for name in modes)} were given together. Paper and testnet are play "
            "money, live is yours: give one."
        )
    if modes:
        return f"--{modes[0]}", modes[0]
    return "--base-url", "testnet" if base_url else None


def _refuse_idle(settings: "Settings", for_files: dict[str, object], speed: str | None) -> None:
    """Refuse flags that would do nothing with this feed."""
    kind = settings.feed.kind
    if kind == "live" and speed is not None:
        raise UserError("The feed is live: its market runs at the speed of the clock. Leave --speed out.")
    typed = [flag for flag, value in for_files.items() if value is not None]
    if kind != "replay" and typed:
        verb = "is" if len(typed) == 1 else "are"
        raise UserError(
            f"The feed is {kind}, and {' and '.join(typed)} {verb} for candles from files. "
            "Add --feed replay, or leave them out."
        )


def _run(settings: "Settings", *, is_confirmed: bool) -> int:
    from bot.cli.readiness import check_places, check_routes, check_strategy
    from bot.continuation import held_timeframe
    from bot.identity import database_path

    path = database_path(settings)
    if held_timeframe(settings, path) is None:  # else what is open is guarded, with a strategy or without
        check_strategy(settings)
    check_places(settings)
    check_routes(settings)
    with _database_folder(path), _log_stream(settings):
        from bot.cli.session import trade_on

        return trade_on(
            settings,
            has_live_view(settings),
            lambda application: confirm(application, is_confirmed=is_confirmed),
            lambda: _announce(settings, path),
        )


@contextmanager
def _database_folder(database: Path) -> Iterator[None]:
    """Create the folder of databases that nobody named, and remove it again when it stays empty."""
    from bot.liveness import FOLDER

    if database.parent != FOLDER or FOLDER.exists():
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
    """Return whether a person is looking: a terminal that can show it, and no wish to be headless."""
    if settings.run.headless or not sys.stdout.isatty():
        return False
    from rich.console import Console

    from bot.cli.live import can_show

    return can_show(Console())


def _announce(settings: "Settings", database: Path) -> None:
    """Say what starts, with the whole configuration in the log and its hash everywhere."""
    from bot import logs
    from bot.settings import config_hash, effective
    from bot.view.place_words import start_words

    digest = config_hash(settings)
    logs.logger().info("run.configured", config_hash=digest, config=effective(settings))
    if settings.run.headless:
        return
    print(
        f"{start_words(settings)}: {', '.join(settings.feed.symbols)}, strategy {settings.strategy.name}, "
        f"preset {settings.preset}, margin policy {settings.margin.policy}, database {database}, "
        f"configuration {digest}. Ctrl-C stops; the positions and their stops stay {_kept(settings)}.",
        file=sys.stderr,
    )


def _kept(settings: "Settings") -> str:
    return "in the database" if settings.run.mode == "paper" else "at the exchange"
