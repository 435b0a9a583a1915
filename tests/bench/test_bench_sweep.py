"""What sweeps over a year of minutes cost, the memory of all processes, and the start of one backtest."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from bot.backtest.kernel_engine import warm_up
from bot.backtest.plan import plan_of
from bot.backtest.sweep.axes import axes_of
from bot.backtest.sweep.crew import Alone
from bot.backtest.sweep.objectives import OBJECTIVES
from bot.backtest.sweep.search import GRID, Search
from bot.backtest.sweep.splits import undivided
from bot.backtest.sweep.sweep import sweep
from bot.backtest.sweep.trial import Base
from bot.core.timerange import TimeRange
from bot.settings import Settings
from tests.bench.conftest import Measure
from tests.bench.swept_year import flags_of, write_year

pytestmark = pytest.mark.bench

_PAIRS: Final = ("fast=5:40:5", "slow=60:200:20")
_FEW: Final = ("fast=5:35:10", "slow=60:200:40")
_MANY: Final = ("fast=5:36:2", "slow=60:200:20")
_ALL: Final = 10_000
# What is here for the peers, and comes with no lock for users: talib and numba would take it in.
_OF_PEERS: Final = ("pandas", "scipy")
_CORES: Final = 2


def _say_nothing(_done: int) -> None:
    pass


@pytest.mark.timeout(900)
def test_bench_sixty_four_pairs_over_a_year(measured: Measure, tmp_path: Path) -> None:
    warm_up()
    settings = write_year(tmp_path, 1)
    plan = plan_of(settings)
    axes = axes_of(_PAIRS, settings, plan.strategy)
    base = Base("bench", settings, axes, engine="kernel")
    search = Search(GRID, axes, (OBJECTIVES["sharpe"],), 1, 32)
    (split,) = undivided(TimeRange(plan.history.start_ms, plan.history.end_ms))
    found = sweep(base, search, split, 2, Alone(), None, _say_nothing)  # loads candles and machine code
    seconds = []
    for _ in range(3):
        began = time.process_time()
        found = sweep(base, search, split, 64, Alone(), None, _say_nothing)
        seconds.append(time.process_time() - began)
    trades = sum(each.figures["trades"] for each in found.tried)
    assert len(found.tried) == 64
    assert not any(each.refusal for each in found.tried)
    name = f"sweep: 64 pairs over a year, {trades / 64:,.0f} trades each"
    measured(name, 64 / min(seconds), "tries/CPU s", at_least=150.0)


@pytest.mark.timeout(1_800)
def test_bench_ten_thousand_combinations_over_three_symbols(measured: Measure, tmp_path: Path) -> None:
    warm_up()
    settings = write_year(tmp_path, 3)
    alone = _without_peers(tmp_path)
    few, many = _swept(settings, _FEW, alone), _swept(settings, _MANY, alone)
    name = f"sweep: {_ALL:,} tries over 3 symbols, told by {many.tries}"
    measured(name, _whole(few, many, "processor_seconds") / _CORES, "CPU s/core", at_most=180.0)
    name = "sweep: the same by the clock, beside all else that runs here"
    measured(name, _whole(few, many, "seconds"), "s")
    measured("sweep: memory of its three processes, shared pages once", many.megabytes, "MB", at_most=600.0)


@pytest.mark.timeout(900)
def test_bench_start_to_first_result(measured: Measure, tmp_path: Path) -> None:
    warm_up()
    command = [sys.executable, "-m", "bot", "backtest", *flags_of(write_year(tmp_path, 1))]
    seconds, processor, alone = [], [], _without_peers(tmp_path)
    for _ in range(3):
        began, used = time.perf_counter(), _of_children()
        subprocess.run(command, check=True, capture_output=True, env=alone)
        seconds.append(time.perf_counter() - began)
        processor.append(_of_children() - used)
    measured("backtest of a year, from the command to its end", min(processor), "CPU s", at_most=2.5)
    measured("the same by the clock, beside all else that runs here", min(seconds), "s")


def _whole(few: "_Swept", many: "_Swept", name: str) -> float:
    """What all tries take, by what some more than a few took."""
    each = (getattr(many, name) - getattr(few, name)) / (many.tries - few.tries)
    return getattr(many, name) + (_ALL - many.tries) * each


class _Swept(NamedTuple):
    tries: int
    seconds: float
    processor_seconds: float
    megabytes: float


def _without_peers(folder: Path) -> dict[str, str]:
    """Return the environment of a process that has what research.lock installs."""
    absent = folder / "absent"
    absent.mkdir()
    for name in _OF_PEERS:
        (absent / f"{name}.py").write_text(
            f"raise ModuleNotFoundError('not installed', name={name!r})\n", "utf-8"
        )
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(absent), os.environ.get("PYTHONPATH")))),
    }


def _swept(settings: Settings, params: Sequence[str], environment: dict[str, str]) -> _Swept:
    """Run the command in two processes; return what it took."""
    command = [sys.executable, "-m", "bot", "sweep", "--sampler", "grid", "--jobs", "2", "--engine", "kernel"]
    command += [*flags_of(settings), *(word for each in params for word in ("--param", each))]
    began, used, most = time.perf_counter(), _of_children(), 0.0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        while process.poll() is None:
            most = max(most, sum(map(_megabytes, _family(process.pid))))
            time.sleep(0.3)
        told = process.stdout.read()
    assert process.returncode == 0
    return _Swept(int(told.split()[0]), time.perf_counter() - began, _of_children() - used, most)


def _of_children() -> float:
    """The processor's seconds of all that was started and has ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _family(pid: int) -> list[int]:
    """A process and all that it started."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:
        return []
    return [pid, *(each for child in below for each in _family(int(child)))]


def _megabytes(pid: int) -> float:
    """The proportional set size: of a page that n processes map, an n-th; 0.0 once the process is gone."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(row.split()[1]) / 1_024 for row in rows if row.startswith("Pss:")), 0.0)
