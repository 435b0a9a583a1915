"""Recorded data made up in a few lines."""

import numpy as np
import polars as pl

from bot.core.timerange import TimeRange

START_MS = 1_738_368_000_000  # 2025-02-01 00:00 UTC
MINUTE_MS = 60_000
BARS = 600
RANGE = TimeRange(START_MS, START_MS + BARS * MINUTE_MS)

Frame = pl.DataFrame


def candle_frame(
    first_ms: int = START_MS, bars: int = BARS, step_ms: int = MINUTE_MS, seed: int = 1
) -> Frame:
    """Return sound random candles in our layout."""
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(0.002 * random.standard_normal(bars)))
    open_ = np.concatenate(([100.0], close[:-1]))
    reach = 1.0 + 0.002 * random.random((2, bars))
    return pl.DataFrame(
        {
            "timestamp": first_ms + step_ms * np.arange(bars, dtype=np.int64),
            "open": open_,
            "high": np.maximum(open_, close) * reach[0],
            "low": np.minimum(open_, close) / reach[1],
            "close": close,
            "volume": np.round(10 * random.random(bars), 3),
        }
    )
