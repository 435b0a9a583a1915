"""Did the margin earn its keep? Dead weight avoided against the capital it took. Margin-science 2 and 5.5."""

from collections.abc import Iterable
from typing import Final, NamedTuple

_HOURS_A_YEAR: Final = 8_760.0


class Move(NamedTuple):
    """One margin move: what a liquidation would waste (quote), and its probability a day before and after.

    `days`: how long it stood, until the next move or the end of the position.
    """

    waste_quote: float
    probability_before: float
    probability_after: float
    days: float


class DeadWeight(NamedTuple):
    """Quote. `avoided_quote`: expected waste of liquidations that the moves took away (a release adds to it).

    `capital_quote`: what the margin locked beyond static would have earned at the hurdle, negative when
    margin was freed. `net_quote` = avoided - capital - fees.
    """

    avoided_quote: float
    capital_quote: float
    fees_quote: float
    net_quote: float


def dead_weight(
    moves: Iterable[Move], extra_margin_quote_hours: float, annual_hurdle: float, fees_quote: float = 0.0
) -> DeadWeight:
    """Return the ledger of some moves: sum of c * (P_before - P_after) * days against its cost.

    A chance per day is taken as even over the day, which overstates it where it is near 1.
    `extra_margin_quote_hours` is what was locked beyond static margin, negative when less was;
    `annual_hurdle` a fraction per year, `fees_quote` what calls and cuts cost.
    """
    avoided = sum(
        (move.waste_quote * (move.probability_before - move.probability_after) * move.days for move in moves),
        0.0,
    )
    capital = extra_margin_quote_hours / _HOURS_A_YEAR * annual_hurdle
    return DeadWeight(avoided, capital, fees_quote, avoided - capital - fees_quote)
