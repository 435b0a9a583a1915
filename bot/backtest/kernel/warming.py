"""Makes the kernel's machine code before it is needed: an hour of a market that stands still is played."""

from typing import Final

import numpy as np

from bot.backtest.kernel.run import KernelRun
from bot.backtest.recital import Told
from bot.core.candles import Candles
from bot.core.instrument import margin_rules
from bot.core.profile import BINANCE_USDM
from bot.core.signal import Signals
from bot.core.timeframe import HOUR_MS, MINUTE_MS
from bot.engine.desk import Desk
from bot.engine.engine import Engine
from bot.engine.outbox import Outbox
from bot.engine.state import Market, State
from bot.engine.window import CandleWindow
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import DEFAULT_POLICY, POLICIES
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.series import NO_FUNDING, MarketHistory, Series
from bot.sim.venue import SimulatedVenue
from bot.strategy import Strategy, no_signals

_SYMBOL: Final = "BTC/USDT:USDT"
_BARS: Final = HOUR_MS // MINUTE_MS


class _Silent(Strategy):
    """Enters nowhere."""

    timeframe = "1m"

    @property
    def warmup(self) -> int:
        return 1

    def signals(self, candles: Candles) -> Signals:
        return no_signals(len(candles.close))


def warm_up() -> None:
    """Load the machine code, or compile it for more than a minute and keep it."""
    instrument, level = instrument_for(_SYMBOL), np.full(_BARS, 60_000.0)
    opened = MINUTE_MS * np.arange(_BARS, dtype=np.int64)
    candles = Candles(opened, level, level, level, level, level, np.zeros(_BARS))
    history = MarketHistory(MINUTE_MS, 0, HOUR_MS, (Series(_SYMBOL, candles, None, NO_FUNDING, ()),), ())
    config = VenueConfig(0.0, 0.0, {_SYMBOL: 1e6})
    venue = SimulatedVenue({_SYMBOL: instrument}, BINANCE_USDM, config, 1_000.0)
    market = Market(instrument, margin_rules(instrument, BINANCE_USDM), CandleWindow(_BARS))
    state = State({_SYMBOL: market}, timeframe_ms=MINUTE_MS)
    policy = POLICIES[DEFAULT_POLICY]
    risk = RiskManager(policy.name, policy.default, MarginLimits(), EntryLimits(), BracketLimits())
    engine = Engine(Desk(state, risk, _Silent(), "silent", Outbox(state, "W"), MINUTE_MS, MINUTE_MS))
    KernelRun(engine, venue, history, {_SYMBOL: Told(candles, no_signals(_BARS), None)}).run()
