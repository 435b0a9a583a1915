"""What each venue can do here, from its row. Data only: this must not import ccxt, which takes seconds."""

from typing import Final, NamedTuple

from bot.exchange.venues import VENUES, WITHOUT_MARK, Venue

_TRAILING: Final = ("binanceusdm", "bybit", "okx")  # elsewhere a stop is moved instead
_MARGIN_HISTORY: Final = ("binanceusdm", "okx", "bitget")  # elsewhere the bot's own ledger
_TEST: Final = {"demo": "demo account", "sandbox": "test environment", "none": "none: paper trading only"}


class Ability(NamedTuple):
    """One venue. `test`: its test environment. `verified`: what was established, and how.

    `add`, `reduce`: of margin. `hedge`: hedge mode, which is traded nowhere.
    """

    name: str
    title: str
    stop: bool
    trailing: bool
    add: bool
    reduce: bool
    margin_history: bool
    hedge: bool
    testnet: bool
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
        stop=True,
        trailing=venue.ccxt_id in _TRAILING,
        add=True,
        reduce=True,
        margin_history=venue.ccxt_id in _MARGIN_HISTORY,
        hedge=False,
        testnet=venue.switch != "none",
        mark_candles=venue.ccxt_id not in WITHOUT_MARK,
        test=_TEST[venue.switch],
        credentials=venue.credentials,
        margin=venue.margin,
        stops=venue.conditional,
        live_prices=f"on paper without keys; assumed: {venue.without_key}",
        verified=venue.verified,
    )
