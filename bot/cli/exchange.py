"""`ringfence exchange serve`: an exchange on this machine that real client libraries can trade on."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli import options

app = typer.Typer(
    name="exchange", help="An exchange on this machine, for real client libraries.", no_args_is_help=True
)


@app.callback()
def _group() -> None:
    pass


@app.command("serve")
def serve(
    *,
    dialect: Annotated[
        str, typer.Option("--dialect", metavar="binance|bybit|okx", help="Whose wire protocol it speaks.")
    ] = "binance",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Loopback port; 0: a free one.")
    ] = 8770,
    host: Annotated[
        str, typer.Option("--host", help="A loopback address; others are refused.")
    ] = "127.0.0.1",
    symbols: options.Symbols = None,
    feed: options.Feed = None,
    data: options.Data = None,
    timerange: options.Timerange = None,
    allow_gaps: options.AllowGaps = None,
    seed: options.Seed = None,
    speed: options.Speed = None,
    deposit: Annotated[
        float | None, typer.Option("--deposit", help="Quote currency the account starts with.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FILE", help="Kept here, continued from here; else in memory only."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="KEY:SECRET[:PASSPHRASE]",
            envvar="RINGFENCE_EXCHANGE_KEY",
            help="Its one API key.",
        ),
    ] = None,
    control: Annotated[
        bool, typer.Option("--control", help="Open /control: moves prices, injects faults.")
    ] = False,
    paused: Annotated[bool, typer.Option("--paused", help="Start with the market standing still.")] = False,
    weight_limit: Annotated[
        int, typer.Option("--weight-limit", min=1, help="Request weight per minute.")
    ] = 2_400,
    order_limit: Annotated[
        int, typer.Option("--order-limit", min=1, help="Orders per ten seconds; four times as many a minute.")
    ] = 300,
    quiet_ms: Annotated[
        int,
        typer.Option("--quiet-ms", min=0, help="The market waits until nothing was asked for so long."),
    ] = 0,
    duration: options.Duration = None,
    config: options.Config = None,
) -> int:
    """Serve one paper account until Ctrl-C. Loopback only; its market time is the feed's, not the clock's."""
    settings = options.settings_of(
        config,
        {
            "feed.kind": ("--feed", feed),
            "feed.data": ("--data", data),
            "feed.symbols": ("--symbols", symbols),
            "feed.timerange": ("--timerange", timerange),
            "feed.allow_gaps": ("--allow-gaps", allow_gaps),
            "run.speed": ("--speed", speed),
            "run.seed": ("--seed", seed),
            "run.for_seconds": ("--for", duration),
            "venue.deposit_quote": ("--deposit", deposit),
        },
    )
    from bot.cli.exchange_session import Served, serve_until_stopped

    return serve_until_stopped(
        settings,
        Served(dialect, host, port, state, key, control, paused, weight_limit, order_limit, quiet_ms),
    )
