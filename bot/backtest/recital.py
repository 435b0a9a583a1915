"""What a strategy says of a whole history, asked once and then told candle by candle.

The live bot asks about the newest window at every close. Both are the same for a strategy that keeps its
contract: its last signal depends on `warmup` candles and on nothing later.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.estimates_table import estimates_of
from bot.core.candles import Candles
from bot.core.signal import Signal, Signals
from bot.engine.beliefs import failure_text
from bot.engine.readings import FROM_WINDOW
from bot.engine.state import Market
from bot.errors import UserError
from bot.risk.estimates import MarketEstimates
from bot.strategy import Strategy, check_signals


class Told(NamedTuple):
    """One symbol's closed candles, what was said of each, and, where computed, their estimates."""

    candles: Candles
    signals: Signals
    estimates: NDArray[np.float64] | None


class Recital:
    """Readings of the engine: rows of a history instead of a window."""

    def __init__(self, told: Mapping[str, Told]) -> None:
        self._told = told
        self._rows = dict.fromkeys(told, -1)

    def estimates(self, market: Market, timeframe_ms: int) -> MarketEstimates:
        """Return the estimates of the newest candle's row."""
        told = self._told[market.instrument.symbol]
        if told.estimates is None:
            return FROM_WINDOW.estimates(market, timeframe_ms)
        return estimates_of(told.estimates, self._row(market))

    def signal(self, strategy: Strategy, market: Market, now_ms: int) -> Signal | None:
        """Return what was said of the newest candle; None as long as the live strategy is warming up."""
        row = self._row(market)
        if row + 1 < strategy.warmup:
            return None
        said = self._told[market.instrument.symbol].signals
        return Signal(
            market.instrument.symbol,
            now_ms,
            bool(said.entries[row]),
            bool(said.exits[row]),
            int(said.direction[row]),
            float(said.strength[row]),
            float(said.stop_distance[row]),
        )

    def _row(self, market: Market) -> int:
        symbol, open_ms = market.instrument.symbol, market.window.newest_open_ms
        times, row = self._told[symbol].candles.open_ms, self._rows[symbol]
        if not (0 <= row < len(times) and times[row] == open_ms):
            is_next = 0 <= row < len(times) - 1 and times[row + 1] == open_ms
            row = row + 1 if is_next else int(np.searchsorted(times, open_ms))
            self._rows[symbol] = row
        return row


def said_of(strategy: Strategy, name: str, symbol: str, candles: Candles) -> Signals:
    """Return the strategy's signals on all candles. UserError: it failed on them."""
    try:
        signals = strategy.signals(candles)
        check_signals(signals, len(candles.close))
    except (Exception, SystemExit) as error:
        raise UserError(
            f"The strategy {name} failed on the {len(candles.close)} candles of {symbol} "
            f"({failure_text(strategy, error)}). Nothing was simulated. Correct the strategy, or choose "
            'another ("ringfence list-strategies").'
        ) from error
    return signals
