"""Closed candles that nobody need be told of one by one: nothing is held, and the strategy enters nowhere.

A stop is a bar before whose prices something is due. Loud are those at which money is settled, data is
missing, or the strategy wants in; all others close candles and nothing else.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.estimates_table import estimates_of
from bot.backtest.recital import Told
from bot.risk.estimates import MarketEstimates
from bot.sim.series import MarketHistory

_HOUR_MS: Final = 3_600_000
# What a strategy may say of a candle; leaving one side is that side, 1 or -1.
_SILENT, _ENTERS, _LEAVES_ANY = 0, 2, 3

Stops = NDArray[np.int64]


class QuietCandles:
    """Where the next loud stop is, and what is known after the quiet ones before it."""

    def __init__(
        self, told: Mapping[str, Told], history: MarketHistory, timeframe_ms: int, stops: Stops
    ) -> None:
        self._told = told
        self._ends_ms = history.start_ms + stops * history.timeframe_ms
        closings = {
            symbol: np.searchsorted(each.candles.open_ms, self._ends_ms - timeframe_ms, side="right") - 1
            for symbol, each in told.items()
        }
        self._rows = closings
        enters, leaves = (
            np.any(
                [
                    self._said(symbol, getattr(each.signals, name), timeframe_ms)
                    for symbol, each in told.items()
                ],
                axis=0,
            )
            for name in ("entries", "exits")
        )
        loud = enters | ~_is_closing_alone(history, timeframe_ms, self._ends_ms)
        self._alone = _is_closing_alone(history, timeframe_ms, self._ends_ms).tolist()
        self._words = {symbol: self._words_of(symbol, each, timeframe_ms) for symbol, each in told.items()}
        self._loud, self._loud_or_leaving = np.flatnonzero(loud), np.flatnonzero(loud | leaves)
        self._has_estimates = all(each.estimates is not None for each in told.values())
        hours = self._ends_ms // _HOUR_MS
        self._turns = np.flatnonzero(np.diff(hours, prepend=hours[:1] - 1))

    def until(self, stop: int, *, hears_exits: bool) -> int:
        """Return the number of the first loud stop from `stop` on, of all stops when there is none."""
        if not self._has_estimates:
            return stop
        loud = self._loud_or_leaving if hears_exits else self._loud
        at = int(np.searchsorted(loud, stop))
        return int(loud[at]) if at < len(loud) else len(self._ends_ms)

    def turns(self, first: int, last: int) -> list[int]:
        """Return the times, of the stops from `first` up to `last`, at which an hour may first be seen."""
        low, high = np.searchsorted(self._turns, (first + 1, last))
        return self._ends_ms[[first, *self._turns[low:high].tolist()]].tolist()

    def estimates(self, symbol: str, stop: int) -> MarketEstimates | None:
        """Return what is known of a symbol once a stop's candles have closed; None: nothing closed yet."""
        told, row = self._told[symbol], int(self._rows[symbol][stop])
        return None if told.estimates is None or row < 0 else estimates_of(told.estimates, row)

    def is_closing_alone(self, stop: int) -> bool:
        """Return whether a stop closes candles and has nothing else due."""
        return stop < len(self._alone) and self._alone[stop]

    def is_told(self, symbol: str, stop: int, side: int) -> bool:
        """Return whether the strategy enters there, or leaves what is held on `side` (0: nothing is)."""
        word = self._words[symbol][stop]
        return word == _ENTERS or (side != 0 and word in (_LEAVES_ANY, side))

    def _words_of(self, symbol: str, told: Told, timeframe_ms: int) -> list[int]:
        said, rows = told.signals, np.maximum(self._rows[symbol], 0)
        enters, leaves = (self._said(symbol, column, timeframe_ms) for column in (said.entries, said.exits))
        direction = said.direction[rows].astype(np.int64)
        left = np.where(direction == 0, _LEAVES_ANY, direction)
        return np.where(enters, _ENTERS, np.where(leaves, left, _SILENT)).tolist()

    def end_ms(self, stop: int) -> int:
        """Return when a stop is."""
        return int(self._ends_ms[stop])

    def _said(self, symbol: str, column: NDArray[np.bool_], timeframe_ms: int) -> NDArray[np.bool_]:
        """Return at which stops a candle closes of which the strategy said so."""
        rows, open_ms = self._rows[symbol], self._told[symbol].candles.open_ms
        is_closed = (rows >= 0) & (open_ms[np.maximum(rows, 0)] == self._ends_ms - timeframe_ms)
        return is_closed & column[np.maximum(rows, 0)]


def _is_closing_alone(history: MarketHistory, timeframe_ms: int, stops_ms: Stops) -> NDArray[np.bool_]:
    """Return which stops have nothing due but closed candles; the very first bar closes none."""
    others = [series.funding.ts_ms for series in history.series]
    others += [np.array([gap.from_ms for gap in series.gaps], np.int64) for series in history.series]
    is_other = np.isin(stops_ms, np.concatenate(others))
    return ~is_other & (stops_ms % timeframe_ms == 0) & (stops_ms > history.start_ms)
