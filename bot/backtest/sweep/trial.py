"""One try of a sweep, in whatever process: the settings with its values, played over some stretches."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bot.backtest.engines import ENGINES, EXACT, KERNEL
from bot.backtest.memory import give_back_memory, keep_heap_small, keep_heap_warm
from bot.backtest.plan import Plan, plan_of, plan_on
from bot.backtest.stage import Stage, stage_of
from bot.backtest.sweep.axes import Axis, Value, with_values
from bot.backtest.sweep.objectives import Stretch, stretch_of
from bot.backtest.sweep.sharing import LaidOut, lay_out, picked_up
from bot.core.timerange import TimeRange
from bot.errors import UserError
from bot.plugins import strategy_key
from bot.settings import Settings
from bot.settings.contradictions import contradictions
from bot.strategy import Strategy


class Ground(NamedTuple):
    """Where a range lies as its engine plays it, for every process of this machine."""

    timerange: TimeRange
    engine: str
    laid: LaidOut


class Base(NamedTuple):
    """What every try has in common. `token` names it: workers keep what they loaded for the last ones.

    `engine` plays them all, whoever works; with `falls_back` the exact one plays a try that it refuses.
    `grounds`: what need not be loaded again.
    """

    token: str
    settings: Settings
    axes: tuple[Axis, ...]
    detail: str = ""
    fee_rate: float | None = None
    engine: str = EXACT
    falls_back: bool = False
    grounds: tuple[Ground, ...] = ()


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


def ground_of(base: Base, folder: Path, timerange: TimeRange) -> Ground | None:
    """Load a range and lay it out in a folder; None: it does not fit there, and everybody loads it."""
    keep_heap_small()
    loaded = _made(base, timerange, base.engine)
    try:
        return Ground(timerange, base.engine, lay_out((loaded.plan.history, loaded.stage), folder))
    except OSError:
        return None
    finally:
        del loaded
        give_back_memory()


def _played(base: Base, job: Job) -> Played:
    settings = with_values(base.settings, base.axes, job.values)
    if clauses := _contradictions(base, settings):
        return Played((), "; ".join(clauses))
    loaded = [_loaded(base, timerange, base.engine) for timerange in job.ranges]
    try:
        strategy = _strategy(settings, loaded[0].plan.strategy)
        stretches = [_stretch(base, timerange, settings, strategy) for timerange in job.ranges]
    except (UserError, ValueError) as error:
        return Played((), str(error))
    return Played(tuple(stretches))


def _contradictions(base: Base, settings: Settings) -> tuple[str, ...]:
    """What cannot hold together. Parameters of the strategy contradict nothing but each other: it says so."""
    is_of_strategy = all(axis.key.startswith("strategy.params.") for axis in base.axes)
    return () if is_of_strategy else contradictions(settings)


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
        keep_heap_small()
        ground = next((each for each in base.grounds if each[:2] == (timerange, engine)), None)
        _KEPT[key] = _made(base, timerange, engine) if ground is None else _taken_up(base, ground)
        give_back_memory()
        keep_heap_warm()
    return _KEPT[key]


def _taken_up(base: Base, ground: Ground) -> _Loaded:
    history, stage = picked_up(ground.laid)
    settings = _settings_on(base, ground.timerange)
    return _Loaded(plan_on(history, stage.timeframe_ms, settings, base.fee_rate), stage)


def _made(base: Base, timerange: TimeRange, engine: str) -> _Loaded:
    return _staged(plan_of(_settings_on(base, timerange), base.detail, base.fee_rate), engine)


def _settings_on(base: Base, timerange: TimeRange) -> Settings:
    feed = base.settings.feed.model_copy(update={"timerange": timerange})
    return base.settings.model_copy(update={"feed": feed})


def _staged(plan: Plan, engine: str) -> _Loaded:
    stage = stage_of(plan)
    if engine == KERNEL:
        with suppress(UserError):  # each try says what the kernel refuses
            plan = stage.let_bars_go(plan)
    return _Loaded(plan, stage)


def _say_nothing(_bars: int) -> None:
    pass
