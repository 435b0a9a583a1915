"""Every planted bug still has its place in the source, and is still a program."""

import ast

import pytest

from tests.simulation.faults.table import FAULTS
from tests.simulation.planted.bug import ROOT
from tests.simulation.planted.table import AREAS, PLANTED
from tests.simulation.planted.walk import REGRESSED
from tests.simulation.stories import STORIES


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_has_its_place_and_compiles(name: str) -> None:
    bug = PLANTED[name]
    for file, patched in bug.sources().items():
        compile(patched, file, "exec")
        assert ast.dump(ast.parse(patched)) != ast.dump(ast.parse((ROOT / file).read_text()))
    assert set(bug.near) <= {*FAULTS, *STORIES, REGRESSED}


def test_there_are_sixty_planted_bugs_and_no_two_of_one_name() -> None:
    assert len(PLANTED) == sum(map(len, AREAS.values())) >= 60
    assert len({(bug.file, bug.old, bug.new) for bug in PLANTED.values()}) == len(PLANTED)
