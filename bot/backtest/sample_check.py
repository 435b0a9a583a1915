"""Does a strategy say the same of a cut history? A few rows are asked again, as the live bot would ask."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.recital import Told
from bot.core.signal import Signals
from bot.core.timerange import utc_text
from bot.sim.candle_builder import pick
from bot.strategy import Strategy

SAMPLED: Final = 24
# A strategy's memory fades and is not cut off: what is left of it is no other word.
_TOLERANCE: Final = 1e-6


class Doubt(NamedTuple):
    """Rows of one symbol on which the window said otherwise than the whole history did."""

    symbol: str
    asked: int
    differing: int
    first_ms: int


def doubt_of(strategy: Strategy, symbol: str, told: Told, start_ms: int) -> Doubt | None:
    """Return the doubt about one symbol's signals from `start_ms` on; None when every sampled row agrees.

    Half of the rows are entries, where there are some; the rest is spread evenly.
    """
    rows = _sample(told, strategy.warmup, start_ms)
    differing = [row for row in rows.tolist() if not _agrees(strategy, told, row)]
    if not differing:
        return None
    return Doubt(symbol, len(rows), len(differing), int(told.candles.open_ms[differing[0]]))


def doubt_text(name: str, doubt: Doubt) -> str:
    """Return the doubt as a sentence with what to do next."""
    return (
        f"{doubt.symbol}: on {doubt.differing} of {doubt.asked} sampled candles, first that of "
        f"{utc_text(doubt.first_ms)} UTC, {name} says something else when it sees only the candles up to "
        "then that it asks for. Live it would have traded otherwise: it looks ahead, or its warmup is too "
        "short."
    )


def _sample(told: Told, warmup: int, start_ms: int) -> NDArray[np.int64]:
    open_ms = told.candles.open_ms
    first = max(int(np.searchsorted(open_ms, start_ms)), warmup - 1)
    if first >= len(open_ms):
        return np.empty(0, np.int64)
    entries = first + np.flatnonzero(told.signals.entries[first:])
    spread = np.linspace(first, len(open_ms) - 1, SAMPLED // 2).astype(np.int64)
    if not len(entries):
        return np.unique(spread)
    chosen = entries[np.linspace(0, len(entries) - 1, SAMPLED // 2).astype(np.int64)]
    return np.unique(np.concatenate((spread, chosen)))


def _agrees(strategy: Strategy, told: Told, row: int) -> bool:
    window = pick(told.candles, slice(row + 1 - strategy.warmup, row + 1))
    return _same(strategy.signals(window), -1, told.signals, row)


def _same(one: Signals, at: int, other: Signals, row: int) -> bool:
    words = (
        (bool(each.entries[index]), bool(each.exits[index]), int(each.direction[index]))
        for each, index in ((one, at), (other, row))
    )
    mine, theirs = words
    if mine != theirs:
        return False
    if not mine[0]:
        return True
    numbers = [(each.strength[index], each.stop_distance[index]) for each, index in ((one, at), (other, row))]
    return bool(np.allclose(*numbers, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True))
