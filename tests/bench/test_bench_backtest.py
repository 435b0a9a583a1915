"""The exact engine on a made-up year of one-minute candles: EMA 20/100 on 5 minutes, stop 2 %, target 4 %."""

import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import talib

from bot.backtest.exact_setup import exact_run
from bot.backtest.plan import Plan
from bot.core.candles import Candles
from bot.core.signal import Signals
from bot.core.timeframe import DAY_MS, HOUR_MS, MINUTE_MS
from bot.settings import Flag, load
from bot.sim.candle_builder import with_funding
from bot.sim.series import Funding, MarketHistory, Series
from bot.strategy import Strategy, build_signals
from tests.bench.conftest import Measure
from tests.bench.kernel_year import YEAR_TERMS

pytestmark = pytest.mark.bench

SYMBOL: Final = "BTC/USDT:USDT"
_START_MS: Final = 1_704_067_200_000  # 2024-01-01
_DAYS: Final = 365
_WARM_DAYS: Final = 10
_SETTINGS: Final = {
    "run.mode": "paper",
    "feed.kind": "synthetic",
    "feed.symbols": (SYMBOL,),
    **YEAR_TERMS,
}


class Crosses(Strategy):
    """Enters on the candle of a cross of the averages and leaves while they stand against it."""

    timeframe = "5m"

    @property
    def warmup(self) -> int:
        return 1_000

    def signals(self, candles: Candles) -> Signals:
        fast, slow = talib.EMA(candles.close, 20), talib.EMA(candles.close, 100)
        side = np.where(fast > slow, 1, -1) * ~np.isnan(slow)
        before = np.concatenate(([0], side[:-1]))
        return build_signals(
            (side == 1) & (before == -1),
            (side == -1) & (before == 1),
            long_exits=side == -1,
            short_exits=side == 1,
            stop_distance=0.02,
        )


def year() -> MarketHistory:
    """Return a random walk with funding every eight hours and ten days of warm-up."""
    random = np.random.default_rng(1)
    count = (_DAYS + _WARM_DAYS) * 1_440
    close = 60_000.0 * np.exp(np.cumsum(random.normal(0.0, 0.0006, count)))
    open_ = np.concatenate((close[:1], close[:-1]))
    reach = 1.0 + np.abs(random.normal(0.0, 0.0002, (2, count)))
    open_ms = _START_MS + MINUTE_MS * np.arange(-_WARM_DAYS * 1_440, _DAYS * 1_440, dtype=np.int64)
    high, low = np.maximum(open_, close) * reach[0], np.minimum(open_, close) / reach[1]
    candles = Candles(open_ms, open_, high, low, close, np.ones(count), np.zeros(count))
    due = np.arange(_START_MS - _WARM_DAYS * DAY_MS, _START_MS + _DAYS * DAY_MS, 8 * HOUR_MS)
    funding = Funding(due, random.normal(0.0001, 0.0001, len(due)))
    series = Series(SYMBOL, with_funding(candles, MINUTE_MS, funding), None, funding, ())
    return MarketHistory(MINUTE_MS, _START_MS, _START_MS + _DAYS * DAY_MS, (series,), ())


@pytest.mark.parametrize("policy", ["static", "stop_anchor"])
def test_bench_exact_engine_over_a_year(benchmark: Any, measured: Measure, root: Path, policy: str) -> None:
    flags = {**_SETTINGS, "margin.policy": policy, "strategy.directory": root / "strategies"}
    settings = load(None, tuple(Flag(key, f"--{key}", value) for key, value in flags.items()))
    plan = Plan(settings, Crosses(), 5 * MINUTE_MS, year())
    exact_run(plan)  # compiles the table of estimates
    run = exact_run(plan)
    began = time.process_time()
    benchmark.pedantic(run.run, args=(lambda _bars: None,), rounds=1)
    seconds = time.process_time() - began
    found = run.result("exact")
    benchmark.extra_info.update(trades=len(found.trades.side), moves=len(found.moves.ts_ms))
    name = f"exact backtest of a year, {policy}, {len(found.trades.side)} trades"
    measured(name, found.counts.bars / seconds, "candles/CPU s", at_least=300_000.0)
    assert len(found.trades.side) > 500
    assert found.counts.invariant_violations == 0
