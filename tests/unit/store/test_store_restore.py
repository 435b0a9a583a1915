"""A copy takes the place of a database whole, and a log never meets a file that it does not belong to."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.ports import Commit
from bot.store import restore as restoring
from bot.store.database import open_journal
from bot.store.lock import DatabaseLock
from bot.store.maintenance import backup, check
from bot.store.reader import open_reader
from bot.store.restore import restore
from tests.unit.store.story import BINDING, RUN, add_margin, checkpoint, entry, stop_hit, whole_life, write

NOW = 1_700_000_000.0
KEPT = "replaced-20231114T221320Z"


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def copied(path: Path, tmp_path: Path) -> Path:
    """A copy of a database made after its first position was opened; the database went on and was killed."""
    journal = open_journal(path, BINDING)
    journal.start_run(RUN)
    journal.set_deposit(1000.0)
    write(journal, entry())
    copy = tmp_path / "copy.db"
    backup(path, copy)
    write(journal, whole_life()[2:])
    left = {name: path.with_name(path.name + name).read_bytes() for name in ("", "-wal")}
    journal.close()
    for name, content in left.items():
        path.with_name(path.name + name).write_bytes(content)
    return copy


def events(path: Path) -> int:
    with open_reader(path) as reader:
        return reader.exec_driver_sql("SELECT count(*) FROM event").scalar_one()


def test_a_restored_copy_is_what_it_was_and_trading_goes_on_from_it(copied: Path, path: Path) -> None:
    held = events(copied)
    kept = restore(copied, path, NOW)
    assert kept == path.with_name(f"{path.name}.{KEPT}")
    assert (events(path), copied.exists(), check(path)) == (held, True, [])
    journal = open_journal(path, BINDING, create=False)
    recovered = journal.recover()
    assert recovered is not None
    assert recovered.checkpoint == checkpoint(2)
    write(journal, stop_hit())
    journal.close()
    assert events(path) > held


def test_the_file_before_is_kept_with_the_log_that_belongs_to_it(copied: Path, path: Path) -> None:
    before = events(path)
    assert before > events(copied)
    kept = restore(copied, path, NOW)
    assert kept is not None
    assert events(kept) == before
    names = {each.name for each in path.parent.iterdir()}
    assert names <= {
        path.name,
        f"{path.name}.lock",
        kept.name,
        f"{kept.name}-wal",
        f"{kept.name}-shm",
        copied.name,
    }


def test_a_copy_is_restored_where_the_file_is_damaged_or_gone(copied: Path, path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[:200] = bytes(200)
    path.write_bytes(content)
    assert restore(copied, path, NOW) is not None
    assert check(path) == []
    path.unlink()
    assert restore(copied, path, NOW + 1) is None
    assert check(path) == []


def outcome(path: Path) -> str:
    """Return what a start says of the file: "old", "copy", or the refusal that it is met with."""
    try:
        journal = open_journal(path, BINDING)
    except UserError as refusal:
        return next(words for words in ("hard links", "the log of another file") if words in str(refusal))
    recovered = journal.recover()
    journal.close()
    assert recovered is not None
    assert check(path) == []
    return {6: "old", 2: "copy"}[recovered.checkpoint.engine["step"]]


@pytest.mark.parametrize(
    ("step", "found"),
    tuple(enumerate(("old", "old", "hard links", "the log of another file", "copy", "copy"))),
)
def test_a_kill_at_any_step_leaves_the_old_file_the_copy_or_a_refusal(
    copied: Path, path: Path, step: int, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a new, empty database, and never the old log in the copy."""
    count = iter(range(100))

    def killable(real: Callable[..., object]) -> Callable[..., object]:
        def run(*words: object) -> object:
            if next(count) == step:
                raise Killed
            return real(*words)

        return run

    path.with_name(f"{path.name}-shm").touch()
    monkeypatch.setattr(restoring.os, "link", killable(restoring.os.link))
    monkeypatch.setattr(restoring, "sync", killable(restoring.sync))
    monkeypatch.setattr(restoring.Path, "replace", killable(Path.replace))
    with pytest.raises(Killed):
        restore(copied, path, NOW)
    monkeypatch.undo()
    assert outcome(path) == found


