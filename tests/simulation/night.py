"""A long run that can be interrupted: every fault with many seeds, and the sweep with every border.

What is done is kept in a file, one line for each seed; a run that begins with such a file goes on after it.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from tests.simulation.jobs import Job, all_dry_runs, each_fault, swept, verdicts
from tests.simulation.report import Tally
from tests.simulation.scenario import Verdict

_SWEEP: Final = "sweep"


def run_night(seeds: Iterable[int], processes: int, kept: Path) -> int:
    """Run what `kept` does not hold yet; print seeds, virtual hours and violations; return 1 when any."""
    done = _read(kept)
    if _SWEEP not in done:
        dry = list(verdicts(all_dry_runs(is_every=True), processes))
        killed = swept(dry)
        asked_to_end = tuple(crash._replace(is_polite=True) for crash in killed if not crash.again)
        _run(_SWEEP, (*killed, *asked_to_end), processes, kept, done)
    for seed in seeds:
        if str(seed) not in done:
            _run(str(seed), each_fault((seed,)), processes, kept, done)
    return _told(done)


def _run(name: str, jobs: tuple[Job, ...], processes: int, kept: Path, done: dict[str, Any]) -> None:
    tally, failing = Tally(), []
    tally.take(_watched(verdicts(jobs, processes), failing.append))
    done[name] = {
        "runs": tally.passed + tally.failed,
        "virtual_s": round(tally.virtual_s, 3),
        "cpu_s": round(tally.cpu_s, 3),
        "failing": failing,
    }
    with kept.open("a") as lines:
        lines.write(json.dumps({name: done[name]}) + "\n")
    print(f"{name}: {done[name]['runs']} runs, {len(failing)} failed", flush=True)


def _watched(found: Iterable[Verdict], keep: Callable[[str], None]) -> Iterable[Verdict]:
    for verdict in found:
        if verdict.violations:
            keep(verdict.case.command())
        yield verdict


def _read(kept: Path) -> dict[str, Any]:
    done: dict[str, Any] = {}
    if kept.exists():
        for line in kept.read_text().splitlines():
            done.update(json.loads(line))
    return done


def _told(done: dict[str, Any]) -> int:
    runs = sum(each["runs"] for each in done.values())
    failing = [command for each in done.values() for command in each["failing"]]
    hours = sum(each["virtual_s"] for each in done.values()) / 3600.0
    seeds = len(done) - (_SWEEP in done)
    print(f"{seeds} seeds of every fault, {hours:.1f} hours of virtual time, {len(failing)} violated")
    for command in failing:
        print(f"    replay: {command}")
    print(f"{runs - len(failing)} passed, {len(failing)} failed")
    return int(bool(failing))
