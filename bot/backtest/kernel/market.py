"""What the kernel plays: bars, settlements and gaps, and what was said and known at each closed candle."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.kernel.books import Floats, Wholes

# Bits of a word.
ENTERS: Final = 1
LEAVES: Final = 2
IS_LONG: Final = 4
IS_SHORT: Final = 8
IS_BROKEN: Final = 16  # a bar of the candle is missing


def fetch(table: NDArray[Any], first: int, second: int) -> None:
    """Do nothing; in machine code have the processor fetch what lies at these indices, see lending.py."""


class Market(NamedTuple):
    """What does not depend on any parameter.

    `marks`, `lasts`: by symbol and bar: open, high, low, close. `is_there` 0: the bar is missing.
    `due`: by event, time, symbol and 1 for a gap, 0 for a settlement; `due_values` the rate, or when the gap
    ends. `rows`: by symbol and closing candle its row among all closed candles of all symbols, -1: none
    closes; `estimates` of the same rows, `candles` by symbol and closing candle the columns G_....

    For what is said of it: `broken`, IS_BROKEN or 0 by symbol and closing candle; `begins`, by symbol the row
    of the first closing candle where each closes one row after the other, else -1.
    """

    start_ms: int
    bar_ms: int
    bars: int
    candle_ms: int
    marks: Floats
    lasts: Floats
    is_there: NDArray[np.uint8]
    due: Wholes
    due_values: Floats
    rows: Wholes
    estimates: Floats
    first_close_ms: int
    candle_bars: int
    candles: Floats
    broken: NDArray[np.uint8]
    begins: tuple[int, ...]


class Played(NamedTuple):
    """A market, and what was said: a word by symbol and closing candle, strength and stop distance by row."""

    start_ms: int
    bar_ms: int
    bars: int
    candle_ms: int
    marks: Floats
    lasts: Floats
    is_there: NDArray[np.uint8]
    due: Wholes
    due_values: Floats
    rows: Wholes
    estimates: Floats
    first_close_ms: int
    candle_bars: int
    candles: Floats
    words: NDArray[np.uint8]
    strengths: Floats
    stop_distances: Floats
