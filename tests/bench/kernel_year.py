"""A year of seeded one-minute candles with EMA 20/100 crossings on five minutes, for timing."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.recital import Told
from bot.core.candles import Candles
from bot.core.profile import BINANCE_USDM
from bot.core.signal import Signals
from bot.core.timeframe import MINUTE_MS
from bot.risk.limits import BracketLimits, CapLimits, EntryLimits, HaltLimits, MarginLimits
from bot.risk.policies import POLICIES
from bot.sim.candle_builder import resample
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.series import Funding, MarketHistory, Series
from tests.property.backtest.kernel_cases import START_MS, KernelCase

YEAR_BARS: Final = 525_600
# As settings: a stop and one target, no trailing, 5x at most, no halts, all the depth there can be.
YEAR_TERMS: Final = {
    "venue.deposit_quote": 100_000.0,
    "venue.depth_quote": 1e9,
    "entry.max_leverage": 5,
    "brackets.first_take_profit_r": 2.0,
    "brackets.take_profit_fraction": 1.0,
    "brackets.trail_activate_r": 0.0,
    "halts.daily_loss_fraction": 0.0,
    "halts.drawdown_fraction": 0.0,
}
_SYMBOLS: Final = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
_PRICES: Final = (60_000.0, 3_000.0, 150.0)
_WARM_BARS: Final = 15_000
_CANDLE_MS: Final = 5 * MINUTE_MS
_FUNDING_MS: Final = 28_800_000
_SIGMA: Final = 0.0007  # per minute: 2.7 % a day


def year_case(symbols: int, policy: str, bars: int = YEAR_BARS) -> KernelCase:
    """Return the backtest: stop 2 %, take-profit 4 %, 5x isolated, tiers, funding, fees, a shared wallet."""
    series = tuple(_series(number, bars) for number in range(symbols))
    names = _SYMBOLS[:symbols]
    return KernelCase(
        MarketHistory(MINUTE_MS, START_MS, START_MS + bars * MINUTE_MS, series, ()),
        _CANDLE_MS,
        {each.symbol: _told(each) for each in series},
        {name: instrument_for(name) for name in names},
        BINANCE_USDM,
        policy,
        POLICIES[policy].default,
        MarginLimits(),
        EntryLimits(max_leverage=5, min_reward_to_risk=0.0, daily_loss_fraction=1.0),
        BracketLimits(first_take_profit_r=2.0, take_profit_fraction=1.0, trail_activate_r=0.0),
        CapLimits(),
        HaltLimits(daily_loss_fraction=0.0, drawdown_fraction=0.0),
        VenueConfig(0.0001, 0.0005, dict.fromkeys(names, 1e6), 50, 0, 1),
        10_000.0,
    )


def _series(number: int, bars: int) -> Series:
    draw, count = np.random.default_rng(1 + number), _WARM_BARS + bars
    close = _PRICES[number] * np.exp(np.cumsum(_SIGMA * draw.standard_normal(count)))
    open_ = np.concatenate((close[:1], close[:-1]))
    reach = 1.0 + 0.5 * _SIGMA * np.abs(draw.standard_normal((2, count)))
    high, low = np.maximum(open_, close) * reach[0], np.minimum(open_, close) / reach[1]
    open_ms = START_MS + MINUTE_MS * np.arange(-_WARM_BARS, bars, dtype=np.int64)
    candles = Candles(open_ms, open_, high, low, close, np.ones(count), np.zeros(count))
    due = START_MS + _FUNDING_MS * np.arange(1, bars * MINUTE_MS // _FUNDING_MS, dtype=np.int64)
    return Series(_SYMBOLS[number], candles, None, Funding(due, np.full(due.size, 0.0001)), ())


def _told(series: Series) -> Told:
    candles = resample(series.candles, MINUTE_MS, _CANDLE_MS, series.funding)
    is_up = _ema(candles.close, 20) > _ema(candles.close, 100)
    crosses = np.concatenate(([False], is_up[1:] != is_up[:-1]))
    count = len(crosses)
    signals = Signals(
        crosses,
        crosses,
        np.where(is_up, 1, -1).astype(np.int8),
        np.full(count, np.nan),
        np.full(count, 0.02),
    )
    return Told(candles, signals, None)


def _ema(values: NDArray[np.float64], bars: int) -> NDArray[np.float64]:
    share, mean, means = 2.0 / (bars + 1.0), float(values[0]), np.empty_like(values)
    for row, value in enumerate(values.tolist()):
        mean += share * (value - mean)
        means[row] = mean
    return means
