"""Recorded market data in memory, as the replay wants it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.candles import Candles


class Funding(NamedTuple):
    """Settlements, oldest first: rate > 0 means longs pay shorts, a fraction of notional."""

    ts_ms: NDArray[np.int64]
    rate: NDArray[np.float64]


class Gap(NamedTuple):
    """Bars are missing from `from_ms` up to, not including, `until_ms`."""

    from_ms: int
    until_ms: int


class Series(NamedTuple):
    """One symbol. `candles` may begin before the session (warm-up, without gaps).

    `mark` has exactly the bars of `candles`, or is None: then last stands in for mark.
    """

    symbol: str
    candles: Candles
    mark: Candles | None
    funding: Funding
    gaps: tuple[Gap, ...]


class MarketHistory(NamedTuple):
    """Everything a replay plays: bars of one timeframe for every symbol over [start_ms, end_ms).

    `notices` say what the data lacks, `played` which files it comes from; both are sentences for the user.
    """

    timeframe_ms: int
    start_ms: int
    end_ms: int
    series: tuple[Series, ...]
    notices: tuple[str, ...]
    played: str = ""


NO_FUNDING = Funding(np.empty(0, np.int64), np.empty(0, np.float64))
