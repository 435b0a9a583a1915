"""The synthetic market: an endless, seeded sequence of ticks that can be continued at any place.

The session starts at ORIGIN_MS (2025-01-01 00:00 UTC), in a volatile hour; sixty days before it can
be asked for as history. Everything is a function of (seed, symbol, tick_ms) and the hour, so candles
delivered in the session and candles asked for later are the same numbers.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from bot.core.candles import Candles
from bot.core.event import CandleClosed, FundingDue, MarketEvent, MarkPrice
from bot.core.timeframe import DAY_MS, HOUR_MS, MINUTE_MS
from bot.sim.candle_builder import closed_by, closed_event, join, pick, resample
from bot.sim.coins import coin_of
from bot.sim.hour_ticks import Ticks, hour_ticks, minute_candles, weather
from bot.sim.regimes import FUNDING_HOURS, HISTORY_HOURS, Planner
from bot.sim.series import NO_FUNDING, Funding
from bot.sim.source import Place

ORIGIN_MS: Final = 1_735_689_600_000
_KEPT_HOURS: Final = 48


class SyntheticMarket:
    """A MarketSource that never ends.

    `tick_ms` must divide a minute and `timeframe_ms` be whole minutes that divide a day (ValueError).
    UserError: a symbol the market does not know.
    """

    def __init__(self, seed: int, symbols: Sequence[str], timeframe_ms: int, tick_ms: int = 1000) -> None:
        if tick_ms <= 0 or MINUTE_MS % tick_ms:
            raise ValueError(f"ticks of {tick_ms} ms do not divide a minute")
        _check_timeframe(timeframe_ms)
        self._seed, self._symbols, self._tick_ms = seed, tuple(symbols), tick_ms
        self._timeframe_ms = timeframe_ms
        self._coins = tuple(coin_of(symbol) for symbol in symbols)
        self._planner = Planner(seed, self._coins)
        self._minutes: OrderedDict[int, tuple[Candles, ...]] = OrderedDict()
        self.seek((0, 0))

    def next(self) -> MarketEvent:
        """Return the next event in time order."""
        if self._offset == len(self._events):
            self._open_hour(self._hour + 1)
        event = self._events[self._offset]
        self._offset += 1
        return event

    def place(self) -> Place:
        """Return (hour of the session, events of it returned)."""
        return (self._hour, self._offset)

    def place_before(self) -> Place:
        """Return the place from which the last returned event comes again."""
        return (self._hour, max(0, self._offset - 1))

    def seek(self, place: Place) -> None:
        """Continue right after `place`. ValueError when it is not a place of this market."""
        if len(place) != 2 or place[0] < 0:
            raise ValueError(f"{place} is not a place of a synthetic market")
        self._open_hour(place[0])
        if not 0 <= place[1] <= len(self._events):
            raise ValueError(f"{place} is not a place: hour {place[0]} has {len(self._events)} events")
        self._offset = place[1]

    def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return up to `count` candles that had closed at the current place."""
        known_ms = self._known_ms(symbol)
        end_ms = known_ms - known_ms % timeframe_ms
        candles = self._candles(
            self._symbols.index(symbol), timeframe_ms, end_ms - count * timeframe_ms, end_ms
        )
        return closed_by(candles, timeframe_ms, known_ms, count)

    def settled_before(self, symbol: str) -> Funding:
        """Return the settlements of the sixty days before the session, the one at its beginning too."""
        return self._funding(self._symbols.index(symbol), range(-HISTORY_HOURS + FUNDING_HOURS, 0))

    def _open_hour(self, hour: int) -> None:
        self._hour, self._offset = hour, 0
        self._events = list(self._hour_events(hour))

    def _hour_events(self, hour: int) -> Iterator[MarketEvent]:
        """Yield the events of an hour; at one instant: funding, closed candles, then prices."""
        open_ms = ORIGIN_MS + hour * HOUR_MS
        ticks = self._tick_events(hour, open_ms)
        closings = range(open_ms + -open_ms % self._timeframe_ms, open_ms + HOUR_MS, self._timeframe_ms)
        instants = sorted({open_ms, *closings})
        for ts_ms, until_ms in zip(instants, [*instants[1:], open_ms + HOUR_MS], strict=True):
            if ts_ms > ORIGIN_MS:
                yield from self._due(hour, ts_ms)
            first, end = ((at - open_ms) // self._tick_ms * len(self._symbols) for at in (ts_ms, until_ms))
            yield from ticks[first:end]

    def _tick_events(self, hour: int, open_ms: int) -> list[MarkPrice]:
        times = range(open_ms, open_ms + HOUR_MS, self._tick_ms)
        columns = [
            map(MarkPrice, times, [symbol] * len(times), ticks.mark.tolist(), ticks.last.tolist())
            for symbol, ticks in zip(self._symbols, self._ticks(hour), strict=True)
        ]
        return [tick for instant in zip(*columns, strict=True) for tick in instant]

    def _due(self, hour: int, ts_ms: int) -> Iterator[MarketEvent]:
        if ts_ms % (FUNDING_HOURS * HOUR_MS) == 0:
            for index, symbol in enumerate(self._symbols):
                yield FundingDue(ts_ms, symbol, self._planner.funding_rate(hour, index))
        if ts_ms % self._timeframe_ms == 0:
            for index, symbol in enumerate(self._symbols):
                yield self._closing(index, symbol, ts_ms)

    def _closing(self, index: int, symbol: str, ts_ms: int) -> CandleClosed:
        candles = self._candles(index, self._timeframe_ms, ts_ms - self._timeframe_ms, ts_ms)
        return closed_event(symbol, self._timeframe_ms, candles)

    def _ticks(self, hour: int) -> list[Ticks]:
        plan, shared = self._planner.hour(hour), weather(self._seed, hour, self._tick_ms)
        return [
            hour_ticks(coin, coin_plan, shared)
            for coin, coin_plan in zip(self._coins, plan.coins, strict=True)
        ]

    def _candles(self, index: int, timeframe_ms: int, start_ms: int, end_ms: int) -> Candles:
        """Return the candles in [start_ms, end_ms), as far as the history goes back."""
        _check_timeframe(timeframe_ms)
        last = (end_ms - 1 - ORIGIN_MS) // HOUR_MS
        hours = range(min(max((start_ms - ORIGIN_MS) // HOUR_MS, -HISTORY_HOURS), last), last + 1)
        minutes = join([self._hour_minutes(hour)[index] for hour in hours])
        inside = slice(*np.searchsorted(minutes.open_ms, (start_ms, end_ms)))
        minutes = pick(minutes, inside)
        return resample(minutes, MINUTE_MS, timeframe_ms, self._funding(index, hours))

    def _hour_minutes(self, hour: int) -> tuple[Candles, ...]:
        """Return every symbol's one-minute candles of an hour; the newest used hours are kept."""
        if hour not in self._minutes:
            open_ms = ORIGIN_MS + hour * HOUR_MS
            self._minutes[hour] = tuple(minute_candles(ticks, open_ms) for ticks in self._ticks(hour))
            if len(self._minutes) > _KEPT_HOURS:
                self._minutes.popitem(last=False)
        self._minutes.move_to_end(hour)
        return self._minutes[hour]

    def _funding(self, index: int, hours: range) -> Funding:
        """Return the settlements that candles of `hours` may know of."""
        first = max(hours.start - FUNDING_HOURS, -HISTORY_HOURS)
        settled = [hour for hour in range(first, hours.stop + 1) if hour % FUNDING_HOURS == 0]
        rates = [self._planner.funding_rate(hour, index) for hour in settled]
        instants = ORIGIN_MS + HOUR_MS * np.array(settled, dtype=np.int64)
        return Funding(instants, np.array(rates, dtype=np.float64)) if settled else NO_FUNDING

    def _known_ms(self, symbol: str) -> int:
        """Return the newest instant whose closed candles of `symbol` have all been delivered."""
        if self._offset == 0:
            return ORIGIN_MS + self._hour * HOUR_MS - (1 if self._hour else 0)
        ts_ms = self._events[self._offset - 1].ts_ms
        for event in self._events[self._offset : self._offset + 3 * len(self._symbols)]:
            if event.ts_ms == ts_ms and isinstance(event, CandleClosed) and event.symbol == symbol:
                return ts_ms - 1
        return ts_ms


def _check_timeframe(timeframe_ms: int) -> None:
    if timeframe_ms <= 0 or timeframe_ms % MINUTE_MS or DAY_MS % timeframe_ms:
        raise ValueError(f"a timeframe of {timeframe_ms} ms is not whole minutes that divide a day")
