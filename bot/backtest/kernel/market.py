"""What the kernel plays: bars, settlements and gaps, and what was said and known at each closed candle."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.kernel.books import Floats, Wholes


class Played(NamedTuple):
    """`marks`, `lasts`: by symbol and bar: open, high, low, close. `is_there` 0: the bar is missing.

    `due`: by event, time, symbol and 1 for a gap, 0 for a settlement; `due_values` the rate, or when the gap
    ends. `rows`: by symbol and closing candle the row of `said`, -1: none closes; `candles` the
    columns G_... of it. `said`: is entry, is exit, direction, strength, stop distance, 1 where the strategy
    is warm; `estimates` of the same row.
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
    said: Floats
    estimates: Floats
    first_close_ms: int
    candle_bars: int
    candles: Floats
