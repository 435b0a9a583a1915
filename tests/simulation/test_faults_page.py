"""The page of faults says what the table of faults says."""

import re

from tests.simulation.faults.table import FAULTS, NOT_INJECTED
from tests.simulation.page import PAGE, Measured, rendered

_MEASURED = re.compile(r"\| \d+% \| \d+ \| [\d.]+ \| [\d.]+ \|$", re.MULTILINE)
_SEEDS = 20


def test_every_fault_of_the_catalogue_is_injected_or_said_not_to_be() -> None:
    assert sorted({*FAULTS, *NOT_INJECTED}) == [f"F{number:02}" for number in range(1, 81)]
    assert not set(FAULTS) & set(NOT_INJECTED)


def test_the_page_names_every_fault_and_what_injects_it() -> None:
    written = PAGE.read_text()
    expected = rendered(dict.fromkeys(FAULTS, Measured(1.0, 1, 0.1, 0.2)), _SEEDS)
    assert _MEASURED.sub("|", written) == _MEASURED.sub("|", expected), "make it anew: see its first line"


def test_the_page_shows_that_every_fault_has_fired() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if _MEASURED.search(line)]
    assert len(rows) == len(FAULTS)
    assert [row for row in rows if "| 0% |" in row] == []
