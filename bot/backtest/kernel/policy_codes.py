"""The margin policies by number, so that one compiled kernel serves all of them."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.kernel.books import Limits
from bot.core.compiled import compiled
from bot.risk.band import Band
from bot.risk.permissions import UNRESTRICTED, Permissions
from bot.risk.policies import (
    distance_band,
    exchange_auto_add,
    hurdle,
    liquidation_probability,
    margin_ratio_band,
    static,
    stop_anchor,
    trend_regime,
    volatility,
)
from bot.risk.view import MarginView

STATIC: Final = 0
_DISTANCE_BAND: Final = 1
_MARGIN_RATIO_BAND: Final = 2
_VOLATILITY: Final = 3
_LIQUIDATION_PROBABILITY: Final = 4
_HURDLE: Final = 5
_TREND_REGIME: Final = 6
_EXCHANGE_AUTO_ADD: Final = 7
STOP_ANCHOR: Final = 8

CODES: Final[Mapping[str, int]] = {
    "static": STATIC,
    "distance_band": _DISTANCE_BAND,
    "margin_ratio_band": _MARGIN_RATIO_BAND,
    "volatility": _VOLATILITY,
    "liquidation_probability": _LIQUIDATION_PROBABILITY,
    "hurdle": _HURDLE,
    "trend_regime": _TREND_REGIME,
    "exchange_auto_add": _EXCHANGE_AUTO_ADD,
    "stop_anchor": STOP_ANCHOR,
}


def numbers_of(params: Any) -> NDArray[np.float64]:
    """Return a policy's params as the kernel reads them."""
    numbers = np.zeros(16)
    numbers[: len(params)] = params
    return numbers


@compiled
def band_of(view: MarginView, limits: Limits) -> Band:
    """Return the band of the policy whose code `limits` name."""
    code, p = limits.policy, limits.params
    if code == STOP_ANCHOR:
        return stop_anchor.band(
            view,
            stop_anchor.StopAnchorParams(
                p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11]
            ),
        )
    if code == _DISTANCE_BAND:
        return distance_band.band(view, distance_band.DistanceBandParams(p[0], p[1], p[2], p[3], p[4]))
    if code == _MARGIN_RATIO_BAND:
        return margin_ratio_band.band(view, margin_ratio_band.MarginRatioBandParams(p[0], p[1], p[2]))
    if code == _VOLATILITY:
        return volatility.band(view, volatility.VolatilityParams(p[0], p[1], p[2], p[3], int(p[4])))
    if code == _LIQUIDATION_PROBABILITY:
        return liquidation_probability.band(
            view, liquidation_probability.LiquidationProbabilityParams(p[0], p[1], p[2], p[3], p[4])
        )
    if code == _HURDLE:
        return hurdle.band(view, hurdle.HurdleParams(p[0], p[1], p[2], p[3], p[4], p[5], p[6]))
    if code == _TREND_REGIME:
        return trend_regime.band(view, _trend(limits))
    if code == _EXCHANGE_AUTO_ADD:
        return exchange_auto_add.band(view, exchange_auto_add.ExchangeAutoAddParams(p[0], p[1]))
    return static.band(view, static.StaticParams())


@compiled
def is_even(limits: Limits) -> bool:
    """Return whether the policy's band does not depend on the mark, and it permits everything."""
    if limits.policy == _DISTANCE_BAND:
        return limits.params[0] > 0.0 or limits.params[1] <= 0.0
    return limits.policy in (STATIC, _VOLATILITY, _LIQUIDATION_PROBABILITY, _HURDLE)


@compiled
def is_steady(limits: Limits) -> bool:
    """Return whether such a band does not depend on the closed candles either, but on the position alone."""
    return limits.policy in (STATIC, _DISTANCE_BAND) and is_even(limits)


@compiled
def permissions_of(view: MarginView, limits: Limits) -> Permissions:
    """Return what that policy allows."""
    if limits.policy == _TREND_REGIME:
        return trend_regime.permissions(view, _trend(limits))
    if limits.policy == _EXCHANGE_AUTO_ADD:
        p = limits.params
        return exchange_auto_add.permissions(view, exchange_auto_add.ExchangeAutoAddParams(p[0], p[1]))
    return UNRESTRICTED


@compiled
def _trend(limits: Limits) -> trend_regime.TrendRegimeParams:
    p = limits.params
    return trend_regime.TrendRegimeParams(int(p[0]), p[1], p[2], int(p[3]), int(p[4]), p[5], p[6])
