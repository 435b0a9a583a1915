"""Candles as numpy columns: what strategies read and what feeds deliver."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Candles(NamedTuple):
    """Columns of equal length, oldest first. `open_ms` is the open time, UTC milliseconds.

    `funding_rate` is the last settled funding rate known when the candle closed (0.0 if none).
    """

    open_ms: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    funding_rate: NDArray[np.float64]

    def tail(self, count: int) -> "Candles":
        """Return the last `count` candles (views, not copies)."""
        return Candles(
            self.open_ms[-count:],
            self.open[-count:],
            self.high[-count:],
            self.low[-count:],
            self.close[-count:],
            self.volume[-count:],
            self.funding_rate[-count:],
        )
