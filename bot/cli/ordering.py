"""`ringfence margin add|release`, `reduce` and `close`: a person's orders about one open position."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bot.cli.options import Config, Database, Json, database_of
from bot.cli.output import show_json
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.engine.errand import Errand
    from bot.ordering import Seen
    from bot.risk.by_hand import Wish

_WAIT_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.2
_NOT_DONE: Final = 1

Which = Annotated[str, typer.Argument(metavar="SYMBOL", help='"BTC/USDT:USDT", or BTC if only one is open.')]
Amount = Annotated[float, typer.Argument(metavar="AMOUNT", help="In quote currency (USDT).")]
Fraction = Annotated[
    float, typer.Argument(metavar="FRACTION", help="Of the quantity: 0.25 closes a quarter.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; with real money the word is still asked for.")]


def add(
    symbol: Which,
    amount: Amount,
    yes: Yes = False,
    config: Config = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Add isolated margin to an open position, out of what is free beyond the reserve.

    The running bot carries it out. It may exceed the policy's own budget; the policy takes nothing of it back
    within a minute.
    """
    from bot.risk.by_hand import Wish

    _order(database_of(config, db), symbol, Wish("add", amount), is_confirmed=yes, as_json=as_json)


def release(
    symbol: Which,
    amount: Amount,
    yes: Yes = False,
    config: Config = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Release isolated margin of an open position, as far as the exchange, the stop and the policy let it."""
    from bot.risk.by_hand import Wish

    _order(database_of(config, db), symbol, Wish("release", amount), is_confirmed=yes, as_json=as_json)


def reduce(
    symbol: Which,
    fraction: Fraction,
    yes: Yes = False,
    config: Config = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Close a fraction of an open position, reduce-only at market; its stop stays over the rest."""
    from bot.risk.by_hand import Wish

    wish = Wish("reduce", fraction=fraction)
    _order(database_of(config, db), symbol, wish, is_confirmed=yes, as_json=as_json)


def close(
    symbol: Which, yes: Yes = False, config: Config = None, db: Database = None, as_json: Json = False
) -> None:
    """Close an open position, reduce-only at market. The strategy may enter again; `halt` prevents it."""
    from bot.risk.by_hand import Wish

    _order(database_of(config, db), symbol, Wish("close"), is_confirmed=yes, as_json=as_json)


def _order(path: Path, name: str, wish: "Wish", *, is_confirmed: bool, as_json: bool) -> None:
    from bot import ordering

    seen = ordering.look(path, name, wish)
    _confirm(seen, wish, is_confirmed=is_confirmed)
    command_id = ordering.give(path, seen.symbol, wish, seen.position_id)
    errand = ended(path, command_id)
    if as_json:
        show_json(_facts(seen, wish, command_id, errand))
    else:
        print(outcome_words(errand))
    if errand is None or errand.state != "done":
        raise typer.Exit(_NOT_DONE)  # whoever ordered it in a script must not believe that it is done


def _confirm(seen: "Seen", wish: "Wish", *, is_confirmed: bool) -> None:
    """Show what would change, and ask; with real money twice. UserError: it was not confirmed.

    Said beforehand (--yes) the first question is answered; the word is only where the settings say so too.
    """
    print(asked_words(seen, wish), file=sys.stderr)
    needs_word = seen.mode == "live" and not (is_confirmed and seen.may_be_unattended)
    if is_confirmed and not needs_word:
        return
    if not sys.stdin.isatty():
        raise UserError(_nobody_there(is_live=seen.mode == "live"))
    if not is_confirmed and _answer("Do it? [y/N] ").lower() not in ("y", "yes"):
        raise UserError("It was not confirmed. Nothing was ordered.")
    if needs_word and _answer(f"REAL MONEY. Type '{wish.verb}' to do it: ") != wish.verb:
        raise UserError("It was not confirmed. Nothing was ordered.")


def _answer(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _nobody_there(*, is_live: bool) -> str:
    fact = "Nobody can confirm it: standard input is no terminal. Nothing was ordered."
    if not is_live:
        return f"{fact} Add --yes if that is what you want."
    return (
        f"{fact} With real money --yes is not enough: order it at a terminal or in the pages, or let scripts "
        "do it with exchange.allow_unattended_orders = true, start the bot anew, and add --yes."
    )


def asked_words(seen: "Seen", wish: "Wish") -> str:
    """Return the order in words, and the position before it and after it."""
    from bot.cli.columns import money_column, percent_column, price_column, words_column
    from bot.cli.output import aligned
    from bot.core.position import side_name

    held = f"{side_name(seen.side)} {seen.quantity:.10g} {seen.symbol} (position {seen.position_id})"
    told = {
        "add": f"Add {seen.preview.amount_quote:,.2f} to the margin of {held}",
        "release": f"Release {seen.preview.amount_quote:,.2f} of the margin of {held}",
        "reduce": f"Close {seen.preview.quantity:.10g} of {held} at market",
        "close": f"Close {held} at market",
    }[wish.verb]
    risks = (("now", seen.preview.before), ("after", seen.preview.after))
    rows = [
        {"when": when, "tick_size": seen.tick_size, **risk._asdict()}
        for when, risk in risks
        if risk is not None
    ]
    columns = (
        words_column("when", ""),
        money_column("isolated_wallet", "margin"),
        price_column("liquidation_price", "liquidation"),
        percent_column("distance"),
        percent_column("liquidation_probability", "liquidated in 24 h"),
    )
    return "\n".join([f"{told}.", *aligned(rows, columns)])


def ended(path: Path, command_id: str) -> "Errand | None":
    """Wait until the order has ended, and return how far it is; None: nobody took it, and it is withdrawn."""
    from bot import ordering

    if not _comes_true(lambda: ordering.is_taken(path, command_id)):
        ordering.withdraw(path, command_id)
    _comes_true(lambda: not ((told := ordering.outcome(path, command_id)) and told.is_open))
    return ordering.outcome(path, command_id)


def outcome_words(errand: "Errand | None") -> str:
    """Return in words how far an order is; None: nobody took it, and it was withdrawn."""
    if errand is None:
        return (
            "The bot's process is there and did not take the order, so it was withdrawn: nothing was moved. "
            "If it hangs, stop it and look after the position at the exchange: its stop rests there."
        )
    if errand.is_open:
        return (
            "The bot has taken the order, and the exchange has not answered yet. What becomes of it is in "
            "`ringfence journal`; after a minute it is given up unless it was sent."
        )
    return f"Done: {errand.message}" if errand.state == "done" else f"Refused: {errand.message}"


def _facts(seen: "Seen", wish: "Wish", command_id: str, errand: "Errand | None") -> dict[str, object]:
    before, after = seen.preview.before, seen.preview.after
    return {
        "command_id": command_id,
        "verb": wish.verb,
        "symbol": seen.symbol,
        "position_id": seen.position_id,
        "state": "withdrawn" if errand is None else errand.state,
        "message": outcome_words(errand) if errand is None or errand.is_open else errand.message,
        "before": None if before is None else before._asdict(),
        "after": None if after is None else after._asdict(),
    }


def _comes_true(is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + _WAIT_SECONDS
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
