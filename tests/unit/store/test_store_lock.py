"""Two processes on one database: the second is refused."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.store.lock import DatabaseLock

HOLD = """
import sys
from pathlib import Path
from bot.store.lock import DatabaseLock
with DatabaseLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_process_is_refused_and_told_who_holds_the_database(
    path: Path, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(UserError) as caught:
        DatabaseLock(path).acquire()
    assert f"another ringfence process (process {holder.pid})" in str(caught.value)
    assert "Stop that process first" in str(caught.value)


def test_a_refused_process_leaves_the_name_of_the_holder_for_the_next(
    path: Path, holder: subprocess.Popen[str]
) -> None:
    for _ in range(2):
        with pytest.raises(UserError, match=str(holder.pid)):
            DatabaseLock(path).acquire()


def test_the_lock_is_free_once_its_process_was_killed(path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with DatabaseLock(path):
        assert path.with_name(f"{path.name}.lock").read_text().strip() == str(os.getpid())


def test_another_name_of_the_same_file_is_the_same_lock(path: Path) -> None:
    path.touch()
    other = path.with_name("other.db")
    other.symlink_to(path)
    with DatabaseLock(path), pytest.raises(UserError):
        DatabaseLock(other).acquire()


def test_the_lock_can_be_taken_again_after_release(path: Path) -> None:
    for _ in range(2):
        with DatabaseLock(path):
            pass


def test_a_missing_directory_is_refused_before_any_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        DatabaseLock(tmp_path / "absent" / "ringfence.db")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a directory that takes no new files")
def test_a_directory_that_takes_no_lock_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode: True)
    with pytest.raises(UserError, match="cannot be made"):
        DatabaseLock(Path("/proc/self/ringfence.db")).acquire()
