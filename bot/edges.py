"""The outside of a session: a feed, an exchange, and what the composition root must know of them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.core.event import VenueEvent
from bot.core.instrument import Instrument
from bot.core.intent import Intent
from bot.core.profile import VenueProfile
from bot.ports import Exchange, Json, MarketFeed


class SeekableFeed(MarketFeed, Protocol):
    """A feed that continues from a place of the last checkpoint."""

    def seek(self, cursor: Json) -> None:
        """Continue from a cursor. ValueError: it is no place of this feed."""
        ...


async def nothing_to_leave() -> None:
    """Leave a venue that lives in this process."""


def nothing_to_inherit(pending: Iterable[Intent]) -> None:
    """Take nothing over: a venue that lives in this process knows what it was asked."""


@dataclass(frozen=True, slots=True)
class Edges:
    """What differs between paper trading, a replay and a real venue; the engine knows none of it.

    `snapshot` and `restore` carry a venue that lives in this process; a real one remembers by itself.
    `profiles`: the margin rules of each symbol. `start_ms`: the market's time at a first start. `played` and
    `notices`: what the data is and lacks.
    `inherit`: told, before anything is asked, which requests a process before this one left open.
    `missed`: what happened since the checkpoint at a venue that lived on; None: it stood still.
    `prefix`: the beginning of every client id, one per mode; `epoch`: what tells this run's ids from those of
    any other, also where a copy has taken the place of the database.
    `conservation_error`: of the venue's books, relative; 0.0 where they are not ours to see. `leave` gives
    connections back. `silence_ms`: without market data for so long of wall time its feed is out; 0: never.
    `read_ms`: when the orders of a symbol were read last, `covered_ms`: when they showed stops over all that
    is held; None: they rest in this process.
    """

    instruments: Mapping[str, Instrument]
    profiles: Mapping[str, VenueProfile]
    exchange: Exchange
    feed: SeekableFeed
    snapshot: Callable[[], Json]
    restore: Callable[[Json], None]
    conservation_error: Callable[[], float]
    venue_name: str
    mode: str
    prefix: str
    start_ms: int
    played: str = ""
    notices: tuple[str, ...] = ()
    epoch: str = ""
    inherit: Callable[[Iterable[Intent]], None] = nothing_to_inherit
    missed: Callable[[], Awaitable[Iterable[VenueEvent]]] | None = None
    leave: Callable[[], Awaitable[None]] = nothing_to_leave
    silence_ms: int = 0
    read_ms: Callable[[str], int] | None = None
    covered_ms: Callable[[str], int] | None = None
