"""What a margin policy answers: the liquidation distances between which margin is left alone."""

from typing import NamedTuple


class Band(NamedTuple):
    """Fractions of the mark price, 0 < low <= target <= high.

    Below `low` margin is added up to `target`; above `high` it is released down to `target`.
    """

    low: float
    target: float
    high: float
