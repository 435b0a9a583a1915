"""Leave the margin as it was posted: the baseline that every other policy is compared with."""

from collections.abc import Mapping
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.view import MarginView

_NEVER_BELOW = 1e-12
_NEVER_ABOVE = 1e12


class StaticParams(NamedTuple):
    """Nothing to set."""


BOUNDS: Mapping[str, Bound] = {}


@compiled
def band(view: MarginView, params: StaticParams) -> Band:
    """Return a band so wide that no distance of a living position leaves it: margin never moves.

    Source: the rows "static" of margin-science 4.2 and 4.3.
    """
    return Band(_NEVER_BELOW, 1.0, _NEVER_ABOVE)
