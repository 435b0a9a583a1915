"""The crash sweep counts what it should, kills where it says, and its stories keep their point."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.store.journal import SqliteJournal
from tests.simulation import jobs, shrink
from tests.simulation.exchanges import DIALECTS, DRAWN, HYPERLIQUID
from tests.simulation.report import kinds_of
from tests.simulation.scenario import case_of, run_case
from tests.simulation.situations import SITUATIONS
from tests.simulation.stories import NOT_TOLD, STORIES
from tests.simulation.sweep import Crash, crashes, tell


@pytest.mark.parametrize("name", sorted(STORIES))
def test_a_story_keeps_its_point_and_every_invariant(name: str) -> None:
    dialect = DRAWN[len(name) % len(DRAWN)]
    verdict = tell(Crash(name, dialect, seed=STORIES[name].seed))
    assert verdict.violations == ()
    if name not in SITUATIONS:  # in these nobody dies
        assert verdict.counts["borders"] >= 8


@pytest.mark.parametrize("border", [1, 4, 7])
def test_a_death_at_a_border_happens_there_and_breaks_nothing(border: int) -> None:
    verdict = tell(Crash("entry", "binance", border))
    assert [each.partition(":")[0] for each in verdict.fired] == [f"dead at border {border}"]
    assert verdict.violations == ()


def test_a_request_to_end_at_a_border_breaks_nothing() -> None:
    assert tell(Crash("stop", "okx", 3, is_polite=True)).violations == ()


def test_the_sweep_dies_at_every_border_once_and_at_some_twice() -> None:
    listed = list(crashes(Crash("add", "okx"), 9))
    assert [each.border for each in listed if not each.again] == list(range(1, 10))
    assert [each.border for each in listed if each.again] == [4, 8]


def test_borders_of_reads_count_only_when_every_one_is_asked_for() -> None:
    few = tell(Crash("ladder", "okx")).counts["borders"]
    assert tell(Crash("ladder", "okx", is_every=True)).counts["borders"] > 4 * few


def test_an_intent_that_is_not_committed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: SqliteJournal, commit: Any) -> None:
        commit_all(self, commit._replace(intents=()))

    commit_all = SqliteJournal.commit
    monkeypatch.setattr(SqliteJournal, "commit", forgetful)
    assert tell(Crash("entry", "binance")).violations


def test_power_that_fails_takes_what_was_not_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = [run_case(case_of(seed, ("F62",))) for seed in (4, 8)]
    assert [("power cut" in each.fired, each.violations) for each in cut] == [(True, ())] * 2
    _without_fsync(monkeypatch)
    assert any(run_case(each.case).violations for each in cut)


def _without_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.simulation import bots

    opened = bots.bot.app.open_journal

    def open_journal(*args: Any) -> SqliteJournal:
        journal = opened(*args)
        journal._connection.execute("PRAGMA synchronous = NORMAL")
        return journal

    monkeypatch.setattr("bot.app.open_journal", open_journal)


def _fails_when(rule: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return rule


def test_a_failure_shrinks_to_the_fault_and_the_seconds_that_matter() -> None:
    found = case_of(9, ("F01", "F23", "F48"))
    fails = _fails_when(lambda case: "F23" in case.faults and case.seconds >= 60)
    assert shrink.shrunk(found, fails) == found._replace(faults=("F23",), seconds=60)


def test_a_failure_of_two_faults_keeps_both() -> None:
    found = case_of(9, ("F01", "F23", "F48"))
    fails = _fails_when(lambda case: {"F01", "F48"} <= set(case.faults))
    assert shrink.shrunk(found, fails) == found._replace(faults=("F01", "F48"), seconds=30)


def test_a_second_death_that_does_not_matter_is_dropped() -> None:
    fails = _fails_when(lambda crash: crash.border == 5)
    assert shrink.shrunk(Crash("add", "okx", 5, 77), fails) == Crash("add", "okx", 5)


def test_two_runs_that_differ_are_a_violation() -> None:
    verdict = run_case(case_of(1, ())._replace(seconds=30))
    other = verdict._replace(trace="another")
    (same,) = jobs.compared([verdict, verdict])
    (different,) = jobs.compared([verdict, other])
    assert same.violations == ()
    assert different.violations == ("I10: two runs differ",)


def test_the_whole_gate_runs_twenty_seeds_of_each_fault_and_five_hundred_mixed_ones() -> None:
    parts = {part.title: len(part.jobs) for part in jobs.gate(jobs.GATES["whole"])}
    assert parts["mixed faults"] == 500
    assert parts["runs that come twice the same"] == 200
    assert parts[f"{len(jobs.FAULTS)} faults, 20 seeds each"] == 20 * len(jobs.FAULTS)


def test_only_what_fails_alike_counts_as_the_same_failure() -> None:
    lost = "I11 at 174.000s: after the calm: funding: lost {('BTC/USDT:USDT', 17, 1.5): 1}, invented {}"
    later = "I11 at 98.500s: after the calm: funding: lost {('BTC/USDT:USDT', 99, 2.25): 1}, invented {}"
    other = "I11 at 174.000s: after the calm: intents: ['RFT58ead80000007X'] are believed to be on their way"
    assert kinds_of([lost]) == kinds_of([later])
    assert not kinds_of([lost]) & kinds_of([other])


def test_the_fourth_dialect_tells_every_story_that_is_not_left_out_with_its_reason() -> None:
    told = {(each.story, each.dialect) for each in jobs.all_dry_runs()}
    every = {(name, dialect) for name in STORIES for dialect in DIALECTS}
    assert every - told == set(NOT_TOLD)
    assert all(any(f"{name} {dialect}" in line for line in jobs.left_out()) for name, dialect in NOT_TOLD)


@pytest.mark.parametrize("name", ["stale", "overtaken_marks", "modes"])
def test_what_a_story_disturbs_is_disturbed_in_the_fourth_dialect_too(name: str) -> None:
    assert tell(Crash(name, HYPERLIQUID, seed=STORIES[name].seed)).violations == ()
