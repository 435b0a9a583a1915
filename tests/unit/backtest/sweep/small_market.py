"""A few days of made-up candles and a strategy that trades on them, small enough to play dozens of times."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bot.settings import Flag, Settings, load

SYMBOL = "BTC/USDT:USDT"
TIMERANGE = "20250203-20250212"
_FIRST_MS = 1_738_368_000_000  # 2025-02-01 00:00 UTC
_STEP_MS = 900_000

STRATEGY = '''"""Two averages, written for tests."""

import numpy as np
import talib

from bot.strategy import Candles, Parameter, Signals, Strategy, build_signals


class Pair(Strategy):
    """Long above, short below."""

    timeframe = "15m"
    fast = Parameter(3, 2, 30, "period of the fast average")
    slow = Parameter(12, 3, 60, "period of the slow average")
    stop = Parameter(0.01, 0.002, 0.1, "distance of the stop")

    def check(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast must be below slow, was {self.fast} and {self.slow}")

    @property
    def warmup(self) -> int:
        return 62

    def signals(self, candles: Candles) -> Signals:
        above = talib.SMA(candles.close, self.fast) > talib.SMA(candles.close, self.slow)
        before = np.concatenate((above[:1], above[:-1]))
        return build_signals(
            above & ~before, ~above & before, long_exits=~above, short_exits=above, stop_distance=self.stop
        )
'''


def write_market(folder: Path) -> None:
    """Write the candles to folder/data and the strategy to folder/own."""
    random = np.random.default_rng(11)
    count = 11 * 96
    close = 100_000.0 * np.exp(np.cumsum(0.003 * random.standard_t(4, count)))
    open_ = np.concatenate((close[:1], close[:-1]))
    reach = 1.0 + 0.002 * random.random((2, count))
    (folder / "data").mkdir()
    (folder / "own").mkdir()
    (folder / "own" / "pair.py").write_text(STRATEGY)
    pl.DataFrame(
        {
            "timestamp": _FIRST_MS + _STEP_MS * np.arange(count, dtype=np.int64),
            "open": open_,
            "high": np.maximum(open_, close) * reach[0],
            "low": np.minimum(open_, close) / reach[1],
            "close": close,
            "volume": np.ones(count),
        }
    ).write_parquet(folder / "data" / "BTCUSDT_15m.parquet")


def settings_in(folder: Path, **values: Any) -> Settings:
    """Return the settings of a backtest on the market in the folder."""
    given = {
        "feed.kind": "replay",
        "feed.data": folder / "data",
        "feed.symbols": SYMBOL,
        "feed.timerange": TIMERANGE,
        "strategy.name": "pair",
        "strategy.directory": folder / "own",
        **values,
    }
    return load(None, tuple(Flag(key, key, value) for key, value in given.items()))
