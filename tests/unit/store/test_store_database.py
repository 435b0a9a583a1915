"""Opening: what is refused, what it says, and that a refused file stays as it was."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import Fatal, UserError
from bot.ports import Checkpoint, Commit
from bot.store.database import Binding, open_journal
from bot.store.faults import failure
from bot.store.lock import DatabaseLock
from bot.store.maintenance import check
from bot.store.reader import open_reader
from bot.store.schema import APPLICATION_ID
from tests.unit.store.story import BINDING, BTC, add_margin, checkpoint, entry

MakeDatabase = Callable[[list[Commit]], Path]


def files_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def refusal(path: Path, binding: Binding = BINDING, *, create: bool = True) -> str:
    """Open, expect a refusal that writes nothing, and return its words."""
    before = files_of(path.parent) if path.parent.is_dir() else None
    with pytest.raises(UserError) as caught:
        open_journal(path, binding, create=create)
    assert before == (files_of(path.parent) if path.parent.is_dir() else None)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_a_new_database_is_durable_and_ours(path: Path) -> None:
    journal = open_journal(path, BINDING)
    with journal.read() as reader:
        pragmas = {
            name: reader.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "application_id", "busy_timeout")
        }
    journal.close()
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "application_id": APPLICATION_ID,
        "busy_timeout": 5000,
    }
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_every_commit_takes_the_one_write_lock_before_it_reads_or_writes(path: Path) -> None:
    """A lock that is asked for later can be refused half way, whatever the busy timeout says."""
    journal = open_journal(path, BINDING)
    said: list[str] = []
    journal._connection.set_trace_callback(said.append)
    journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
    journal.close()
    assert said[0] == "BEGIN IMMEDIATE"
    assert said[-1] == "COMMIT"
    assert [words for words in said if words.startswith("BEGIN")] == ["BEGIN IMMEDIATE"]


def test_a_commit_that_finds_the_database_locked_writes_nothing_and_says_who_may_hold_it(path: Path) -> None:
    journal = open_journal(path, BINDING)
    journal._connection.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Fatal, match="another program holds the database locked"):
            journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
        other.execute("ROLLBACK")
    assert journal.recover() is None
    journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
    journal.close()


def test_what_was_committed_is_there_after_reopening(path: Path) -> None:
    journal = open_journal(path, BINDING)
    journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
    journal.close()
    journal = open_journal(path, BINDING, create=False)
    recovered = journal.recover()
    journal.close()
    assert recovered is not None
    assert recovered.pending == (add_margin(1),)


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()
    open_journal(path, BINDING).close()
    assert check(path) == []


def test_a_half_made_draft_of_an_earlier_start_is_no_obstacle(path: Path) -> None:
    path.with_name(f"{path.name}.new").write_bytes(b"SQLite format 3\x00 and then the power went")
    open_journal(path, BINDING).close()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_opening_without_creating_says_to_trade_first(path: Path) -> None:
    assert "ringfence trade" in refusal(path, create=False)


def test_a_file_that_is_not_sqlite_is_refused(path: Path) -> None:
    path.write_text("timestamp,open,high,low,close\n" * 100)
    assert "not an SQLite file" in refusal(path)


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE trades (id INTEGER)")
    assert "another program" in refusal(path)


@pytest.mark.parametrize("page", [1, 5, 20])
def test_a_damaged_database_is_refused(database: MakeDatabase, page: int) -> None:
    path = database(entry())
    with path.open("r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xff" * 4096)
    assert "damaged" in refusal(path)


def test_a_truncated_database_is_refused(database: MakeDatabase) -> None:
    path = database(entry())
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    assert "damaged" in refusal(path)


@pytest.mark.parametrize(
    "other",
    [BINDING._replace(venue="bybit"), BINDING._replace(mode="live"), BINDING._replace(account="second")],
)
def test_a_database_of_another_account_is_refused(database: MakeDatabase, other: Binding) -> None:
    message = refusal(database(entry()), other)
    assert "paper account 'default' on simulated" in message
    assert f"{other.mode} account '{other.account}' on {other.venue}" in message


def test_a_newer_database_is_refused(database: MakeDatabase) -> None:
    path = database(entry())
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.commit()
    assert "newer ringfence" in refusal(path)
    with pytest.raises(UserError) as caught, open_reader(path):
        pass
    assert "install the newer version" in str(caught.value)
    assert "upgrade" not in str(caught.value)
    with pytest.raises(UserError, match="9999"), open_reader(path):
        pass


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "absent" / "ringfence.db")


def test_a_directory_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    assert "is a directory" in refusal(tmp_path)


def test_a_read_only_directory_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write to any directory, so the system's answer is given here.
    monkeypatch.setattr(os, "access", lambda place, mode: place != path.parent)
    assert "may not write to the directory" in refusal(path)


def test_a_read_only_file_is_refused(database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    path = database(entry())
    monkeypatch.setattr(os, "access", lambda place, mode: place != path)
    assert "may not write to the file" in refusal(path)


def test_a_file_with_two_hard_links_is_refused_under_either_name(database: MakeDatabase) -> None:
    path = database(entry())
    other = path.with_name("other.db")
    os.link(path, other)
    assert "2 names (hard links)" in refusal(path)
    assert "2 names (hard links)" in refusal(other)
    other.unlink()
    open_journal(path, BINDING).close()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a directory that takes no new files")
def test_a_directory_that_takes_no_files_is_refused_even_when_it_looks_writable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode: True)
    with pytest.raises(UserError, match="Cannot create the database"):
        open_journal(Path("/proc/self/ringfence.db"), BINDING)


def test_a_database_locked_by_another_program_is_refused(
    database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database(entry())
    monkeypatch.setattr("bot.store.database._BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE account SET updated_ms = 1")
        with pytest.raises(UserError, match="holds the database locked"):
            open_journal(path, BINDING)


def test_a_full_disk_is_for_the_user_to_mend_and_leaves_the_last_commit_whole(path: Path) -> None:
    journal = open_journal(path, BINDING)
    journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
    with journal.read() as reader:
        pages = reader.exec_driver_sql("PRAGMA page_count").scalar_one()
        reader.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    large = Commit(2, intents=(add_margin(2),), checkpoint=Checkpoint({"blob": "x" * 100_000}, {}, {}))
    with pytest.raises(UserError, match=r"disk \(or its quota\) is full.*intact: free some space.*continues"):
        journal.commit(large)
    recovered = journal.recover()
    journal.close()
    assert recovered is not None
    assert (recovered.checkpoint, recovered.pending) == (checkpoint(1), (add_margin(1),))
    assert check(path) == []


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_IOERR_WRITE, UserError, "may not grow: a file size limit"),
        (sqlite3.SQLITE_IOERR_SHMSIZE, UserError, "may not grow: a file size limit"),
        (sqlite3.SQLITE_FULL, UserError, "is full"),
        (sqlite3.SQLITE_IOERR_READ, Fatal, "input/output error"),
        (sqlite3.SQLITE_IOERR_FSYNC, Fatal, "input/output error"),
        (sqlite3.SQLITE_CORRUPT, Fatal, "damaged"),
    ],
)
def test_only_want_of_space_is_the_users_to_mend(
    path: Path, code: int, kind: type[Exception], words: str
) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    raised = failure("The journal could not be written to", path, error)
    assert type(raised) is kind
    assert words in str(raised)


def test_a_disk_that_fills_while_creating_leaves_nothing_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_up(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 2")
        for number in range(9):
            connection.execute(f"CREATE TABLE t{number} (id INTEGER)")

    monkeypatch.setattr("bot.store.database.create_schema", fill_up)
    assert "disk (or its quota) is full" in refusal(path)


def test_opening_an_up_to_date_database_never_loads_alembic(path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from bot.store.database import Binding, open_journal\n"
        f"for _ in range(2): open_journal(Path({str(path)!r}), Binding('s', 'paper', 'a')).close()\n"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_reader_sees_a_running_journal_and_cannot_write(path: Path) -> None:
    journal = open_journal(path, BINDING)
    journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
    with open_reader(path) as reader:
        assert reader.exec_driver_sql("SELECT count(*) FROM intent").scalar() == 1
        journal.commit(Commit(2, intents=(add_margin(2),)))
        assert reader.exec_driver_sql("SELECT count(*) FROM intent").scalar() == 1  # one snapshot
    with pytest.raises(UserError, match="read-only"), open_reader(path) as reader:
        reader.exec_driver_sql("DELETE FROM intent")
    journal.close()


def test_a_reader_sees_what_a_killed_process_left_in_its_log(path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from bot.ports import Commit\n"
        "from bot.store.database import open_journal\n"
        "from tests.unit.store.story import BINDING, add_margin, checkpoint\n"
        f"journal = open_journal(Path({str(path)!r}), BINDING)\n"
        "journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0
    with open_reader(path) as reader:
        assert reader.exec_driver_sql("SELECT count(*) FROM intent").scalar() == 1


def test_a_reader_leaves_the_log_to_a_process_that_holds_the_lock(path: Path) -> None:
    with DatabaseLock(path):
        journal = open_journal(path, BINDING)
        with open_reader(path) as reader:
            assert reader.exec_driver_sql("SELECT count(*) FROM intent").scalar() == 0
        journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
        with open_reader(path) as reader:
            assert reader.exec_driver_sql("SELECT count(*) FROM intent").scalar() == 1
        journal.close()


def test_the_journal_of_a_symbol_with_quotes_is_safe(path: Path) -> None:
    journal = open_journal(path, BINDING)
    odd = add_margin(1)._replace(reason=f'\'; DROP TABLE "order"; -- {BTC}')
    journal.commit(Commit(1, intents=(odd,), checkpoint=checkpoint(1)))
    recovered = journal.recover()
    journal.close()
    assert recovered is not None
    assert recovered.pending == (odd,)


def test_a_journal_that_may_not_write_says_so_whatever_it_was_to_write(path: Path) -> None:
    journal = open_journal(path, BINDING)
    with journal.read() as reader:
        reader.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(Fatal, match="could not be written to"):
        journal.commit(Commit(1, intents=(add_margin(1),)))
    with pytest.raises(Fatal, match="could not be written to"):
        journal.end_run(1)
    journal.close()
