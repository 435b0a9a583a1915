"""The verbs that read: status, positions, trades, margin, journal, db. They never write."""

import json
import re
import shutil
import sqlite3

import pytest

from bot.core.margin import distance, liquidation_price
from bot.store.database import open_journal
from bot.view.figures import pair, price_text, step_decimals
from tests.unit.cli.conftest import assert_one_paragraph, files_in
from tests.unit.store.story import BINDING, DEPOSIT, RUN, entry, funding_and_margin, whole_life, write


@pytest.fixture
def make(workplace):
    """Return a function that makes var/paper.db holding some commits, as one without a cut of the engine."""

    def database(commits):
        (workplace / "var").mkdir()
        journal = open_journal(workplace / "var" / "paper.db", BINDING)
        journal.start_run(RUN)
        journal.set_deposit(DEPOSIT)
        write(journal, [commit._replace(checkpoint=None) for commit in commits])
        journal.close()

    return database


@pytest.fixture
def opened(make):
    make([*entry(), *funding_and_margin()])


@pytest.fixture
def closed(make):
    make(whole_life())


@pytest.fixture
def traded(workplace, paper_session):
    """Copy the database of the real session to var/paper.db."""
    (workplace / "var").mkdir()
    shutil.copy(paper_session.path, workplace / "var" / "paper.db")


def _json(outcome):
    assert (outcome.code, outcome.err) == (0, "")
    return json.loads(outcome.out)


_READING = (
    ["status"],
    ["positions"],
    ["trades"],
    ["journal"],
    ["margin", "history"],
    ["margin", "plan"],
    ["db", "check"],
)


@pytest.mark.parametrize("verb", [*_READING, ["doctor"]])
def test_reading_changes_nothing(ringfence, traded, workplace, verb):
    before = files_in(workplace), (workplace / "var/paper.db").read_bytes()
    assert ringfence(*verb).code == 0
    assert (files_in(workplace), (workplace / "var/paper.db").read_bytes()) == before


@pytest.mark.parametrize("verb", [["status"], ["db", "check"], ["doctor"]])
def test_reading_a_damaged_database_leaves_nothing_beside_it(ringfence, traded, workplace, verb):
    path = workplace / "var/paper.db"
    with path.open("r+b") as file:
        for page in range(4_096, path.stat().st_size, 8_192):
            file.seek(page)
            file.write(b"\xff" * 600)
    before = files_in(workplace), path.read_bytes()
    assert ringfence(*verb).code in (1, 2)
    assert (files_in(workplace), path.read_bytes()) == before


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


def test_status_shows_the_account_and_its_positions(ringfence, paper_session):
    outcome = ringfence("status", "--db", str(paper_session.path))
    assert outcome.code == 0
    assert "No bot is running" in outcome.out
    assert "ema_cross" in outcome.out
    assert "deposit           10,000.00\n" in outcome.out
    last_event = next(line for line in outcome.out.splitlines() if line.startswith("last event"))
    assert last_event.endswith(" UTC")
    for position in paper_session.state.positions():
        assert pair(position.symbol) in outcome.out


def test_status_says_that_entries_are_halted_and_why(ringfence, traded, workplace):
    with sqlite3.connect(workplace / "var" / "paper.db") as connection:
        (text,) = connection.execute("SELECT engine FROM checkpoint").fetchone()
        engine = json.loads(text)
        engine["halts"] = {"feed_silent": "no market data of any kind since noon"}
        connection.execute("UPDATE checkpoint SET engine = ?", (json.dumps(engine),))
    outcome = ringfence("status")
    assert "feed silent, no market data of any kind since noon" in outcome.out
    (halt,) = _json(ringfence("status", "--json"))["halts"].values()
    assert halt["message"] == engine["halts"]["feed_silent"]
    assert (halt["level"], halt["is_latched"]) == ("NO_ENTRY", False)


def test_status_in_json_has_the_amounts_of_the_session(ringfence, paper_session):
    status = _json(ringfence("status", "--db", str(paper_session.path), "--json"))
    assert (status["mode"], status["is_running"]) == ("paper", False)
    assert status["free_quote"] == paper_session.state.free_quote
    assert status["wallet_quote"] == pytest.approx(paper_session.state.equity_quote(), rel=1e-12)
    wallets = {row["symbol"]: row["isolated_wallet"] for row in status["positions"]}
    assert wallets == {held.symbol: held.isolated_wallet for held in paper_session.state.positions()}


