"""What each venue can do here, from its row."""

from typing import Final, NamedTuple

from bot.exchange.histories import WITHOUT_MARK
from bot.exchange.venues import VENUES, Venue

_TEST: Final = {"demo": "demo account", "sandbox": "test environment", "none": "none: paper trading only"}


class Ability(NamedTuple):
    """One venue. `test`: its test environment. `verified`: what was established, and how."""

    name: str
    title: str
    mark_candles: bool
    test: str
    credentials: tuple[str, ...]
    margin: str
    stops: str
    live_prices: str
    verified: str


def abilities() -> list[Ability]:
    """Return a row per venue: each is traded, examined, downloaded from and followed on paper."""
    return [_ability(venue) for venue in VENUES.values()]


def _ability(venue: Venue) -> Ability:
    return Ability(
        name=venue.ccxt_id,
        title=venue.title,
        mark_candles=venue.ccxt_id not in WITHOUT_MARK,
        test=_TEST[venue.switch],
        credentials=venue.credentials,
        margin=venue.margin,
        stops=venue.conditional,
        live_prices=f"on paper without keys; assumed: {venue.without_key}",
        verified=venue.verified,
    )
