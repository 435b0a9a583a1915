"""The program as a process: killed at any moment it goes on as if nothing had been; told to stop it stops."""

import random
import signal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.replay_files import last_cut, run, start, tables, totals, trade_command, write_candles

DEATHS = 20
DEATHS_ON_RECORDED = 4
SEED = 11
DAYS = 2


class Finished(NamedTuple):
    totals: dict[str, Any]
    rows: dict[str, list[tuple[Any, ...]]]
    cut: tuple[Any, ...]
    log_lines: int


class Market(NamedTuple):
    """Where candles are and what of them is traded."""

    data: Path
    timerange: str


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    folder = tmp_path_factory.mktemp("candles")
    return Market(folder, write_candles(folder, SEED, DAYS, warm_days=2))


def finish(market: Market, folder: Path, root: Path) -> Finished:
    """Run without interruption, return what came of it, and remove it: the next run has the same paths."""
    database, summary = folder / "my.db", folder / "out.json"
    ended = run(trade_command(market.data, market.timerange, database, summary), root)
    assert ended.returncode == 0, ended.stderr[-2_000:]
    done = Finished(totals(summary), tables(database), last_cut(database), len(ended.stderr.splitlines()))
    for path in folder.iterdir():
        path.unlink()
    return done


def kill_after(command: list[str], root: Path, lines: int) -> bool:
    """Kill the process once it has logged `lines`; return whether it was still running."""
    process = start(command, root)
    assert process.stderr is not None
    for _ in range(lines):
        if not process.stderr.readline():
            break
    process.send_signal(signal.SIGKILL)
    process.stderr.read()
    process.stderr.close()
    return process.wait() == -signal.SIGKILL


def check_killed_run_ends_the_same(market: Market, folder: Path, root: Path, seed: int, deaths: int) -> None:
    whole = finish(market, folder, root)
    assert whole.totals["trades"] > 5
    assert whole.totals["margin_adds"] + whole.totals["margin_releases"] > 3
    assert whole.totals["invariant_violations"] == 0
    assert whole.totals["conservation_error"] < 1e-9
    database, summary = folder / "my.db", folder / "out.json"
    command = trade_command(market.data, market.timerange, database, summary)
    moments = random.Random(seed)
    # All lives log most of the whole together, so that the last death comes near the end.
    most = max(3 * whole.log_lines // (2 * deaths) - 2, 3)
    at_work = sum(kill_after(command, root, moments.randint(1, most)) for _ in range(deaths))
    assert at_work > deaths // 2, "most processes died at work"
    ended = run(command, root)
    assert ended.returncode == 0, ended.stderr[-2_000:]
    assert totals(summary) == whole.totals
    assert tables(database) == whole.rows
    assert last_cut(database) == whole.cut


@pytest.mark.timeout(600)
def test_a_run_killed_twenty_times_ends_like_one_that_was_not(
    market: Market, tmp_path: Path, root: Path
) -> None:
    check_killed_run_ends_the_same(market, tmp_path, root, SEED, DEATHS)


@pytest.mark.timeout(600)
def test_the_same_holds_on_recorded_prices(shared: Path, tmp_path: Path, root: Path) -> None:
    recorded = Market(shared / "data" / "binance_usdm_perp", "20250202-20250205")
    check_killed_run_ends_the_same(recorded, tmp_path, root, SEED + 1, DEATHS_ON_RECORDED)


def test_a_stopped_run_leaves_its_stops_writes_its_summary_and_continues(
    market: Market, tmp_path: Path, root: Path
) -> None:
    whole = finish(market, tmp_path, root)
    database, summary = tmp_path / "my.db", tmp_path / "out.json"
    command = trade_command(market.data, market.timerange, database, summary)
    process = start(command, root)
    assert process.stderr is not None
    while "position.opened" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGTERM)
    process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=8.0) == 0
    half = totals(summary)
    assert half["marks_processed"] < whole.totals["marks_processed"]
    rows = tables(database)
    assert len(rows["holding"]) == half["open_positions"]
    stops = sum("stop" in row and "open" in row for row in rows["order"])
    assert stops >= half["open_positions"]
    assert run(command, root).returncode == 0
    assert totals(summary) == whole.totals
    assert tables(database) == whole.rows


def test_a_finished_run_that_is_started_again_changes_nothing(
    market: Market, tmp_path: Path, root: Path
) -> None:
    database, summary = tmp_path / "my.db", tmp_path / "out.json"
    command = trade_command(market.data, market.timerange, database, summary)
    assert run(command, root).returncode == 0
    before = totals(summary), tables(database), last_cut(database)
    assert run(command, root).returncode == 0
    assert (totals(summary), tables(database), last_cut(database)) == before
