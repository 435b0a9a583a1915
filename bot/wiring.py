"""How an engine is made of settings: the same for a session that trades and for a backtest."""

from collections.abc import Mapping
from typing import Any

from bot.core.instrument import Instrument, margin_rules
from bot.core.profile import VenueProfile
from bot.engine.desk import Desk
from bot.engine.engine import Engine
from bot.engine.outbox import Outbox
from bot.engine.state import Market, State
from bot.engine.window import CandleWindow, candles_kept
from bot.risk.limits import ForeignPositions
from bot.risk.manager import RiskManager
from bot.settings import Settings
from bot.strategy import Strategy


def window_size(strategy: Strategy, step_ms: int) -> int:
    """Return how many closed candles of `step_ms` an engine keeps of each symbol."""
    return candles_kept(strategy.warmup, step_ms)


def engine_of(
    settings: Settings,
    instruments: Mapping[str, Instrument],
    profiles: Mapping[str, VenueProfile],
    strategy: Strategy,
    step_ms: int,
    prefix: str,
    **desk: Any,
) -> Engine:
    """Return an engine without money. `prefix` begins every client id; `desk`: more of the desk's fields."""
    size, limits = window_size(strategy, step_ms), settings.margin.limits
    markets = {
        symbol: Market(instrument, margin_rules(instrument, profiles[symbol]), CandleWindow(size))
        for symbol, instrument in instruments.items()
    }
    state = State(markets, timeframe_ms=step_ms)
    exchange = settings.exchange
    return Engine(
        Desk(
            state,
            risk_of(settings),
            strategy,
            settings.strategy.name,
            Outbox(state, prefix),
            step_ms,
            limits.max_mark_age_ms,
            settings.halts,
            ForeignPositions(exchange.foreign_positions, exchange.adopted_stop_fraction),
            **desk,
        )
    )


def risk_of(settings: Settings) -> RiskManager:
    """Return the risk manager of the settings."""
    return RiskManager(
        settings.margin.policy,
        settings.margin.policy_params,
        settings.margin.limits,
        settings.entry,
        settings.brackets,
        settings.margin.allocation,
        settings.margin.caps,
    )
