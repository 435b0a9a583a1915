"""Which values are tried next: every combination, or what one of Optuna's samplers asks for.

Values are asked for in batches of a fixed size, and a sampler gets a new seed with each batch. So what is
tried depends on the seed and on what was found, neither on how many work nor on interruptions.
"""

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from bot.backtest.sweep.axes import Axis, Value
from bot.backtest.sweep.objectives import Objective
from bot.errors import UserError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

GRID: Final = "grid"
SAMPLERS: Final = (GRID, "random", "tpe", "nsga2", "cmaes")
_MOST_COMBINATIONS: Final = 1_000_000


class Tried(NamedTuple):
    """One try. `figures` of everything that can be looked for; empty where it was refused.

    `attrs`: what the sampler has to remember of it, text by name.
    """

    number: int
    values: tuple[Value, ...]
    figures: dict[str, float]
    refusal: str = ""
    attrs: dict[str, Any] = {}  # noqa: RUF012 - never written to


class Search(NamedTuple):
    """How to look: with which sampler, for what, from which seed, in batches of which size."""

    sampler: str
    axes: tuple[Axis, ...]
    objectives: tuple[Objective, ...]
    seed: int
    batch: int


class Asker:
    """Says what to try next, given what was found. UserError: a sampler that cannot do what is asked."""

    def __init__(self, search: Search, tried: Sequence[Tried]) -> None:
        self._search, self.tried = search, list(tried)
        _check(search)
        self._study = None if search.sampler == GRID else _study(search, tried)

    def ask(self, count: int) -> list[tuple[Value, ...]]:
        """Return the values of the next `count` tries, fewer when every combination was tried."""
        first = len(self.tried)
        if self._study is None:
            return list(itertools.islice(_combinations(self._search.axes), first, first + count))
        self._study.sampler = _sampler(self._search, first // self._search.batch)
        asked = _distributions(self._search.axes)
        trials = [self._study.ask(asked) for _ in range(count)]
        return [tuple(axis.whole(trial.params[axis.name]) for axis in self._search.axes) for trial in trials]

    def tell(self, found: Sequence[Tried]) -> list[Tried]:
        """Take in the tries that were asked for last, in their order; return them with what to remember."""
        if self._study is not None:
            found = [self._told(self._study, each) for each in found]
        self.tried += found
        return list(found)

    def _told(self, study: "Study", each: Tried) -> Tried:
        from optuna.trial import TrialState  # noqa: PLC0415

        values = _values(self._search, each)
        if values is None:
            frozen = study.tell(each.number, state=TrialState.FAIL)
        else:
            frozen = study.tell(each.number, values)
        return each._replace(attrs=dict(frozen.system_attrs))


def combinations(axes: Sequence[Axis]) -> int:
    """Return how many there are in a grid. UserError: an axis has neither step nor list."""
    return math.prod(axis.size() for axis in axes)


def best_of(tried: Sequence[Tried], objectives: Sequence[Objective]) -> list[Tried]:
    """Return the tries that no other is as good as in everything looked for, the best in the first first.

    Of one objective: the best alone. Of equals the earliest. Tries without one of the figures are none.
    """
    known = [(_score(each, objectives), each) for each in tried if _is_known(each, objectives)]
    known.sort(key=lambda item: ([-value for value in item[0]], item[1].number))
    front: list[tuple[tuple[float, ...], Tried]] = []
    for score, each in known:
        if not any(_is_as_good(other, score) for other, _ in front):
            front.append((score, each))
    return [each for _, each in front]


def _is_as_good(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(mine >= theirs for mine, theirs in zip(one, other, strict=True))


def _score(each: Tried, objectives: Sequence[Objective]) -> tuple[float, ...]:
    signs = (1.0 if objective.is_more_better else -1.0 for objective in objectives)
    return tuple(sign * each.figures[one.name] for sign, one in zip(signs, objectives, strict=True))


def _is_known(each: Tried, objectives: Sequence[Objective]) -> bool:
    return not each.refusal and all(math.isfinite(each.figures[one.name]) for one in objectives)


def _values(search: Search, each: Tried) -> list[float] | None:
    if not _is_known(each, search.objectives):
        return None
    return [each.figures[objective.name] for objective in search.objectives]


def _combinations(axes: Sequence[Axis]) -> Any:
    return itertools.product(*(axis.grid() for axis in axes))


def _check(search: Search) -> None:
    if search.sampler not in SAMPLERS:
        raise UserError(f'There is no sampler "{search.sampler}"; there are {", ".join(SAMPLERS)}.')
    if search.sampler == GRID and combinations(search.axes) > _MOST_COMBINATIONS:
        raise UserError(
            f"The grid has {combinations(search.axes):,} combinations; more than {_MOST_COMBINATIONS:,} are "
            "not tried. Take coarser steps, or --sampler tpe with --trials."
        )
    if search.sampler == "cmaes" and len(search.objectives) > 1:
        raise UserError(
            f"CMA-ES looks for one thing, and --objective names {len(search.objectives)}. Name one, or take "
            "--sampler nsga2 or tpe."
        )
    lists = [axis.name for axis in search.axes if axis.values]
    if search.sampler == "cmaes" and lists:
        raise UserError(
            f"CMA-ES needs ranges, and {', '.join(lists)} is a list. Write LOW:HIGH, or take --sampler tpe."
        )


def _study(search: Search, tried: Sequence[Tried]) -> "Study":
    """A study in memory that knows what was found: what is kept on disk is ours, and small."""
    try:
        import optuna  # noqa: PLC0415 - a quarter of a second, and not always there
    except ImportError as error:
        raise UserError(
            f'The sampler "{search.sampler}" is one of Optuna\'s, which is not installed. Install it (make '
            "research, or pip install ringfence[sweep]), or take --sampler grid."
        ) from error
    from optuna.trial import TrialState, create_trial  # noqa: PLC0415

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        directions=[objective.direction for objective in search.objectives], sampler=_sampler(search, 0)
    )
    distributions = _distributions(search.axes)
    for each in tried:
        values = _values(search, each)
        params = {axis.name: value for axis, value in zip(search.axes, each.values, strict=True)}
        study.add_trial(
            create_trial(
                state=TrialState.FAIL if values is None else TrialState.COMPLETE,
                values=values,
                params=params,
                distributions=distributions,
                system_attrs=each.attrs,
            )
        )
    return study


def _distributions(axes: Sequence[Axis]) -> "dict[str, BaseDistribution]":
    from optuna.distributions import (  # noqa: PLC0415
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    found: dict[str, BaseDistribution] = {}
    for axis in axes:
        if axis.values:
            found[axis.name] = CategoricalDistribution(axis.values)
        elif axis.is_integer:
            found[axis.name] = IntDistribution(round(axis.low), round(axis.high), step=round(axis.step) or 1)
        else:
            found[axis.name] = FloatDistribution(axis.low, axis.high, step=axis.step or None)
    return found


def _sampler(search: Search, batch: int) -> "BaseSampler":
    from optuna import samplers  # noqa: PLC0415

    seed = int(np.random.SeedSequence([search.seed, batch]).generate_state(1)[0])
    if search.sampler == "tpe":
        return samplers.TPESampler(
            seed=seed,
            multivariate=True,
            constant_liar=True,
            n_startup_trials=_START_UP,
        )
    if search.sampler == "nsga2":
        return samplers.NSGAIISampler(seed=seed)
    if search.sampler == "cmaes":
        return samplers.CmaEsSampler(seed=seed)
    return samplers.RandomSampler(seed=seed)


_START_UP: Final = 20
