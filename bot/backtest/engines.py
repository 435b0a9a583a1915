"""Which engine plays a backtest: the fastest that can, unless one is named."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from bot.backtest.exact_setup import exact_run
from bot.backtest.kernel_setup import kernel_refusal, play_by_kernel
from bot.backtest.plan import Plan
from bot.backtest.result import Result
from bot.errors import UserError

EXACT: Final = "exact"
KERNEL: Final = "kernel"

Say = Callable[[int], None]


class BacktestEngine(NamedTuple):
    """`refusal` returns what of a plan the engine does not do, "" when it does all of it.

    `play` returns the result and is told a function that hears how many bars are done.
    """

    name: str
    refusal: Callable[[Plan], str]
    play: Callable[[Plan, Say], Result]


class Chosen(NamedTuple):
    """An engine, and why it is not the faster one ("" when nobody need know)."""

    engine: BacktestEngine
    notice: str


def play_exactly(plan: Plan, say: Say) -> Result:
    """Play a plan through the live engine. UserError: something of it cannot be used."""
    run = exact_run(plan)
    run.run(say)
    return run.result(EXACT)


# The first that does all of a plan is played where none is named. The kernel follows no shadows, and
# compiles for more than a minute when it is first used.
ENGINES: Final[Mapping[str, BacktestEngine]] = {
    EXACT: BacktestEngine(EXACT, lambda _plan: "", play_exactly),
    KERNEL: BacktestEngine(KERNEL, kernel_refusal, play_by_kernel),
}


def choose_engine(name: str | None, plan: Plan, known: Mapping[str, BacktestEngine] = ENGINES) -> Chosen:
    """Return the engine of that name, or without one the first that does all of the plan.

    UserError: there is no such engine, or it does not do something that the plan asks for.
    """
    if name is not None:
        engine = known.get(name)
        if engine is None:
            raise UserError(
                f'There is no engine "{name}" here; there is {" and ".join(known)}. Leave --engine out, or '
                "name one of these."
            )
        if refusal := engine.refusal(plan):
            raise UserError(f"The {name} engine does not {refusal}. Use --engine {EXACT}, which does all.")
        return Chosen(engine, "")
    refusals = []
    for engine in known.values():
        refusal = engine.refusal(plan)
        if not refusal:
            return Chosen(engine, "".join(refusals))
        refusals.append(f"The {engine.name} engine does not {refusal}; this is the {EXACT} one. ")
    raise UserError("No engine does all of this: " + " ".join(refusals))
