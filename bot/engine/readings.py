"""What is read from closed candles: the market's estimates and the strategy's newest word.

The live answer comes from the rolling window. Whoever knows the whole history beforehand may recite both.
"""

from typing import Final, Protocol

from bot.core.signal import Signal
from bot.engine.state import Market
from bot.risk.estimates import MarketEstimates, market_estimates
from bot.strategy import Strategy, check_signals


class Readings(Protocol):
    """Asked once per closed candle of a symbol, after the candle is in the market's window."""

    def estimates(self, market: Market, timeframe_ms: int) -> MarketEstimates:
        """Return what the candles up to the newest say of volatility and trend."""
        ...

    def signal(self, strategy: Strategy, market: Market, now_ms: int) -> Signal | None:
        """Return the strategy's word on the newest candle, None while warming up; it may raise anything."""
        ...


class WindowReadings:
    """Reads the market's own window of candles."""

    __slots__ = ()

    def estimates(self, market: Market, timeframe_ms: int) -> MarketEstimates:
        """Return the estimates of the window."""
        return market_estimates(market.window.view(), timeframe_ms)

    def signal(self, strategy: Strategy, market: Market, now_ms: int) -> Signal | None:
        """Ask the strategy about the newest candles of the window, as many as it needs."""
        if len(market.window) < strategy.warmup:
            return None
        candles = market.window.newest(strategy.warmup)
        signals = strategy.signals(candles)
        check_signals(signals, len(candles.close))
        return Signal(
            symbol=market.instrument.symbol,
            ts_ms=now_ms,
            is_entry=bool(signals.entries[-1]),
            is_exit=bool(signals.exits[-1]),
            direction=int(signals.direction[-1]),
            strength=float(signals.strength[-1]),
            stop_distance=float(signals.stop_distance[-1]),
        )


FROM_WINDOW: Final = WindowReadings()
