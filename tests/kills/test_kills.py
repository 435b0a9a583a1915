"""A few real deaths, and that the script which brings about hundreds can fail."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.core.position import Position
from bot.sim.orders import OrderBook
from tests.kills import __main__ as script
from tests.kills.deaths import drawn
from tests.kills.figures import share_of
from tests.kills.rig import SYMBOLS
from tests.kills.trial import Failed, Trial
from tests.kills.truth import Truth
from tests.kills.verdict import faults


def told_of(truth: Truth, database: Path, change: str) -> str:
    """Return what the verdict says of a copy of a database in which something was changed."""
    copy = database.with_name("changed.db")
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as whole, closing(sqlite3.connect(copy)) as other:
        whole.backup(other)  # a bot that was killed left commits in the log beside the file
    with sqlite3.connect(copy) as connection:
        connection.execute(change)
    connection.close()
    return "; ".join(faults(truth, copy))


@pytest.mark.timeout(300)
def test_a_bot_that_was_ended_agrees_with_its_exchange_and_a_difference_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--kills", "2", "--terms", "1", "--seed", "3", "--dialect", "okx", "--folder", str(tmp_path))
    assert script.main(words) == 0
    assert capsys.readouterr().out.endswith("\n3 deaths, 0 failed\n")
    truth = Truth(tmp_path / "exchange.state", "okx", SYMBOLS, 100_000.0)
    truth.look()
    database = tmp_path / "bot.db"
    assert faults(truth, database) == []
    lost = "DELETE FROM fill WHERE rowid = (SELECT max(rowid) FROM fill)"
    assert told_of(truth, database, lost).startswith("fills: lost")
    unwritten = "UPDATE intent SET client_id = client_id || 'X' WHERE kind = 'OpenPosition'"
    assert "was sent and never written" in told_of(truth, database, unwritten)
    naked = Position(SYMBOLS[0], 1, 1.0, 50_000.0, 5_000.0, 0)
    truth.embedded.state.positions[naked.symbol] = naked
    truth.embedded.state.orders = OrderBook()
    assert f"{naked.symbol} is held and has no stop" in "; ".join(faults(truth, database))


def test_a_seed_draws_the_same_deaths_and_each_kind_of_them() -> None:
    deaths = drawn(1, 200, 50)
    assert deaths == drawn(1, 200, 50) != drawn(2, 200, 50)
    assert [sum(death.is_polite for death in deaths), len(deaths)] == [50, 250]
    assert {death.moment for death in deaths} == {"import", "recovery", "intent", "request", "calm"}
    assert 5 < sum(death.kill_after_s > 0.0 for death in deaths) < 25
    assert all(death.is_polite for death in deaths if death.kill_after_s)


def test_a_failure_is_told_with_what_repeats_it_and_what_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def suffer(_trial: Any, death: Any) -> str:
        if death.number == 2:
            raise Failed("something differs")
        return "nothing"

    monkeypatch.setattr(Trial, "suffer", suffer)
    monkeypatch.setattr(Trial, "activity", lambda _: "nothing was done")
    monkeypatch.setattr(script, "Rig", _NoRig)
    assert script.main(("--kills", "3", "--terms", "0", "--seed", "9", "--folder", str(tmp_path))) == 1
    said = capsys.readouterr().out
    assert "FAILED: something differs" in said
    assert f"kept: {tmp_path}\n" in said
    assert "again: python -m tests.kills --kills 3 --terms 0 --seed 9 --dialect binance" in said
    assert said.endswith("\n2 deaths, 1 failed\n")


class _NoRig:
    """Processes that do nothing."""

    def __init__(self, *_: object) -> None:
        self.exchange = self.bot = self

    def order(self, _what: str) -> None: ...

    def end(self) -> None: ...

    def die(self, _number: int) -> None: ...


def test_a_share_is_the_value_that_so_many_do_not_exceed() -> None:
    hundred = [float(number) for number in range(1, 101)]
    assert (share_of(hundred, 0.5), share_of(hundred, 0.99)) == (50.0, 99.0)
    assert share_of([], 0.5) == 0.0
