"""`python -m tests.simulation.planted.hunt NAME...`: look for a case that fails with each bug.

Each bug gets a fork of its own. Most of a hunt that ends at once goes into imports that no bug changes: they
are made once, before the forks. Each bug's line of output is what was found, as JSON.
"""

import argparse
import gc
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any, Final

from tests.simulation.planted.findings import read
from tests.simulation.planted.loader import plant
from tests.simulation.planted.table import PLANTED

_MOST_CPU_SECONDS_A_RUN: Final = 60.0
# Nothing that a bug of the table changes is among these, nor imported by them: planting fails if it is.
_COMMON: Final = (
    "aiohttp",
    "alembic.command",
    "ccxt.pro",
    "numpy",
    "sqlmodel",
    "starlette.applications",
    "structlog",
    "talib",
    "bot.settings",
    "bot.store.tables",
)


def main(words: Sequence[str] | None = None) -> int:
    """Hunt for each bug, or try cases without one."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.planted.hunt", description=__doc__)
    parser.add_argument("names", nargs="*", choices=(*PLANTED, []))
    parser.add_argument("--most", type=int, default=0, help="runs for each; 0: all of the gate's")
    parser.add_argument("--afresh", action="store_true", help="without what is known to notice it first")
    parser.add_argument("--sound", default="", help="no bug: tell which of these cases, as JSON, fail")
    asked = parser.parse_args(words)
    if asked.sound:
        _controlled(json.loads(asked.sound))
        return 0
    known = {} if asked.afresh else read()
    for module in _COMMON:
        importlib.import_module(module)
    gc.freeze()
    for name in asked.names:
        finding = known.get(name)
        _forked(name, [finding.case] if finding is not None and finding.case else [], asked.most)
    return 0


def _forked(name: str, first: list[list[Any]], most: int) -> None:
    """Hunt in a process of its own. RuntimeError: it failed."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if status:
            raise RuntimeError(f"the hunt for {name} ended with {status}")
        return
    status = 1
    try:
        _hunted(name, first, most)
        status = 0
    except Exception:  # noqa: BLE001  a fork returns to nobody
        traceback.print_exc()
    finally:
        os._exit(status)


def _hunted(name: str, first: list[list[Any]], most: int) -> None:
    bug = PLANTED[name]
    plant(bug)
    from tests.simulation.jobs import keep_quiet
    from tests.simulation.planted import words
    from tests.simulation.planted.walk import failing

    keep_quiet()
    runs = 0
    found: dict[str, Any] = {"name": name, "case": None, "violation": "", "runs": 0}

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
    from tests.simulation.jobs import keep_quiet, run_job
    from tests.simulation.planted import words

    keep_quiet()
    print(json.dumps([each for each in cases if run_job(words.read(each)).violations]), flush=True)


def _tell(found: dict[str, Any]) -> None:
    print(json.dumps({**found, "cpu_s": round(time.process_time(), 2)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
