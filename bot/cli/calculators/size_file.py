"""`ringfence calc size --file`: each position as large as its stop allows, or with the margin it asks for."""

from typing import Any, Final

from bot.cli.calculators.answers import amount, column, percents, price, show_notes, show_table
from bot.cli.calculators.book import asked_book, subject_of
from bot.cli.calculators.position_file import read_positions
from bot.cli.calculators.position_keys import PositionWords
from bot.cli.calculators.size import margin_of, sized
from bot.cli.output import cell, show_json
from bot.errors import UserError
from bot.view.figures import pair, quantity_text

# Of one trade that is described by flags; in a list they would be one price or one loss for all.
_OF_ONE: Final = ("target",)
_COLUMNS: Final = (
    column("symbol", "symbol", pair, is_number=False),
    column("side", "side", cell, is_number=False),
    column("stop_price", "stop", price),
    column("quantity_held", "held", quantity_text),
    column("quantity", "by risk", lambda value: "-" if value is None else quantity_text(value)),
    column("leverage", "leverage", lambda value: "-" if value is None else f"{value:g}x"),
    column("required_margin_quote", "margin", amount),
    column("loss_at_stop_quote", "lost at the stop", amount),
    column("probability", "chance asked", percents),
)


def answer_file(params: dict[str, Any], as_json: bool) -> None:
    """Print a row for each position: with a stop its size, without one the margin of its quantity.

    UserError: the file, another source beside it, --target, or a position that has no answer.
    """
    for name in _OF_ONE:
        if params[name] is not None:
            raise UserError(f"--{name} is of one trade, and --file may hold many. Leave --{name} out.")
    asked_book(params)
    rows = [_row(words, params) for words in read_positions(params["file"]).positions]
    if as_json:
        show_json({"positions": rows, "source": str(params["file"])})
        return
    show_table(rows, _COLUMNS)
    show_notes(_notes(rows))


def _row(words: PositionWords, params: dict[str, Any]) -> dict[str, Any]:
    subject = subject_of(words)
    held = {"quantity_held": subject.position.quantity}
    empty = dict.fromkeys(("quantity", "leverage", "loss_at_stop_quote", "probability"))
    if words.stop is not None:
        row, notes = sized(words, params)
        return {**empty, **row, **held, "notes": notes}
    answer = margin_of(subject, params)
    known = {"side": "long" if words.side > 0 else "short", "stop_price": None}
    return {
        **empty,
        **known,
        **held,
        **answer,
        "required_margin_quote": answer["required_margin"],
        "notes": [],
    }


def _notes(rows: list[dict[str, Any]]) -> list[str]:
    notes = [f"{pair(row['symbol'])}: {note}" for row in rows for note in row["notes"]]
    if any(row["quantity"] is None for row in rows):
        notes.append("Without a stop nothing limits the loss: the margin is that of the quantity held.")
    return notes
