"""Rows and figures on standard output: JSON, a table in a terminal, aligned columns in a pipe."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import Any, Final, NamedTuple

from bot.view.figures import number_text

Row = Mapping[str, Any]

_KEPT: Final[ContextVar[list[Any] | None]] = ContextVar("kept_answers", default=None)
_GAP: Final = 3
_LEAST_LAST: Final = 24


class Column(NamedTuple):
    """A column of a table: the key of a row, its heading, and whether it is a number.

    `write` returns the text of a row's cell; None: `cell` of the value at `key`.
    """

    key: str
    heading: str
    is_number: bool = False
    write: Callable[[Row], str] | None = None

    def text(self, row: Row) -> str:
        """Return the cell of `row` in this column."""
        return cell(row.get(self.key)) if self.write is None else self.write(row)


def columns(*keys: str) -> tuple[Column, ...]:
    """Return columns from "key" or "key:Heading"; a key that ends with "#" is a number."""
    made = []
    for text in keys:
        key, _, heading = text.partition(":")
        name = key.removesuffix("#")
        made.append(Column(name, heading or name.replace("_", " "), key.endswith("#")))
    return tuple(made)


def show_rows(rows: Sequence[Row], shown: Sequence[Column], as_json: bool, empty: str) -> None:
    """Print rows as JSON or as a table of the columns `shown`; `empty` is said when there are none."""
    if as_json:
        show_json([dict(row) for row in rows])
    elif not rows:
        print(empty)
    elif sys.stdout.isatty():
        _show_table(rows, shown)
    else:
        print("\n".join(aligned(rows, shown)))


def show_facts(facts: Row, as_json: bool) -> None:
    """Print figures as JSON or as "name  value" lines."""
    if as_json:
        show_json(dict(facts))
        return
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):<{width}}  {cell(value)}")


def show_json(value: Any) -> None:
    """Print one JSON document. Every amount is a number; infinities and NaN are null."""
    kept = _KEPT.get()
    if kept is not None:
        kept.append(_plain(value))
        return
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False))


@contextmanager
def answers_kept() -> Iterator[list[Any]]:
    """Keep what `show_json` is given instead of printing it, in this thread or task alone."""
    kept: list[Any] = []
    token = _KEPT.set(kept)
    try:
        yield kept
    finally:
        _KEPT.reset(token)


def aligned(rows: Sequence[Row], shown: Sequence[Column]) -> list[str]:
    """Return a heading and one line per row, columns padded with spaces, numbers to the right."""
    table = [[column.heading for column in shown], *_cells(rows, shown)]
    widths = _widths(table)
    return ["  ".join(_padded(line, widths, shown)).rstrip() for line in table]


def records(rows: Sequence[Row], shown: Sequence[Column]) -> list[str]:
    """Return a line "heading  text" per cell and an empty line after each row, for narrow terminals."""
    headings = [column.heading for column in shown]
    width = max(map(len, headings))
    lines = []
    for row in _cells(rows, shown):
        lines += [f"{heading:<{width}}  {text}" for heading, text in zip(headings, row, strict=True)]
        lines.append("")
    return lines


def cell(value: Any) -> str:
    """Return a value as people read it: numbers shortened to what matters, nothing as a dash."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | Decimal):
        return number_text(float(value))
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(_plain(value), ensure_ascii=False)
    return str(value)


def _padded(line: Sequence[str], widths: Sequence[int], shown: Sequence[Column]) -> list[str]:
    return [
        text.rjust(width) if column.is_number else text.ljust(width)
        for text, width, column in zip(line, widths, shown, strict=True)
    ]


def _cells(rows: Sequence[Row], shown: Sequence[Column]) -> list[list[str]]:
    return [[column.text(row) for column in shown] for row in rows]


def _widths(table: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*table, strict=True)]


def _show_table(rows: Sequence[Row], shown: Sequence[Column]) -> None:
    """Print a table whose last column may wrap, or records where the terminal is too narrow for it."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    console, cells = Console(), _cells(rows, shown)
    *widths, last = _widths([[column.heading for column in shown], *cells])
    if sum(widths) + min(last, _LEAST_LAST) + _GAP * len(shown) > console.width:
        print("\n".join(records(rows, shown)))
        return
    table = Table(box=SIMPLE, header_style="bold", pad_edge=False)
    for column in shown:
        justify = "right" if column.is_number else "left"
        table.add_column(column.heading, justify=justify, no_wrap=column is not shown[-1])
    for texts in cells:
        table.add_row(*(text.replace("[", r"\[") for text in texts))
    console.print(table)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return _plain(float(value))
    if isinstance(value, float):
        return value if -float("inf") < value < float("inf") else None
    return value if isinstance(value, bool | int | str | None) else str(value)
