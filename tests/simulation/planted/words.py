"""Cases of the simulation as JSON values and back, and in a word or two for the page."""

from typing import Any

from tests.simulation.scenario import Case
from tests.simulation.sweep import Crash


def written(case: Any) -> list[Any]:
    """Return the JSON values of a case, or of a death."""
    kind = "crash" if isinstance(case, Crash) else "case"
    return [kind, *case]


def read(values: list[Any]) -> Case | Crash:
    """Return what `written` was given."""
    kind, *rest = values
    if kind == "crash":
        return Crash(*rest)
    seed, dialect, faults, seconds = rest
    return Case(seed, dialect, tuple(faults), seconds)


def short(case: Case | Crash) -> str:
    """Return a case in a few words."""
    if isinstance(case, Crash):
        at = f" border {case.border}" if case.border else ""
        again = f" again {case.again}" if case.again else ""
        return f"{case.story} {case.dialect}{at}{again}"
    return f"{','.join(case.faults) or 'none'} seed {case.seed} {case.dialect}"
