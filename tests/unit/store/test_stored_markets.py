"""Instruments and margin rules as a database has them: exact, by symbol, also in older databases."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bot.core.event import InstrumentChanged
from bot.core.instrument import Instrument
from bot.core.profile import BINANCE_USDM, VenueProfile, bybit, okx, venue_profile
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.errors import UserError
from bot.ports import Commit
from bot.store import schema
from bot.store.database import Binding, open_journal
from bot.store.maintenance import upgrade
from bot.store.markets import StoredMarket, stored_market, stored_markets, tick_sizes
from bot.store.reader import open_reader
from tests.unit.store.story import BTC, RUN

TIERS = tiers_from_rows(
    [LeverageTier(0.0, 5e4, 0.004, 0.0, 125.0), LeverageTier(5e4, float("inf"), 0.005, 50.0, 100.0)]
)
BITCOIN = Instrument(
    BTC, 0.1, 0.001, 0.001, 5.0, 1e-8, 1.0, False, -0.0001, 0.00055, 0.0125, 125.0, 28_800_000, TIERS
)
DOGE = BITCOIN._replace(symbol="1000DOGE/USDT:USDT", tick_size=1e-6)


@dataclass(frozen=True)
class Traded:
    """A database of a session at `venue`."""

    path: Path
    venue: str = "okx on this machine"

    def put(self, profile: VenueProfile, *instruments: Instrument) -> None:
        journal = open_journal(self.path, Binding(self.venue, "testnet", "default"))
        journal.start_run(RUN)
        journal.put_instruments(instruments, profile)
        journal.close()

    def commit(self, event: InstrumentChanged) -> None:
        journal = open_journal(self.path, Binding(self.venue, "testnet", "default"))
        journal.commit(Commit(event.ts_ms, (event,)))
        journal.close()

    def markets(self) -> dict[str, StoredMarket]:
        with open_reader(self.path) as reader:
            return stored_markets(reader)


def assert_is(market: StoredMarket, instrument: Instrument, profile: VenueProfile) -> None:
    assert market.instrument[:-1] == instrument[:-1]
    for was, now in zip(instrument.tiers, market.instrument.tiers, strict=True):
        assert now.dtype == np.float64
        assert now.tolist() == was.tolist()
    assert market.rules.tiers is market.instrument.tiers
    assert market.rules[1:] == (profile, instrument.is_inverse, instrument.tick_size)


def test_instruments_and_profile_come_back_as_they_were_put(path: Path) -> None:
    traded = Traded(path)
    traded.put(okx(0.0005), BITCOIN, DOGE)
    markets = traded.markets()
    assert_is(markets[BTC], BITCOIN, okx(0.0005))
    assert_is(markets[DOGE.symbol], DOGE, okx(0.0005))
    with open_reader(path) as reader:
        assert tick_sizes(reader) == {BTC: 0.1, DOGE.symbol: 1e-6}


def test_rules_that_changed_during_the_session_replace_those_of_the_start(path: Path) -> None:
    traded = Traded(path)
    traded.put(okx(0.0005), BITCOIN, DOGE)
    stricter = BITCOIN._replace(tiers=tiers_from_rows([LeverageTier(0.0, 1e9, 0.02, 0.0, 20.0)]))
    traded.commit(InstrumentChanged(7, BTC, stricter, okx(0.0009)))
    assert_is(traded.markets()[BTC], stricter, okx(0.0009))
    assert_is(traded.markets()[DOGE.symbol], DOGE, okx(0.0005))


def test_a_symbol_that_was_never_traded_is_refused_by_name(path: Path) -> None:
    traded = Traded(path)
    traded.put(BINANCE_USDM, BITCOIN)
    with pytest.raises(UserError, match=r"1000DOGE/USDT:USDT.*Start `ringfence trade`"):
        stored_market(traded.markets(), DOGE.symbol)


def older(path: Path, venue: str) -> Traded:
    """Return a database of the second revision, which kept no profiles, upgraded."""
    instrument = (
        BTC,
        "0.1",
        "0.001",
        "0.001",
        "5.0",
        "1e-08",
        "1.0",
        0,
        "-0.0001",
        "0.00055",
        "0.0125",
        "125.0",
    )
    tiers = (
        '{"notional_floor":[0.0],"notional_cap":[Infinity],"maintenance_margin_rate":[0.004],'
        '"maintenance_amount":[0.0],"max_leverage":[125.0]}'
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(connection, "0002")
        connection.execute("INSERT INTO account (id, venue, mode, name) VALUES (1, ?, 'live', 'a')", (venue,))
        values = (*instrument, 28_800_000, tiers)
        connection.execute(f"INSERT INTO instrument VALUES ({', '.join('?' * len(values))})", values)
    upgrade(path)
    return Traded(path, venue)


@pytest.mark.parametrize(
    ("venue", "profile"),
    [
        ("simulated binanceusdm", BINANCE_USDM),
        ("simulated bybit", bybit(0.00055)),
        ("bybit", bybit(0.00055)),
        ("okx on this machine", okx(0.00055)),
        *(
            (name, venue_profile(name, 0.00055))
            for name in ("bitget", "gate", "kucoinfutures", "hyperliquid")
        ),
    ],
)
def test_an_older_database_has_the_profile_of_its_venue(
    path: Path, venue: str, profile: VenueProfile
) -> None:
    market = older(path, venue).markets()[BTC]
    assert market.rules.profile == profile
    assert market.instrument.tiers.notional_cap.tolist() == [float("inf")]


def test_an_older_database_of_an_unknown_venue_says_what_to_do(path: Path) -> None:
    with pytest.raises(UserError, match=r"margin rules nowhere.*Start `ringfence trade`"):
        older(path, "nowhere").markets()
