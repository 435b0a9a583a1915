"""THE sweep: ask for a batch, have it played, tell, keep; then choose, and judge what was chosen."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from bot.backtest.statistics import DAYS_PER_YEAR
from bot.backtest.sweep.crew import Alone, Crew
from bot.backtest.sweep.objectives import figures_of
from bot.backtest.sweep.record import Record
from bot.backtest.sweep.search import Asker, Search, Tried, best_of
from bot.backtest.sweep.splits import Split
from bot.backtest.sweep.trial import Base, Job, Played, ground_of, play
from bot.core.timerange import TimeRange
from bot.errors import UserError
from bot.evidence.deflated_sharpe import Deflated, deflated_sharpe

_JOBS_A_TASK: Final = 4

Say = Callable[[int], None]


class Chosen(NamedTuple):
    """What one split led to. `judged`: the figures of the first of `best` on the stretch kept back, if any.

    `deflated`: its Sharpe ratio on what it was chosen on, held against those of all tries.
    """

    split: Split
    tried: tuple[Tried, ...]
    best: tuple[Tried, ...]
    judged: dict[str, float]
    deflated: Deflated


def sweep(
    base: Base, search: Search, split: Split, trials: int, crew: Crew | Alone, record: Record | None, say: Say
) -> Chosen:
    """Return what was found on the split's training stretches and how its best did on the other.

    `trials` at most; a grid ends with its last combination. `say` hears how many were tried. UserError: data
    or memory that no try can be played with, or not one try could be.
    """
    asker = Asker(search, record.read() if record is not None else ())
    say(len(asker.tried))
    base = _on_common_ground(base, split, crew)
    while (left := trials - len(asker.tried)) > 0:
        asked = asker.ask(min(search.batch, left))
        if not asked:
            break
        found = [
            _tried(len(asker.tried) + number, values, played)
            for number, (values, played) in enumerate(
                zip(asked, _play(base, asked, split.train, crew), strict=True)
            )
        ]
        told = asker.tell(found)
        if record is not None:
            record.append(told)
        say(len(asker.tried))
    return _chosen(base, search, split, asker.tried, crew)


def _on_common_ground(base: Base, split: Split, crew: Crew | Alone) -> Base:
    """Have every stretch loaded once, for all workers of this machine."""
    if crew.folder is None:
        return base
    ranges = split.train if split.test is None else (*split.train, split.test)
    grounds = crew.answers(partial(ground_of, base, crew.folder), ranges)
    return base._replace(grounds=tuple(each for each in grounds if each is not None))


def _play(
    base: Base, asked: Sequence[tuple[float, ...]], ranges: tuple[TimeRange, ...], crew: Crew | Alone
) -> Iterator[Played]:
    jobs = [Job(values, ranges) for values in asked]
    tasks = [jobs[first : first + _JOBS_A_TASK] for first in range(0, len(jobs), _JOBS_A_TASK)]
    for answers in crew.answers(partial(play, base), tasks):
        yield from answers


def _tried(number: int, values: tuple[float, ...], played: Played) -> Tried:
    figures = {} if played.refusal else figures_of(played.stretches)
    return Tried(number, values, figures, played.refusal)


def _chosen(base: Base, search: Search, split: Split, tried: Sequence[Tried], crew: Crew | Alone) -> Chosen:
    best = best_of(tried, search.objectives)
    if not best:
        refusals = [each.refusal for each in tried if each.refusal]
        why = refusals[0] if refusals else "none of them traded, or had a figure for what was looked for"
        raise UserError(f"Of {len(tried)} tries not one can be judged: {why}. Vary something else.")
    again, kept_back = _best_again(base, best[0], split, crew)
    returns = np.concatenate([stretch.returns for stretch in again.stretches])
    sharpes = [each.figures.get("sharpe", np.nan) / DAYS_PER_YEAR**0.5 for each in tried]
    judged = figures_of(kept_back.stretches) if kept_back is not None and not kept_back.refusal else {}
    return Chosen(split, tuple(tried), tuple(best), judged, deflated_sharpe(returns, sharpes))


def _best_again(base: Base, best: Tried, split: Split, crew: Crew | Alone) -> tuple[Played, Played | None]:
    """Play what was chosen once more where it was chosen, and where it is judged: where the candles are."""
    parts = (split.train,) if split.test is None else (split.train, (split.test,))
    tasks = [[Job(best.values, ranges)] for ranges in parts]
    played = [answer for (answer,) in crew.answers(partial(play, base), tasks)]
    return played[0], played[1] if len(played) > 1 else None
