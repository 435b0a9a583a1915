"""Enters at almost every candle on a side that the candle's time decides, and leaves after a few."""

import numpy as np

from bot.strategy import Candles, Parameter, Signals, Strategy, build_signals


class EveryMinute(Strategy):
    """For the simulation: something happens all the time."""

    timeframe = "1m"

    stop = Parameter(0.006, 0.001, 0.2, "distance of the stop", "fraction of price")
    hold = Parameter(4, 1, 100, "candles between exits", "candles")
    salt = Parameter(0, 0, 1_000_000, "decides the sides", "")

    mischief = Parameter(0, 0, 4, "how it misbehaves at every third candle: 0 not at all", "")

    @property
    def warmup(self) -> int:
        """Return a few candles."""
        return 5

    def signals(self, candles: Candles) -> Signals:
        """Return an entry on each candle; every so many candles everything is closed."""
        minute = candles.open_ms // 60_000
        mixed = (minute * 2_654_435_761 + self.salt * 40_503) >> 7
        is_long = (mixed // 3) % 2 == 0
        is_exit = (minute + self.salt) % self.hold == 0
        is_entry = ~is_exit
        stop = np.full(len(minute), float(self.stop))
        if self.mischief and minute[-1] % 3 == 0:
            if self.mischief == 4:
                raise ZeroDivisionError("mischief")
            stop[:] = (np.nan, np.inf, -1.0)[self.mischief - 1]
        return build_signals(
            is_entry & is_long,
            is_entry & ~is_long,
            long_exits=is_exit,
            short_exits=is_exit,
            stop_distance=stop,
        )
