"""Trend following: two exponential averages cross. An example; no edge is promised."""

import numpy as np
import talib

from bot.strategy import Candles, Parameter, Signals, Strategy, build_signals


class EmaCross(Strategy):
    """Long when the fast average rises above the slow one, short when it falls below."""

    timeframe = "5m"

    fast = Parameter(12, 2, 200, "period of the fast average", "candles")
    slow = Parameter(48, 5, 400, "period of the slow average", "candles")
    atr_period = Parameter(14, 2, 100, "period of the average true range", "candles")
    stop_atr = Parameter(3.0, 0.5, 20.0, "distance of the stop", "average true ranges")

    def check(self) -> None:
        """Raise ValueError unless fast < slow."""
        if self.fast >= self.slow:
            raise ValueError(f"fast must be below slow, was fast={self.fast} slow={self.slow}")

    @property
    def warmup(self) -> int:
        """Return the candles after which the start of the averages has faded (a weight below 1e-8)."""
        # An exponential average of period n forgets as exp(-2k/n); Wilder's, as exp(-k/n).
        return max(10 * self.slow, 20 * self.atr_period)

    def signals(self, candles: Candles) -> Signals:
        """Return an entry on the candle of the cross and an exit while the averages stand against it."""
        close = candles.close
        slow = talib.EMA(close, self.slow)
        gap = (talib.EMA(close, self.fast) - slow) / close
        # On a dead market the gap is rounding noise around zero, which must not count as crosses.
        side = np.where(gap > _NOISE, 1, 0) - np.where(gap < -_NOISE, 1, 0)
        before = np.concatenate(([0], side[:-1]))
        volatility = talib.ATR(candles.high, candles.low, close, self.atr_period) / close
        is_warm = ~np.isnan(volatility)
        return build_signals(
            is_warm & (side == 1) & (before == -1),
            is_warm & (side == -1) & (before == 1),
            long_exits=side == -1,
            short_exits=side == 1,
            strength=np.minimum(
                np.abs(close / slow - 1.0) / np.maximum(_FULL_LEAD * volatility, _NOISE), 1.0
            ),
            stop_distance=self.stop_atr * volatility,
        )


_NOISE = 1e-9
_FULL_LEAD = 2.0  # Average true ranges by which the close of a strong cross leads the averages.
