"""An exact backtest made of a plan: instruments, venue, engine, and what the strategy says of the history."""

from bot.backtest.exact import ExactRun, Observe
from bot.backtest.plan import Plan, instruments_of
from bot.backtest.recital import Recital, Told
from bot.backtest.stage import Stage, stage_of
from bot.core.profile import venue_profile
from bot.engine.engine import Engine
from bot.paper import CLIENT_ID_PREFIX, simulated_venue
from bot.sim.venue import SimulatedVenue
from bot.wiring import engine_of


def engine_and_venue(plan: Plan, told: dict[str, Told]) -> tuple[Engine, SimulatedVenue]:
    """Return the live engine, which recites what it is told, and the venue with its deposit. UserError."""
    settings, instruments = plan.settings, instruments_of(plan)
    venue = simulated_venue(settings, instruments, venue_profile(settings.venue.profile, 0.0))
    engine = engine_of(
        settings,
        instruments,
        venue.profiles,
        plan.strategy,
        plan.timeframe_ms,
        CLIENT_ID_PREFIX,
        readings=Recital(told),
    )
    return engine, venue


def exact_run(plan: Plan, observe: Observe | None = None, stage: Stage | None = None) -> ExactRun:
    """Return the run of a plan, warmed up. UserError: an instrument or the strategy is unusable."""
    told = (stage or stage_of(plan)).told(plan)
    run = ExactRun(*engine_and_venue(plan, told), plan.history, observe, told)
    run.warm_up()
    return run