@pytest.mark.parametrize("verb", [["positions"], ["margin", "plan"]])
def test_open_positions_are_sorted_by_their_present_distance(ringfence, paper_session, verb):
    rows = _json(ringfence(*verb, "--db", str(paper_session.path), "--json"))
    distances = [row["distance"] for row in rows]
    assert len(distances) == 2
    assert distances == sorted(distances)
    symbols = [pair(row["symbol"]) for row in rows]
    text = ringfence(*verb, "--db", str(paper_session.path)).out
    assert [line.split()[0] for line in text.splitlines()[1:]] == symbols


def test_positions_show_stop_margin_and_liquidation_as_the_core_has_them(ringfence, paper_session):
    rows = _json(ringfence("positions", "--db", str(paper_session.path), "--json"))
    for row in rows:
        market = paper_session.state.markets[row["symbol"]]
        holding = market.holding
        liquidation = liquidation_price(holding.position, market.rules)
        assert row["liquidation_price"] == liquidation
        assert row["distance"] == distance(holding.position.side, market.mark, liquidation)
        assert (row["mark"], row["entry_price"]) == (market.mark, holding.position.entry_price)
        assert row["stop_price"] == holding.stop.trigger_price
        assert row["margin_added_quote"] == holding.added_quote
    assert any(row["margin_added_quote"] > 0.0 for row in rows)


def test_positions_for_people_have_ticks_cents_and_percent(ringfence, paper_session):
    rows = _json(ringfence("positions", "--db", str(paper_session.path), "--json"))
    heading, *lines = ringfence("positions", "--db", str(paper_session.path)).out.splitlines()
    assert heading.startswith("symbol")
    assert "opened (UTC)" in heading
    for row, line in zip(rows, lines, strict=True):
        assert f"{row['distance'] * 100:.1f} %" in line
        assert f"{row['isolated_wallet']:,.2f}" in line
        assert price_text(row["liquidation_price"], step_decimals(row["tick_size"])) in line


def test_the_plan_names_an_action_and_its_reason_for_each_position(ringfence, paper_session):
    rows = _json(ringfence("margin", "plan", "--db", str(paper_session.path), "--json"))
    assert all(row["action"] in ("hold", "add", "release") for row in rows)
    assert all(row["reason"] not in ("", "stale") for row in rows)
    text = ringfence("margin", "plan", "--db", str(paper_session.path)).out
    assert all(row["reason"].replace("_", " ") in text for row in rows)


def test_the_journal_says_every_event_of_a_session_in_words(ringfence, paper_session):
    events = _json(ringfence("journal", "--db", str(paper_session.path), "--limit", "1000", "--json"))
    lines = ringfence("journal", "--db", str(paper_session.path), "--limit", "1000").out.splitlines()
    assert len(lines) == len(events) + 1
    assert not any("{" in line or "None" in line for line in lines)
    text = "\n".join(lines)
    assert "ema_cross says" in text
    assert "stop_anchor added" in text
    assert "closed by" in text


def test_no_position_is_said_in_words(ringfence, closed):
    assert ringfence("positions").out == "No position is open.\n"
    assert _json(ringfence("positions", "--json")) == []


def test_trades_show_why_a_position_was_closed(ringfence, closed):
    (trade,) = _json(ringfence("trades", "--json"))
    assert (trade["cause"], trade["exit_price"], trade["side"]) == ("stop", 94.9, "long")
    assert "stop" in ringfence("trades").out


def test_every_amount_in_json_is_a_number(ringfence, paper_session):
    for verb in (
        ["status"],
        ["positions"],
        ["trades"],
        ["margin", "history"],
        ["margin", "plan"],
        ["journal"],
    ):
        found = _json(ringfence(*verb, "--db", str(paper_session.path), "--json"))
        amounts = dict(_amounts(found))
        assert amounts, verb
        texts = {key: value for key, value in amounts.items() if isinstance(value, str)}
        assert not texts, verb


def _amounts(found):
    """Yield every amount below `found` by name: prices, quantities and quote currency."""
    for item in found if isinstance(found, list) else [found]:
        for key, value in item.items():
            if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
                yield from _amounts(value)
            elif key.endswith(("_quote", "price", "quantity", "distance", "wallet", "_wallet_after")):
                yield key, value


