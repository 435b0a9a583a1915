"""A history made ready to be played again and again: what no parameter changes is made once and kept."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.estimates_table import estimates_table
from bot.backtest.memory import zeros_in_lines
from bot.backtest.plan import Plan
from bot.backtest.recital import Told, said_of
from bot.core.candles import Candles
from bot.core.signal import Signals
from bot.engine.window import candles_kept
from bot.sim.candle_builder import pick, resample
from bot.sim.series import MarketHistory

if TYPE_CHECKING:
    from bot.backtest.kernel.market import Market
    from bot.backtest.kernel.run import KernelRun

_MOST_SAID: Final = 2
_NO_ROWS: Final = np.empty(0, np.intp)  # copied, so that nothing hangs on to the rest


class Stage:
    """One history in candles of one length. Plans that are played on it may differ in everything else.

    `follows`: whether shadows are to be found, also by an engine that plays faster without.
    """

    follows = False

    def __init__(self, history: MarketHistory, timeframe_ms: int) -> None:
        self._history, self.timeframe_ms = history, timeframe_ms
        self._candles: dict[str, Candles] = {
            series.symbol: resample(series.candles, history.timeframe_ms, timeframe_ms, series.funding)
            for series in history.series
        }
        self._estimates: tuple[int, NDArray[np.float64]] | None = None
        self._market: tuple[int, Market] | None = None
        self._said: OrderedDict[str, dict[str, Signals]] = OrderedDict()
        self.newest_run: tuple[Plan, KernelRun] | None = None  # of whoever plays with the kernel

    def told(self, plan: Plan) -> dict[str, Told]:
        """Return each symbol's closed candles, estimates and what the strategy says. UserError: it failed."""
        estimates, said, first, told = self._estimates_of(plan), self._said_of(plan), 0, {}
        for symbol, candles in self._candles.items():
            rows = slice(first, first + len(candles.close))
            told[symbol] = Told(candles, said[symbol], estimates[rows])
            first = rows.stop
        return told

    def market(self, plan: Plan) -> "Market":
        """Return what the kernel plays a plan on. UserError: candles that it does not play."""
        from bot.backtest.kernel.market_setting import (  # noqa: PLC0415  the exact engine needs none
            market_of,
            with_estimates,
        )

        window, estimates = self._window(plan), self._estimates_of(plan)
        if self._market is None:
            self._market = (window, market_of(self._history, self.timeframe_ms, self._candles, estimates))
        elif self._market[0] != window:
            self._market = (window, with_estimates(self._market[1], estimates))
        return self._market[1]

    def let_bars_go(self, plan: Plan) -> Plan:
        """Return a plan that only the kernel can play, on this stage: what it needs of the bars is laid out.

        They are the larger half of the memory. UserError: candles that the kernel does not play.
        """
        self.market(plan)
        series = tuple(
            each._replace(candles=pick(each.candles, _NO_ROWS), mark=None) for each in plan.history.series
        )
        self._history = plan.history._replace(series=series)
        return plan._replace(history=self._history)

    def _window(self, plan: Plan) -> int:
        return candles_kept(plan.strategy.warmup, self.timeframe_ms)

    def _estimates_of(self, plan: Plan) -> NDArray[np.float64]:
        """The estimates of all symbols, one after the other."""
        window = self._window(plan)
        if self._estimates is None or self._estimates[0] != window:
            tables = [
                estimates_table(candles, self.timeframe_ms, window) for candles in self._candles.values()
            ]
            rows = sum(map(len, tables))
            self._estimates = (window, np.concatenate(tables, out=zeros_in_lines(rows, *tables[0].shape[1:])))
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


def stage_of(plan: Plan, *, follows: bool = False) -> Stage:
    """Return the stage of a plan's history."""
    stage = Stage(plan.history, plan.timeframe_ms)
    stage.follows = follows
    return stage
