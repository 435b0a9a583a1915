"""What the command line says of verdicts: failures with their replay, and the tally at the end."""

import re
from collections.abc import Iterable
from typing import Final

from tests.simulation.jobs import run_job
from tests.simulation.scenario import Case, Verdict
from tests.simulation.shrink import shrunk
from tests.simulation.sweep import Crash

_MOST_SHRUNK: Final = 3
_VARYING: Final = re.compile(r"at \S+:|[{\[].*|'[^']*'|\b(?=\w*\d)\w[\w.]*\b|[\d.:]")
_KIND_LENGTH: Final = 60


class Tally:
    """Counts verdicts and tells the failed ones; the first few are made smaller."""

    def __init__(self, *, is_loud: bool = False, is_shrinking: bool = True) -> None:
        self._is_loud, self._shrinks_left = is_loud, _MOST_SHRUNK if is_shrinking else 0
        self.passed = self.failed = 0
        self.virtual_s = self.cpu_s = 0.0

    def take(self, verdicts: Iterable[Verdict]) -> None:
        """Count verdicts as they come."""
        for verdict in verdicts:
            self.passed += not verdict.violations
            self.failed += bool(verdict.violations)
            self.virtual_s += verdict.virtual_seconds
            self.cpu_s += verdict.cpu_seconds
            if self._is_loud or verdict.violations:
                self._tell(verdict)

    def close(self) -> int:
        """Print the tally; return the exit code."""
        each_s = self.cpu_s / max(self.passed + self.failed, 1)
        print(f"{self.virtual_s / 3600.0:.1f} hours of virtual time, {each_s:.2f} s of processor a run")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return int(self.failed > 0)

    def _tell(self, verdict: Verdict) -> None:
        word = "FAILED" if verdict.violations else "passed"
        print(
            f"{word} {named(verdict.case)} fired {len(verdict.fired)} "
            f"unprotected {verdict.unprotected_ms} ms, {verdict.cpu_seconds:.2f} s {verdict.trace[:12]}"
        )
        if self._is_loud:
            print(f"    {verdict.counts}")
        for violation in verdict.violations:
            print(f"    {violation[:1000]}")
        if verdict.violations:
            print(f"    replay: {verdict.case.command()}", flush=True)
            self._shrink(verdict.case)

    def _shrink(self, case: Case | Crash) -> None:
        if self._shrinks_left == 0:
            return
        self._shrinks_left -= 1
        smallest = smallest_of(case)
        if smallest is not None and smallest != case:
            print(f"    smaller: {smallest.command()}", flush=True)


def smallest_of(case: Case | Crash) -> Case | Crash | None:
    """Return the smallest case that still fails alike; None when this one does not fail when run again."""
    found = kinds_of(run_job(case).violations)
    if not found:
        return None
    return shrunk(case, lambda each: bool(found & kinds_of(run_job(each).violations)))


def kinds_of(violations: Iterable[str]) -> set[str]:
    """Return what was violated in words that do not depend on when, how much and which order."""
    return {_VARYING.sub("", violation)[:_KIND_LENGTH] for violation in violations}


def named(case: Case | Crash) -> str:
    """Return a case in a few words."""
    if isinstance(case, Crash):
        return f"{case.story} {case.dialect} border {case.border} again {case.again}"
    return f"seed {case.seed} {case.dialect} faults {','.join(case.faults) or 'none'}"
