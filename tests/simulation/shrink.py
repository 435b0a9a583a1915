"""Makes what fails smaller for as long as it still fails."""

from collections.abc import Callable, Iterator

from tests.simulation.scenario import Case
from tests.simulation.sweep import Crash

Job = Case | Crash
_LENGTHS = (30, 45, 60, 75, 90, 105, 120)


def shrunk(found: Job, fails: Callable[[Job], bool]) -> Job:
    """Return the smallest failing one that leaving things out leads to; `found` fails."""
    while True:
        smaller = next((each for each in _smaller(found) if fails(each)), None)
        if smaller is None:
            return found
        found = smaller


def _smaller(found: Job) -> Iterator[Job]:
    if isinstance(found, Crash):
        yield from _fewer_deaths(found)
    else:
        yield from _less_of(found)


def _fewer_deaths(crash: Crash) -> Iterator[Crash]:
    """Without the second death; without any."""
    if crash.again:
        yield crash._replace(again=0)
    if crash.border:
        yield crash._replace(border=0, again=0)


def _less_of(case: Case) -> Iterator[Case]:
    """No fault, one fault, one fault less; then a shorter story, the shortest first."""
    if case.faults:
        yield case._replace(faults=())
    if len(case.faults) > 1:
        yield from (case._replace(faults=(name,)) for name in case.faults)
    if len(case.faults) > 2:
        for left_out in case.faults:
            yield case._replace(faults=tuple(name for name in case.faults if name != left_out))
    yield from (case._replace(seconds=seconds) for seconds in _LENGTHS if seconds < case.seconds)
