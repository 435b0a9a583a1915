"""Some planted bugs, of every kind, are caught again; the page says what is planted."""

import pytest

from tests.simulation.planted import run
from tests.simulation.planted.page import PAGE, rendered
from tests.simulation.planted.run import Finding

# Each is caught by its first case, in a process that takes two seconds.
_SOME = (
    "another-client-id",
    "checkpoint-now-and-then",
    "entered-twice",
    "exit-not-reduce-only",
    "flatten-only-halts",
    "funding-not-told",
    "halt-lost-at-restart",
    "never-trailed",
    "old-stop-left",
    "second-round-unwritten",
    "stop-on-the-wrong-side",
    "added-instead-of-target",
)


@pytest.mark.parametrize("name", _SOME)
def test_a_planted_bug_is_caught_by_the_case_that_the_page_names(name: str) -> None:
    finding = run.hunt(name, run.read()[name], most=1)
    assert finding.is_caught


def test_a_case_that_fails_without_a_bug_has_caught_nothing() -> None:
    sound = Finding("no-fsync", ["case", 1, "binance", [], 30], "I11", 1, 1.0)
    # Funding falls into another minute with this seed, and the story says that its point is gone.
    failing = sound._replace(case=["crash", "funding", "binance", 0, 0, False, 3, False])
    assert [each.is_caught for each in run.controlled([sound, failing])] == [True, False]


def test_the_page_says_what_is_planted_and_what_caught_it() -> None:
    assert PAGE.read_text() == rendered(run.read()), "make it anew: see its first line"
