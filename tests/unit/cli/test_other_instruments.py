"""Databases of instruments that this program does not ship, or ships with other rules: read by their own."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.app import Application
from bot.store.markets import stored_markets
from bot.store.reader import open_reader

READING = (
    ["status"],
    ["positions"],
    ["trades"],
    ["journal", "--limit", "1000"],
    ["margin", "history"],
    ["margin", "plan"],
    ["margin", "report"],
    ["calc", "position"],
    ["calc", "topup", "--distance", "40%"],
    ["calc", "tiers"],
    ["calc", "leverage"],
    ["calc", "whatif", "--shock", "-1%"],
)


def copied(paper_session, path: Path) -> Path:
    return Path(shutil.copy(paper_session.path, path))


def rename_coins(path: Path) -> None:
    """Give every coin of the database a name that no embedded instrument has."""
    with closing(sqlite3.connect(path)) as connection:
        for name in ("event_no_update", "event_no_delete"):
            connection.execute(f"DROP TRIGGER {name}")
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for _, column, kind, *_ in connection.execute(f'PRAGMA table_info("{table}")').fetchall():
                if kind == "TEXT":
                    renamed = f"replace({column}, '/USDT:USDT', 'X/USDT:USDT')"
                    connection.execute(f'UPDATE "{table}" SET {column} = {renamed}')
        connection.commit()


@pytest.fixture
def renamed(paper_session, tmp_path) -> Path:
    path = copied(paper_session, tmp_path / "renamed.db")
    rename_coins(path)
    return path


@pytest.mark.parametrize("verb", READING, ids=" ".join)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["people", "json"])
def test_symbols_that_are_not_embedded_are_read_like_any_other(ringfence, renamed, verb, form):
    outcome = ringfence(*verb, "--db", renamed, *form)
    assert (outcome.code, outcome.err) == (0, "")
    assert "X/USDT" in outcome.out or verb == ["margin", "report"]


def test_their_liquidation_prices_are_those_of_the_session(ringfence, renamed, paper_session):
    rows = json.loads(ringfence("positions", "--db", renamed, "--json").out)
    for row in rows:
        market = paper_session.state.markets[row["symbol"].replace("X/", "/")]
        assert row["liquidation_price"] == market.liquidation_price(market.holding.position)
    assert len(rows) == 2


def test_a_trade_of_such_a_symbol_is_sized_by_its_coin_alone(ringfence, renamed):
    trade = ("--side", "long", "--stop", "1", "--db", renamed, "--json")
    outcome = ringfence("calc", "size", "--symbol", "btcx", *trade)
    assert json.loads(outcome.out)["symbol"] == "BTCX/USDT:USDT"
    refused = ringfence("calc", "size", "--symbol", "BTC", *trade)
    assert refused.code == 2
    assert "has no market BTC; it has BTCX/USDT:USDT" in refused.err


def test_prices_have_the_decimals_of_the_stored_tick(ringfence, paper_session, tmp_path):
    path = copied(paper_session, tmp_path / "fine.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE instrument SET tick_size = '0.000001'")
        connection.commit()
    for verb in ("positions", "trades"):
        row = json.loads(ringfence(verb, "--db", path, "--json").out)[0]
        assert f"{row['entry_price']:,.6f}" in ringfence(verb, "--db", path).out


def test_every_start_stores_the_rules_that_count_from_then_on(paper_session, tmp_path):
    path = copied(paper_session, tmp_path / "again.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE instrument SET profile = NULL, tick_size = '7.0'")
        connection.commit()
    run = paper_session.settings.run.model_copy(update={"db": path})
    asyncio.run(_start(paper_session.settings.model_copy(update={"run": run})))
    with open_reader(path) as reader:
        markets = stored_markets(reader)
    for symbol, market in paper_session.state.markets.items():
        assert markets[symbol].instrument.tick_size == market.instrument.tick_size
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM instrument WHERE profile IS NULL").fetchone() == (0,)


async def _start(settings) -> None:
    application = Application(settings, lambda _commit: application.stop())
    try:
        await application.meet()
        await application.open()
        await application.run()
    finally:
        await application.leave()
