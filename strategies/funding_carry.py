"""Carry: hold the side that receives funding while the trend agrees. An example; no edge is promised."""

import numpy as np
import talib

from bot.strategy import Candles, Parameter, Signals, Strategy, build_signals


class FundingCarry(Strategy):
    """Short while longs pay funding, long while shorts pay, entered when the price turns that way."""

    timeframe = "15m"

    # Per settlement. 0.00001 is a tenth of the rate that most venues charge in a balanced market.
    entry_rate = Parameter(0.00003, 0.0, 0.01, "least funding rate worth entering for", "fraction")
    exit_rate = Parameter(0.00001, 0.0, 0.01, "rate at which the carry is over", "fraction")
    trend_period = Parameter(24, 2, 200, "period of the average the price must cross", "candles")
    atr_period = Parameter(14, 2, 100, "period of the average true range", "candles")
    stop_atr = Parameter(4.0, 0.5, 20.0, "distance of the stop", "average true ranges")

    def check(self) -> None:
        """Raise ValueError unless exit_rate <= entry_rate."""
        if self.exit_rate > self.entry_rate:
            raise ValueError(
                f"exit_rate must not exceed entry_rate, was exit_rate={self.exit_rate} "
                f"entry_rate={self.entry_rate}"
            )

    @property
    def warmup(self) -> int:
        """Return the candles after which both averages have forgotten their start (below 1e-8)."""
        return max(10 * self.trend_period, 20 * self.atr_period) + 2

    def signals(self, candles: Candles) -> Signals:
        """Return an entry when price crosses its average towards the receiving side.

        The exit comes with the end of the carry, or one average range beyond the average on the wrong side.
        """
        close = candles.close
        rate = candles.funding_rate
        gap = close / talib.EMA(close, self.trend_period) - 1.0
        before = np.concatenate(([np.nan], gap[:-1]))
        volatility = talib.ATR(candles.high, candles.low, close, self.atr_period) / close
        is_warm = ~np.isnan(volatility)
        return build_signals(
            is_warm & (rate <= -self.entry_rate) & (gap > _NOISE) & (before <= _NOISE),
            is_warm & (rate >= self.entry_rate) & (gap < -_NOISE) & (before >= -_NOISE),
            long_exits=(rate >= -self.exit_rate) | (gap < -volatility),
            short_exits=(rate <= self.exit_rate) | (gap > volatility),
            strength=np.minimum(np.abs(rate) / _FULL_RATE, 1.0),
            stop_distance=self.stop_atr * volatility,
        )


_NOISE = 1e-9  # On a dead market the gap is rounding noise around zero, which must not count.
_FULL_RATE = 0.0001  # The usual rate of a balanced market: at or above it the carry is taken whole.
