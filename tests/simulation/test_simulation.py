"""A handful of simulated worlds; `make test` runs the gate beside them, `make simulate` as many as wanted."""

import pytest

from tests.simulation.exchanges import DIALECTS
from tests.simulation.faults.table import FAULTS
from tests.simulation.regressions import REGRESSIONS
from tests.simulation.scenario import Case, case_of, run_case


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_world_without_a_fault_keeps_every_invariant_and_comes_twice_the_same(dialect: str) -> None:
    case = case_of(1, (), dialect)
    first, second = run_case(case), run_case(case)
    assert first.violations == ()
    assert first.counts["fills"] >= 2
    assert first.counts["AddMargin"] >= 1
    assert (second.trace, second.counts) == (first.trace, first.counts)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_breaks_no_invariant(name: str) -> None:
    verdict = run_case(case_of(1, (name,)))
    assert verdict.violations == (), verdict.case.command()


@pytest.mark.parametrize("case", REGRESSIONS, ids=lambda case: f"{case.seed}-{case.dialect}")
def test_what_was_wrong_once_stays_right(case: Case) -> None:
    assert run_case(case).violations == (), case.command()
