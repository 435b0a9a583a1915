"""The markets as the session traded them: instruments and the venue's margin rules, as last committed."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from sqlalchemy import select

from bot.core.instrument import Instrument, margin_rules
from bot.core.profile import CCXT_IDS, MarginRules, VenueProfile, venue_profile
from bot.core.tiers import Tiers
from bot.errors import UserError
from bot.store.reader import Reader
from bot.store.tables import TABLES
from bot.store.types import json_value

_NUMBERS: Final = frozenset(Instrument._fields) - {"symbol", "is_inverse", "funding_interval_ms", "tiers"}


class StoredMarket(NamedTuple):
    """An instrument as the venue last stated it, and its tiers with the venue's profile."""

    instrument: Instrument
    rules: MarginRules


def stored_markets(reader: Reader) -> dict[str, StoredMarket]:
    """Return every market that was traded, by symbol.

    UserError: a row of before profiles were stored, of a venue whose profile is not known.
    """
    venue = reader.execute(select(TABLES["account"].c.venue)).scalar_one()
    rows = reader.execute(select(TABLES["instrument"])).mappings()
    return {row["symbol"]: _market(row, venue) for row in rows}


def tick_sizes(reader: Reader) -> dict[str, float]:
    """Return the price step of every market that was traded, by symbol."""
    table = TABLES["instrument"].c
    rows = reader.execute(select(table.symbol, table.tick_size))
    return {symbol: float(tick_size) for symbol, tick_size in rows}


def stored_market(markets: Mapping[str, StoredMarket], symbol: str) -> StoredMarket:
    """Return the market of `symbol`. UserError: the database does not hold it."""
    if symbol not in markets:
        raise UserError(
            f"The database holds no instrument {symbol}, whose leverage tiers its liquidation price needs. "
            "Start `ringfence trade` on this database once, which reads them; then ask again."
        )
    return markets[symbol]


def _market(row: Mapping[Any, Any], venue: str) -> StoredMarket:
    known = {name: float(row[name]) if name in _NUMBERS else row[name] for name in Instrument._fields}
    columns = {name: np.array(values, np.float64) for name, values in json_value(row["tiers"]).items()}
    instrument = Instrument(**{**known, "tiers": Tiers(**columns)})
    return StoredMarket(instrument, margin_rules(instrument, _profile(row["profile"], instrument, venue)))


def _profile(stored: str | None, instrument: Instrument, venue: str) -> VenueProfile:
    """The profile of the row; before rows had one, that of the venue that the account is at."""
    if stored is not None:
        return VenueProfile(**json_value(stored))
    ccxt_id = venue.removeprefix("simulated ").partition(" ")[0]
    if ccxt_id not in CCXT_IDS:
        raise UserError(
            f"The database does not say by which margin rules {venue} liquidates. Start `ringfence trade` on "
            "it once, which stores them; then ask again."
        )
    return venue_profile(ccxt_id, instrument.taker_fee_rate)
