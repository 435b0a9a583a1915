"""The command `ringfence`: verbs, exit codes, and errors as one paragraph.

Only typer and the standard library are imported here and in the verb files: `ringfence --help` is
instant, and every command imports what it needs in its body.
"""

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Annotated

import typer
from typer.exceptions import TyperException

from bot import __version__
from bot.cli import (
    alerts,
    backtest,
    calculator,
    checks,
    compare,
    configuration,
    data,
    database,
    download,
    exchange,
    halting,
    honesty,
    listing,
    margin,
    ordering,
    pages,
    proposals,
    reading,
    sweep,
    trade,
)
from bot.cli.start_up import StoppedEarly, start_of_trading
from bot.errors import RingfenceError, UserError
from bot.redaction import without_secrets

OK = 0
FATAL = 1
BAD_INPUT = 2
INTERRUPTED = 130

# What these write is of one user: where positions are, and what was traded.
_OF_A_BOT = (
    "trade",
    "halt",
    "flatten",
    "resume",
    "margin",
    "reduce",
    "close",
    "alerts",
    "proposals",
    "db",
    "exchange",
    "web",
)

# What a container asks every few seconds: answered before typer loads pydantic to read the flags.
_HEALTH_CHECK = ("doctor", "--live")

_EPILOG = (
    "Exit codes: 0 ok; 1 fatal, unhealthy, order not taken; 2 bad input; 3 the strategy did not answer; "
    "130 interrupted. "
    "Settings come from flags, RINGFENCE__SECTION__KEY variables, a secrets folder and --config, "
    "in this order of precedence."
)

app = typer.Typer(
    name="ringfence",
    help="A perpetual-futures trading bot that manages the isolated margin of open positions.",
    epilog=_EPILOG,
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"ringfence {__version__}")
        raise typer.Exit(OK)


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


app.command("trade")(trade.trade)
app.command("halt")(halting.halt)
app.command("flatten")(halting.flatten)
app.command("resume")(halting.resume)
app.command("reduce")(ordering.reduce)
app.command("close")(ordering.close)
app.command("status")(reading.status)
app.command("positions")(reading.positions)
app.command("trades")(reading.trades)
app.add_typer(margin.app, name="margin")
app.command("journal")(reading.journal)
app.add_typer(alerts.app, name="alerts")
app.add_typer(proposals.app, name="proposals")
app.command("list-strategies")(listing.list_strategies)
app.command("list-policies")(listing.list_policies)
app.command("list-presets")(listing.list_presets)
app.command("list-exchanges")(listing.list_exchanges)
app.command("show-config")(configuration.show_config)
app.command("check-config")(configuration.check_config)
app.command("download-data")(download.download_data)
app.add_typer(data.app, name="data")
app.command("backtest")(backtest.backtest)
app.command("warmup")(backtest.warmup)
app.command("compare")(compare.compare)
app.command("lookahead")(honesty.lookahead)
app.command("recursive")(honesty.recursive)
app.command("sweep")(sweep.sweep)
app.add_typer(calculator.app, name="calc")
app.command("doctor")(checks.doctor)
app.add_typer(database.app, name="db")
app.add_typer(exchange.app, name="exchange")
app.add_typer(pages.app, name="web")


def main() -> None:
    """Run the command line of this process and leave it with an exit code."""
    code = run(sys.argv[1:])
    gc.freeze()  # the interpreter's last collection would walk all of ccxt for a second
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors go to standard error as one paragraph."""
    with _private_files(arguments):
        return _run(arguments)


@contextmanager
def _private_files(arguments: Sequence[str]) -> Iterator[None]:
    """Let nobody else read what a verb of a bot writes: database, log, lock, copies, orders, summary."""
    if not arguments or arguments[0] not in _OF_A_BOT:
        yield
        return
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _run(arguments: Sequence[str]) -> int:
    try:
        if tuple(arguments) == _HEALTH_CHECK:
            return checks.health(None, None, None, as_json=False)
        with start_of_trading() if tuple(arguments[:1]) == ("trade",) else nullcontext():
            code = app(list(arguments), prog_name="ringfence", standalone_mode=False)
    except StoppedEarly:
        return _say("stopped before trading began; nothing was sent.", OK)
    except UserError as error:
        return _say(str(error), BAD_INPUT)
    except RingfenceError as error:
        return _say(f"Stopped: {error} Start again to continue from the database.", FATAL)
    except TyperException as error:
        return _refuse_usage(error)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return code if isinstance(code, int) else OK


def _refuse_usage(error: TyperException) -> int:
    """Say what was wrong with the command line; a group without a verb is answered with its help."""
    message = error.format_message()
    if message.startswith("Usage:"):
        print(message, file=sys.stderr)
        return error.exit_code
    context = getattr(error, "ctx", None)
    command = "ringfence" if context is None else context.command_path
    return _say(f"{message.rstrip('.')}. See {command} --help.", error.exit_code)


def _say(paragraph: str, code: int) -> int:
    print(f"ringfence: {without_secrets(' '.join(paragraph.split()))}", file=sys.stderr)
    return code
