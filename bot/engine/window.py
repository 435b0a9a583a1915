"""The rolling window of closed candles of one symbol: what strategies and volatility estimates read."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.core.candles import Candles
from bot.core.event import CandleClosed

# Ten days of candles say what volatility is normal (margin-science 3.6); more than 3,000 cost too much.
ESTIMATE_WINDOW_MS: Final = 10 * 86_400_000
MOST_CANDLES: Final = 3_000

_CLOSE: Final = 3


def candles_kept(warmup: int, timeframe_ms: int) -> int:
    """Return how many candles a symbol's window keeps for a strategy that asks for `warmup` of them."""
    return max(warmup, min(ESTIMATE_WINDOW_MS // timeframe_ms, MOST_CANDLES))


class CandleWindow:
    """Keeps the last `size` candles; `view()` returns them as columns without copying."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._capacity = 4 * size
        self._open_ms = np.zeros(self._capacity, dtype=np.int64)
        self._columns = np.zeros((6, self._capacity), dtype=np.float64)
        self._seen_open_ms, self._seen_columns = _read_only(self._open_ms), _read_only(self._columns)
        self._end = 0

    def __len__(self) -> int:
        return min(self._end, self.size)

    def load(self, candles: Candles) -> None:
        """Replace the content by the last `size` of `candles`."""
        kept = candles.tail(self.size)
        self._end = len(kept.open_ms)
        self._open_ms[: self._end] = kept.open_ms
        for row, column in enumerate(kept[1:]):
            self._columns[row, : self._end] = column

    def append(self, candle: CandleClosed) -> bool:
        """Add one candle; return False for one that is not newer than the newest (delivered twice)."""
        open_ms = candle.ts_ms - candle.timeframe_ms
        if self._end and open_ms <= self._open_ms[self._end - 1]:
            return False
        if self._end == self._capacity:
            self._compact()
        self._open_ms[self._end] = open_ms
        self._columns[:, self._end] = (
            candle.open,
            candle.high,
            candle.low,
            candle.close,
            candle.volume,
            candle.funding_rate,
        )
        self._end += 1
        return True

    @property
    def newest_open_ms(self) -> int:
        """When the newest candle opened; 0 while there is none."""
        return int(self._open_ms[self._end - 1]) if self._end else 0

    def view(self) -> Candles:
        """Return the window, oldest first; the arrays are read-only."""
        return self.newest(self.size)

    def newest(self, count: int) -> Candles:
        """Return the last `count` candles or what there is of them; the arrays are read-only."""
        rows = slice(max(self._end - min(count, self.size), 0), self._end)
        return Candles(self._seen_open_ms[rows], *self._seen_columns[:, rows])

    def closes(self) -> NDArray[np.float64]:
        """Return the close of every candle of the window, oldest first, read-only."""
        return self._seen_columns[_CLOSE, max(self._end - self.size, 0) : self._end]

    def _compact(self) -> None:
        keep = self.size
        self._open_ms[:keep] = self._open_ms[self._end - keep : self._end].copy()
        self._columns[:, :keep] = self._columns[:, self._end - keep : self._end].copy()
        self._end = keep


def is_sound_candle(candle: CandleClosed) -> bool:
    """Return whether its prices are positive numbers that fit together, and the rest is finite."""
    inner, most = (candle.open, candle.close), math.inf
    is_range = 0.0 < candle.low <= min(inner) and max(inner) <= candle.high < most
    return is_range and all(map(math.isfinite, (*inner, candle.volume, candle.funding_rate)))


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    seen = array.view()
    seen.flags.writeable = False
    return seen
