"""`ringfence halt`, `flatten` and `resume`: a person's word to a bot, running or not."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from bot.cli.options import Config, Database, Json, database_of
from bot.cli.output import show_json
from bot.errors import UserError

_LEVELS: Final = {"no-entry": "NO_ENTRY", "reduce-only": "REDUCE_ONLY", "disconnected": "DISCONNECTED"}
_WAIT_SECONDS: Final = 10.0
_UNTAKEN: Final = 1
_LOOK_SECONDS: Final = 0.1

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the journal.")]


def halt(
    level: Annotated[
        str,
        typer.Option(
            "--level",
            metavar="no-entry|reduce-only|disconnected",
            help="Enter nothing; also release no margin; also as if the exchange were away.",
        ),
    ] = "no-entry",
    reason: Reason = "",
    config: Config = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Stop entries (or more) until `resume`; stops and exits go on. Works with and without a running bot."""
    known = _LEVELS.get(level.lower().replace("_", "-"))
    if known is None:
        raise UserError(
            f'There is no level "{level}". Give --level {", ".join(_LEVELS)}, or use `ringfence flatten` '
            "to close every position."
        )
    _order(database_of(config, db), "halt", known, reason, as_json)


def flatten(reason: Reason = "", config: Config = None, db: Database = None, as_json: Json = False) -> None:
    """Close every position at market, take entries back, and stay halted until `resume`.

    Without a running bot its next start does so before anything else.
    """
    _order(database_of(config, db), "flatten", "FLATTEN", reason, as_json)


def resume(
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, also with real money.")] = False,
    config: Config = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Lift every halt that waits for a person; what ends by itself is left to do so."""
    path = database_of(config, db)
    _confirm(path, is_confirmed=yes)
    _order(path, "resume", "", reason, as_json)


def _confirm(path: Path, *, is_confirmed: bool) -> None:
    """With real money trading goes on only after a typed word. UserError: it was not given."""
    from bot.store.queries import status
    from bot.store.reader import open_reader

    with open_reader(path) as reader:
        mode = status(reader).mode
    if mode != "live" or is_confirmed:
        return
    if not sys.stdin.isatty():
        raise UserError(
            f"{path} trades real money and nobody can confirm that it shall go on: standard input is no "
            "terminal. Nothing was lifted. Add --yes if that is what you want."
        )
    print("REAL MONEY. Type 'resume' to lift the halts: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != "resume":
        raise UserError("It was not confirmed. Nothing was lifted.")


def _order(path: Path, verb: str, level: str, reason: str, as_json: bool) -> None:
    from bot.halting import give
    from bot.outlook import last_state

    before = last_state(path).halts if verb == "resume" else {}
    command, is_entered = give(path, verb, level, reason)
    is_taken = is_entered or is_order_taken(path, command.command_id)
    if verb == "flatten" and is_taken and not is_entered:
        _comes_true(lambda: not last_state(path).positions())
    state = last_state(path)
    found, held = state.halts, [position.symbol for position in state.positions()]
    if as_json:
        from bot.view.halt_words import halt_rows

        facts = {"database": str(path), "is_running": not is_entered, "is_taken": is_taken, "open": held}
        show_json({**facts, "halts": halt_rows(found)})
        _exit_untaken(is_taken)
        return
    from bot.view.halt_words import closed_words, halt_facts, lifted_words, order_words

    print(order_words(verb, is_running=not is_entered, is_taken=is_taken, is_flat=not held))
    if verb == "resume" and is_taken:
        print(lifted_words(before, found))
    if verb == "flatten" and is_taken and not is_entered:
        print(closed_words(held))
    for name, words in halt_facts(found).items():
        print(f"{name:<8} {words}")
    _exit_untaken(is_taken)


def _exit_untaken(is_taken: bool) -> None:
    """Whoever ordered it in a script must not believe that it is done."""
    if not is_taken:
        raise typer.Exit(_UNTAKEN)


def is_order_taken(path: Path, command_id: str) -> bool:
    """Wait until the running bot has committed the order; False when it has not within seconds."""
    from bot.store.commands import CommandFiles

    files = CommandFiles(path)
    return _comes_true(lambda: not files.is_waiting(command_id))


def _comes_true(is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + _WAIT_SECONDS
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
