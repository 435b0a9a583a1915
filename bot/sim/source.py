"""Where a simulated session's market data comes from: a deterministic, seekable sequence.

Order at one instant: FundingDue, FeedGap, CandleClosed, then the first prices of what follows.
"""

from typing import Protocol

from bot.core.candles import Candles
from bot.core.event import MarketEvent
from bot.sim.series import Funding

Place = tuple[int, ...]


class MarketSource(Protocol):
    def next(self) -> MarketEvent | None:
        """Return the next event in time order, or None at the end. Same seed, same events."""
        ...

    def place(self) -> Place:
        """Return the place after the last returned event; cheap, called for every event."""
        ...

    def place_before(self) -> Place:
        """Return the place from which the last returned event comes again, and the same ones after it."""
        ...

    def seek(self, place: Place) -> None:
        """Continue right after `place`, exactly as if never stopped. ValueError: no such place."""
        ...

    def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return up to `count` candles closed at or before the current place.

        A candle that closes at the current instant counts once its CandleClosed was returned.
        """
        ...

    def settled_before(self, symbol: str) -> Funding:
        """Return the settlements before the first event, as far back as the source knows them."""
        ...
