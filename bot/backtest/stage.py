"""A history made ready to be played again and again: what no parameter changes is made once and kept."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.estimates_table import estimates_table
from bot.backtest.plan import Plan
from bot.backtest.recital import Told, said_of
from bot.core.candles import Candles
from bot.core.signal import Signals
from bot.engine.window import candles_kept
from bot.sim.candle_builder import resample
from bot.sim.series import MarketHistory

if TYPE_CHECKING:
    from bot.backtest.kernel.market import Market

_MOST_SAID: Final = 4

_Estimates = dict[str, NDArray[np.float64]]


class Stage:
    """One history in candles of one length. Plans that are played on it may differ in everything else."""

    def __init__(self, history: MarketHistory, timeframe_ms: int) -> None:
        self.history, self._timeframe_ms = history, timeframe_ms
        self._candles: dict[str, Candles] = {
            series.symbol: resample(series.candles, history.timeframe_ms, timeframe_ms, series.funding)
            for series in history.series
        }
        self._estimates: tuple[int, _Estimates] | None = None
        self._market: tuple[int, Market] | None = None
        self._said: OrderedDict[str, dict[str, Signals]] = OrderedDict()

    def told(self, plan: Plan) -> dict[str, Told]:
        """Return each symbol's closed candles, estimates and what the strategy says. UserError: it failed."""
        estimates, said = self._estimates_of(self._window(plan)), self._said_of(plan)
        return {
            symbol: Told(candles, said[symbol], estimates[symbol])
            for symbol, candles in self._candles.items()
        }

    def market(self, plan: Plan) -> "Market":
        """Return what the kernel plays a plan on. UserError: candles that it does not play."""
        from bot.backtest.kernel.market_setting import market_of  # noqa: PLC0415  the exact engine needs none

        window = self._window(plan)
        if self._market is None or self._market[0] != window:
            self._market = None
            made = market_of(self.history, self._timeframe_ms, self._candles, self._estimates_of(window))
            self._market = (window, made)
        return self._market[1]

    def _window(self, plan: Plan) -> int:
        return candles_kept(plan.strategy.warmup, self._timeframe_ms)

    def _estimates_of(self, window: int) -> _Estimates:
        if self._estimates is None or self._estimates[0] != window:
            tables = {
                symbol: estimates_table(candles, self._timeframe_ms, window)
                for symbol, candles in self._candles.items()
            }
            self._estimates = (window, tables)
        return self._estimates[1]

    def _said_of(self, plan: Plan) -> dict[str, Signals]:
        """What was said with the newest few sets of parameters is kept: it is a function of them alone."""
        strategy, name = plan.strategy, plan.settings.strategy.name
        key = f"{type(strategy)} {strategy.values}"
        if key not in self._said:
            self._said[key] = {
                symbol: said_of(strategy, name, symbol, candles) for symbol, candles in self._candles.items()
            }
            if len(self._said) > _MOST_SAID:
                self._said.popitem(last=False)
        self._said.move_to_end(key)
        return self._said[key]


def stage_of(plan: Plan) -> Stage:
    """Return the stage of a plan's history."""
    return Stage(plan.history, plan.timeframe_ms)
