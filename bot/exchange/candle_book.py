"""Which candles are closed, and whether one is missing. Pure: what is missing is fetched by the feed."""

from typing import NamedTuple

from bot.core.event import CandleClosed
from bot.exchange.told import CandleTold


class Missing(NamedTuple):
    """Candles from `begin_ms` (open time) up to and without `end_ms` were not told."""

    symbol: str
    begin_ms: int
    end_ms: int


class CandleBook:
    """Follows one timeframe. A candle is closed when the venue says so, or when the next one begins."""

    def __init__(self, timeframe_ms: int) -> None:
        self._timeframe_ms = timeframe_ms
        self._forming: dict[str, CandleTold] = {}
        self._next_ms: dict[str, int] = {}

    def begin(self, symbol: str, next_open_ms: int) -> None:
        """Say which candle is wanted next: the one after the history that was read."""
        self._next_ms[symbol] = next_open_ms

    def next_ms(self, symbol: str) -> int:
        """Return the open time of the candle that is wanted next; 0 when any is."""
        return self._next_ms.get(symbol, 0)

    def hear(self, told: CandleTold) -> tuple[Missing | None, list[CandleTold]]:
        """Return what is missing before, and the candles that are known to be closed now, in order."""
        before = self._forming.get(told.symbol)
        closed = [before] if before is not None and told.open_ms > before.open_ms else []
        if told.is_closed:
            closed.append(told)
            self._forming.pop(told.symbol, None)
        elif before is None or told.open_ms >= before.open_ms:
            self._forming[told.symbol] = told
        fresh = [each for each in closed if each.open_ms >= self.next_ms(told.symbol)]
        if not fresh:
            return None, []
        return self._missing(fresh[0]), fresh

    def close(self, told: CandleTold, funding_rate: float) -> CandleClosed | None:
        """Return the event of a closed candle, or None when it is not newer than the last one."""
        if told.open_ms < self.next_ms(told.symbol):
            return None
        self._next_ms[told.symbol] = told.open_ms + self._timeframe_ms
        return CandleClosed(
            told.open_ms + self._timeframe_ms,
            told.symbol,
            self._timeframe_ms,
            told.open,
            told.high,
            told.low,
            told.close,
            told.volume,
            funding_rate,
        )

    def _missing(self, first: CandleTold) -> Missing | None:
        wanted_ms = self._next_ms.get(first.symbol)
        if wanted_ms is None or first.open_ms <= wanted_ms:
            return None
        return Missing(first.symbol, wanted_ms, first.open_ms)
