"""The market feed of a simulated session: a source's events, each after what it caused at the venue."""

from collections.abc import AsyncGenerator, Iterator
from typing import Protocol

from bot.core.candles import Candles
from bot.core.event import MarketEvent, VenueEvent
from bot.ports import Clock, Json
from bot.sim.pace import Pace
from bot.sim.source import MarketSource


class Venue(Protocol):
    """What the feed needs of the simulated venue. Both calls may come again for an event after a restart."""

    def is_quiet(self, event: MarketEvent) -> bool:
        """Return True when the event can cause nothing; the venue has then taken note of it."""
        ...

    def advance(self, event: MarketEvent) -> Iterator[VenueEvent]:
        """Yield what the event causes, one by one; what was yielded before a restart does not come again."""
        ...


class VenueFeed:
    """A MarketFeed. `speed` is market seconds per second of `clock`; math.inf does not wait."""

    def __init__(self, source: MarketSource, venue: Venue, clock: Clock, speed: float) -> None:
        self._source, self._venue = source, venue
        self._pace = Pace(clock, speed)
        self._is_event_due = False

    async def events(self) -> AsyncGenerator[MarketEvent | VenueEvent, None]:
        """Yield every market event of the source, each after the venue events it caused."""
        source, venue, pace = self._source, self._venue, self._pace
        while (event := source.next()) is not None:
            self._is_event_due = True
            await pace.keep(event.ts_ms)
            if not venue.is_quiet(event):
                for caused in venue.advance(event):
                    yield caused
            self._is_event_due = False
            yield event

    async def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return up to `count` closed candles up to the feed's current place."""
        return self._source.history(symbol, timeframe_ms, count)

    def cursor(self) -> Json:
        """Return the place to resume from.

        While venue events of a market event are being yielded it is the place before that event: it
        comes again after a restart, and the venue yields what was not yet yielded.
        """
        is_before = self._is_event_due
        return {"place": list(self._source.place_before() if is_before else self._source.place())}

    def seek(self, cursor: Json) -> None:
        """Continue from a cursor. ValueError when it is not a place of the source, or has no place."""
        place = cursor.get("place")
        if not isinstance(place, list | tuple) or not all(isinstance(number, int) for number in place):
            raise ValueError(f"{cursor} is not a cursor of this feed")
        self._source.seek(tuple(place))
        self._is_event_due = False
