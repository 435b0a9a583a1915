"""The page of faults says what the table of faults says."""

import re
from pathlib import Path

from tests.simulation.faults.table import FAULTS, NOT_INJECTED
from tests.simulation.page import PAGE, Measured, bound_s, is_kept, measured, percentile_99, rendered
from tests.simulation.scenario import Verdict, case_of

_MEASURED = re.compile(
    r"\| \d+% \| \d+ \| [\d.]+ (?:\| (?:[\d.]+|-) ){4}\| (\d+) \| (?:yes|\*\*no\*\*|-) \|$", re.MULTILINE
)
_SEEDS = 20
_ROOT = Path(__file__).parents[2]


def test_every_fault_of_the_catalogue_is_injected_or_said_not_to_be() -> None:
    assert sorted({*FAULTS, *NOT_INJECTED}) == [f"F{number:02}" for number in range(1, 81)]
    assert not set(FAULTS) & set(NOT_INJECTED)


def test_the_page_names_every_fault_and_what_injects_it() -> None:
    written = PAGE.read_text()
    expected = rendered(dict.fromkeys(FAULTS, Measured(1.0, 1, 0.1, 0.2)), _SEEDS)
    assert _MEASURED.sub(r"| \1 |", written) == _MEASURED.sub(r"| \1 |", expected), "make it anew"


def test_the_page_shows_that_every_fault_has_fired() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if _MEASURED.search(line)]
    assert len(rows) == len(FAULTS)
    assert [row for row in rows if "| 0% |" in row] == []


def test_the_bound_at_a_venue_that_works_is_for_99_of_100_and_after_an_outage_for_all() -> None:
    assert (bound_s("F13"), bound_s("F53"), bound_s("F57")) == (2.0, 5.0, 30.0)
    often = Measured(1.0, 200, 0.1, 50.0, 50.0, after_p99_s=1.9, after_s=4.0)
    assert is_kept("F13", often) is True
    assert is_kept("F13", often._replace(after_p99_s=2.1)) is False
    assert is_kept("F53", often._replace(after_s=5.1)) is False
    assert is_kept("F57", often._replace(after_s=29.0)) is True
    assert is_kept("F57", Measured(1.0, 1, 0.1, 0.2)) is None


def test_what_came_after_the_fault_is_measured_beside_all_of_it() -> None:
    verdict = Verdict(case_of(1, ("F57",)), (), "", ("down",), (40_000, 100), 1.0, 1.0, {}, (700, 100))
    found = measured([verdict])
    assert (found.longest_s, found.p99_s, found.after_s, found.after_p99_s) == (40.0, 40.0, 0.7, 0.7)
    assert percentile_99([1.0] * 99 + [9.0]) == 1.0
    assert percentile_99([1.0] * 98 + [9.0] * 2) == 9.0
    assert percentile_99([]) == 0.0


def test_a_bound_that_is_not_kept_is_said_in_its_row() -> None:
    numbers = dict.fromkeys(FAULTS, Measured(1.0, 1, 0.1, 0.2, 0.2, 0.1, 0.1))
    written = rendered({**numbers, "F13": numbers["F13"]._replace(after_p99_s=3.0)}, _SEEDS)
    assert [line.split()[1] for line in written.splitlines() if "**no**" in line] == ["F13"]


def test_the_tests_that_stand_for_a_fault_that_is_not_injected_are_there() -> None:
    named = [
        path for reason in NOT_INJECTED.values() for path in re.findall(r"tests/[\w/]+(?:\.py)?", reason)
    ]
    assert len(named) >= 8
    assert [path for path in named if not (_ROOT / path).exists()] == []
