"""A long run goes on after what it has done, and says so again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import night
from tests.simulation import sources as night_sources
from tests.simulation.kept import Kept
from tests.simulation.night import INTERRUPTED, Night, run_night
from tests.simulation.scenario import Case
from tests.simulation.sources import sources
from tests.simulation.sweep import Crash

_DONE = '{"7": {"runs": 2, "virtual_s": 7200.0, "cpu_s": 1.0, "failing": ["replay this"]}}\n'


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a night be one short world a seed, without a story."""
    monkeypatch.setattr(night, "each_fault", lambda seeds: tuple(Case(each, "okx", (), 20) for each in seeds))
    monkeypatch.setattr(night, "all_dry_runs", lambda **_: ())


def ran(said: str) -> list[str]:
    return [line.partition(":")[0] for line in said.splitlines() if " runs, " in line][:-1]


def test_a_night_that_is_begun_again_runs_only_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    assert run_night(Night((1,), kept, "abc"), 1) == 0
    capsys.readouterr()
    assert run_night(Night((1, 2), kept, "abc"), 2) == 0
    said = capsys.readouterr().out
    assert ran(said) == ["2"]
    assert said.splitlines()[-2].startswith(
        "night of the sources abc: 2 runs, 2 seeds of every fault, 0 stories"
    )
    assert said.splitlines()[-1] == "2 passed, 0 failed"


def test_what_failed_in_a_night_is_said_at_its_end_with_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    kept.write_text('{"sources": "abc"}\n' + _DONE)
    assert run_night(Night((7,), kept, "abc"), 1) == 1
    said = capsys.readouterr().out
    assert "replay: replay this" in said
    assert "MIXED" not in said
    assert (
        "2 runs, 1 seeds of every fault, 0 stories (each in its dialect) with their deaths, 2.0 hours" in said
    )
    assert said.splitlines()[-1] == "1 passed, 1 failed"


def test_a_line_that_is_half_written_is_taken_out_and_its_runs_are_run_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kept"
    path.write_text(_DONE + '{"8": {"runs": 2, "vir')
    assert list(Kept(path).done) == ["7"]
    assert "half written" in capsys.readouterr().out
    assert path.read_text() == _DONE
    Kept(path).finish("8", {"runs": 2})
    assert list(Kept(path).done) == ["7", "8"]


def test_a_night_over_several_states_of_the_sources_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    kept.write_text('{"sources": "abc"}\n' + _DONE)
    run_night(Night((7,), kept, "abc"), 1)
    assert "MIXED" not in capsys.readouterr().out
    run_night(Night((7, 8), kept, "def"), 1)
    said = capsys.readouterr().out
    assert "MIXED: the sources were changed between runs, 2 states" in said
    assert "night of the sources abc, def:" in said


def test_the_shares_of_a_night_are_all_of_it_once(tmp_path: Path) -> None:
    seeds = range(1, 8)
    own = [
        [piece.name for piece in night._seeds(Night(seeds, tmp_path, "abc", share, 3))] for share in (1, 2, 3)
    ]
    assert sorted(name for share in own for name in share) == [str(seed) for seed in seeds]
    assert all(own)


def test_a_story_is_swept_in_pieces_that_are_every_death_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dry = Crash("entry", "okx", is_every=True)
    monkeypatch.setattr(night, "all_dry_runs", lambda **_: (dry,))
    kept = Kept(tmp_path / "kept")
    kept.finish("told entry okx", {"borders": 60})
    pieces = list(night._deaths(Night((), kept.path, "abc"), kept))
    assert [piece.name for piece in pieces] == [
        f"deaths entry okx {part}" for part in ("1-25", "26-50", "51-60")
    ]
    jobs = [job for piece in pieces for job in piece.jobs if isinstance(job, Crash)]
    killed = {job for job in jobs if not job.is_polite}
    assert killed == set(night.crashes(dry, 60))
    assert len({job for job in jobs if job.is_polite}) == 60
    assert len(set(jobs)) == len(jobs)


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_night_ends_quietly_with_130_and_says_how_to_go_on(
    tmp_path: Path, signal_: signal.Signals
) -> None:
    kept = tmp_path / "kept"
    words = [
        sys.executable,
        "-u",
        "-m",
        "tests.simulation",
        "--night",
        str(kept),
        "--seeds",
        "1",
        "--jobs",
        "2",
    ]
    heard = signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored in the background, and inherited
    try:
        begun = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
    finally:
        signal.signal(signal.SIGINT, heard)
    assert begun.stdout is not None
    assert begun.stdout.readline().startswith("told entry ")
    if signal_ is signal.SIGINT:
        os.killpg(begun.pid, signal_)  # what a terminal does: every process of the group hears it
    else:
        begun.terminate()
    said, complained = begun.communicate(timeout=200)
    assert (begun.returncode, complained) == (INTERRUPTED, "")
    assert f"kept in {kept}; the same command goes on" in said
    assert "told entry binance" in Kept(kept).done


def test_a_world_runs_nothing_of_ours_that_the_sources_leave_out() -> None:
    probe = (
        "import sys\n"
        "from tests.simulation.jobs import all_dry_runs, each_fault, run_job\n"
        "for job in (*all_dry_runs()[:3], *each_fault((2,))[:3]): run_job(job)\n"
        "files = (getattr(each, '__file__', None) for each in sys.modules.values())\n"
        "print(*filter(None, files), sep='\\n')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=300
    )
    loaded = {Path(line) for line in ran.stdout.splitlines()}
    root, known = Path(__file__).parents[2], set(sources())
    own = {
        path for path in loaded if path.is_relative_to(root / "bot") or path.is_relative_to(root / "tests")
    }
    assert len(own) > 100
    assert own <= known


def test_sources_are_told_apart_by_their_bytes_and_not_by_their_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [tmp_path / name for name in ("a", "b")]
    for path in held:
        path.write_text("x")
    monkeypatch.setattr(night_sources, "_ROOT", tmp_path)
    monkeypatch.setattr(night_sources, "sources", lambda: held)
    before = night_sources.described_sources()
    assert night_sources.described_sources() == before
    held[1].write_text("y")
    assert night_sources.described_sources() != before
