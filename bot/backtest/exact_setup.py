"""An exact backtest made of settings: instruments, venue, engine and what the strategy says of the history."""

from typing import NamedTuple

from bot.backtest.exact import ExactRun, Observe
from bot.backtest.recital import Recital, Told, said_of
from bot.core.instrument import Instrument
from bot.core.profile import venue_profile
from bot.paper import CLIENT_ID_PREFIX, simulated_venue
from bot.settings import Settings
from bot.sim.candle_builder import resample
from bot.sim.embedded import instrument_for
from bot.sim.series import MarketHistory
from bot.strategy import Strategy
from bot.wiring import engine_of


class Plan(NamedTuple):
    """What is simulated: the settings, the strategy they name, its candles' length, and the recorded bars.

    `fee_rate`: paid per fill instead of the instruments' own rates; None leaves them.
    """

    settings: Settings
    strategy: Strategy
    timeframe_ms: int
    history: MarketHistory
    fee_rate: float | None = None


def instruments_of(plan: Plan) -> dict[str, Instrument]:
    """Return the instrument of each symbol, its fees replaced where the plan says so. UserError: unknown."""
    fees = {} if plan.fee_rate is None else {"maker_fee_rate": plan.fee_rate, "taker_fee_rate": plan.fee_rate}
    return {symbol: instrument_for(symbol)._replace(**fees) for symbol in plan.settings.feed.symbols}


def told_of(plan: Plan) -> dict[str, Told]:
    """Return each symbol's closed candles with the strategy's signals on them. UserError: it failed."""
    told = {}
    for series in plan.history.series:
        base_ms = plan.history.timeframe_ms
        candles = resample(series.candles, base_ms, plan.timeframe_ms, series.funding)
        name = plan.settings.strategy.name
        told[series.symbol] = Told(candles, said_of(plan.strategy, name, series.symbol, candles), None)
    return told


def exact_run(plan: Plan, observe: Observe | None = None) -> ExactRun:
    """Return the run of a plan, warmed up. UserError: an instrument, the strategy or the deposit is unusable."""
    settings, instruments = plan.settings, instruments_of(plan)
    venue = simulated_venue(settings, instruments, venue_profile(settings.venue.profile, 0.0))
    engine = engine_of(
        settings,
        instruments,
        venue.profiles,
        plan.strategy,
        plan.timeframe_ms,
        CLIENT_ID_PREFIX,
        readings=Recital(told_of(plan)),
    )
    run = ExactRun(engine, venue, plan.history, observe)
    run.warm_up()
    return run
