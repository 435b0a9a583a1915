"""What each venue can do in this version, from its row and from what is wired."""

from typing import Final, NamedTuple

from bot.exchange.connect import ACCOUNT_DIALECTS
from bot.exchange.histories import WITHOUT_MARK
from bot.exchange.venues import VENUES, Venue

_TEST: Final = {"demo": "demo account", "sandbox": "test environment", "none": "none: paper trading only"}


class Ability(NamedTuple):
    """One venue. `test`: its test environment. `verified`: what was established, and how."""

    name: str
    title: str
    trading: bool
    doctor: bool
    download: bool
    mark_candles: bool
    test: str
    credentials: tuple[str, ...]
    margin: str
    stops: str
    verified: str


def abilities() -> list[Ability]:
    """Return a row per venue, those that can be traded first."""
    rows = [_ability(venue) for venue in VENUES.values()]
    return sorted(rows, key=lambda row: not row.trading)


def _ability(venue: Venue) -> Ability:
    return Ability(
        name=venue.ccxt_id,
        title=venue.title,
        trading=venue.is_tradable,
        doctor=venue.ccxt_id in ACCOUNT_DIALECTS,
        download=True,
        mark_candles=venue.ccxt_id not in WITHOUT_MARK,
        test=_TEST[venue.switch],
        credentials=venue.credentials,
        margin=venue.margin,
        stops=venue.conditional,
        verified=venue.verified,
    )
