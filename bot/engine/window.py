"""The rolling window of closed candles of one symbol: what strategies and volatility estimates read."""

import numpy as np

from bot.core.candles import Candles
from bot.core.event import CandleClosed


class CandleWindow:
    """Keeps the last `size` candles; `view()` returns them as columns without copying."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._capacity = 4 * size
        self._open_ms = np.zeros(self._capacity, dtype=np.int64)
        self._columns = np.zeros((6, self._capacity), dtype=np.float64)
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

    def view(self) -> Candles:
        """Return the window, oldest first; the arrays are read-only."""
        start = max(self._end - self.size, 0)
        columns = [self._columns[row, start : self._end] for row in range(6)]
        arrays = [self._open_ms[start : self._end], *columns]
        for array in arrays:
            array.flags.writeable = False
        return Candles(*arrays)  # pyright: ignore[reportArgumentType]

    def _compact(self) -> None:
        keep = self.size
        self._open_ms[:keep] = self._open_ms[self._end - keep : self._end].copy()
        self._columns[:, :keep] = self._columns[:, self._end - keep : self._end].copy()
        self._end = keep
