"""One try of a sweep, in whatever process: the settings with its values, played over some stretches."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.backtest.engines import ENGINES, EXACT, play_fast
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
    loaded = [_loaded(base, timerange) for timerange in job.ranges]
    try:
        strategy = _strategy(settings, loaded[0].plan.strategy)
        stretches = [_stretch(base, each, settings, strategy) for each in loaded]
    except (UserError, ValueError) as error:
        return Played((), str(error))
    return Played(tuple(stretches))


def _stretch(base: Base, loaded: "_Loaded", settings: Settings, strategy: Strategy) -> Stretch:
    plan = loaded.plan._replace(settings=settings, strategy=strategy)
    play_one = play_fast if base.falls_back else ENGINES[base.engine].play
    return stretch_of(play_one(plan, _say_nothing, loaded.stage))


def _strategy(settings: Settings, like: Strategy) -> Strategy:
    """The strategy with the settings' parameters. ValueError: they are impossible together."""
    choice = settings.strategy
    return type(like)(**choice.params.get(strategy_key(choice.name), {}))


class _Loaded(NamedTuple):
    plan: Plan
    stage: Stage


_KEPT: dict[tuple[str, TimeRange], _Loaded] = {}


def _loaded(base: Base, timerange: TimeRange) -> _Loaded:
    """The plan of a range and its stage, made once in a process; another sweep's are forgotten."""
    key = (base.token, timerange)
    if key not in _KEPT:
        for other in [known for known in _KEPT if known[0] != base.token]:
            del _KEPT[other]
        feed = base.settings.feed.model_copy(update={"timerange": timerange})
        plan = plan_of(base.settings.model_copy(update={"feed": feed}), base.detail, base.fee_rate)
        _KEPT[key] = _Loaded(plan, stage_of(plan))
    return _KEPT[key]


def _say_nothing(_bars: int) -> None:
    pass
