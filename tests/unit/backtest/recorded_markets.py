"""Made-up recorded markets in memory, and trades on bars written by hand."""

from typing import Final

import numpy as np

from bot.backtest.bars import Bar
from bot.backtest.held_trade import Terms
from bot.core.candles import Candles
from bot.core.instrument import margin_rules
from bot.core.profile import BINANCE_USDM
from bot.sim.embedded import instrument_for
from bot.sim.series import NO_FUNDING, Funding, MarketHistory, Series

SYMBOL: Final = "BTC/USDT:USDT"
RULES: Final = margin_rules(instrument_for(SYMBOL), BINANCE_USDM)
START_MS: Final = 1_738_540_800_000  # Monday, 2025-02-03 00:00 UTC
HOUR_MS: Final = 3_600_000
TERMS: Final = Terms(
    SYMBOL, 2_000.0, 5_000.0, 500.0, 25.0, 0.03, 0.06, 72, 0.0005, 0.0005, 0.0, 0.0125, False, False
)


def bar(open_: float, high: float, low: float, close: float, paid_rate: float = 0.0) -> Bar:
    """Return an hourly bar."""
    return Bar(START_MS + HOUR_MS, open_, high, low, close, paid_rate, 0.0)


def history(seed: int = 1, days: int = 20, warm_days: int = 5, wildness: float = 1.0) -> MarketHistory:
    """Return hourly candles of a market with calm and stormy days."""
    random = np.random.default_rng(seed)
    count = (warm_days + days) * 24
    storms = np.repeat(np.where(random.random(count // 24) < 0.3, 3.0, 1.0), 24)
    close = 60_000.0 * np.exp(np.cumsum(0.006 * wildness * storms * random.standard_t(4, count)))
    open_ = np.concatenate((close[:1], close[:-1]))
    reach = 1.0 + 0.002 * wildness * storms * random.random((2, count))
    open_ms = START_MS - warm_days * 24 * HOUR_MS + HOUR_MS * np.arange(count, dtype=np.int64)
    funding = Funding(open_ms[::8].copy(), random.normal(0.0, 0.0002, len(open_ms[::8])))
    candles = Candles(
        open_ms,
        open_,
        np.maximum(open_, close) * reach[0],
        np.minimum(open_, close) / reach[1],
        close,
        np.ones(count),
        np.zeros(count),
    )
    series = Series(SYMBOL, candles, None, funding, ())
    return MarketHistory(HOUR_MS, START_MS, START_MS + days * 24 * HOUR_MS, (series,), ())


def without_funding(market: MarketHistory) -> MarketHistory:
    """Return the market with no settlements."""
    return market._replace(series=tuple(series._replace(funding=NO_FUNDING) for series in market.series))
