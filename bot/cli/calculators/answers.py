"""How calculators answer people: prices and amounts in words, tables, notes, and a chart in a terminal."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bot.cli.output import Column, cell
from bot.view.figures import money, pair, quantity_text, signed_money

if TYPE_CHECKING:
    from bot.cli.calculators.book import Subject
    from bot.cli.screen.chart import Axes, Curve, Level

NEVER = "none"


def price(value: float | None) -> str:
    """Return a price; "none" where no price does it (0, infinity), a dash where it is not known."""
    if value is None:
        return cell(None)
    return cell(float(value)) if 0.0 < value < float("inf") else NEVER


def percents(fraction: float | None, digits: int = 2) -> str:
    """Return a fraction in percent; a dash where it is not known."""
    if fraction is None:
        return cell(None)
    if abs(fraction) == float("inf"):
        return "without end"
    return f"{round(100.0 * fraction, digits) + 0.0:.{digits}f} %"


def chance(probability: float | None) -> str:
    """Return a probability in percent; small ones as "under 0.01 %"."""
    if probability is not None and 0.0 < probability < 1e-4:
        return "under 0.01 %"
    return percents(probability)


def amount(value: float | None, is_inverse: bool = False) -> str:
    """Return an amount in cents; of an inverse contract in coins."""
    if value is None:
        return cell(None)
    return cell(float(value)) if is_inverse else money(value)


def signed(value: float | None) -> str:
    """Return an amount with its sign."""
    return cell(None) if value is None else signed_money(value)


def said(subject: "Subject") -> str:
    """Return one line that says which position it is."""
    held = subject.position
    side = "long" if held.side > 0 else "short"
    unit = "USD" if subject.rules.is_inverse else held.symbol.partition("/")[0]
    wallet = amount(held.isolated_wallet, subject.rules.is_inverse)
    return (
        f"{pair(held.symbol)} {side} {held.leverage:g}x, {quantity_text(held.quantity)} {unit} at "
        f"{price(held.entry_price)}, mark {price(subject.mark)}, margin {wallet}"
    )


def column(key: str, heading: str, write: Any, is_number: bool = True) -> Column:
    """Return a column whose cell is `write` of the row's value at `key`."""
    return Column(key, heading, is_number, lambda row: write(row[key]))


def show_table(rows: Sequence[dict[str, Any]], shown: Sequence[Column], spare: Sequence[str] = ()) -> None:
    """Print rows as aligned columns.

    In a terminal too narrow for them, columns of the keys `spare` are left out in that order; where that is
    not enough, each row becomes a list of all its cells.
    """
    from shutil import get_terminal_size

    from bot.cli.output import aligned, records

    width = get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    for count in range(len(spare) + 1):
        lines = aligned(rows, [column for column in shown if column.key not in spare[:count]])
        if max(map(len, lines)) <= width:
            print("\n".join(lines))
            return
    print("\n".join(records(rows, shown)))


def show_notes(notes: Iterable[str]) -> None:
    """Print each note as a paragraph, as wide as the terminal."""
    from shutil import get_terminal_size
    from textwrap import fill

    width = min(get_terminal_size().columns, 100)
    for note in notes:
        print(fill(note, max(width, 40)))


def show_chart(curves: "Sequence[Curve]", levels: "Sequence[Level]", axes: "Axes", title: str) -> None:
    """Draw a chart where standard output is a terminal that can hold one; print nothing elsewhere."""
    if not sys.stdout.isatty():
        return
    from rich.console import Console

    from bot.cli.live import can_show, signs_for
    from bot.cli.screen.chart import chart_lines
    from bot.cli.screen.palette import Painted

    console = Console()
    if not can_show(console):
        return
    lines = chart_lines(curves, levels, axes, min(console.width, 110), signs_for(console))
    if lines:
        print(f"\n{title}")
        console.print(Painted(lines), end="")
