"""A strategy's signals over the same candles, said twice: which rows differ, and by how much."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.candles import Candles
from bot.core.signal import Signals
from bot.errors import UserError
from bot.strategy import Strategy, check_signals

_FAILURES: Final = (Exception, SystemExit)  # a strategy is somebody else's code
# What a recursive average may still know of its start; the contract tests of strategies allow as much.
TOLERANCE: Final = 1e-6


class Column(NamedTuple):
    """A column that differs: in which rows, and by how much at most (1.0 for a decision)."""

    name: str
    rows: NDArray[np.int64]
    largest: float


def signals_of(strategy: Strategy, candles: Candles) -> Signals:
    """Return the strategy's signals. UserError: it raised something, or what it returned is unusable."""
    try:
        signals = strategy.signals(candles)
        check_signals(signals, len(candles.close))
    except _FAILURES as error:
        raise UserError(
            f"{strategy} failed on {len(candles.close)} candles ({type(error).__name__}: {error}). "
            "Correct the strategy and try again."
        ) from error
    return signals


def differing(one: Signals, other: Signals, tolerance: float) -> Iterator[Column]:
    """Yield each column in which rows of `other` are not those of `one`, in the order of Signals.

    Signals of equal length. `tolerance`: of strength, and of stop distance relative to the larger of both;
    0.0: to the bit. NaN equals NaN, and differs by 1.0 from any number.
    """
    for name, first, second in zip(Signals._fields, one, other, strict=True):
        apart = _APART[name](first, second)
        rows = np.flatnonzero(apart > tolerance)
        if rows.size:
            yield Column(name, rows, float(apart[rows].max()))


def first_rows(candles: Candles, count: int) -> Candles:
    """Return the first `count` candles (views)."""
    return Candles._make(column[:count] for column in candles)


def telling_rows(signals: Signals, least: int, count: int) -> NDArray[np.int64]:
    """Return up to `count` rows from `least` on, in order: half where it enters or leaves, half spread.

    Where there is a wish a cheat pays; what differs elsewhere is found by the others.
    """
    total = len(signals.entries)
    wishes = np.flatnonzero(signals.entries | _begins(signals.exits))
    wishes = _spread(wishes[wishes >= least], (count + 1) // 2)
    others = np.setdiff1d(np.arange(min(least, total), total), wishes)
    return np.union1d(wishes, _spread(others, count - len(wishes)))


def _otherwise(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    return (first != second).astype(np.float64)


def _away(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """The difference: a strength lies between 0 and 1."""
    return _with_unknown(np.abs(first - second), first, second)


def _relatively(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    larger = np.maximum(np.abs(first), np.abs(second))
    apart = np.divide(np.abs(first - second), larger, out=np.zeros_like(larger), where=larger > 0.0)
    return _with_unknown(apart, first, second)


def _with_unknown(
    apart: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    unknown = np.isnan(first).astype(np.int8) + np.isnan(second).astype(np.int8)
    return np.where(unknown == 0, apart, np.where(unknown == 1, 1.0, 0.0))


_APART: Final[Mapping[str, Callable[[Any, Any], NDArray[np.float64]]]] = {
    "entries": _otherwise,
    "exits": _otherwise,
    "direction": _otherwise,
    "strength": _away,
    "stop_distance": _relatively,
}


def _begins(column: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return column & ~np.concatenate(([False], column[:-1]))


def _spread(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most `count` of the rows, evenly, the first and the last among them."""
    if len(rows) <= count:
        return rows
    return rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)]
