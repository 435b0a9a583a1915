"""The margin policies by name. A policy is one pure function from a view to a band, and its params.

A new one is one file here and one row below; the engine below the band gives it hysteresis, caps,
cooldowns, trigger prices and an explanation.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.policies import distance_band, static, stop_anchor, volatility
from bot.risk.view import MarginView


class Policy(NamedTuple):
    """`band(view, params)` answers; `params_type` is a NamedTuple whose fields all have defaults."""

    name: str
    doc: str
    band: Callable[[MarginView, Any], Band]
    params_type: type[Any]
    bounds: Mapping[str, Bound]

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
        "Hold a fixed liquidation distance, or the one at entry.",
        distance_band.band,
        distance_band.DistanceBandParams,
        distance_band.BOUNDS,
    ),
    Policy(
        "volatility",
        "Hold a distance worth a fixed number of standard deviations.",
        volatility.band,
        volatility.VolatilityParams,
        volatility.BOUNDS,
    ),
    Policy(
        "stop_anchor",
        "Keep liquidation just beyond the resting stop; volatility band without a stop.",
        stop_anchor.band,
        stop_anchor.StopAnchorParams,
        stop_anchor.BOUNDS,
    ),
)

POLICIES: Final[Mapping[str, Policy]] = {policy.name: policy for policy in _ALL}
DEFAULT_POLICY: Final = "stop_anchor"
