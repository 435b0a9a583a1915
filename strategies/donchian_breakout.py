"""Breakout: the close leaves the range of the last candles. An example; no edge is promised."""

import numpy as np
import talib
from numpy.typing import NDArray

from bot.strategy import Candles, Parameter, Signals, Strategy, build_signals


class DonchianBreakout(Strategy):
    """Long on a close above the highest high of the channel, short on one below its lowest low."""

    timeframe = "15m"

    channel = Parameter(32, 5, 400, "length of the range to be left", "candles")
    exit_channel = Parameter(16, 2, 400, "length of the range whose other side closes", "candles")
    atr_period = Parameter(14, 2, 100, "period of the average true range", "candles")
    stop_atr = Parameter(2.5, 0.5, 20.0, "distance of the stop", "average true ranges")

    @property
    def warmup(self) -> int:
        """Return the candles that both channels need and after which Wilder's average has forgotten."""
        return max(self.channel, self.exit_channel, 20 * self.atr_period) + 2

    def signals(self, candles: Candles) -> Signals:
        """Return an entry on the first close outside the channel, an exit beyond the shorter channel."""
        close = candles.close
        top = _previous(talib.MAX(candles.high, self.channel))
        bottom = _previous(talib.MIN(candles.low, self.channel))
        above, below = close > top, close < bottom
        volatility = talib.ATR(candles.high, candles.low, close, self.atr_period) / close
        is_warm = ~np.isnan(volatility)
        beyond = np.maximum(close - top, bottom - close) / close
        return build_signals(
            is_warm & above & ~_was(above),
            is_warm & below & ~_was(below),
            long_exits=close < _previous(talib.MIN(candles.low, self.exit_channel)),
            short_exits=close > _previous(talib.MAX(candles.high, self.exit_channel)),
            strength=np.minimum(beyond / np.maximum(volatility, _NOISE), 1.0),
            stop_distance=self.stop_atr * volatility,
        )


_NOISE = 1e-9  # A breakout by one whole average true range has full strength.


def _previous(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the column one candle late: a candle cannot break out of a range it belongs to."""
    return np.concatenate(([np.nan], column[:-1]))


def _was(condition: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.concatenate(([False], condition[:-1]))
