"""The verbs that read: status, positions, trades, margin, journal, db. They never write."""

import json
import sqlite3

import pytest

from bot.store.database import open_journal
from tests.unit.cli.conftest import assert_one_paragraph, files_in
from tests.unit.store.story import BINDING, BTC, DEPOSIT, RUN, entry, funding_and_margin, whole_life, write


@pytest.fixture
def make(workplace):
    """Return a function that makes var/paper.db holding some commits."""

    def database(commits):
        (workplace / "var").mkdir()
        journal = open_journal(workplace / "var" / "paper.db", BINDING)
        journal.start_run(RUN)
        journal.set_deposit(DEPOSIT)
        write(journal, commits)
        journal.close()

    return database


@pytest.fixture
def opened(make):
    make([*entry(), *funding_and_margin()])


@pytest.fixture
def closed(make):
    make(whole_life())


def _json(outcome):
    assert (outcome.code, outcome.err) == (0, "")
    return json.loads(outcome.out)


_READING = (["status"], ["positions"], ["trades"], ["journal"], ["margin", "history"], ["db", "check"])


@pytest.mark.parametrize("verb", _READING)
def test_reading_changes_nothing(ringfence, opened, workplace, verb):
    before = files_in(workplace), (workplace / "var/paper.db").read_bytes()
    assert ringfence(*verb).code == 0
    after = files_in(workplace), (workplace / "var/paper.db").read_bytes()
    assert set(after[0]) - set(before[0]) <= {"var/paper.db-wal", "var/paper.db-shm"}
    assert after[1] == before[1]


@pytest.mark.parametrize("verb", [*_READING, ["db", "upgrade"], ["db", "backup", "copy.db"]])
def test_a_database_that_is_not_there_is_refused(ringfence, workplace, verb):
    outcome = ringfence(*verb, "--db", "nowhere.db")
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert "nowhere.db" in outcome.err
    assert files_in(workplace) == []


@pytest.mark.parametrize("verb", [*_READING, ["db", "upgrade"], ["db", "backup", "copy.db"]])
@pytest.mark.parametrize("content", ["text", "foreign"])
def test_a_file_that_is_no_database_of_ours_is_refused(ringfence, workplace, verb, content):
    path = workplace / "other.db"
    if content == "text":
        path.write_text("this is not a database, and it is longer than a header of one hundred bytes" * 3)
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE other (id INTEGER)")
        connection.close()
    before = path.read_bytes()
    outcome = ringfence(*verb, "--db", "other.db")
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert path.read_bytes() == before


def test_status_shows_the_account_and_its_positions(ringfence, opened):
    outcome = ringfence("status")
    assert outcome.code == 0
    assert "No bot is running" in outcome.out
    assert "ema_cross" in outcome.out
    assert BTC in outcome.out


def test_status_in_json_has_exact_amounts(ringfence, opened):
    status = _json(ringfence("status", "--json"))
    assert (status["mode"], status["is_running"]) == ("paper", False)
    assert (status["free_quote"], status["committed_quote"]) == ("987.44", "12.5")
    assert status["positions"][0]["isolated_wallet"] == "12.5"


def test_positions_show_stop_margin_and_liquidation(ringfence, opened):
    (position,) = _json(ringfence("positions", "--json"))
    assert (position["symbol"], position["side"], position["stop_price"]) == (BTC, "long", "95.0")
    assert (position["liquidation_price"], position["distance"]) == ("88.5", "0.0969")
    text = ringfence("positions").out
    assert text.splitlines()[0].startswith("symbol")
    assert "0.0969" in text


def test_no_position_is_said_in_words(ringfence, closed):
    assert ringfence("positions").out == "No position is open.\n"
    assert _json(ringfence("positions", "--json")) == []


def test_trades_show_why_a_position_was_closed(ringfence, closed):
    (trade,) = _json(ringfence("trades", "--json"))
    assert (trade["cause"], trade["exit_price"], trade["side"]) == ("stop", "94.9", "long")
    assert "stop" in ringfence("trades").out


def test_margin_history_shows_the_reason_and_the_risk_before_and_after(ringfence, closed):
    (move,) = _json(ringfence("margin", "history", "--json"))
    assert (move["amount_quote"], move["reason"], move["policy"]) == ("2.51", "touched_add", "distance_band")
    assert (move["distance_before"], move["distance_after"]) == ("0.0714", "0.0969")
    assert "touched_add" in ringfence("margin", "history").out


def test_a_symbol_without_rows_shows_none(ringfence, closed):
    assert _json(ringfence("margin", "history", "--symbol", "ETH/USDT:USDT", "--json")) == []
    assert _json(ringfence("trades", "--symbol", "ETH/USDT:USDT", "--json")) == []


def test_the_journal_is_newest_first_and_limited(ringfence, closed):
    events = _json(ringfence("journal", "--json", "--limit", "3"))
    assert len(events) == 3
    assert [event["id"] for event in events] == sorted((event["id"] for event in events), reverse=True)
    assert events[0]["kind"] == "PositionClosed"


def test_margin_plan_is_sorted_by_distance_to_liquidation(ringfence, application):
    far = {"symbol": "ETH/USDT:USDT", "distance": 0.2, "action": "hold", "reason": "in_band"}
    near = {"symbol": BTC, "distance": 0.05, "action": "add", "amount_quote": 12.0, "reason": "below_band"}
    application.plan = [far, near]
    planned = _json(ringfence("margin", "plan", "--json"))
    assert [row["symbol"] for row in planned] == [BTC, "ETH/USDT:USDT"]
    assert "below_band" in ringfence("margin", "plan").out


def test_a_backup_is_a_database_that_can_be_read(ringfence, closed, workplace):
    assert _json(ringfence("db", "backup", "copy.db", "--json")) == {
        "database": "var/paper.db",
        "backup": "copy.db",
    }
    assert len(_json(ringfence("trades", "--db", "copy.db", "--json"))) == 1
    again = ringfence("db", "backup", "copy.db")
    assert again.code == 2
    assert "exists already" in again.err


def test_upgrading_what_is_up_to_date_says_so(ringfence, closed):
    assert _json(ringfence("db", "upgrade", "--json")) == {
        "database": "var/paper.db",
        "is_upgraded": False,
        "backup": None,
    }


def test_a_sound_database_is_said_to_be_sound(ringfence, opened):
    assert ringfence("db", "check").out == "var/paper.db is sound.\n"


def test_wrong_books_are_found_and_exit_with_1(ringfence, opened, workplace):
    with sqlite3.connect(workplace / "var/paper.db") as connection:
        connection.execute("UPDATE account SET free_quote = '5000'")
    connection.close()
    outcome = ringfence("db", "check", "--json")
    assert outcome.code == 1
    assert json.loads(outcome.out)[0]["subject"] == "books"
