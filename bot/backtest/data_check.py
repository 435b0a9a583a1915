"""What makes recorded data unusable, and the refusals: each names the file, the row and the reason."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from bot.core.timeframe import timeframe_text
from bot.core.timerange import utc_text
from bot.errors import UserError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Rows(NamedTuple):
    """Rows of one file in its order. `number` counts the file's data rows from 1."""

    number: NDArray[np.int64]
    ts_ms: NDArray[np.int64]
    columns: dict[str, Floats]


def refuse(path: Path, number: int, ts_ms: int | None, reason: str) -> NoReturn:
    """Raise the UserError of a bad row."""
    when = "" if ts_ms is None else f" ({utc_text(ts_ms)} UTC)"
    raise UserError(
        f"{path}, row {number}{when}: {reason}. The recorded data is damaged, and a replay of it would "
        "not be what happened. Repair or fetch the file again, or choose a range that avoids the row."
    )


Flaws = Iterator[tuple[Flags, str]]


def check_candles(path: Path, rows: Rows, timeframe_ms: int) -> None:
    """Raise UserError for the first row of a kind that cannot be a candle of `timeframe_ms`."""
    check_order(path, rows)
    check_finite(path, rows)
    _refuse_first(path, rows, candle_flaws(rows, timeframe_ms))


def check_order(path: Path, rows: Rows) -> None:
    """Raise UserError unless times rise from row to row."""
    _refuse_first(path, rows, order_flaws(rows))
    skipped = np.flatnonzero(np.diff(rows.number) != 1)
    if skipped.size:
        refuse(path, int(rows.number[skipped[0]]) + 1, None, "is out of time order (not sorted)")


def check_finite(path: Path, rows: Rows) -> None:
    """Raise UserError for a missing, NaN or infinite number."""
    _refuse_first(path, rows, number_flaws(rows))


def order_flaws(rows: Rows) -> Flaws:
    """Yield which rows repeat or precede the row before them, with the words for it."""
    steps = np.diff(rows.ts_ms, prepend=rows.ts_ms[:1] - 1)
    yield steps == 0, "has the same time as the row before it (a duplicate)"
    yield steps < 0, "is older than the row before it (not sorted)"


def number_flaws(rows: Rows) -> Flaws:
    """Yield which rows lack a finite number, column by column."""
    for name, values in rows.columns.items():
        yield ~np.isfinite(values), f"has no finite number in column '{name}'"


def candle_flaws(rows: Rows, timeframe_ms: int) -> Flaws:
    """Yield which rows cannot be candles of `timeframe_ms`, with the words for each kind. NaN is none."""
    open_, high, low, close = (rows.columns[name] for name in ("open", "high", "low", "close"))
    yield rows.ts_ms % timeframe_ms != 0, f"is off the {timeframe_text(timeframe_ms)} grid"
    yield np.minimum(np.minimum(open_, low), close) <= 0.0, "has a price that is not positive"
    yield high < np.maximum(open_, close), "has a high below its open or close"
    yield low > np.minimum(open_, close), "has a low above its open or close"
    if "volume" in rows.columns:
        yield rows.columns["volume"] < 0.0, "has a negative volume"


def _refuse_first(path: Path, rows: Rows, flaws: Flaws) -> None:
    for is_bad, reason in flaws:
        bad = np.flatnonzero(is_bad)
        if bad.size:
            refuse(path, int(rows.number[bad[0]]), int(rows.ts_ms[bad[0]]), reason)
