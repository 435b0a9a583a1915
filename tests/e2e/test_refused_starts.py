"""Bad input ends with exit code 2 and one paragraph, and leaves every folder as it was."""

import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.store.lock import DatabaseLock
from tests.e2e.replay_files import run, tables, totals, trade_command, write_candles

_GOOD = """
from bot.strategy import Strategy, no_signals
class Mine(Strategy):
    timeframe = "5m"
    @property
    def warmup(self):
        return 10
    def signals(self, candles):
        {body}
"""
BROKEN = {
    "raises": "raise RuntimeError('no idea')",
    "nan": "return no_signals(len(candles.close))._replace(strength=candles.close * float('nan'))",
    "shape": "return no_signals(len(candles.close) - 1)",
    "none": "return None",
}


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("candles")
    write_candles(folder, 5, 1)
    return folder


@pytest.fixture
def command(candles: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """Return the maker of a command whose database is in the test's folder."""

    def make(*more: str, data: Path = candles, database: Path = tmp_path / "my.db") -> list[str]:
        return trade_command(data, "20250201-20250202", database, tmp_path / "out.json", *more)

    return make


def listing(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its content; a lock file tells who held it last.

    Without the bytecode that Python may keep of a strategy.
    """
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".pyc")
    return {str(path): b"" if path.suffix == ".lock" else path.read_bytes() for path in files}


def paragraph(ended: "subprocess.CompletedProcess[str]") -> str:
    """Return what was said, once it is known to be one paragraph beside JSON log lines."""
    said = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert len(said) == 1, ended.stderr[-2_000:]
    assert said[0].startswith("ringfence: ")
    return said[0]


def refused(argv: list[str], root: Path, folder: Path, **more) -> str:
    before = listing(folder)
    ended = run(argv, root, **more)
    assert ended.returncode == 2, ended.stderr[-2_000:]
    assert listing(folder) == before, "something was written"
    return paragraph(ended)


@pytest.mark.parametrize("how", BROKEN)
def test_a_strategy_that_fails_at_the_start(command, tmp_path: Path, root: Path, how: str) -> None:
    strategy = tmp_path / "mine.py"
    strategy.write_text(_GOOD.format(body=BROKEN[how]))
    said = refused(command("--strategy", str(strategy)), root, tmp_path)
    assert "mine" in said


def test_a_strategy_that_cannot_be_imported(command, tmp_path: Path, root: Path) -> None:
    strategy = tmp_path / "mine.py"
    strategy.write_text("def (:\n")
    assert "mine.py" in refused(command("--strategy", str(strategy)), root, tmp_path)


def test_a_missing_data_folder(command, tmp_path: Path, root: Path) -> None:
    assert "nowhere" in refused(command(data=tmp_path / "nowhere"), root, tmp_path)


def test_a_corrupt_candle_file(command, tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    for coin in ("BTC", "ETH"):
        (folder / f"{coin}USDT_1m.parquet").write_bytes(b"PAR1 not really")
    assert "BTCUSDT_1m.parquet" in refused(command(data=folder), root, tmp_path)


@pytest.mark.parametrize("content", [b"hello", b"SQLite format 3\x00" + bytes(5_000), os.urandom(64) * 100])
def test_a_file_that_is_no_database(command, tmp_path: Path, root: Path, content: bytes) -> None:
    (tmp_path / "my.db").write_bytes(content)
    assert "my.db" in refused(command(), root, tmp_path)


def test_a_damaged_database(command, tmp_path: Path, root: Path) -> None:
    assert run(command("--for", "1s"), root).returncode == 0
    for beside in tmp_path.glob("my.db*"):
        if beside.name != "my.db":
            beside.unlink()
    whole = bytearray((tmp_path / "my.db").read_bytes())
    for page in range(4_096, len(whole), 8_192):
        whole[page : page + 600] = b"\xff" * 600
    (tmp_path / "my.db").write_bytes(whole)
    assert "damaged" in refused(command(), root, tmp_path)


def test_a_database_of_another_program(command, tmp_path: Path, root: Path) -> None:
    connection = sqlite3.connect(tmp_path / "my.db")
    connection.execute("CREATE TABLE position (id INTEGER)")
    connection.commit()
    connection.close()
    assert "my.db" in refused(command(), root, tmp_path)


def test_a_database_of_another_feed(command, tmp_path: Path, root: Path) -> None:
    assert run(command("--for", "1s"), root).returncode == 0
    said = refused([*command(), "--symbols", "BTC/USDT:USDT"], root, tmp_path)
    assert "belongs to" in said


def test_a_folder_that_may_not_be_written(command, tmp_path: Path, root: Path) -> None:
    folder = closed_folder(tmp_path)
    ended = run(command(database=folder / "my.db"), root)
    assert ended.returncode == 2
    assert str(folder) in paragraph(ended)
    assert not (folder / "my.db").exists()
    assert not (tmp_path / "out.json").exists()


def closed_folder(tmp_path: Path) -> Path:
    """Return a folder that this user may not write to; root needs a read-only file system for that."""
    if os.geteuid() != 0:
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o555)
        return folder
    for folder in map(Path, ("/sys", "/proc/sys", "/proc")):
        if folder.is_dir() and os.statvfs(folder).f_flag & os.ST_RDONLY:
            return folder
    pytest.skip("root may write to every folder here: no read-only file system is mounted")


def test_a_second_process_on_the_same_database(command, tmp_path: Path, root: Path) -> None:
    database = tmp_path / "my.db"
    with DatabaseLock(database):
        ended = run(command(), root)
    assert ended.returncode == 2
    said = paragraph(ended)
    assert "in use by another ringfence process" in said
    assert str(os.getpid()) in said
    assert not database.exists()


def test_a_full_disk_stops_the_run_and_the_database_stays_whole(command, tmp_path: Path, root: Path) -> None:
    database, summary = tmp_path / "my.db", tmp_path / "out.json"
    assert run(command(), root).returncode == 0
    whole, limit = (totals(summary), tables(database)), database.stat().st_size // 2
    for path in tmp_path.iterdir():
        path.unlink()

    def fill_up() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    ended = run(command(), root, preexec_fn=fill_up)
    assert ended.returncode == 2, ended.stderr[-2_000:]
    said = paragraph(ended)
    assert "my.db" in said
    assert "Everything committed before is intact" in said
    assert "continues" in said
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert run(command(), root).returncode == 0
    assert (totals(summary), tables(database)) == whole


def test_a_disk_that_is_full_from_the_start(command, tmp_path: Path, root: Path) -> None:
    def fill_up() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))

    said = refused(command(), root, tmp_path, preexec_fn=fill_up)
    assert "my.db" in said
