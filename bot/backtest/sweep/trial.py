"""One try of a sweep, in whatever process: the settings with its values, played over some stretches."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from bot.backtest.engines import ENGINES, EXACT, KERNEL
from bot.backtest.memory import give_back_memory
from bot.backtest.plan import Plan, plan_of
from bot.backtest.stage import Stage, stage_of
from bot.backtest.sweep.axes import Axis, Value, with_values
from bot.backtest.sweep.objectives import Stretch, stretch_of
from bot.core.timerange import TimeRange
from bot.errors import UserError
from bot.plugins import strategy_key
from bot.settings import Settings
from bot.settings.contradictions import contradictions
from bot.strategy import Strategy


class Base(NamedTuple):
    """What every try has in common. `token` names it: workers keep what they loaded for the last ones.

    `engine` plays them all, whoever works; with `falls_back` the exact one plays a try that it refuses.
    """

    token: str
    settings: Settings
    axes: tuple[Axis, ...]
    detail: str = ""
    fee_rate: float | None = None
    engine: str = EXACT
    falls_back: bool = False


class Job(NamedTuple):
    """One try: a value for each axis, and the stretches to play it over."""

    values: tuple[Value, ...]
    ranges: tuple[TimeRange, ...]


class Played(NamedTuple):
    """What came of a job: a stretch for each range, or why there is none (`refusal`)."""

    stretches: tuple[Stretch, ...]
    refusal: str = ""


def play(base: Base, jobs: Sequence[Job]) -> tuple[Played, ...]:
    """Return what came of each job, in their order. UserError: no try can be played at all (data, memory)."""
    return tuple(_played(base, job) for job in jobs)


def _played(base: Base, job: Job) -> Played:
    settings = with_values(base.settings, base.axes, job.values)
    clauses = contradictions(settings)
    if clauses:
        return Played((), "; ".join(str(clause) for clause in clauses))
    loaded = [_loaded(base, timerange, base.engine) for timerange in job.ranges]
    try:
        strategy = _strategy(settings, loaded[0].plan.strategy)
        stretches = [_stretch(base, timerange, settings, strategy) for timerange in job.ranges]
    except (UserError, ValueError) as error:
        return Played((), str(error))
    return Played(tuple(stretches))


def _stretch(base: Base, timerange: TimeRange, settings: Settings, strategy: Strategy) -> Stretch:
    try:
        return _played_by(base.engine, base, timerange, settings, strategy)
    except UserError:
        if not base.falls_back:
            raise
    return _played_by(EXACT, base, timerange, settings, strategy)


def _played_by(
    engine: str, base: Base, timerange: TimeRange, settings: Settings, strategy: Strategy
) -> Stretch:
    plan, stage = _loaded(base, timerange, engine)
    plan = plan._replace(settings=settings, strategy=strategy)
    return stretch_of(ENGINES[engine].play(plan, _say_nothing, stage))


def _strategy(settings: Settings, like: Strategy) -> Strategy:
    """The strategy with the settings' parameters. ValueError: they are impossible together."""
    choice = settings.strategy
    return type(like)(**choice.params.get(strategy_key(choice.name), {}))


class _Loaded(NamedTuple):
    plan: Plan
    stage: Stage


_KEPT: dict[tuple[str, TimeRange, str], _Loaded] = {}


def _loaded(base: Base, timerange: TimeRange, engine: str) -> _Loaded:
    """The plan of a range and its stage, made once in a process; another sweep's are forgotten."""
    key = (base.token, timerange, engine)
    if key not in _KEPT:
        for other in [known for known in _KEPT if known[0] != base.token]:
            del _KEPT[other]
        feed = base.settings.feed.model_copy(update={"timerange": timerange})
        plan = plan_of(base.settings.model_copy(update={"feed": feed}), base.detail, base.fee_rate)
        _KEPT[key] = _staged(plan, engine)
        give_back_memory()
    return _KEPT[key]


def _staged(plan: Plan, engine: str) -> _Loaded:
    stage = stage_of(plan)
    if engine == KERNEL:
        with suppress(UserError):  # each try says what the kernel refuses
            plan = stage.let_bars_go(plan)
    return _Loaded(plan, stage)


def _say_nothing(_bars: int) -> None:
    pass
