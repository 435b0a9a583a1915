"""Some planted bugs, of every kind, are caught again; the page says what is planted."""

from tests.simulation.planted import findings, run
from tests.simulation.planted.findings import Finding
from tests.simulation.planted.page import PAGE, rendered

# Each is caught by its first case; a fork takes half a second of processor.
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


def test_planted_bugs_are_caught_by_the_cases_that_the_page_names() -> None:
    found = run.run(_SOME, 1, most=1)
    assert [each.name for each in found if not each.is_caught] == []
    assert [each.name for each in found] == list(_SOME)


def test_a_case_that_fails_without_a_bug_has_caught_nothing() -> None:
    sound = Finding("no-fsync", ["case", 1, "binance", [], 30], "I11", 1, 1.0)
    # Funding falls into another minute with this seed, and the story says that its point is gone.
    failing = sound._replace(case=["crash", "funding", "binance", 0, 0, False, 3, False])
    assert [each.is_caught for each in run.controlled([sound, failing])] == [True, False]


def test_the_page_says_what_is_planted_and_what_caught_it() -> None:
    assert PAGE.read_text() == rendered(findings.read()), "make it anew: see its first line"