def test_where_a_file_cannot_have_two_names_it_is_moved(
    copied: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    before = events(path)
    monkeypatch.setattr(restoring.os, "link", refuse)
    kept = restore(copied, path, NOW)
    assert kept is not None
    assert events(kept) == before


def test_a_database_in_use_is_not_replaced(copied: Path, path: Path) -> None:
    before = path.read_bytes()
    with DatabaseLock(path), pytest.raises(UserError, match="in use"):
        restore(copied, path, NOW)
    assert path.read_bytes() == before


def test_a_copy_that_is_damaged_missing_or_not_ours_changes_nothing(copied: Path, path: Path) -> None:
    before = {each.name: each.read_bytes() for each in path.parent.iterdir() if each != copied}
    content = bytearray(copied.read_bytes())
    content[4096 * 3 : 4096 * 3 + 2000] = b"\xff" * 2000
    damaged, other = path.with_name("damaged.db"), path.with_name("other.db")
    damaged.write_bytes(content)
    other.write_text("notes")
    refused = ((damaged, "is damaged"), (other, "not a ringfence database"), (path, "the database itself"))
    for copy, words in (*refused, (path.with_name("none.db"), "There is no copy")):
        with pytest.raises(UserError, match=words):
            restore(copy, path, NOW)
    (path.with_name(f"{path.name}.lock")).unlink(missing_ok=True)
    damaged.unlink()
    other.unlink()
    assert {each.name: each.read_bytes() for each in path.parent.iterdir() if each != copied} == before


def test_a_missing_copy_is_answered_with_the_newest_there_is(path: Path) -> None:
    folder = path.with_name(f"{path.name}.backups")
    folder.mkdir()
    for day in ("03", "04"):
        (folder / f"{path.name}.202611{day}T000000Z.backup").touch()
    with pytest.raises(UserError, match=r"The newest of .*20261104T000000Z"):
        restore(path.with_name("none.db"), path, NOW)


def test_a_copy_put_over_a_killed_bots_file_by_hand_is_refused(copied: Path, path: Path) -> None:
    """SQLite would write the old log over it without a word."""
    shutil.copy(copied, path)
    before = (path.read_bytes(), path.with_name(f"{path.name}-wal").read_bytes())
    for attempt in (lambda: open_journal(path, BINDING), lambda: check(path)):
        with pytest.raises(UserError, match=r"put beside the log of another file .*-wal"):
            attempt()
    assert (path.read_bytes(), path.with_name(f"{path.name}-wal").read_bytes()) == before
    path.with_name(f"{path.name}-wal").unlink()
    open_journal(path, BINDING).close()
    assert check(path) == []


def test_a_log_without_its_database_is_not_taken_into_a_new_one(copied: Path, path: Path) -> None:
    path.unlink()
    with pytest.raises(UserError, match=r"is gone, but its log .* is still there"):
        open_journal(path, BINDING)
    assert not path.exists()
    path.with_name(f"{path.name}-wal").unlink()
    open_journal(path, BINDING).close()
    assert events(path) == 0


def test_a_killed_bots_own_log_is_read_as_ever(copied: Path, path: Path) -> None:
    assert copied.exists()
    journal = open_journal(path, BINDING)
    recovered = journal.recover()
    journal.close()
    assert recovered is not None
    assert recovered.checkpoint == checkpoint(6)


def test_the_first_commits_of_a_new_database_are_read_after_a_kill(path: Path, tmp_path: Path) -> None:
    """A new file has no log at first; it says that it has one before the log holds anything."""
    journal = open_journal(path, BINDING)
    journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
    killed = tmp_path / "killed"
    killed.mkdir()
    for ending in ("", "-wal"):
        shutil.copy(path.with_name(path.name + ending), killed / f"{path.name}{ending}")
    journal.close()
    again = open_journal(killed / path.name, BINDING, create=False)
    recovered = again.recover()
    again.close()
    assert recovered is not None
    assert recovered.pending == (add_margin(1),)


def test_a_copy_says_that_it_has_no_log(copied: Path) -> None:
    assert copied.read_bytes()[18:20] == b"\x01\x01"
    with closing(sqlite3.connect(copied)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_copy_of_a_newer_program_is_refused_while_the_database_stands(copied: Path, path: Path) -> None:
    with closing(sqlite3.connect(copied)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
        connection.commit()
    before = events(path)
    with pytest.raises(UserError, match="written by a newer ringfence"):
        restore(copied, path, NOW)
    assert events(path) == before


def test_a_copy_of_another_account_is_refused_while_the_database_stands(
    copied: Path, path: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    open_journal(other, BINDING._replace(account="somebody else's")).close()
    before = events(path)
    with pytest.raises(UserError, match="somebody else's"):
        restore(copied, other, NOW)
    assert events(path) == before


def test_a_copy_of_a_damaged_database_is_not_kept(path: Path, tmp_path: Path) -> None:
    journal = open_journal(path, BINDING)
    journal.start_run(RUN)
    journal.set_deposit(1000.0)
    write(journal, whole_life())
    journal.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute("DELETE FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
        connection.commit()
    copy = tmp_path / "copy.db"
    with pytest.raises(UserError, match="is damaged"):
        backup(path, copy)
    assert not copy.exists()
