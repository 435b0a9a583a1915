"""The year of the kernel's benches as files, and a strategy of two averages that may be varied."""

from pathlib import Path
from typing import Final

import polars as pl

from bot.core.timerange import TimeRange, timerange_text
from bot.settings import Flag, Settings, load
from bot.sim.series import Series
from tests.bench.kernel_year import YEAR_TERMS, year_case

STRATEGY: Final = '''"""Crosses of two averages; out on the other cross."""

import numpy as np
import talib

from bot.strategy import Candles, Parameter, Signals, Strategy, build_signals


class Pair(Strategy):
    """Long above, short below."""

    timeframe = "5m"
    fast = Parameter(20, 2, 200, "period of the fast average")
    slow = Parameter(100, 3, 400, "period of the slow average")

    def check(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast must be below slow, was {self.fast} and {self.slow}")

    @property
    def warmup(self) -> int:
        return 10 * self.slow

    def signals(self, candles: Candles) -> Signals:
        above = talib.EMA(candles.close, self.fast) > talib.EMA(candles.close, self.slow)
        before = np.concatenate((above[:1], above[:-1]))
        return build_signals(
            above & ~before, ~above & before, long_exits=~above, short_exits=above, stop_distance=0.02
        )
'''
SETTINGS: Final = {
    "run.mode": "paper",
    "feed.kind": "replay",
    "strategy.name": "pair",
    "margin.policy": "stop_anchor",
    **YEAR_TERMS,
}


def write_year(folder: Path, symbols: int) -> Settings:
    """Write candles, funding and the strategy; return the settings of a backtest on them."""
    history = year_case(symbols, "stop_anchor").history
    for name in ("data", "own"):
        (folder / name).mkdir()
    (folder / "own" / "pair.py").write_text(STRATEGY)
    for series in history.series:
        _write(folder / "data", series)
    given = {
        **SETTINGS,
        "feed.data": folder / "data",
        "feed.symbols": ",".join(series.symbol for series in history.series),
        "feed.timerange": timerange_text(TimeRange(history.start_ms, history.end_ms)),
        "strategy.directory": folder / "own",
    }
    return load(None, tuple(Flag(key, f"--{key}", value) for key, value in given.items()))


def flags_of(settings: Settings) -> list[str]:
    """Return the flags by which a command has these settings."""
    feed = settings.feed
    assert feed.timerange is not None
    own = {name: value for name, value in SETTINGS.items() if name not in {"run.mode", "feed.kind"}}
    own["strategy.directory"] = settings.strategy.directory
    where = ["--data", str(feed.data), "--symbols", ",".join(feed.symbols)]
    where += ["--timerange", timerange_text(feed.timerange)]
    return [*where, *(word for name, value in own.items() for word in ("--set", f"{name}={value}"))]


def _write(folder: Path, series: Series) -> None:
    name, each = series.symbol.partition(":")[0].replace("/", ""), series.candles
    columns = {column: getattr(each, column) for column in ("open", "high", "low", "close", "volume")}
    pl.DataFrame({"timestamp": each.open_ms, **columns}).write_parquet(folder / f"{name}_1m.parquet")
    funding = {"timestamp": series.funding.ts_ms, "funding_rate": series.funding.rate}
    pl.DataFrame(funding).write_parquet(folder / f"{name}_funding.parquet")
