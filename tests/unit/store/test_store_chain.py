"""The journal's chain: what is done to a row is found where it was done."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.ports import Commit
from bot.store import schema
from bot.store.chain import Head, head_of, link_of
from bot.store.database import open_journal
from bot.store.journal import SqliteJournal
from bot.store.maintenance import check, head, upgrade
from tests.unit.store.story import BINDING, entry, funding_and_margin, whole_life, write

Maker = Callable[[list[Commit]], Path]
SWAPPED = [f"UPDATE event SET id = {new} WHERE id = {old}" for old, new in ((2, -1), (3, 2), (-1, 3))]
INSERTED = (
    "INSERT INTO event SELECT id + 1, run_id, ts_ms, kind, symbol, body, chain FROM event "
    "WHERE id = (SELECT max(id) FROM event)"
)


def tampered(path: Path, *changes: str) -> list[str]:
    """Return what `db check` says of the journal after somebody with the file changed it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER event_no_{verb}")
        for change in changes:
            assert connection.execute(change).rowcount >= 1
    return [finding.message for finding in check(path) if finding.subject == "events"]


def test_the_chain_of_what_a_bot_wrote_is_whole(database: Maker) -> None:
    path = database(whole_life())
    assert check(path) == []
    assert head(path).last_id > 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["UPDATE event SET body = replace(body, '}', ' }') WHERE id = 2"], ["row 2 was changed"]),
        (["UPDATE event SET ts_ms = ts_ms + 1 WHERE id = 1"], ["row 1 was changed"]),
        (["UPDATE event SET kind = 'Alert' WHERE id = 3"], ["row 3 was changed"]),
        (["UPDATE event SET symbol = 'ETH/USDT:USDT' WHERE id = 3"], ["row 3 was changed"]),
        (["UPDATE event SET run_id = NULL WHERE id = 3"], ["row 3 was changed"]),
        (["UPDATE event SET chain = NULL WHERE id = 2"], ["row 2 was changed", "row 3 was changed"]),
        (["DELETE FROM event WHERE id = 2"], ["1 rows are missing before row 3"]),
        (["DELETE FROM event WHERE id < 3"], ["2 rows are missing before row 3"]),
        (
            ["DELETE FROM event WHERE id = 2", "UPDATE event SET id = id - 1 WHERE id > 2"],
            ["row 2 was changed, put in or moved", "the end was cut off"],
        ),
        (SWAPPED, ["row 2 was changed", "row 3 was changed", "row 4 was changed"]),
        ([INSERTED], ["was changed, put in or moved"]),
        (["DELETE FROM event WHERE id > 2"], ["the last is number 2: the end was cut off"]),
        (["DELETE FROM event"], ["the last is number 0: the end was cut off"]),
    ],
)
def test_what_was_done_to_a_row_is_said(database: Maker, changes: list[str], said: list[str]) -> None:
    found = tampered(database(whole_life()), *changes)
    assert len(found) == len(said)
    for words, expected in zip(found, said, strict=True):
        assert expected in words


def test_no_more_than_ten_rows_are_told(database: Maker) -> None:
    path = database(whole_life())
    with closing(open_journal(path, BINDING)) as journal:
        for step in range(4):
            write(journal, [Commit(1_000 + step, notes=whole_life()[1].notes[:1] * 3)])
    found = tampered(path, "UPDATE event SET body = body || ' '")
    assert len(found) == 11
    assert found[-1] == "more may be wrong behind; only the first are told"


def rechained(path: Path) -> None:
    """Edit row 2 and compute every link behind it anew, as whoever knows the program can."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER event_no_update")
        connection.execute("UPDATE event SET ts_ms = 1 WHERE id = 2")
        before = ""
        rows = connection.execute("SELECT id, run_id, ts_ms, kind, symbol, body FROM event ORDER BY id")
        for row_id, *content in rows.fetchall():
            before = link_of(before, *content)
            connection.execute("UPDATE event SET chain = ? WHERE id = ?", (before, row_id))


def test_a_chain_that_was_made_anew_is_found_by_a_head_that_was_kept(database: Maker) -> None:
    path = database(entry())
    kept = head(path)
    with closing(open_journal(path, BINDING)) as journal:
        write(journal, funding_and_margin())
    assert check(path, kept) == []
    rechained(path)
    assert check(path) == []
    (finding,) = check(path, kept)
    assert finding.message.startswith(f"row {kept.last_id} is not the one that was kept elsewhere")


def test_a_link_is_the_hash_of_the_link_before_and_the_row() -> None:
    text = "ab,7,10,4:Kind,3:BTC,{}"
    assert link_of("ab", 7, 10, "Kind", "BTC", "{}") == hashlib.sha256(text.encode()).hexdigest()
    assert link_of("", 1, 1, "a", "bc", "d") != link_of("", 1, 1, "ab", "c", "d")


def test_a_commit_that_failed_leaves_the_chain_whole(database: Maker) -> None:
    path = database(entry())
    with closing(open_journal(path, BINDING)) as journal:
        broken = Commit(20, notes=(*entry()[1].notes[:1], "no event"))  # pyright: ignore[reportArgumentType]
        with pytest.raises(AttributeError):
            journal.commit(broken)
        write(journal, funding_and_margin())
    assert check(path) == []


def test_the_first_row_of_an_empty_journal_follows_nothing(journal: SqliteJournal) -> None:
    assert head_of(journal._connection) == Head(0, "")
    write(journal, entry())
    assert head_of(journal._connection).last_id > 0


def test_an_older_database_is_chained_as_it_stands_and_goes_on(path: Path) -> None:
    rows = [(None, 10 + number, "Kind", "BTC", f'{{"n":"\u00e9{number}"}}') for number in range(12_345)]
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        schema.migrate(old, "0004")
        old.execute("BEGIN")
        old.execute("INSERT INTO account (id, venue, mode, name) VALUES (1, 'simulated', 'paper', 'default')")
        insert = "INSERT INTO event (run_id, ts_ms, kind, symbol, body) VALUES (?, ?, ?, ?, ?)"
        old.executemany(insert, rows)
        old.execute("COMMIT")
    assert upgrade(path) is not None
    assert check(path) == []
    assert head(path).last_id == len(rows)
    with closing(open_journal(path, BINDING)) as journal:
        write(journal, entry())
    assert [each for each in check(path) if each.subject == "events"] == []
    assert tampered(path, "UPDATE event SET ts_ms = 0 WHERE id = 7")[0].startswith("row 7 was changed")
