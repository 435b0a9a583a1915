"""Undisturbed worlds; every fault and every regression is run by the gate, which `make test` ends with."""

import pytest

from tests.simulation.exchanges import DIALECTS
from tests.simulation.scenario import case_of, run_case


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_world_without_a_fault_keeps_every_invariant_and_comes_twice_the_same(dialect: str) -> None:
    case = case_of(1, (), dialect)
    first, second = run_case(case), run_case(case)
    assert first.violations == ()
    assert first.counts["fills"] >= 2
    assert first.counts["AddMargin"] >= 1
    assert (second.trace, second.counts) == (first.trace, first.counts)
