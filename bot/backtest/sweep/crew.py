"""Who works on a sweep: this process, others of this machine, or a Dask cluster, all as an Executor.

A worker that dies takes nothing with it: what it had in hand is given out again.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

from bot.errors import UserError

_Task = TypeVar("_Task")
_Answer = TypeVar("_Answer")

_MOST_DEATHS: Final = 3
_REACHED_WITHIN: Final = "10s"


class Alone:
    """Works in this process."""

    folder: Path | None = None

    def answers(self, work: Callable[[_Task], _Answer], tasks: Sequence[_Task]) -> Iterator[_Answer]:
        """Yield work(task) of each task, in order."""
        yield from map(work, tasks)


class Crew:
    """Gives tasks to an executor and returns the answers in their order, whoever works how fast.

    `make` returns an executor; it is asked again when a worker's death has broken the one before. `folder`:
    of this machine, where it has all workers, until they go.
    """

    def __init__(self, make: Callable[[], Executor], folder: Path | None = None) -> None:
        self._make, self._executor, self.folder = make, make(), folder

    def answers(self, work: Callable[[_Task], _Answer], tasks: Sequence[_Task]) -> Iterator[_Answer]:
        """Yield work(task) of each task, in order. UserError: workers keep dying over the same tasks."""
        done, deaths = 0, 0
        while done < len(tasks):
            futures = [self._executor.submit(work, task) for task in tasks[done:]]
            try:
                for future in futures:
                    yield future.result()
                    done, deaths = done + 1, 0
            except BrokenProcessPool as error:
                deaths += 1
                if deaths >= _MOST_DEATHS:
                    raise UserError(
                        f"A worker died {deaths} times over the same backtests. Most often the memory is "
                        "short: give fewer --jobs, or a shorter --timerange. What is done is kept."
                    ) from error
                self._executor.shutdown(wait=False, cancel_futures=True)
                self._executor = self._make()

    def end(self) -> None:
        """Let the workers go; what nobody began is dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def crew_of(processes: int, cluster: str) -> Iterator[Crew | Alone]:
    """Yield a crew of a Dask cluster, of so many processes, or (one) of this process alone.

    UserError: the cluster cannot be reached, or Dask is not installed.
    """
    if processes == 1 and not cluster:
        yield Alone()
        return
    with _cluster(cluster) if cluster else _machine(processes) as crew:
        yield crew


@contextmanager
def _machine(processes: int) -> Iterator[Crew]:
    with TemporaryDirectory(prefix="ringfence-", ignore_cleanup_errors=True) as folder:
        crew = Crew(partial(_pool, processes), Path(folder))
        try:
            yield crew
        finally:
            crew.end()


@contextmanager
def _cluster(address: str) -> Iterator[Crew]:
    try:
        from distributed import Client  # noqa: PLC0415 - slow to import, and not always there
    except ImportError as error:
        raise UserError(
            "--cluster needs Dask, which is not installed. Install it (make research, or pip install "
            "ringfence[sweep]), or leave --cluster out to use this machine."
        ) from error
    try:
        client = Client(address, timeout=_REACHED_WITHIN)
    except (OSError, ValueError) as error:
        raise UserError(
            f"The Dask scheduler {address} cannot be reached ({type(error).__name__}). Start it (dask "
            "scheduler; dask worker ADDRESS), check the address, or leave --cluster out."
        ) from error
    try:
        yield Crew(partial(client.get_executor, pure=False))
    finally:
        client.close()


def _pool(processes: int) -> ProcessPoolExecutor:
    # Spawned: a fork would copy threads' locks that polars and numba hold.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, context, initializer=_begin_work)


def _begin_work() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends the workers
    os.nice(5)
