"""`ringfence proposals`: what an assistant proposed; a person confirms it or declines it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bot.cli.columns import time_column, words_column
from bot.cli.options import Config, Database, Json, Limit, database_of
from bot.cli.output import Column, columns, show_json, show_rows
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.proposals.ground import Ground
    from bot.proposals.standing import Standing
    from bot.store.proposals import Proposal

app = typer.Typer(
    help="What an assistant proposed, and your word on it; without a verb they are listed.",
    rich_markup_mode=None,
    invoke_without_command=True,
)

_NOT_DONE: Final = 1
_REAL_WORD: Final = "confirm"

Number = Annotated[
    str, typer.Argument(metavar="ID", help="As `ringfence proposals` shows it: the last six digits will do.")
]


@app.callback()
def proposals(
    context: typer.Context,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that wait for your word.")] = False,
    config: Config = None,
    db: Database = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show what was proposed, newest first, by whom, and what a person said to it."""
    if context.invoked_subcommand is not None:
        return
    from bot.clock import WallClock
    from bot.outlook import last_state
    from bot.proposals.standing import standings
    from bot.store.location import existing_file

    path = existing_file(database_of(config, db))
    found = standings(path, last_state(path), WallClock().now_ms(), limit)
    rows = [_row(each) for each in found if not only_open or each.state == "open"]
    empty = "No proposal waits for you." if only_open else "Nothing was proposed yet."
    show_rows(rows, _columns(), as_json, empty=empty)


@app.command("confirm")
def confirm(number: Number, config: Config = None, db: Database = None, as_json: Json = False) -> None:
    """Have a proposal done, after it was shown by the figures of now. It asks, and takes no --yes."""
    from bot.clock import WallClock
    from bot.halting import hand_over as hand_over_halt
    from bot.ordering import hand_over
    from bot.proposals.deciding import confirm as confirm_once
    from bot.proposals.deciding import open_proposal
    from bot.store.location import existing_file

    path, clock = existing_file(database_of(config, db)), WallClock()
    proposal = open_proposal(path, number, clock.now_ms())
    is_halt = proposal.verb == "halt"
    _show_terms(path, proposal)
    _ask(_mode(path), proposal)
    again = open_proposal(path, proposal.proposal_id, clock.now_ms())  # it may have expired meanwhile
    if not is_halt:
        _check_again(path, again)

    confirm_once(
        path,
        again,
        _person(),
        clock.now_ms(),
        lambda command: hand_over_halt(path, command) if is_halt else hand_over(path, command),
    )
    _tell(path, again, as_json=as_json)


@app.command("decline")
def decline(number: Number, config: Config = None, db: Database = None, as_json: Json = False) -> None:
    """Say no to a proposal: it can never be confirmed then."""
    from bot.clock import WallClock
    from bot.proposals.deciding import decide, open_proposal
    from bot.store.location import existing_file

    path, now_ms = existing_file(database_of(config, db)), WallClock().now_ms()
    proposal = open_proposal(path, number, now_ms)
    decide(path, proposal, "declined", _person(), now_ms)
    if as_json:
        show_json({"proposal_id": proposal.proposal_id, "state": "declined"})
    else:
        print(f"Declined: {proposal.words}. Nothing was ordered.")


def _row(standing: "Standing") -> dict[str, Any]:
    whole = {**standing.proposal._asdict(), **standing._asdict()}
    del whole["proposal"]
    said = f" ({standing.outcome})" if standing.outcome else ""
    return {
        **whole,
        "number": standing.proposal.proposal_id.rpartition("-")[2],
        "shown": standing.state + said,
    }


def _columns() -> tuple[Column, ...]:
    return (
        *columns("number:id"),
        time_column("proposed_ms", "proposed (UTC)"),
        *columns("shown:state", "proposed_by:by"),
        words_column("words", "what"),
        words_column("reason", "reason"),
    )


def _show_terms(path: Path, proposal: "Proposal") -> None:
    """Print what was proposed, and of a position how it is and would be. UserError: it may not be done."""
    print(f"Proposed by {proposal.proposed_by}: {proposal.words}.", file=sys.stderr)
    if proposal.reason:
        print(f"Its reason, in its own words: {proposal.reason}", file=sys.stderr)
    if proposal.verb == "halt":
        return
    from bot.cli.ordering import asked_words
    from bot.proposals.ground import check_bot, seen_again, wish_of

    check_bot(path)
    print(asked_words(seen_again(_ground(path), proposal), wish_of(proposal)), file=sys.stderr)


def _check_again(path: Path, proposal: "Proposal") -> None:
    """Prices have moved on while a person read. UserError: it may not be done any more."""
    from bot.proposals.ground import check_bot, seen_again

    check_bot(path)
    seen_again(_ground(path), proposal)


def _ground(path: Path) -> "Ground":
    from bot.clock import WallClock
    from bot.proposals.ground import ground_of

    return ground_of(path, WallClock().now_ms())


def _mode(path: Path) -> str:
    from bot.store.queries import status
    from bot.store.reader import open_reader

    with open_reader(path) as reader:
        return status(reader).mode


def _ask(mode: str, proposal: "Proposal") -> None:
    """Only somebody at a terminal confirms; with real money, twice. UserError: nobody did."""
    if not sys.stdin.isatty():
        raise UserError(
            "A person confirms a proposal, at a terminal or on the pages, and standard input is no terminal. "
            "Nothing was ordered."
        )
    print("Do it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UserError(
            "It was not confirmed. Nothing was ordered. To say no for good: ringfence proposals decline "
            f"{proposal.proposal_id}"
        )
    if mode == "live":
        print(f"REAL MONEY. Type '{_REAL_WORD}' to do it: ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip() != _REAL_WORD:
            raise UserError("It was not confirmed. Nothing was ordered.")


def _person() -> str:
    """Return whose terminal it is."""
    import getpass

    try:
        return f"{getpass.getuser()} at a terminal"
    except (OSError, KeyError):  # a container may know its user by number only
        return "a person at a terminal"


def _tell(path: Path, proposal: "Proposal", *, as_json: bool) -> None:
    """Wait for the bot's word on it and print that; exit code 1 while it is not done."""
    from bot.clock import WallClock
    from bot.outlook import last_state
    from bot.proposals.standing import standings

    words = _waited_for(path, proposal)
    found = standings(path, last_state(path), WallClock().now_ms(), 1_000)
    standing = next(each for each in found if each.proposal.proposal_id == proposal.proposal_id)
    if as_json:
        show_json(_row(standing))
    else:
        print(words)
    if standing.outcome != "done":
        raise typer.Exit(_NOT_DONE)


def _waited_for(path: Path, proposal: "Proposal") -> str:
    from bot.cli.halting import is_order_taken
    from bot.cli.ordering import ended, outcome_words

    if proposal.verb != "halt":
        return outcome_words(ended(path, proposal.proposal_id))
    if is_order_taken(path, proposal.proposal_id):
        return "Done: the bot is halted. `ringfence resume` lifts it."
    return "The bot has not taken it yet; it does as soon as it goes on, or at the next start."
