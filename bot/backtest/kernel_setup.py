"""A compiled backtest made of a plan: the same instruments, venue, engine and signals as an exact one."""

from collections.abc import Callable

from bot.backtest.exact_setup import told_of
from bot.backtest.kernel.run import KernelRun, refusal_of
from bot.backtest.plan import Plan, instruments_of
from bot.backtest.result import Result
from bot.core.profile import venue_profile
from bot.engine.engine import Engine
from bot.paper import CLIENT_ID_PREFIX, simulated_venue
from bot.sim.venue import SimulatedVenue
from bot.wiring import engine_of


def kernel_refusal(plan: Plan) -> str:
    """Return what of a plan the kernel does not do, "" when it does all of it."""
    return refusal_of(*_made(plan))


def kernel_run(plan: Plan) -> KernelRun:
    """Return the run of a plan. UserError: something of it the kernel does not do, or cannot be used."""
    return KernelRun(*_made(plan), plan.history, told_of(plan))


def play_by_kernel(plan: Plan, say: Callable[[int], None]) -> Result:
    """Play a plan compiled; `say` is told once, at the end. UserError: something of it cannot be used."""
    run = kernel_run(plan)
    result = run.run()
    say(run.played.bars)
    return result


def _made(plan: Plan) -> tuple[Engine, SimulatedVenue]:
    settings, instruments = plan.settings, instruments_of(plan)
    venue = simulated_venue(settings, instruments, venue_profile(settings.venue.profile, 0.0))
    engine = engine_of(
        settings, instruments, venue.profiles, plan.strategy, plan.timeframe_ms, CLIENT_ID_PREFIX
    )
    return engine, venue
