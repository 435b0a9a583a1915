"""Migrations: the same tables as a new database, a backup first, all or nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.errors import UserError
from bot.ports import Commit
from bot.store import schema
from bot.store.database import open_database, open_journal
from bot.store.evidence import forecasts, ledger_moves, trade_evidence
from bot.store.lock import DatabaseLock
from bot.store.maintenance import upgrade
from bot.store.reader import reader_on
from bot.store.tables import Base
from tests.unit.store.story import BINDING, BTC, evidence, forecast

Shape = dict[str, object]


def shape_of(connection: sqlite3.Connection) -> Shape:
    """Return columns, keys, indexes, triggers and checks of every table, without the way they are spelled."""

    def pragma(name: str, of: str) -> list[tuple]:
        return sorted((row[1:] for row in connection.execute(f'PRAGMA {name}("{of}")')), key=str)

    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    shape: Shape = {
        table: {name: pragma(name, table) for name in ("table_xinfo", "foreign_key_list", "index_list")}
        for table in tables
    }
    others = "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
    shape["others"] = {name: " ".join(text.split()) for name, text in connection.execute(others)}
    texts = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
    shape["checks"] = {
        name: ("CHECK (id = 1)" in text, "AUTOINCREMENT" in text) for name, text in connection.execute(texts)
    }
    shape["strict"] = {row[1]: row[5] for row in connection.execute("PRAGMA table_list")}
    shape["application"] = connection.execute("PRAGMA application_id").fetchone()
    shape["revision"] = schema.revision_of(connection)
    return shape


def empty_database(path: Path) -> Path:
    """Return a file that is ours but has no tables: older than the first migration."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    return path


def test_migrations_and_a_new_database_give_the_same_schema() -> None:
    with (
        closing(sqlite3.connect(":memory:", isolation_level=None)) as made,
        closing(sqlite3.connect(":memory:", isolation_level=None)) as migrated,
    ):
        schema.create_schema(made)
        schema.migrate(migrated)
        assert shape_of(migrated) == shape_of(made)
        assert len(shape_of(made)) > len(Base.metadata.tables)


def test_alembic_finds_nothing_left_to_migrate() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.migrate(connection)
        with reader_on(connection) as reader:
            differences = compare_metadata(MigrationContext.configure(reader), Base.metadata)
    assert differences == []


def test_head_is_the_last_migration_there_is() -> None:
    assert ScriptDirectory.from_config(schema.alembic_config()).get_heads() == [schema.HEAD]


def test_the_migrations_lie_inside_the_package() -> None:
    package = Path(schema.__file__).parent
    assert schema.MIGRATIONS.is_relative_to(package)
    assert {"env.py", "script.py.mako", "versions"} <= {path.name for path in schema.MIGRATIONS.iterdir()}


def test_an_older_database_is_backed_up_then_upgraded_when_opened(path: Path) -> None:
    open_database(empty_database(path)).close()
    copy = path.with_name(f"{path.name}.before-{schema.HEAD}.backup")
    with closing(sqlite3.connect(path)) as new, closing(sqlite3.connect(copy)) as old:
        assert schema.revision_of(new) == schema.HEAD
        assert old.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        assert old.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)


def test_upgrade_returns_its_backup_and_has_nothing_to_do_the_second_time(path: Path) -> None:
    copy = upgrade(empty_database(path))
    assert copy is not None
    assert copy.exists()
    assert upgrade(path) is None


def test_an_earlier_backup_is_never_overwritten(path: Path) -> None:
    first = path.with_name(f"{path.name}.before-{schema.HEAD}.backup")
    first.write_text("precious")
    copy = upgrade(empty_database(path))
    assert first.read_text() == "precious"
    assert copy == first.with_name(f"{first.name}.2")


def test_a_database_in_use_is_not_upgraded(path: Path) -> None:
    empty_database(path)
    with DatabaseLock(path), pytest.raises(UserError, match="in use"):
        upgrade(path)


def test_a_migration_that_fails_half_way_changes_nothing(path: Path) -> None:
    with closing(sqlite3.connect(empty_database(path), isolation_level=None)) as connection:
        connection.execute("CREATE TABLE position (id INTEGER)")  # in the way of the sixth table or so
        with pytest.raises(Exception, match="already exists"):
            schema.migrate(connection)
    with closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
    assert names == ["position"]


def first_database(path: Path) -> Path:
    """Return a database as revision 0001 made it, with one closed position and one margin move."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(connection, "0001")
        account = "INSERT INTO account (id, venue, mode, name) VALUES (1, ?, ?, ?)"
        connection.execute(account, BINDING)
        connection.execute(
            "INSERT INTO position (id, symbol, side, opened_ms, quantity, entry_price, initial_margin_quote, "
            "leverage, stop_price, agreed_loss_quote, closed_ms) "
            "VALUES (1, ?, 1, 10, '1.0', '100.0', '10.0', '10.0', '95.0', '6.0', 40)",
            (BTC,),
        )
        connection.execute(
            "INSERT INTO margin_adjustment (client_id, position_id, symbol, ts_ms, amount_quote, policy, "
            "reason, mark_before) VALUES ('p3M', 1, ?, 30, '2.510', 'static', 'below_band', '98.0')",
            (BTC,),
        )
    return path


def test_a_database_of_the_first_revision_is_backed_up_and_keeps_its_rows(path: Path) -> None:
    copy = upgrade(first_database(path))
    assert copy is not None
    with closing(sqlite3.connect(path)) as new, closing(sqlite3.connect(copy)) as old:
        assert (schema.revision_of(old), schema.revision_of(new)) == ("0001", schema.HEAD)
        kept = "SELECT client_id, position_id, amount_quote, mark_before FROM margin_adjustment"
        assert new.execute(kept).fetchall() == old.execute(kept).fetchall() == [("p3M", 1, "2.510", "98.0")]
        odds = "SELECT notional_quote_before, liquidation_probability_after FROM margin_adjustment"
        assert new.execute(odds).fetchall() == [(None, None)]
        names = {row[0] for row in old.execute("SELECT name FROM sqlite_master")}
        assert not names & {"trade_evidence", "forecast"}


def test_a_database_of_the_first_revision_is_read_and_traded_with_after_the_upgrade(path: Path) -> None:
    journal = open_journal(first_database(path), BINDING)
    journal.commit(Commit(50, notes=(evidence(1), forecast(60))))
    with journal.read() as reader:
        (move,) = ledger_moves(reader)
        assert (move.until_ms, move.notional_quote_before, move.liquidation_probability_before) == (
            40,
            None,
            None,
        )
        assert [row.position_id for row in trade_evidence(reader)] == [1]
        assert [row.ts_ms for row in forecasts(reader)] == [60]
    journal.close()
