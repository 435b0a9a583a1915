"""A position that the bot did not open is shown as one that nobody guards, not as no position."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.exchange.rows import VenueOrder

BTC = "BTC/USDT:USDT"


@pytest.fixture
def path(workplace: Path, paper_session: Any) -> Path:
    """The session's database, in which everything held is somebody else's."""
    path = workplace / "var" / "paper.db"
    path.parent.mkdir()
    shutil.copy(paper_session.path, path)
    return path


def disown(path: Path) -> list[str]:
    """Let every position be a stranger's, and return the symbols."""
    with closing(sqlite3.connect(path)) as database, database:
        engine = json.loads(database.execute("SELECT engine FROM checkpoint").fetchone()[0])
        symbols = []
        for symbol, market in engine["markets"].items():
            if market["holding"] is not None:
                market["foreign"], market["holding"] = market["holding"]["position"], None
                symbols.append(symbol)
        values = (json.dumps(engine), json.dumps({"orders": []}))
        database.execute("UPDATE checkpoint SET engine = ?, venue = ?", values)
    return symbols


def rest(path: Path, *symbols: str) -> None:
    """Let a stop rest in each symbol."""
    tail = (0.0, 0.0, 7.5, "mark", 0.0, True, True, 1, "open", "")
    orders = [list(VenueOrder(f"x{symbol}", "1", symbol, "stop", 1, *tail)) for symbol in symbols]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE checkpoint SET venue = ?", (json.dumps({"orders": orders}),))


@pytest.mark.parametrize("verb", ["status", "positions"])
def test_a_strangers_position_without_a_stop_is_named_as_naked(ringfence: Any, path: Path, verb: str) -> None:
    symbols = disown(path)
    outcome = ringfence(verb)
    assert outcome.code == 0
    assert "No position is open" not in outcome.out
    assert "not managed by the bot" in outcome.out
    assert f"No stop rests for {', '.join(symbols)}" in outcome.out


def test_a_strangers_stop_is_shown(ringfence: Any, path: Path) -> None:
    symbols = disown(path)
    shown = [row["symbol"] for row in json.loads(ringfence("status", "--json").out)["strangers"]]
    assert shown == symbols
    rest(path, *symbols)
    outcome = ringfence("positions")
    assert "7.5" in outcome.out
    assert "No stop rests" not in outcome.out
