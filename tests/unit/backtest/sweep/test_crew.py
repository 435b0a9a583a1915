"""Answers come in order whoever works; a worker that dies loses nothing."""

import os
from functools import partial
from pathlib import Path

import pytest

from bot.backtest.sweep.crew import Alone, crew_of
from bot.errors import UserError


def square(number: int) -> int:
    return number * number


def square_but_die_once(folder: Path, number: int) -> int:
    """Ends the whole process at the first try of some tasks."""
    mark = folder / str(number)
    if number in (3, 8) and not mark.exists():
        mark.touch()
        os._exit(9)
    return number * number


def die(number: int) -> int:
    os._exit(9)


def fail(number: int) -> int:
    raise UserError(f"no data for {number}")


TASKS = list(range(12))
SQUARES = [number * number for number in TASKS]


def test_this_process_answers_in_order_and_hands_on_what_went_wrong() -> None:
    crew = Alone()
    assert list(crew.answers(square, TASKS)) == SQUARES
    with pytest.raises(UserError, match="no data for 0"):
        list(crew.answers(fail, TASKS))


@pytest.mark.timeout(120)
def test_processes_answer_in_order_also_when_some_die(tmp_path: Path) -> None:
    with crew_of(2, "") as crew:
        assert list(crew.answers(square, TASKS)) == SQUARES
        assert list(crew.answers(partial(square_but_die_once, tmp_path), TASKS)) == SQUARES
        with pytest.raises(UserError, match="no data for 0"):
            list(crew.answers(fail, TASKS))


@pytest.mark.timeout(120)
def test_a_task_that_kills_every_worker_is_given_up(tmp_path: Path) -> None:
    with crew_of(2, "") as crew, pytest.raises(UserError, match="A worker died 3 times"):
        list(crew.answers(die, TASKS[:2]))


@pytest.mark.timeout(180)
def test_two_workers_of_a_cluster_answer_alike_and_one_may_die(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        crew_of(1, cluster.scheduler_address) as crew,
    ):
        assert list(crew.answers(square, TASKS)) == SQUARES
        assert list(crew.answers(partial(square_but_die_once, tmp_path), TASKS)) == SQUARES


@pytest.mark.timeout(60)
def test_a_cluster_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("bot.backtest.sweep.crew._REACHED_WITHIN", "0.5s")
    with pytest.raises(UserError, match=r"127\.0\.0\.1:1 cannot be reached"), crew_of(1, "tcp://127.0.0.1:1"):
        pass
