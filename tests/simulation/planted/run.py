"""`python -m tests.simulation --planted`: does the simulation notice bugs that are there?"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

from tests.simulation.planted.bug import ROOT
from tests.simulation.planted.hunt import NO_BUG
from tests.simulation.planted.table import PLANTED

FOUND: Final = Path(__file__).parent / "found.json"
_LEAST_CAUGHT: Final = 0.95


class Finding(NamedTuple):
    """What became of one planted bug. `case` None: no case of the gate failed, or a run did not end."""

    name: str
    case: list[Any] | None
    violation: str
    runs: int
    cpu_s: float

    @property
    def is_caught(self) -> bool:
        """Whether something failed."""
        return bool(self.violation)


def run(
    names: Sequence[str], processes: int, *, most: int = 0, is_afresh: bool = False, is_kept: bool = False
) -> list[Finding]:
    """Hunt for every bug, each in a process of its own; print each finding as it comes.

    `is_afresh`: without trying first what caught it the last time. `is_kept`: write each finding down.
    """
    known = {} if is_afresh else read()
    writing = Lock()

    def one(name: str) -> Finding:
        finding = hunt(name, known.get(name), most)
        print(_line(finding), flush=True)
        if is_kept:
            with writing:
                write([finding])
        return finding

    with ThreadPoolExecutor(processes) as pool:
        return controlled(list(pool.map(one, names)))


def hunt(name: str, known: Finding | None = None, most: int = 0) -> Finding:
    """Hunt for one bug in a process that has it. RuntimeError: the process failed."""
    first = [] if known is None or known.case is None else [known.case]
    told = _asked(name, "--first", json.dumps(first), "--most", str(most))
    return Finding(name, told["case"], told["violation"], told["runs"], told["cpu_s"])


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


def read() -> dict[str, Finding]:
    """Return what caught each bug the last time the page was made."""
    if not FOUND.exists():
        return {}
    rows: Mapping[str, Any] = json.loads(FOUND.read_text())
    return {name: Finding(name, **row) for name, row in rows.items() if name in PLANTED}


def write(findings: Iterable[Finding]) -> None:
    """Keep findings. How long a search took stays as it was when the same case caught the bug again."""
    known = read()
    for each in findings:
        before = known.get(each.name)
        if before is None or before.case != each.case:
            known[each.name] = each
    rows = {name: dict(list(each._asdict().items())[1:]) for name, each in known.items()}
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(rows[name])}" for name in PLANTED if name in rows)
    FOUND.write_text("{\n" + lines + "\n}\n")


def controlled(findings: list[Finding]) -> list[Finding]:
    """Return the findings without those whose case fails without any bug."""
    cases = [each.case for each in findings if each.case is not None]
    failed = _asked(NO_BUG, "--first", json.dumps(cases))["failed"]
    for each in failed:
        print(f"it fails without a bug too: {each}")
    return [each._replace(case=None, violation="") if each.case in failed else each for each in findings]


def _asked(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.simulation.planted.hunt", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{ended.stderr[-3000:]}")
    return json.loads(ended.stdout.splitlines()[-1])


def _line(finding: Finding) -> str:
    word = "caught" if finding.is_caught else "MISSED"
    case = "" if finding.case is None else f" {' '.join(str(each) for each in finding.case)}"
    said = f": {finding.violation[:160]}" if finding.violation else ""
    return f"{word} {finding.name} after {finding.runs} runs, {finding.cpu_s:.0f} s{case}{said}"
