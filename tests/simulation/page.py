"""The page of faults, tests/simulation/FAULTS.md: what injects each, and how long protection took."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.simulation.faults.table import FAULTS, NOT_INJECTED, PROTECTED_WITHIN_S, Fault
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
**After** is how much of it came after the last fault, while the bot ran, of positions that are its own.
**Bound** is for that: 2 s (99 of 100) at a venue that works, 5 s after a fault of the transport, 30 s after
an outage. A run in which it takes longer than {least:g} s, or the fault's own bound, fails. Of fewer than 100
stretches the 99th percentile is the longest. A hyphen: not measured yet.
"""
_NOT_MODELLED: Final = """
## What no fault models

- An fsync that lies: what SQLite has synced stays. Lost are pages that were written and not yet synced.
- A market order delivered twice where the exchange knows ids of open orders only.
- A symbol's last settlement at a price of the venue's: F47 says no more than that it is not traded.
- Memory that flips, an exchange that is insolvent, documentation of an exchange that is wrong.
- More than one account, and the venues whose dialect the embedded exchange does not speak.
- Threads and the kernel: `tests/e2e` kills real processes.
"""


# Bounds of the reliability study (its I1), in seconds; what is not named here happens at a venue that works.
_HEALTHY_S: Final = 2.0
_TRANSPORT_S: Final = 5.0
_OUTAGE_S: Final = 30.0
_OF_TRANSPORT: Final = frozenset(
    {*("F01", "F02", "F03", "F04", "F05", "F07", "F18", "F21", "F51", "F52", "F53", "F54", "F55", "F56")}
)
_OUTAGES: Final = frozenset({"F28", "F48", "F49", "F50", "F57", "F59", "F60", "F61"})
_NOT_MEASURED: Final = "-"
_TITLES: Final = (
    "| fault | | injected by | fired | stretches | p50 s | p99 s | max s | after: p99 s | max s | bound s "
    "| kept |"
)


class Measured(NamedTuple):
    """What many seeds of one fault showed; seconds. None: not measured yet."""

    fired_share: float
    stretches: int
    median_s: float
    longest_s: float
    p99_s: float | None = None
    after_p99_s: float | None = None
    after_s: float | None = None


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
    after_s = [ms / 1000.0 for verdict in listed for ms in verdict.after_ms]
    return Measured(
        fired,
        len(stretches_s),
        median_s,
        max(stretches_s, default=0.0),
        percentile_99(stretches_s),
        percentile_99(after_s),
        max(after_s, default=0.0),
    )


def percentile_99(values: Sequence[float]) -> float:
    """Return the least of the values that 99 of 100 do not exceed; 0.0 of none."""
    rank = -(-99 * len(values) // 100)
    return sorted(values)[rank - 1] if values else 0.0


def bound_s(name: str) -> float:
    """Return how long, after the last fault, a position may be without a stop."""
    if name in _OUTAGES:
        return _OUTAGE_S
    return _TRANSPORT_S if name in _OF_TRANSPORT else _HEALTHY_S


def is_kept(name: str, found: Measured) -> bool | None:
    """Return whether the bound was kept: by 99 of 100 at a venue that works, else by all. None: unknown."""
    bound = bound_s(name)
    reached = found.after_p99_s if bound == _HEALTHY_S else found.after_s
    return None if reached is None else reached <= bound


def rendered(numbers: Mapping[str, Measured], seeds: int) -> str:
    """Return the whole page."""
    rows = [_row(name, FAULTS[name], numbers[name]) for name in sorted(FAULTS)]
    rest = [f"| {name} | {reason} |" for name, reason in sorted(NOT_INJECTED.items())]
    lines = [
        _HEAD.format(seeds=seeds, least=PROTECTED_WITHIN_S),
        _TITLES,
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
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
    taken = [_said(each) for each in (found.p99_s, found.longest_s, found.after_p99_s, found.after_s)]
    kept = {None: _NOT_MEASURED, True: "yes", False: "**no**"}[is_kept(name, found)]
    numbers = f"{share} | {count} | {found.median_s:.2f} | {' | '.join(taken)}"
    return f"| {name} | {fault.title} | {places} | {numbers} | {bound_s(name):g} | {kept} |"


def _said(seconds: float | None) -> str:
    return _NOT_MEASURED if seconds is None else f"{seconds:.1f}"
