"""The page of faults, tests/simulation/FAULTS.md: what injects each, and how long protection took."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.simulation.faults.table import FAULTS, NOT_INJECTED, Fault
from tests.simulation.jobs import each_fault, verdicts
from tests.simulation.scenario import Verdict

PAGE: Final = Path(__file__).parent / "FAULTS.md"
_HEAD: Final = """# Faults

Made by `python -m tests.simulation --page --seeds 20 --jobs 2`; a test holds the table to what is injected.

Each fault is injected alone with {seeds} seeds by `tests/simulation/__main__.py --gate test`,
which `make test` ends with, and with 1,000 by `make simulate-nightly`; mixed seeds draw one to three.
**Fired** is the share of the seeds in which it did something. **Time to protection** is how long, in virtual
seconds at the exchange, a position had no stop over all of it, or one beyond liquidation: each stretch
counts, also those in which the fault itself forbids every stop, the bot is dead, or the network is down.
"""
_NOT_MODELLED: Final = """
## What no fault models

- An fsync that lies: what SQLite has synced stays. Lost are pages that were written and not yet synced.
- A market order delivered twice where the exchange knows ids of open orders only.
- Memory that flips, an exchange that is insolvent, documentation of an exchange that is wrong.
- More than one account, and the venues whose dialect the embedded exchange does not speak.
- Threads and the kernel: `tests/e2e` kills real processes.
"""


class Measured(NamedTuple):
    """What many seeds of one fault showed; seconds."""

    fired_share: float
    stretches: int
    median_s: float
    longest_s: float


def write(seeds: int, processes: int) -> int:
    """Measure every fault with so many seeds and write the page; return 1 when a run failed."""
    found: dict[str, list[Verdict]] = {name: [] for name in FAULTS}
    for verdict in verdicts(each_fault(range(1, seeds + 1)), processes):
        found[verdict.case.faults[0]].append(verdict)
    failed = [each.case for listed in found.values() for each in listed if each.violations]
    for case in failed:
        print(f"FAILED: {case.command()}")
    PAGE.write_text(rendered({name: measured(listed) for name, listed in found.items()}, seeds))
    print(f"{PAGE} is written")
    return int(bool(failed))


def measured(listed: Sequence[Verdict]) -> Measured:
    """Return what the runs of one fault showed."""
    stretches_s = [ms / 1000.0 for verdict in listed for ms in verdict.stretches_ms]
    fired = sum(bool(verdict.fired) for verdict in listed) / len(listed)
    median_s = statistics.median(stretches_s) if stretches_s else 0.0
    return Measured(fired, len(stretches_s), median_s, max(stretches_s, default=0.0))


def rendered(numbers: Mapping[str, Measured], seeds: int) -> str:
    """Return the whole page."""
    rows = [_row(name, FAULTS[name], numbers[name]) for name in sorted(FAULTS)]
    rest = [f"| {name} | {reason} |" for name, reason in sorted(NOT_INJECTED.items())]
    lines = [
        _HEAD.format(seeds=seeds),
        "| fault | | injected by | fired | stretches | p50 s | max s |",
        "|---|---|---|---:|---:|---:|---:|",
        *rows,
        "\n## Not injected\n",
        "| fault | why, or where it is tested instead |",
        "|---|---|",
        *rest,
    ]
    return "\n".join(lines) + "\n" + _NOT_MODELLED


def _row(name: str, fault: Fault, found: Measured) -> str:
    functions = [each for each in (fault.plan, fault.install) if each and each.__name__ != "noted"]
    places = ", ".join(f"`{each.__module__.rpartition('.')[2]}.{each.__name__}`" for each in functions)
    share, count = f"{found.fired_share:.0%}", found.stretches
    numbers = f"{share} | {count} | {found.median_s:.2f} | {found.longest_s:.1f}"
    return f"| {name} | {fault.title} | {places} | {numbers} |"
