"""Mean reversion: the relative strength index returns from an extreme. An example; no edge is promised."""

import numpy as np
import talib

from bot.strategy import Candles, Parameter, Signals, Strategy, build_signals


class RsiReversion(Strategy):
    """Long when the index comes back above `oversold`, short when it comes back below `overbought`."""

    timeframe = "5m"

    period = Parameter(14, 2, 100, "period of the relative strength index", "candles")
    oversold = Parameter(30.0, 5.0, 45.0, "level whose recovery opens a long", "index points")
    overbought = Parameter(70.0, 55.0, 95.0, "level whose loss opens a short", "index points")
    neutral = Parameter(50.0, 46.0, 54.0, "level at which the reversion is complete", "index points")
    stop_atr = Parameter(3.0, 0.5, 20.0, "distance of the stop", "average true ranges")

    @property
    def warmup(self) -> int:
        """Return the candles after which Wilder's averages have forgotten their start (exp(-20))."""
        return 20 * self.period + 2

    def signals(self, candles: Candles) -> Signals:
        """Return an entry when the extreme is left, not reached: a falling market stays oversold."""
        close = candles.close
        index = talib.RSI(close, self.period)
        before = np.concatenate(([np.nan], index[:-1]))
        volatility = talib.ATR(candles.high, candles.low, close, self.period) / close
        is_warm = ~np.isnan(volatility)
        return build_signals(
            is_warm & (before < self.oversold) & (index >= self.oversold),
            is_warm & (before > self.overbought) & (index <= self.overbought),
            long_exits=index >= self.neutral,
            short_exits=index <= self.neutral,
            strength=np.minimum(np.maximum(self.oversold - before, before - self.overbought) / _DEEP, 1.0),
            stop_distance=self.stop_atr * volatility,
        )


_DEEP = 10.0  # Index points beyond the level from which a return has full strength.
