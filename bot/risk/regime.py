"""The market's regime as one position feels it: trend with or against it, or volatility that overrides.

Source: margin-science 3.6. The engine keeps one RegimeState per position and asks at every closed candle.
"""

import math
from typing import Final, NamedTuple

from bot.core.compiled import compiled
from bot.risk.estimates import HIGH_VOLATILITY_RATIO, MarketEstimates

NEUTRAL: Final = 0
CALM_FAVOURABLE: Final = 1
ADVERSE: Final = 2
VOLATILE: Final = 3
REGIMES: Final = ("neutral", "calm_favourable", "adverse", "volatile")

FAVOURABLE_SCORE: Final = 0.32
ADVERSE_SCORE: Final = -0.65
_LEAVE_SHARE: Final = 0.8  # a regime is left when its measure has fallen 20 % below what entered it
_MINIMUM_STAY_MS: Final = 1_800_000


class RegimeState(NamedTuple):
    """`side` of the position, +1 or -1; `since_ms`: when the regime began, 0 before the first estimate."""

    side: int
    regime: int = NEUTRAL
    since_ms: int = 0


@compiled
def next_regime(state: RegimeState, estimates: MarketEstimates, ts_ms: int) -> RegimeState:
    """Return the regime after a closed candle: the same one, or a new one since `ts_ms`.

    High volatility begins at once; every other change waits for 30 minutes in the present regime.
    Estimates that are not known (NaN) change nothing.
    """
    if math.isnan(estimates.sigma_day):
        return state
    is_settled = state.since_ms == 0 or ts_ms - state.since_ms >= _MINIMUM_STAY_MS
    if _is_volatile(state.regime, estimates):
        regime = VOLATILE
    elif not is_settled:
        regime = state.regime
    else:
        regime = _of_trend(state.regime, state.side * estimates.trend_score)
    if regime == state.regime and state.since_ms > 0:
        return state
    return RegimeState(state.side, regime, ts_ms)


@compiled
def _is_volatile(regime: int, estimates: MarketEstimates) -> bool:
    if regime != VOLATILE:
        return estimates.is_high_volatility
    leaves = estimates.sigma_6h <= _LEAVE_SHARE * HIGH_VOLATILITY_RATIO * estimates.sigma_10d
    return not leaves


@compiled
def _of_trend(regime: int, score: float) -> int:
    """The regime of a score > 0 for a trend with the position, with hysteresis around `regime`."""
    favourable = FAVOURABLE_SCORE * (_LEAVE_SHARE if regime == CALM_FAVOURABLE else 1.0)
    adverse = ADVERSE_SCORE * (_LEAVE_SHARE if regime == ADVERSE else 1.0)
    if score > favourable:
        return CALM_FAVOURABLE
    return ADVERSE if score < adverse else NEUTRAL
