"""`python -m tests.simulation.planted.hunt NAME`: this process has the bug in it, and looks for a case that
fails. The last line it prints is what it found, as JSON.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from tests.simulation.planted.loader import plant
from tests.simulation.planted.table import PLANTED

NO_BUG: Final = "none"
_MOST_CPU_SECONDS_A_RUN: Final = 60.0


def main(words: Sequence[str] | None = None) -> int:
    """Hunt for one bug. `none`: nothing is planted, and every case of `--first` must pass."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.planted.hunt", description=__doc__)
    parser.add_argument("name", choices=(NO_BUG, *PLANTED))
    parser.add_argument("--first", default="[]", help="cases to try first, as JSON")
    parser.add_argument("--most", type=int, default=0, help="runs; 0: all of the gate's")
    asked = parser.parse_args(words)
    if asked.name == NO_BUG:
        _controlled(json.loads(asked.first))
    else:
        _hunted(asked.name, json.loads(asked.first), asked.most)
    return 0


def _hunted(name: str, first: list[list[Any]], most: int) -> None:
    bug = PLANTED[name]
    plant(bug)
    from tests.simulation.planted import words
    from tests.simulation.planted.walk import failing

    runs = 0
    found: dict[str, Any] = {"case": None, "violation": "", "runs": 0}

    def give_up(*_: object) -> None:
        found.update(runs=runs + 1, violation="a run does not end")
        _tell(found)
        os._exit(0)

    signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, _MOST_CPU_SECONDS_A_RUN)
    for verdict in failing(bug.near, [words.read(each) for each in first]):
        runs += 1
        if verdict.violations:
            found.update(case=words.written(verdict.case), violation=verdict.violations[0][:300])
            break
        if runs == most:
            break
        signal.setitimer(signal.ITIMER_PROF, _MOST_CPU_SECONDS_A_RUN)
    found["runs"] = runs
    _tell(found)


def _controlled(cases: list[list[Any]]) -> None:
    from tests.simulation.jobs import run_job
    from tests.simulation.planted import words

    failed = [each for each in cases if run_job(words.read(each)).violations]
    _tell({"failed": failed})


def _tell(found: dict[str, Any]) -> None:
    print(json.dumps({**found, "cpu_s": round(time.process_time(), 2)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
