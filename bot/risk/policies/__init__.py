"""The margin policies by name. A policy is one pure function from a view to a band, and its params.

Few also restrict what the engine may do with that band, by a second function: permissions.

A new one is one file here and one row below; the engine below the band gives it hysteresis, caps,
cooldowns, trigger prices and an explanation.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.permissions import Permissions, unrestricted
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


class Policy(NamedTuple):
    """`band(view, params)` answers; `params_type` is a NamedTuple whose fields all have defaults.

    `permissions(view, params)` says what may be done with the answer.
    """

    name: str
    doc: str
    band: Callable[[MarginView, Any], Band]
    params_type: type[Any]
    bounds: Mapping[str, Bound]
    permissions: Callable[[MarginView, Any], Permissions] = unrestricted

    @property
    def default(self) -> Any:
        """The params with every field at its default."""
        return self.params_type()


_ALL: Final = (
    Policy(
        "static",
        "Leave the margin as it was posted.",
        static.band,
        static.StaticParams,
        static.BOUNDS,
    ),
    Policy(
        "distance_band",
        "Hold a fixed liquidation distance, a number of true ranges, or the distance at entry.",
        distance_band.band,
        distance_band.DistanceBandParams,
        distance_band.BOUNDS,
    ),
    Policy(
        "margin_ratio_band",
        "Hold the venue's margin ratio, maintenance margin / equity.",
        margin_ratio_band.band,
        margin_ratio_band.MarginRatioBandParams,
        margin_ratio_band.BOUNDS,
    ),
    Policy(
        "volatility",
        "Hold a distance worth a fixed number of standard deviations.",
        volatility.band,
        volatility.VolatilityParams,
        volatility.BOUNDS,
    ),
    Policy(
        "liquidation_probability",
        "Hold the distance at which liquidation has a chosen, fat-tailed probability.",
        liquidation_probability.band,
        liquidation_probability.LiquidationProbabilityParams,
        liquidation_probability.BOUNDS,
    ),
    Policy(
        "hurdle",
        "Add margin while it saves more liquidation cost than it could earn elsewhere.",
        hurdle.band,
        hurdle.HurdleParams,
        hurdle.BOUNDS,
    ),
    Policy(
        "trend_regime",
        "Strengthen favoured positions, cut them in high volatility; found neutral for profit.",
        trend_regime.band,
        trend_regime.TrendRegimeParams,
        trend_regime.BOUNDS,
        trend_regime.permissions,
    ),
    Policy(
        "exchange_auto_add",
        "What the exchanges' own switch does, to compare with: it feeds losers, do not trade with it.",
        exchange_auto_add.band,
        exchange_auto_add.ExchangeAutoAddParams,
        exchange_auto_add.BOUNDS,
        exchange_auto_add.permissions,
    ),
    Policy(
        "stop_anchor",
        "Keep liquidation just beyond the resting stop; the hurdle's distance without a stop.",
        stop_anchor.band,
        stop_anchor.StopAnchorParams,
        stop_anchor.BOUNDS,
    ),
)

POLICIES: Final[Mapping[str, Policy]] = {policy.name: policy for policy in _ALL}
DEFAULT_POLICY: Final = "stop_anchor"
