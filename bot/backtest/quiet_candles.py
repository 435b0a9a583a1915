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

Stops = NDArray[np.int64]


class QuietCandles:
    """Where the next loud stop is, and what is known after the quiet ones before it."""

    def __init__(
        self,
        told: Mapping[str, Told],
        history: MarketHistory,
        timeframe_ms: int,
        stops: Stops,
        is_due_within: NDArray[np.bool_],
    ) -> None:
        """`is_due_within`: after which stops something is due within a bar."""
        self._told, self._timeframe_ms = told, timeframe_ms
        self._ends_ms = history.start_ms + stops * history.timeframe_ms
        self._rows = {
            symbol: np.searchsorted(each.candles.open_ms, self._ends_ms - timeframe_ms, side="right") - 1
            for symbol, each in told.items()
        }
        enters, leaves = (
            np.any([self._said(symbol, getattr(each.signals, name)) for symbol, each in told.items()], axis=0)
            for name in ("entries", "exits")
        )
        is_busy = ~_is_closing_alone(history, timeframe_ms, self._ends_ms)
        self._loud = np.flatnonzero(enters | is_busy)
        self._loud_or_leaving = np.flatnonzero(enters | is_busy | leaves)
        self._funded = np.flatnonzero(_is_funded(history, self._ends_ms))
        # What is held is laid anew by a candle: it is played where prices come before the next one closes.
        is_closing = _is_closing_at_most_funded(history, timeframe_ms, self._ends_ms)
        is_heard = ~is_closing | np.append(self._ends_ms[1:] % timeframe_ms != 0, False) | is_due_within
        self._played = {symbol: self._played_of(symbol, each, is_heard) for symbol, each in told.items()}
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

    def known(self, symbol: str, first: int, until: int) -> list[list[float]]:
        """Return the row of the table at each of the stops from `first` up to `until`."""
        table = self._told[symbol].estimates
        return [] if table is None else table[self._rows[symbol][first:until]].tolist()

    def first_told(self, symbol: str, side: int, stop: int) -> int:
        """Return the number of the first stop from `stop` on that does more than close the symbol's candle.

        The strategy enters there, or leaves what is held on `side` (0: nothing is), or data is missing, or no
        candle closes there or at the next. The count of stops when there is none. Funding is `first_funded`.
        """
        loud = self._played[symbol][side]
        at = int(np.searchsorted(loud, stop))
        return int(loud[at]) if at < len(loud) else len(self._ends_ms)

    def first_funded(self, stop: int) -> int:
        """Return the number of the first stop from `stop` on at which funding is due, else their count."""
        at = int(np.searchsorted(self._funded, stop))
        return int(self._funded[at]) if at < len(self._funded) else len(self._ends_ms)

    def _played_of(self, symbol: str, told: Told, is_busy: NDArray[np.bool_]) -> dict[int, Stops]:
        rows, said = np.maximum(self._rows[symbol], 0), told.signals
        direction = said.direction[rows]
        enters, leaves = (self._said(symbol, column) for column in (said.entries, said.exits))
        always = is_busy | enters | ~self._is_closed(symbol)
        if told.estimates is None:
            always[:] = True
        return {
            0: np.flatnonzero(always),
            **{
                side: np.flatnonzero(always | leaves & ((direction == 0) | (direction == side)))
                for side in (1, -1)
            },
        }

    def end_ms(self, stop: int) -> int:
        """Return when a stop is."""
        return int(self._ends_ms[stop])

    def ends_ms(self, first: int, until: int) -> list[int]:
        """Return when the stops from `first` up to `until` are."""
        return self._ends_ms[first:until].tolist()

    def _said(self, symbol: str, column: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return at which stops a candle closes of which the strategy said so."""
        return self._is_closed(symbol) & column[np.maximum(self._rows[symbol], 0)]

    def _is_closed(self, symbol: str) -> NDArray[np.bool_]:
        """Return at which stops a candle of the symbol closes."""
        rows, open_ms = self._rows[symbol], self._told[symbol].candles.open_ms
        return (rows >= 0) & (open_ms[np.maximum(rows, 0)] == self._ends_ms - self._timeframe_ms)


def _is_closing_alone(history: MarketHistory, timeframe_ms: int, stops_ms: Stops) -> NDArray[np.bool_]:
    """Return which stops have nothing due but closed candles; the very first bar closes none."""
    is_closing = _is_closing_at_most_funded(history, timeframe_ms, stops_ms)
    return is_closing & ~_is_funded(history, stops_ms)


def _is_closing_at_most_funded(
    history: MarketHistory, timeframe_ms: int, stops_ms: Stops
) -> NDArray[np.bool_]:
    gaps = [np.array([gap.from_ms for gap in series.gaps], np.int64) for series in history.series]
    is_gap = np.isin(stops_ms, np.concatenate(gaps))
    return ~is_gap & (stops_ms % timeframe_ms == 0) & (stops_ms > history.start_ms)


def _is_funded(history: MarketHistory, stops_ms: Stops) -> NDArray[np.bool_]:
    return np.isin(stops_ms, np.concatenate([series.funding.ts_ms for series in history.series]))
