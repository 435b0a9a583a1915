"""`ringfence exchange serve`: an exchange on this machine that real client libraries can trade on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bot.cli import options
from bot.loopback import SERVED_PACE

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer(
    name="exchange", help="An exchange on this machine, for real client libraries.", no_args_is_help=True
)

_PACE: Final = f"{SERVED_PACE:g}x"
Dialect = Annotated[
    str,
    typer.Option("--dialect", metavar="binance|bybit|okx|hyperliquid", help="Whose wire protocol it speaks."),
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Loopback port; 0: a free one.")]
Host = Annotated[str, typer.Option("--host", help="A loopback address; others are refused.")]
Feed = Annotated[
    str | None,
    typer.Option("--feed", metavar="synthetic|replay", help="Made-up market, or candles from files."),
]
Speed = Annotated[
    str | None,
    typer.Option("--speed", metavar="X|max", help=f"Market seconds per wall second; {_PACE} if unsaid."),
]
Deposit = Annotated[float | None, typer.Option("--deposit", help="Quote currency the account starts with.")]
State = Annotated[
    Path | None,
    typer.Option("--state", metavar="FILE", help="Kept here, continued from here; else in memory only."),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="KEY:SECRET[:PASSPHRASE]",
        envvar="RINGFENCE_EXCHANGE_KEY",
        help="Its one API key.",
    ),
]
Control = Annotated[bool, typer.Option("--control", help="Open /control: moves prices, injects faults.")]
Paused = Annotated[bool, typer.Option("--paused", help="Start with the market standing still.")]
WeightLimit = Annotated[int, typer.Option("--weight-limit", min=1, help="Request weight per minute.")]
OrderLimit = Annotated[
    int, typer.Option("--order-limit", min=1, help="Orders per ten seconds; four times as many a minute.")
]
QuietMs = Annotated[
    int,
    typer.Option("--quiet-ms", min=0, help="The market waits until nothing was asked for so long."),
]


@app.callback()
def _group() -> None:
    pass


@app.command("serve")
def serve(
    *,
    dialect: Dialect = "binance",
    port: Port = 8770,
    host: Host = "127.0.0.1",
    symbols: options.Symbols = None,
    feed: Feed = None,
    data: options.Data = None,
    timerange: options.Timerange = None,
    allow_gaps: options.AllowGaps = None,
    seed: options.Seed = None,
    speed: Speed = None,
    deposit: Deposit = None,
    state: State = None,
    key: Key = None,
    control: Control = False,
    paused: Paused = False,
    weight_limit: WeightLimit = 2_400,
    order_limit: OrderLimit = 300,
    quiet_ms: QuietMs = 0,
    duration: options.Duration = None,
    config: options.Config = None,
) -> int:
    """Serve one paper account until Ctrl-C. Loopback only; its market time is the feed's, not the clock's."""
    settings = _paced(
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


def _paced(config: Path | None, given: dict[str, tuple[str, Any]]) -> "Settings":
    """Return the settings, at the pace of an exchange where nobody said one."""
    from bot.settings import load_with_origins
    from bot.settings.origins import DEFAULT

    loaded = load_with_origins(config, options.flags_of(given))
    if loaded.origins["run.speed"] != DEFAULT:
        return loaded.settings
    return options.settings_of(config, {**given, "run.speed": ("--speed", _PACE)})
