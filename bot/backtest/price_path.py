"""A price path from one file of candles or marks, for what-if: the same checks as a replay's."""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.data_check import Rows, check_candles, check_finite, check_order, refuse
from bot.backtest.history import columns_of, read_rows
from bot.core.candles import Candles
from bot.core.timeframe import DAY_MS, MINUTE_MS
from bot.core.timerange import TimeRange
from bot.errors import UserError

_PRICES: Final = ("open", "high", "low", "close")
_MARKS: Final = ("mark", "mark_price", "price", "close")
_EVER: Final = TimeRange(-(2**62), 2**62)
_SUFFIXES: Final = (".parquet", ".feather", ".ipc", ".arrow", ".csv")


class PricePath(NamedTuple):
    """Prices and when they are; `step_ms` is the time between the first two, at least 1."""

    ts_ms: NDArray[np.int64]
    marks: NDArray[np.float64]
    step_ms: int


def read_price_path(path: Path, side: int) -> PricePath:
    """Return the prices of a file, for a position of `side`: candles (open to close) or marks.

    Candles have open, high, low and close; marks one of mark, mark_price, price and close; both timestamp
    or date. UserError names file, row and reason for anything that is not sound.
    """
    if path.suffix not in _SUFFIXES:
        raise UserError(f"{path} is none of {', '.join(_SUFFIXES)}. Give --path such a file.")
    if not path.is_file():
        raise UserError(f"There is no file {path}. Check --path.")
    names = columns_of(path)
    if set(_PRICES) <= set(names):
        return _of_candle_rows(path, read_rows(path, _PRICES, _EVER), side)
    name = next((name for name in _MARKS if name in names), None)
    if name is None:
        raise UserError(
            f"{path} has neither candles nor marks; it has {', '.join(names) or 'no column'}. A path needs "
            "timestamp (or date) and either open, high, low, close or mark. Convert the file."
        )
    rows = read_rows(path, (name,), _EVER)
    _check_rows(path, rows)
    marks = rows.columns[name]
    for row in np.flatnonzero(marks <= 0.0)[:1]:
        refuse(path, int(rows.number[row]), int(rows.ts_ms[row]), "has a price that is not positive")
    return PricePath(rows.ts_ms, marks, _least_step(rows.ts_ms))


def path_of_candles(candles: Candles, timeframe_ms: int, side: int) -> PricePath:
    """Return four prices a candle: open, the extreme against `side`, the other extreme, close."""
    against, other = (candles.low, candles.high) if side > 0 else (candles.high, candles.low)
    marks = np.column_stack([candles.open, against, other, candles.close]).ravel()
    step_ms = timeframe_ms // 4
    ts_ms = (candles.open_ms[:, None] + step_ms * np.arange(4)[None, :]).ravel()
    return PricePath(ts_ms, marks, step_ms)


def _of_candle_rows(path: Path, rows: Rows, side: int) -> PricePath:
    _check_rows(path, rows)
    timeframe_ms = _least_step(rows.ts_ms) if len(rows.ts_ms) > 1 else MINUTE_MS
    if timeframe_ms % MINUTE_MS or timeframe_ms > DAY_MS:
        refuse(
            path,
            2,
            int(rows.ts_ms[1]),
            f"comes {timeframe_ms / 1000:g} s after a candle; it needs whole minutes",
        )
    check_candles(path, rows, timeframe_ms)
    return path_of_candles(_candles(rows), timeframe_ms, side)


def _candles(rows: Rows) -> Candles:
    open_, high, low, close = (rows.columns[name] for name in _PRICES)
    none = np.zeros(len(rows.ts_ms))
    return Candles(rows.ts_ms, open_, high, low, close, none, none)


def _check_rows(path: Path, rows: Rows) -> None:
    if not len(rows.ts_ms):
        raise UserError(f"{path} has no rows. Give --path a file with prices.")
    check_order(path, rows)
    check_finite(path, rows)


def _least_step(ts_ms: NDArray[np.int64]) -> int:
    return int(np.diff(ts_ms).min()) if len(ts_ms) > 1 else MINUTE_MS
