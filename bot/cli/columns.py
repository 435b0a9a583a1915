"""Columns that write a row's numbers for people: prices in ticks, money in cents, fractions in percent."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.cli.output import Column, Row, cell
from bot.view.figures import (
    NOTHING,
    date_time,
    money,
    pair,
    percent,
    quantity_text,
    signed_money,
    tick_price,
)

Writer = Callable[[Any, Row], str]


def symbol_column() -> Column:
    """Return the column of unified symbols, written without their settlement part."""
    return _column("symbol", "symbol", lambda value, _row: pair(value), is_number=False)


def time_column(key: str, heading: str = "time (UTC)") -> Column:
    """Return a column of UTC times, to the second; the heading says UTC."""
    return _column(key, heading, lambda ms, _row: date_time(ms).removesuffix(" UTC"), is_number=False)


def words_column(key: str, heading: str = "") -> Column:
    """Return a column of machine-readable words, written with spaces."""
    return _column(key, heading, lambda value, _row: str(value).replace("_", " "), is_number=False)


def money_column(key: str, heading: str = "") -> Column:
    """Return a column of quote amounts."""
    return _column(key, heading, lambda value, _row: money(float(value)))


def signed_money_column(key: str, heading: str = "") -> Column:
    """Return a column of quote amounts with their sign."""
    return _column(key, heading, lambda value, _row: signed_money(float(value)))


def quantity_column(key: str, heading: str = "") -> Column:
    """Return a column of base quantities."""
    return _column(key, heading, lambda value, _row: quantity_text(float(value)))


def leverage_column(key: str = "leverage") -> Column:
    """Return a column of leverage settings: 25x."""
    return _column(key, "", lambda value, _row: f"{float(value):g}x")


def percent_column(key: str, heading: str = "") -> Column:
    """Return a column of fractions."""
    return _column(key, heading, _percent)


def price_column(key: str, heading: str = "") -> Column:
    """Return a column of prices, with the decimals of the row's `tick_size`."""
    return _column(key, heading, _price)


def price_change_column(before: str, after: str, heading: str) -> Column:
    """Return a column of two prices of a row, "before -> after"."""
    return _change(before, after, heading, _price)


def percent_change_column(before: str, after: str, heading: str) -> Column:
    """Return a column of two fractions of a row, "before -> after"."""
    return _change(before, after, heading, _percent)


def with_ticks(rows: Iterable[Row], tick_sizes: Mapping[str, float]) -> list[Row]:
    """Return the rows, each with the `tick_size` of its symbol where that is known."""
    return [{**row, "tick_size": tick_sizes.get(row["symbol"])} for row in rows]


def _price(value: Any, row: Row) -> str:
    return tick_price(float(value), row["tick_size"])


def _percent(value: Any, _row: Row) -> str:
    fraction = float(value)
    return percent(fraction) if -float("inf") < fraction < float("inf") else NOTHING


def _column(key: str, heading: str, write: Writer, *, is_number: bool = True) -> Column:
    return Column(key, heading or key.replace("_", " "), is_number, lambda row: _written(row, key, write))


def _change(before: str, after: str, heading: str, write: Writer) -> Column:
    def text(row: Row) -> str:
        return f"{_written(row, before, write)} -> {_written(row, after, write)}"

    return Column(after, heading, True, text)


def _written(row: Row, key: str, write: Writer) -> str:
    value = row.get(key)
    return cell(None) if value is None else write(value, row)
