"""A long run goes on after what it has done, and says so again."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.simulation import night
from tests.simulation.jobs import Job
from tests.simulation.scenario import case_of


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let a night be one short world a seed, and return the seeds it was asked for."""
    seen: list[int] = []

    def one_short_world(seeds: Iterable[int]) -> tuple[Job, ...]:
        seen.extend(seeds)
        return tuple(case_of(seed, ())._replace(seconds=30) for seed in seen[-1:])

    monkeypatch.setattr(night, "each_fault", one_short_world)
    monkeypatch.setattr(night, "all_dry_runs", lambda **_: ())
    return seen


def test_a_night_that_is_begun_again_runs_only_what_is_missing(
    asked: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    assert night.run_night((1, 2), 1, kept) == 0
    assert night.run_night((1, 2, 3), 1, kept) == 0
    assert asked == [1, 2, 3]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("3 seeds of every fault, ")
    assert lines[-1] == "3 passed, 0 failed"


def test_what_failed_in_a_night_is_said_at_its_end_with_the_command(
    asked: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    kept.write_text('{"7": {"runs": 2, "virtual_s": 1.0, "cpu_s": 1.0, "failing": ["replay this"]}}\n')
    assert night.run_night((7, 8), 1, kept) == 1
    assert asked == [8]
    said = capsys.readouterr().out
    assert "replay: replay this" in said
    assert said.splitlines()[-1] == "2 passed, 1 failed"
