"""What is tried depends on the seed and on what was found, not on interruptions; the front is the front."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backtest.sweep.axes import Axis
from bot.backtest.sweep.objectives import OBJECTIVES
from bot.backtest.sweep.search import SAMPLERS, Asker, Search, Tried, best_of, combinations
from bot.errors import UserError

FAST = Axis("fast", "strategy.params.x.fast", 2, 20, True, 2)
SLOW = Axis("slow", "strategy.params.x.slow", 30.0, 60.0, False, 5.0)
SHARPE, HOURS = OBJECTIVES["sharpe"], OBJECTIVES["margin-hours"]


def found(number: int, values: tuple[float, ...]) -> Tried:
    """A hill with its top at 14 and 45; every seventh try is impossible."""
    if number % 7 == 6:
        return Tried(number, values, {}, "impossible together")
    away = (values[0] - 14) ** 2 / 100 + (values[1] - 45) ** 2 / 400
    figures = {"sharpe": 2.0 - away, "margin-hours": values[0] + values[1], "trades": 5.0}
    return Tried(number, values, figures)


def look(search: Search, tries: int, interrupted_at: int = 0) -> list[Tried]:
    asker = Asker(search, ())
    while len(asker.tried) < tries:
        if interrupted_at and len(asker.tried) == interrupted_at:
            asker = Asker(search, asker.tried)  # all that a restart has
            interrupted_at = 0
        asked = asker.ask(min(search.batch, tries - len(asker.tried)))
        if not asked:
            break
        first = len(asker.tried)
        asker.tell([found(first + number, values) for number, values in enumerate(asked)])
    return asker.tried


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_interrupted_search_goes_on_as_if_it_had_not_been(sampler: str) -> None:
    search = Search(sampler, (FAST, SLOW), (SHARPE,), 3, 8)
    whole = look(search, 64)
    assert [each.values for each in look(search, 64, interrupted_at=24)] == [each.values for each in whole]
    assert [each.values for each in whole] != [each.values for each in look(search._replace(seed=4), 64)] or (
        sampler == "grid"
    )
    for each in whole:
        assert each.values[0] in FAST.grid()
        assert each.values[1] in SLOW.grid()


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_a_sampler_that_learns_comes_nearer_than_chance(sampler: str) -> None:
    def mean_of_last(kind: str) -> float:
        last = [each for each in look(Search(kind, (FAST, SLOW), (SHARPE,), 1, 8), 96)[-24:] if each.figures]
        return sum(each.figures["sharpe"] for each in last) / len(last)

    assert mean_of_last(sampler) > mean_of_last("random") + 0.2


def test_a_grid_tries_every_combination_once_and_ends() -> None:
    search = Search("grid", (FAST, SLOW), (SHARPE,), 1, 9)
    tried = look(search, 1_000)
    assert len({each.values for each in tried}) == len(tried) == combinations((FAST, SLOW)) == 70


def test_several_objectives_are_looked_for_together() -> None:
    for sampler in ("nsga2", "tpe"):
        search = Search(sampler, (FAST, SLOW), (SHARPE, HOURS), 1, 16)
        front = best_of(look(search, 128), search.objectives)
        assert 3 <= len(front) <= 40


figures = st.tuples(st.integers(0, 5), st.integers(0, 5))


@given(st.lists(figures, min_size=1, max_size=30))
def test_nothing_beats_the_front_and_the_front_beats_the_rest(rows: list[tuple[int, int]]) -> None:
    tried = [
        Tried(number, (number,), {"sharpe": float(high), "margin-hours": float(low)})
        for number, (high, low) in enumerate(rows)
    ]
    front = best_of(tried, (SHARPE, HOURS))
    kept = [(each.figures["sharpe"], each.figures["margin-hours"]) for each in front]
    assert len(set(kept)) == len(kept)
    for high, low in rows:
        assert any(best >= high and least <= low for best, least in kept)
        if (high, low) in kept:
            assert not any(
                best >= high and least <= low and (best, least) != (high, low) for best, least in kept
            )


def test_tries_without_the_figure_are_never_the_best() -> None:
    unknown = Tried(0, (1,), {"sharpe": math.nan, "margin-hours": 0.0})
    refused = Tried(1, (2,), {}, "no")
    poor = Tried(2, (3,), {"sharpe": -9.0, "margin-hours": 0.0})
    assert best_of([unknown, refused, poor], (SHARPE,)) == [poor]
    assert best_of([unknown, refused], (SHARPE,)) == []


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (Search("annealing", (FAST,), (SHARPE,), 1, 8), "There is no sampler"),
        (Search("cmaes", (FAST, SLOW), (SHARPE, HOURS), 1, 8), "CMA-ES looks for one thing"),
        (Search("cmaes", (FAST._replace(values=(2, 4)), SLOW), (SHARPE,), 1, 8), "fast is a list"),
        (Search("grid", (FAST._replace(step=0.0),), (SHARPE,), 1, 8), "needs the step of fast"),
        (Search("grid", (SLOW._replace(step=1e-6),), (SHARPE,), 1, 8), "combinations; more than"),
    ],
)
def test_what_a_sampler_cannot_do_is_refused(search: Search, words: str) -> None:
    with pytest.raises(UserError, match=words):
        Asker(search, ())
