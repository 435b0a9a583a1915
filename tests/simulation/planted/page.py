"""The page of planted bugs, tests/simulation/PLANTED.md: what notices each, and what is missed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.simulation.planted import findings, words
from tests.simulation.planted.bug import Bug
from tests.simulation.planted.findings import Finding
from tests.simulation.planted.table import AREAS

PAGE: Final = Path(__file__).parents[1] / "PLANTED.md"
_HEAD: Final = """# Planted bugs

Made by `python -m tests.simulation --planted --page --jobs 2`; a test holds the table to what is planted.

A simulation that never fails proves nothing. Each bug is one place of `bot/`, changed when it is imported,
in a process of its own; the cases of the gate (`--gate whole`) are tried, those near to the bug first,
until one fails. Where a second guard stands behind the place, so that nothing would be seen from outside, it
is out as well, and the row says so. **After** is how many runs that took in the search that found it; a case
named here is tried first from then on. Every case named here passes without the bug. Unit tests do not count.

{caught} of {all} are caught, {missed} missed.
"""


def write() -> None:
    """Write the page of what was found."""
    PAGE.write_text(rendered(findings.read()))
    print(f"{PAGE} is written")


def rendered(found: Mapping[str, Finding]) -> str:
    """Return the whole page; a bug that nobody hunted for yet counts as missed."""
    bugs = [bug for area in AREAS.values() for bug in area]
    missed = [bug for bug in bugs if not _is_caught(found, bug)]
    lines = [_HEAD.format(caught=len(bugs) - len(missed), all=len(bugs), missed=len(missed))]
    for title, area in AREAS.items():
        lines += [f"## {title}\n", "| bug | what it breaks | caught by | after | |", "|---|---|---|---:|---|"]
        lines += [_row(bug, found[bug.name]) for bug in area if _is_caught(found, bug)]
        lines.append("")
    lines += ["## Missed\n", *(_missed_row(bug) for bug in missed)]
    if not missed:
        lines.append("None.")
    return "\n".join(lines) + "\n"


def _is_caught(found: Mapping[str, Finding], bug: Bug) -> bool:
    return bug.name in found and found[bug.name].is_caught


def _row(bug: Bug, finding: Finding) -> str:
    case = words.short(words.read(finding.case)) if finding.case else "no run ends"
    said = finding.violation.split(" ")[0].rstrip(":")
    return f"| {bug.name} | {bug.breaks} | {case} | {finding.runs} | {said} |"


def _missed_row(bug: Bug) -> str:
    return f"- **{bug.name}** (`{bug.file}`): {bug.breaks}."
