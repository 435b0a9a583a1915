"""What the command line asks, over the story of one position; upkeep and the books."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from bot.core.event import InstrumentChanged, InvariantBroken, Liquidated, MarginAdjusted, OrderAccepted
from bot.core.instrument import Instrument
from bot.core.intent import Intent, PlaceStop, PlaceTakeProfit
from bot.core.profile import BINANCE_USDM
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.errors import UserError
from bot.ports import Commit
from bot.store import queries
from bot.store.books import books, books_error
from bot.store.database import open_journal
from bot.store.journal import SqliteJournal
from bot.store.maintenance import Finding, backup, check
from bot.store.reader import open_reader
from bot.store.rows import RiskSeen
from bot.store.tables import TABLES
from tests.unit.store.story import (
    BINDING,
    BTC,
    DEPOSIT,
    RUN,
    add_margin,
    checkpoint,
    entry,
    funding_and_margin,
    held,
    whole_life,
    write,
)

MakeDatabase = Callable[[list[Commit]], Path]


def test_status_of_a_new_database_has_its_deposit_for_a_wallet(journal: SqliteJournal) -> None:
    with journal.read() as reader:
        state = queries.status(reader)
    assert (state.venue, state.mode, state.account) == BINDING
    assert state.run is not None
    assert (state.run.strategy, state.run.ended_ms) == (RUN.strategy, None)
    assert state.deposit_quote == state.wallet_quote == state.free_quote == Decimal("1000.0")
    assert (state.committed_quote, state.last_event_ms) == (0, None)


def test_status_shows_open_positions_with_their_last_known_risk(journal: SqliteJournal) -> None:
    write(journal, [*entry(), *funding_and_margin()])
    with journal.read() as reader:
        state = queries.status(reader)
    assert (state.free_quote, state.committed_quote) == (Decimal("987.44"), Decimal("12.5"))
    assert (state.wallet_quote, state.last_event_ms) == (Decimal("999.94"), 30)
    (position,) = state.positions
    assert (position.id, position.isolated_wallet, position.initial_margin_quote) == (1, Decimal("12.5"), 10)
    assert (position.stop_price, position.margin_added_quote) == (95, Decimal("2.51"))
    assert position.risk == RiskSeen(30, Decimal(98), Decimal("0.4"), Decimal("88.5"), Decimal("0.0969"))


def test_of_two_resting_stops_the_one_that_triggers_first_is_shown(journal: SqliteJournal) -> None:
    write(journal, entry())
    newer = Intent(3, "p3S", 11, PlaceStop(BTC, 1, 96.0), "trail", {})
    target = Intent(4, "p4T", 11, PlaceTakeProfit(BTC, 1, 0.5, 110.0), "ladder", {})
    accepted = (OrderAccepted(11, BTC, "p3S", "stop"), OrderAccepted(11, BTC, "p4T", "take_profit"))
    journal.commit(Commit(11, accepted, (newer, target), checkpoint=checkpoint(3)))
    with journal.read() as reader:
        (position,) = queries.positions(reader)
    assert (position.stop_price, position.take_profit_prices) == (96, (110,))


def test_lists_come_newest_first_and_stop_at_the_limit(journal: SqliteJournal) -> None:
    write(journal, whole_life())
    with journal.read() as reader:
        assert [row.id for row in queries.journal(reader, limit=2)] == [9, 8]
        assert [row.seq for row in queries.intents(reader)] == [3, 2, 1]
        assert [row.client_id for row in queries.orders(reader)] == ["p2S", "p1E"]
        assert queries.orders(reader, is_resting=True) == []
        assert queries.intents(reader, is_unresolved=True) == []
        assert queries.margin_history(reader, symbol="ETH/USDT:USDT") == []
        assert len(queries.margin_history(reader, symbol=BTC)) == 1
        assert [signal.checks for signal in queries.signals(reader)] == [[]]
        assert [run.id for run in queries.runs(reader)] == [1]


def test_journal_rows_give_back_the_event(journal: SqliteJournal) -> None:
    write(journal, whole_life())
    with journal.read() as reader:
        (newest,) = queries.journal(reader, limit=1)
    assert (newest.kind, newest.body["type"], newest.body["cause"]) == (
        "PositionClosed",
        "PositionClosed",
        "stop",
    )


def test_totals_count_what_the_summary_reports(journal: SqliteJournal) -> None:
    write(journal, whole_life())
    journal.commit(Commit(50, notes=(InvariantBroken(50, BTC, "I1", "no stop"),)))
    with journal.read() as reader:
        totals = queries.totals(reader)
    assert totals._asdict() == {
        "trades": 1,
        "liquidations": 0,
        "margin_adds": 1,
        "margin_releases": 0,
        "margin_added": Decimal("2.51"),
        "margin_released": 0,
        "stops_filled": 1,
        "take_profits_filled": 0,
        "trailing_stops_filled": 0,
        "invariant_violations": 1,
    }


def test_a_run_that_ended_cleanly_has_an_end(journal: SqliteJournal) -> None:
    journal.end_run(99)
    with journal.read() as reader:
        (run,) = queries.runs(reader)
    assert (run.started_ms, run.ended_ms) == (1, 99)


def test_the_first_deposit_stays(journal: SqliteJournal) -> None:
    journal.set_deposit(5.0)
    with journal.read() as reader:
        assert queries.status(reader).deposit_quote == Decimal("1000.0")


def test_instruments_are_stored_and_replaced(journal: SqliteJournal) -> None:
    tiers = tiers_from_rows([LeverageTier(0.0, float("inf"), 0.004, 0.0, 125.0)])
    instrument = Instrument(
        BTC, 0.1, 0.001, 0.001, 5.0, 0.01, 1.0, False, 0.0002, 0.0005, 0.0125, 125.0, 28_800_000, tiers
    )
    journal.put_instruments([instrument], BINANCE_USDM)
    journal.put_instruments([instrument._replace(tick_size=0.01)], BINANCE_USDM)
    with journal.read() as reader:
        (row,) = reader.execute(TABLES["instrument"].select())
    assert (row.tick_size, row.tiers.count("Infinity")) == (Decimal("0.01"), 1)
    changed = InstrumentChanged(7, BTC, instrument._replace(tick_size=0.5), BINANCE_USDM)
    journal.commit(Commit(7, (changed,)))
    with journal.read() as reader:
        (row,) = reader.execute(TABLES["instrument"].select())
    assert row.tick_size == Decimal("0.5")


def test_the_books_of_a_whole_life_close_to_the_last_digit(journal: SqliteJournal) -> None:
    write(journal, whole_life())
    with journal.read() as reader:
        assert books_error(reader, DEPOSIT, Decimal("994.79")) == 0.0
        assert books(reader) == (Decimal("-5.1"), Decimal("0.10"), Decimal("-0.01"), 0)
        assert books_error(reader, DEPOSIT, Decimal("994.78")) == pytest.approx(0.01 / 1000.0)


def test_the_books_count_a_liquidation_once(journal: SqliteJournal) -> None:
    write(journal, entry())
    journal.commit(Commit(50, (Liquidated(50, BTC, 900, 1, 1.0, 90.5, 90.6, 90.0, 10.0, 0.5, 0.1, 989.95),)))
    with journal.read() as reader:
        assert books(reader).liquidation_loss_quote == 10
        assert books_error(reader, DEPOSIT, Decimal("989.95")) == 0.0


def test_books_without_money_have_no_error(journal: SqliteJournal) -> None:
    with journal.read() as reader, pytest.raises(ValueError, match="without money"):
        books_error(reader, 0.0, 0.0)


def test_a_backup_of_a_running_journal_is_complete(path: Path, tmp_path: Path) -> None:
    journal = open_journal(path, BINDING)
    write(journal, entry())
    backup(path, tmp_path / "copy.db")
    journal.close()
    with open_reader(tmp_path / "copy.db") as reader:
        assert len(queries.journal(reader)) == 4


def test_a_backup_replaces_no_file_and_leaves_no_half_copy(database: MakeDatabase, tmp_path: Path) -> None:
    path = database(entry())
    existing = tmp_path / "notes.txt"
    existing.write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        backup(path, existing)
    with pytest.raises(UserError, match="Cannot write the backup"):
        backup(path, tmp_path / "absent" / "copy.db")
    assert existing.read_text() == "mine"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["notes.txt", "ringfence.db"]


def test_a_memory_journal_can_be_written_to_a_file_in_one_go(journal: SqliteJournal, tmp_path: Path) -> None:
    write(journal, whole_life())
    journal.copy_to(tmp_path / "copy.db")
    assert check(tmp_path / "copy.db") == []


def subjects(findings: list[Finding]) -> list[str]:
    return [finding.subject for finding in findings]


def tamper(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def test_check_finds_nothing_in_a_whole_life(database: MakeDatabase) -> None:
    assert check(database(whole_life())) == []


def test_check_finds_a_deleted_event(database: MakeDatabase) -> None:
    path = tamper(database(whole_life()), "DROP TRIGGER event_no_delete", "DELETE FROM event WHERE id = 2")
    assert subjects(check(path)) == ["events"]


def test_check_finds_a_changed_fill(database: MakeDatabase) -> None:
    path = tamper(database(whole_life()), "UPDATE fill SET fee_quote = '0.06' WHERE trade_id = 501")
    assert subjects(check(path)) == ["books"]


def test_check_finds_a_row_without_its_parent(database: MakeDatabase) -> None:
    path = tamper(database(whole_life()), "DELETE FROM intent WHERE seq = 3")
    assert subjects(check(path)) == ["keys"]


def test_check_finds_margin_that_does_not_add_up(database: MakeDatabase) -> None:
    path = tamper(database(whole_life()), "UPDATE margin_adjustment SET amount_quote = '2.61'")
    assert subjects(check(path)) == ["margin"]


def test_check_finds_a_margin_move_without_a_reason(database: MakeDatabase) -> None:
    moved = MarginAdjusted(30, BTC, "hand", 2.5, held(12.5), 987.45)
    assert subjects(check(database([*entry(), Commit(30, (moved,))]))) == ["margin"]


def test_check_finds_an_intent_left_open_by_a_run_that_ended(path: Path) -> None:
    journal = open_journal(path, BINDING)
    journal.start_run(RUN)
    journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
    assert check(path) == []
    journal.end_run(2)
    journal.close()
    assert subjects(check(path)) == ["intents"]


def test_check_finds_a_damaged_page(database: MakeDatabase) -> None:
    path = database(whole_life())
    with path.open("r+b") as file:
        file.seek(6 * 4096)
        file.write(b"\xff" * 4096)
    assert "integrity" in subjects(check(path))


def test_a_closed_position_is_a_trade_and_no_longer_open(journal: SqliteJournal) -> None:
    write(journal, whole_life())
    with journal.read() as reader:
        assert queries.positions(reader) == []
        assert [trade.id for trade in queries.trades(reader)] == [1]


def test_pages_of_trades_lose_none_of_those_that_closed_in_one_millisecond(database: MakeDatabase) -> None:
    path = database(whole_life())
    with closing(sqlite3.connect(path)) as connection, connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(position)")]
        kept = ", ".join(name for name in names if name != "id")
        for number in (2, 3, 4):
            connection.execute(f"INSERT INTO position SELECT {number}, {kept} FROM position WHERE id = 1")
        connection.execute("UPDATE position SET closed_ms = closed_ms + 5 WHERE id = 1")
    with open_reader(path) as reader:
        pages = [[trade.id for trade in queries.trades(reader, limit=2)]]
        while pages[-1]:
            found = queries.trades(reader, limit=2, before=pages[-1][-1])
            pages.append([trade.id for trade in found])
    assert pages == [[1, 4], [3, 2], []], "the last closed first, of one time the newest first"
