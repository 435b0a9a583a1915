"""What all open positions can lose together, and how much of the account that is. Margin-science 5.8."""

import math
from collections.abc import Iterable
from typing import NamedTuple


class Committed(NamedTuple):
    """Isolated margins and equity (free balance plus margins, no unrealised PnL) at one time, quote."""

    ts_ms: int
    margin_quote: float
    equity_quote: float


class Envelope(NamedTuple):
    """The account's isolated margins, which are its maximum contractual loss; quote, and shares of equity.

    `most_ms`: when the margins were largest, 0 where nothing is known. Utilisations are NaN without equity.
    """

    margin_quote: float
    utilisation: float
    most_margin_quote: float
    most_ms: int
    most_utilisation: float


def envelope(points: Iterable[Committed]) -> Envelope:
    """Return the last and the largest of some points in time order; the largest share may be another one."""
    known = list(points)
    if not known:
        return Envelope(0.0, math.nan, 0.0, 0, math.nan)
    largest = max(known, key=lambda point: point.margin_quote)
    shares = [share for point in known if not math.isnan(share := _utilisation(point))]
    return Envelope(
        known[-1].margin_quote,
        _utilisation(known[-1]),
        largest.margin_quote,
        largest.ts_ms,
        max(shares, default=math.nan),
    )


def _utilisation(point: Committed) -> float:
    return point.margin_quote / point.equity_quote if point.equity_quote > 0.0 else math.nan
