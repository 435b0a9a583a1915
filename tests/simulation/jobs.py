"""What is run in bulk: the gates, many seeds, a night. Jobs run in processes of their own."""

import contextlib
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, cycle
from multiprocessing.pool import Pool
from typing import Final, NamedTuple

import structlog

from tests.simulation.exchanges import DIALECTS, DRAWN, HYPERLIQUID
from tests.simulation.faults.table import FAULTS
from tests.simulation.regressions import REGRESSIONS
from tests.simulation.scenario import Case, Verdict, case_of, remove_folders_of, run_case
from tests.simulation.stories import NOT_TOLD, STORIES
from tests.simulation.sweep import Crash, crashes, tell


class Gate(NamedTuple):
    """How much is run: seeds of each fault alone, of mixed faults, and of runs told twice.

    `is_every_dialect`: the crash sweep tells each story in every dialect, else in one each, in turn.
    `seeds_of_fourth`: of each fault at Hyperliquid, which no seed draws.
    """

    seeds_a_fault: int
    mixed_seeds: int
    double_runs: int
    is_every_dialect: bool
    seeds_of_fourth: int


GATES: Final = {
    "short": Gate(2, 40, 10, False, 1),
    "test": Gate(20, 500, 100, False, 2),
    "whole": Gate(20, 500, 100, True, 4),
}
_CHUNK: Final = 4


class Twice(NamedTuple):
    """A case of which two runs have to be equal; they may fall to two processes."""

    case: Case


Job = Case | Crash | Twice


class Part(NamedTuple):
    """A named list of jobs."""

    title: str
    jobs: tuple[Job, ...]


def keep_quiet() -> None:
    """Let the bots of this process log nothing: the trace tells what they do."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def run_job(job: Job) -> Verdict:
    """Run whatever it is."""
    if isinstance(job, Twice):
        return run_case(job.case)
    return tell(job) if isinstance(job, Crash) else run_case(job)


def verdicts(jobs: Iterable[Job], processes: int) -> Iterator[Verdict]:
    """Yield the verdicts in the order of the jobs, whoever is faster."""
    if processes == 1:
        yield from map(run_job, jobs)
        return
    with workers(processes) as pool:
        yield from pool.imap(run_job, jobs, chunksize=_CHUNK)


@contextlib.contextmanager
def workers(processes: int, begin: Callable[[], None] = keep_quiet) -> Iterator[Pool]:
    """Give processes that ignore Ctrl-C, which their parent hears; what they leave behind is removed."""
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited, also while they import
    try:
        pool = multiprocessing.get_context("spawn").Pool(processes, begin)
    finally:
        signal.signal(signal.SIGINT, heard)
    try:
        with pool:
            yield pool
    finally:
        pool.join()
        remove_folders_of(os.getpid())


def compared(verdicts_: Iterable[Verdict]) -> Iterator[Verdict]:
    """Yield one verdict for every two runs of a case; they differ: I10."""
    runs = iter(verdicts_)
    for first, second in zip(runs, runs, strict=True):
        same = (first.trace, first.counts) == (second.trace, second.counts)
        yield first if same else first._replace(violations=(*first.violations, "I10: two runs differ"))


def each_fault(seeds: Iterable[int], dialect: str = "") -> tuple[Case, ...]:
    """Return every fault alone with every seed, in a dialect or in the one that the seed draws."""
    return tuple(case_of(seed, (name,), dialect) for seed in seeds for name in sorted(FAULTS))


def mixed(seeds: Iterable[int]) -> tuple[Case, ...]:
    """Return cases of one to three faults each."""
    return tuple(case_of(seed) for seed in seeds)


def gate(size: Gate) -> tuple[Part, ...]:
    """Return what a gate runs, but for the crash sweep."""
    doubled = chain.from_iterable((Twice(case),) * 2 for case in mixed(range(1, size.double_runs + 1)))
    others = mixed(range(size.double_runs + 1, size.double_runs + 1 + size.mixed_seeds))
    return (
        Part("regressions", REGRESSIONS),
        Part(
            f"{len(FAULTS)} faults, {size.seeds_a_fault} seeds each",
            each_fault(range(1, size.seeds_a_fault + 1)),
        ),
        Part(
            f"{HYPERLIQUID}, {size.seeds_of_fourth} seeds each",
            each_fault(range(1, size.seeds_of_fourth + 1), HYPERLIQUID),
        ),
        Part("mixed faults", others),
        Part("runs that come twice the same", tuple(doubled)),
    )


def dry_runs(names: Iterable[str], dialects: Iterable[str], *, is_every: bool) -> tuple[Crash, ...]:
    """Return undisturbed tellings, which count the borders."""
    pairs = ((name, dialect) for name in names for dialect in dialects if (name, dialect) not in NOT_TOLD)
    return tuple(Crash(name, dialect, is_every=is_every, seed=STORIES[name].seed) for name, dialect in pairs)


def swept(dry: Iterable[Verdict]) -> tuple[Crash, ...]:
    """Return a death at every border that dry runs have counted."""
    return tuple(chain.from_iterable(crashes(each.case, each.counts["borders"]) for each in dry))


def dry_runs_of(size: Gate) -> tuple[Crash, ...]:
    """Return the tellings that a gate's crash sweep begins with."""
    if size.is_every_dialect:
        return all_dry_runs()
    in_turn = zip(STORIES, cycle(DRAWN), strict=False)
    drawn = chain.from_iterable(dry_runs((name,), (each,), is_every=False) for name, each in in_turn)
    return (*drawn, *dry_runs(("entry", "stop"), (HYPERLIQUID,), is_every=False))


def all_dry_runs(*, is_every: bool = False) -> tuple[Crash, ...]:
    """Return every story in every dialect."""
    return dry_runs(STORIES, DIALECTS, is_every=is_every)


def left_out() -> tuple[str, ...]:
    """Return what no gate runs, with the reason."""
    return tuple(f"not told: {name} {dialect}: {why}" for (name, dialect), why in NOT_TOLD.items())