def test_trades_show_what_remains_after_fees_and_funding(ringfence, closed):
    (trade,) = _json(ringfence("trades", "--json"))
    net = trade["realised_pnl_quote"] - trade["fees_quote"] + trade["funding_quote"]
    assert trade["net_pnl_quote"] == pytest.approx(net, abs=1e-12)
    assert trade["net_pnl_quote"] < trade["realised_pnl_quote"]
    heading, line = ringfence("trades").out.splitlines()
    assert "gross" in heading
    assert heading.index("fees") < heading.index("funding") < heading.index("net")
    assert f"{trade['net_pnl_quote']:.2f}" in line.replace("\N{MINUS SIGN}", "-")


def test_margin_history_shows_the_reason_and_the_risk_before_and_after(ringfence, closed):
    (move,) = _json(ringfence("margin", "history", "--json"))
    assert (move["amount_quote"], move["reason"], move["policy"]) == (2.51, "touched_add", "distance_band")
    assert (move["distance_before"], move["distance_after"]) == (0.0714, 0.0969)
    text = ringfence("margin", "history").out
    assert "7.1 % -> 9.7 %" in text
    assert "touched add" in text


def test_a_symbol_without_rows_shows_none(ringfence, closed):
    assert _json(ringfence("margin", "history", "--symbol", "ETH/USDT:USDT", "--json")) == []
    assert _json(ringfence("trades", "--symbol", "ETH/USDT:USDT", "--json")) == []


def test_the_journal_is_newest_first_and_limited(ringfence, closed):
    events = _json(ringfence("journal", "--json", "--limit", "3"))
    assert len(events) == 3
    assert [event["id"] for event in events] == sorted((event["id"] for event in events), reverse=True)
    assert events[0]["kind"] == "PositionClosed"
    assert "long closed by stop at 94.9: PnL -5.10, fees 0.10, funding -0.01" in ringfence("journal").out


def test_a_backup_is_a_database_that_can_be_read(ringfence, closed, workplace):
    assert _json(ringfence("db", "backup", "copy.db", "--json")) == {
        "database": "var/paper.db",
        "backup": "copy.db",
    }
    assert len(_json(ringfence("trades", "--db", "copy.db", "--json"))) == 1
    again = ringfence("db", "backup", "copy.db")
    assert again.code == 2
    assert "exists already" in again.err


def test_a_restored_backup_takes_the_file_s_place_and_says_what_became_of_it(ringfence, closed, workplace):
    ringfence("db", "backup", "copy.db")
    (workplace / "var/paper.db").unlink()
    said = ringfence("db", "restore", "copy.db", "--db", "var/paper.db", "--json")
    assert _json(said) == {"database": "var/paper.db", "restored_from": "copy.db", "kept": None}
    text = " ".join(ringfence("db", "restore", "copy.db").out.split())
    (kept,) = (workplace / "var").glob("paper.db.replaced-*Z")
    assert f"The file before is kept as {kept}." in text
    assert len(_json(ringfence("trades", "--json"))) == 1


def test_upgrading_what_is_up_to_date_says_so(ringfence, closed):
    assert _json(ringfence("db", "upgrade", "--json")) == {
        "database": "var/paper.db",
        "is_upgraded": False,
        "backup": None,
    }


def test_a_sound_database_is_said_to_be_sound(ringfence, opened):
    said = ringfence("db", "check").out
    assert re.fullmatch(
        r"var/paper\.db is sound\. Its journal ends with row \d+, link [0-9a-f]{16}\.\n", said
    )


def test_a_journal_that_was_cut_off_since_a_copy_is_found_against_it(ringfence, opened, workplace):
    ringfence("db", "backup", "copy.db")
    assert ringfence("db", "check", "--against", "copy.db").code == 0
    with sqlite3.connect(workplace / "var/paper.db") as connection:
        connection.execute("DROP TRIGGER event_no_delete")
        connection.execute("DELETE FROM event WHERE id = (SELECT max(id) FROM event)")
        connection.execute("UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = 'event'")
    connection.close()
    assert "events" not in [each["subject"] for each in json.loads(ringfence("db", "check", "--json").out)]
    outcome = ringfence("db", "check", "--against", "copy.db", "--json")
    assert outcome.code == 1
    assert "is not the one that was kept elsewhere" in outcome.out


def test_wrong_books_are_found_and_exit_with_1(ringfence, opened, workplace):
    with sqlite3.connect(workplace / "var/paper.db") as connection:
        connection.execute("UPDATE account SET free_quote = '5000'")
    connection.close()
    outcome = ringfence("db", "check", "--json")
    assert outcome.code == 1
    assert json.loads(outcome.out)[0]["subject"] == "books"
