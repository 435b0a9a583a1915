"""A running bot obeys `ringfence halt` and `flatten`, is killed, and its successor is halted as it was."""

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.replay_files import run, start, trade_command, write_candles

SEED = 7  # enters within half an hour and holds for ten


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("candles")
    return folder, write_candles(folder, SEED, 3, warm_days=2)


def ringfence(root: Path, database: Path, *words: str) -> dict[str, Any]:
    ended = run([sys.executable, "-m", "bot", *words, "--db", str(database), "--json"], root)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def follow_until(process: "subprocess.Popen[str]", *events: str) -> None:
    """Read log lines until one tells one of `events`."""
    assert process.stderr is not None
    for line in process.stderr:
        if any(f'"event":"{event}"' in line for event in events):
            return
    pytest.fail(f"the process ended before it told {events}")


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    assert process.stderr is not None
    process.stderr.read()
    process.stderr.close()
    assert process.wait() == -signal.SIGKILL


def entries_since(database: Path, seq: int) -> list[int]:
    with sqlite3.connect(database) as connection:
        query = "SELECT seq FROM intent WHERE kind = 'OpenPosition' AND seq > ?"
        return [row[0] for row in connection.execute(query, (seq,))]


def last_intent(database: Path) -> int:
    with sqlite3.connect(database) as connection:
        return connection.execute("SELECT max(seq) FROM intent").fetchone()[0]


def test_halted_killed_and_started_again_it_enters_nothing_until_a_person_resumes(
    candles: tuple[Path, str], tmp_path: Path, root: Path
) -> None:
    data, timerange = candles
    database, summary = tmp_path / "my.db", tmp_path / "out.json"
    # Slow enough that days of the market are left when the orders have been given.
    process = start(trade_command(data, timerange, database, summary, speed="2000x"), root)
    follow_until(process, "position.opened")
    told = ringfence(root, database, "flatten", "--reason", "a test")
    assert (told["is_running"], told["is_taken"]) == (True, True)
    assert told["halts"]["person_flatten"]["level"] == "FLATTEN"
    seq = last_intent(database)
    kill(process)

    status = ringfence(root, database, "status")
    assert list(status["halts"]) == ["person_flatten"]
    ended = run(trade_command(data, timerange, database, summary, speed="max"), root)
    assert ended.returncode == 0, ended.stderr[-2_000:]
    assert entries_since(database, seq) == []
    status = ringfence(root, database, "status")
    assert status["positions"] == []
    assert list(status["halts"]) == ["person_flatten"]

    assert ringfence(root, database, "resume")["halts"] == {}
