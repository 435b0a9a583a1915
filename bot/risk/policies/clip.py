"""The ends between which a distance that follows volatility stays; margin-science 3.3."""

import math
from typing import Final

from bot.core.compiled import compiled
from bot.risk.band import Band

NEAREST: Final = 0.012
FARTHEST: Final = 0.60


@compiled
def clipped_band(wanted: float, low: float, high: float) -> Band:
    """Return the band around `wanted`, kept between 1.2 % and 60 %; NaN gives a NaN band."""
    if math.isnan(wanted):
        return Band(math.nan, math.nan, math.nan)
    target = min(max(wanted, NEAREST), FARTHEST)
    return Band(low * target, target, high * target)
