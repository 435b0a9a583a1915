"""Which engine plays a backtest: the fastest that can, unless one is named."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from bot.backtest import kernel_engine
from bot.backtest.compiler import can_compile
from bot.backtest.exact_setup import exact_run
from bot.backtest.plan import Plan
from bot.backtest.result import Result
from bot.backtest.stage import Stage, stage_of
from bot.errors import UserError

EXACT: Final = "exact"
KERNEL: Final = "kernel"

Say = Callable[[int], None]


class BacktestEngine(NamedTuple):
    """`refusal` returns what of a plan the engine does not do, "" when it does all of it.

    `play` returns the result; it is given a function that hears how many bars are done, and the stage of the
    plan's history where there is one.
    """

    name: str
    refusal: Callable[[Plan], str]
    play: Callable[..., Result]


class Chosen(NamedTuple):
    """An engine, and why it is not the faster one ("" when nobody need know)."""

    engine: BacktestEngine
    notice: str


def play_exactly(plan: Plan, say: Say, stage: Stage | None = None) -> Result:
    """Play a plan through the live engine. UserError: something of it cannot be used."""
    run = exact_run(plan, stage=stage)
    run.run(say)
    return run.result(EXACT)


def play_compiled(plan: Plan, say: Say, stage: Stage | None = None) -> Result:
    """Play a plan by the kernel, machine code made if need be. UserError: it does not do something of it."""
    result = kernel_engine.play(plan, stage)
    say((result.end_ms - result.start_ms) // result.detail_ms)
    return result


def play_fast(plan: Plan, say: Say, stage: Stage | None = None) -> Result:
    """Play a plan by the kernel, or exactly where the kernel finds on the way that it cannot."""
    stage = stage or stage_of(plan)
    try:
        return play_compiled(plan, say, stage)
    except UserError:
        return play_exactly(plan, say, stage)


# The fastest first.
ENGINES: Final[Mapping[str, BacktestEngine]] = {
    KERNEL: BacktestEngine(KERNEL, kernel_engine.refusal, play_compiled),
    EXACT: BacktestEngine(EXACT, lambda _plan: "", play_exactly),
}
_COLD: Final = (
    "Played by the exact engine: the kernel's machine code is not made yet. --engine kernel makes it, once, "
    "in a minute or two; afterwards the kernel is what is used."
)


def choose_engine(name: str | None, plan: Plan) -> Chosen:
    """Return the engine of that name; without one the kernel, where it does all of the plan and is ready.

    UserError: there is no such engine, or it does not do something that the plan asks for.
    """
    if name is None:
        return _fastest(plan)
    engine = ENGINES.get(name)
    if engine is None:
        raise UserError(
            f'There is no engine "{name}"; there is {" and ".join(ENGINES)}. Leave --engine out, or name one '
            "of these."
        )
    if refusal := engine.refusal(plan):
        raise UserError(f"{refusal}. Nothing was simulated. Use --engine {EXACT}, which does everything.")
    return Chosen(engine, "")


def _fastest(plan: Plan) -> Chosen:
    if not can_compile():
        return Chosen(ENGINES[EXACT], "")
    if refusal := kernel_engine.refusal(plan):
        return Chosen(ENGINES[EXACT], f"Played by the exact engine: {refusal}.")
    if not kernel_engine.is_warm():
        return Chosen(ENGINES[EXACT], _COLD)
    return Chosen(ENGINES[KERNEL]._replace(play=play_fast), "")
