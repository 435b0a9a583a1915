"""What the margin engine decided and what it saw, in codes and numbers that compile."""

from typing import NamedTuple

from bot.core.compiled import compiled
from bot.risk.band import Band
from bot.risk.reasons import HOLD


class Verdict(NamedTuple):
    """A decision in codes and numbers; `wallet` is the target, `amount` the move, both quote.

    `wants_derisk`: the de-risk ladder is to be consulted (margin-science 3.0, LADDER).
    """

    action: int
    reason: int
    wallet: float
    amount: float
    retry_at_ms: int
    wants_derisk: bool


class Measured(NamedTuple):
    """What the decision saw: the band with the funding reserve, and the position's risk now."""

    band: Band
    liquidation: float
    distance: float
    margin_ratio: float
    probability_hour: float


class Edge(NamedTuple):
    """The largest wallet an add may make, or the smallest a release may leave, and the rule that says so."""

    wallet: float
    reason: int


@compiled
def hold(reason: int, wallet: float) -> Verdict:
    """Return the verdict to leave the margin alone for `reason`."""
    return Verdict(HOLD, reason, wallet, 0.0, 0, False)


@compiled
def to_ladder(reason: int, wallet: float) -> Verdict:
    """Return the same, saying that the de-risk ladder is to be consulted."""
    return Verdict(HOLD, reason, wallet, 0.0, 0, True)
