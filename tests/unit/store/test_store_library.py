"""The SQLite library: too old is refused, and its WAL reset bug needs a second writer, which there is not."""

import ast
import sqlite3
from pathlib import Path

import pytest

from bot.cli.diagnosis import diagnose
from bot.errors import UserError
from bot.store.database import open_database, open_journal
from bot.store.library import OLDEST, library
from bot.store.lock import DatabaseLock
from bot.store.reader import connect_shared
from tests.unit.store.story import BINDING

# Who may open a connection that can write, and why nobody writes to the same file beside it.
WRITERS = {
    ("backup.py", "copy_database"): "a new file under a name of its own",
    ("backup.py", "_forget_log"): "the same new file",
    ("database.py", "open_database"): "the one writer; its caller holds the lock",
    ("database.py", "_fill_draft"): "a new file under a name of its own",
    ("maintenance.py", "upgrade"): "holds the lock",
    ("memory.py", "memory_journal"): "no file",
}


def connecting(root: Path) -> set[tuple[str, str]]:
    """Return (file, function) of every call of `connect` on a module in bot/, but those of `reader`."""
    found = set()
    for path in (root / "bot").rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
            if any(ast.unparse(call) == "sqlite3.connect" for call in calls):
                found.add((path.name, function.name))
    return found


def test_only_the_bots_one_connection_can_write_to_a_database_in_use(root: Path) -> None:
    assert connecting(root) == {*WRITERS, ("reader.py", "_connect")}


def test_a_reader_can_neither_write_nor_checkpoint(path: Path) -> None:
    journal = open_journal(path, BINDING)
    reader = connect_shared(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("UPDATE account SET updated_ms = 1")
    log = path.with_name(f"{path.name}-wal")
    journal.set_deposit(1.0)
    before = (path.read_bytes(), log.read_bytes())
    with pytest.raises(sqlite3.OperationalError, match=r"readonly|I/O"):
        reader.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    reader.close()
    assert (path.read_bytes(), log.read_bytes()) == before
    journal.close()


def test_a_second_process_is_refused_before_it_opens_a_connection(path: Path) -> None:
    with DatabaseLock(path), pytest.raises(UserError, match="in use by another ringfence process"):
        DatabaseLock(path).acquire()


def test_a_library_without_strict_tables_is_refused_before_a_file_is_touched(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert library(OLDEST).version == OLDEST
    with pytest.raises(UserError, match=r"SQLite 3\.36\.0, but ringfence needs 3\.37\.0"):
        library((3, 36, 0))
    open_journal(path, BINDING).close()
    before = path.read_bytes()

    def refuse() -> None:
        raise UserError("too old")

    monkeypatch.setattr("bot.store.database.library", refuse)
    for attempt in (lambda: open_database(path), lambda: open_journal(path.with_name("new.db"), BINDING)):
        with pytest.raises(UserError, match="too old"):
            attempt()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("version", "has_bug"), [((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 53, 0), False)]
)
def test_the_wal_reset_bug_is_named_where_it_is(version: tuple[int, int, int], has_bug: bool) -> None:
    found = library(version)
    assert found.has_wal_reset_bug is has_bug
    assert ("nothing else that writes" in found.words) is has_bug


def test_doctor_says_which_library_it_is(path: Path) -> None:
    findings = {each.check: each for each in diagnose(None, path)}
    verdict = "note" if library().has_wal_reset_bug else "ok"
    assert (findings["sqlite"].verdict, findings["sqlite"].finding) == (verdict, library().words)
