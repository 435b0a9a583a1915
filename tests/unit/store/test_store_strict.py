"""STRICT tables: what they refuse, and that no row is lost when an older database gets them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.store import schema
from bot.store.maintenance import upgrade
from bot.store.tables import TABLES

OLDER = ("0001", "0002", "0003", "0004")
ONE_ROW = {"account", "checkpoint"}
VALUES = {"BOOLEAN": 1, "FLOAT": 0.1, "REAL": 0.1}


def tables_of(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    return sorted(name for (name,) in connection.execute(query))


def rows_of(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Return every row of every table with its types: repr tells 1 from 1.0 and from '1'."""
    return {
        name: [repr(row) for row in connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid')]
        for name in tables_of(connection)
        if name != "alembic_version"
    }


def filled(connection: sqlite3.Connection, table: str, number: int) -> Iterator[object]:
    """Yield a value for each column: keys count up from 1, a third of what may be null is."""
    for index, _, kind, is_needed, _, key in connection.execute(f'PRAGMA table_info("{table}")'):
        if not (is_needed or key) and (index + number) % 3 == 0:
            yield None
        elif kind == "INTEGER":
            yield number
        else:
            yield f"{table}{number}" if key else f"0.1{number}" if kind == "TEXT" else VALUES[kind]


def older_database(path: Path, revision: str) -> Path:
    """Return a database of `revision` with rows in every table, every reference of which is kept."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(connection, revision)
        for table in tables_of(connection):
            if table == "alembic_version":
                continue
            for number in (1,) if table in ONE_ROW else (1, 2, 3):
                row = list(filled(connection, table, number))
                marks = ", ".join("?" for _ in row)
                connection.execute(f'INSERT INTO "{table}" VALUES ({marks})', row)
    return path


def test_every_table_of_a_new_database_is_strict() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.create_schema(connection)
        strict = {row[1]: row[5] for row in connection.execute("PRAGMA table_list")}
    assert {*TABLES, "alembic_version"} <= {name for name, is_strict in strict.items() if is_strict}
    assert {name for name, is_strict in strict.items() if not is_strict} == {
        "sqlite_schema",
        "sqlite_sequence",
        "sqlite_temp_schema",
    } & set(strict)


@pytest.mark.parametrize("revision", OLDER)
def test_every_row_of_an_older_database_is_kept_as_it_was(path: Path, revision: str) -> None:
    copy = upgrade(older_database(path, revision))
    assert copy is not None
    with closing(sqlite3.connect(path)) as new, closing(sqlite3.connect(copy)) as old:
        before, after = rows_of(old), rows_of(new)
        counts = {name: len(rows) for name, rows in before.items()}
        assert {count for name, count in counts.items() if name not in ONE_ROW} == {3}
        for name, rows in before.items():
            kept = [row.rstrip(")") for row in rows]
            # Later revisions may add columns at the end, never change what stood there.
            assert [row[: len(was)] for row, was in zip(after[name], kept, strict=True)] == kept, name
        assert new.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert new.execute("PRAGMA foreign_key_check").fetchall() == []
        assert all(row[5] for row in new.execute("PRAGMA table_list") if row[1] in TABLES)


@pytest.mark.parametrize("revision", OLDER)
def test_the_journal_of_an_upgraded_database_is_still_append_only_and_counts_on(
    path: Path, revision: str
) -> None:
    upgrade(older_database(path, revision))
    with closing(sqlite3.connect(path, isolation_level=None)) as new:
        for change in ("DELETE FROM event", "UPDATE event SET ts_ms = 1"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                new.execute(change)
        event = "INSERT INTO event (ts_ms, kind, symbol, body) VALUES (1, 'k', 's', '{}')"
        assert new.execute(event).lastrowid == 4


def test_a_row_that_no_strict_table_takes_leaves_the_database_as_it_was(path: Path) -> None:
    older_database(path, "0003")
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("UPDATE position SET side = 'long' WHERE id = 2")
        before = rows_of(old)
    with pytest.raises(UserError, match=r"cannot store TEXT value in INTEGER column new_position\.side"):
        upgrade(path)
    with closing(sqlite3.connect(path)) as kept:
        assert (rows_of(kept), schema.revision_of(kept)) == (before, "0003")


@pytest.mark.parametrize(
    ("column", "value"),
    [("ts_ms", "noon"), ("ts_ms", 1.5), ("ts_ms", b"\x01"), ("body", b"{}")],
)
def test_a_value_of_another_type_is_refused(column: str, value: object) -> None:
    row = {"ts_ms": 1, "kind": "k", "symbol": "s", "body": "{}", column: value}
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.create_schema(connection)
        with pytest.raises(sqlite3.IntegrityError, match="cannot store"):
            connection.execute(
                "INSERT INTO event (ts_ms, kind, symbol, body) VALUES (:ts_ms, :kind, :symbol, :body)", row
            )
