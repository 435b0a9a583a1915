"""`python -m tests.simulation --planted`: does the simulation notice bugs that are there?"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from threading import Lock
from typing import Final

from tests.simulation.planted.bug import ROOT
from tests.simulation.planted.findings import Finding, write
from tests.simulation.planted.table import PLANTED

_LEAST_CAUGHT: Final = 0.95
_HUNT: Final = (sys.executable, "-m", "tests.simulation.planted.hunt")


def run(
    names: Sequence[str], processes: int, *, most: int = 0, is_afresh: bool = False, is_kept: bool = False
) -> list[Finding]:
    """Hunt for every bug; print each finding as it comes.

    `is_afresh`: without trying first what caught it the last time. `is_kept`: write each finding down.
    """
    writing = Lock()
    options = ["--most", str(most), *(["--afresh"] if is_afresh else [])]

    def hear(finding: Finding) -> None:
        with writing:
            print(_line(finding), flush=True)
            if is_kept:
                write([finding])

    with ThreadPoolExecutor(processes) as pool:
        shares = [names[first::processes] for first in range(min(processes, len(names)))]
        found = pool.map(lambda share: list(_heard(_hunted([*share, *options]), hear)), shares)
        return controlled(list(chain.from_iterable(found)))


def close(findings: Iterable[Finding], began: float) -> int:
    """Print who was missed and the tally; return 1 when too many were."""
    listed = list(findings)
    missed = [each.name for each in listed if not each.is_caught]
    for name in missed:
        print(f"    missed: {name}: {PLANTED[name].breaks}")
    cpu_s = sum(each.cpu_s for each in listed)
    print(f"{time.monotonic() - began:.0f} s, {cpu_s:.0f} s of processor")
    print(f"{len(listed) - len(missed)} caught, {len(missed)} missed", flush=True)
    return int(len(missed) > (1.0 - _LEAST_CAUGHT) * len(listed))


def controlled(findings: list[Finding]) -> list[Finding]:
    """Return the findings without those whose case fails without any bug."""
    cases = [each.case for each in findings if each.case is not None]
    command = [*_HUNT, "--sound", json.dumps(cases)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    failed = json.loads(ended.stdout.splitlines()[-1])
    for each in failed:
        print(f"it fails without a bug too: {each}")
    return [each._replace(case=None, violation="") if each.case in failed else each for each in findings]


def _hunted(words: Sequence[str]) -> Iterator[Finding]:
    """Yield what a hunting process finds. RuntimeError: it failed."""
    with subprocess.Popen([*_HUNT, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True) as hunting:
        assert hunting.stdout is not None
        for line in hunting.stdout:
            if line.startswith('{"name"'):
                yield Finding(**json.loads(line))
    if hunting.returncode:
        raise RuntimeError(f"the hunt ended with {hunting.returncode}: {' '.join(words)}")


def _heard(findings: Iterable[Finding], hear: Callable[[Finding], None]) -> Iterator[Finding]:
    for each in findings:
        hear(each)
        yield each


def _line(finding: Finding) -> str:
    word = "caught" if finding.is_caught else "MISSED"
    case = "" if finding.case is None else f" {' '.join(str(each) for each in finding.case)}"
    said = f": {finding.violation[:160]}" if finding.violation else ""
    return f"{word} {finding.name} after {finding.runs} runs, {finding.cpu_s:.0f} s{case}{said}"
