"""The order in which the gate's cases are tried against a planted bug: those near to it first."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from tests.simulation.exchanges import DIALECTS
from tests.simulation.faults.table import FAULTS
from tests.simulation.jobs import GATES, Job, Twice, each_fault, mixed
from tests.simulation.regressions import REGRESSIONS
from tests.simulation.scenario import Case, Verdict, case_of, run_case
from tests.simulation.stories import STORIES
from tests.simulation.sweep import Crash, crashes, tell

_GATE: Final = GATES["whole"]
_FIRST_SEEDS: Final = 4
REGRESSED = "regressions"


def failing(near: Iterable[str], first: Iterable[Case | Crash] = ()) -> Iterator[Verdict]:
    """Yield the verdict of every case of the gate, once each and `first` before all; it is left early."""
    seen: set[Job] = set()
    for job in chain(first, _ordered(tuple(near))):
        if job in seen:
            continue
        seen.add(job)
        yield _judged(job)


def _ordered(near: tuple[str, ...]) -> Iterator[Job]:
    stories = [name for name in near if name in STORIES]
    faults = [name for name in near if name in FAULTS]
    yield from _dry(stories)
    if REGRESSED in near:
        yield from REGRESSIONS
    yield from (case_of(seed, (name,)) for seed in range(1, _GATE.seeds_a_fault + 1) for name in faults)
    yield from _deaths(stories)
    yield from REGRESSIONS
    yield from _dry(STORIES)
    yield from each_fault(range(1, _FIRST_SEEDS + 1))
    yield from mixed(range(_GATE.double_runs + 1, _GATE.double_runs + 1 + _GATE.mixed_seeds))
    yield from _deaths(STORIES)
    yield from each_fault(range(_FIRST_SEEDS + 1, _GATE.seeds_a_fault + 1))
    yield from (Twice(case) for case in mixed(range(1, _GATE.double_runs + 1)))


def _dry(names: Iterable[str]) -> Iterator[Crash]:
    for name in names:
        for dialect in DIALECTS:
            yield Crash(name, dialect, seed=STORIES[name].seed)


def _deaths(names: Iterable[str]) -> Iterator[Crash]:
    for dry in _dry(names):
        yield from crashes(dry, tell(dry).counts["borders"])


def _judged(job: Job) -> Verdict:
    if isinstance(job, Crash):
        return tell(job)
    if not isinstance(job, Twice):
        return run_case(job)
    one, other = run_case(job.case), run_case(job.case)
    if (one.trace, one.counts) == (other.trace, other.counts):
        return one
    return one._replace(violations=(*one.violations, "I10: two runs differ"))
