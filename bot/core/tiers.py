"""Leverage tiers: the venue's maintenance-margin table, looked up by NOTIONAL (never by margin)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.compiled import compiled


class LeverageTier(NamedTuple):
    """One row: applies while notional_floor < notional <= notional_cap (quote units)."""

    notional_floor: float
    notional_cap: float
    maintenance_margin_rate: float
    maintenance_amount: float
    max_leverage: float


class Tiers(NamedTuple):
    """The table as columns (float64 arrays of equal length, ascending), for numba and for speed."""

    notional_floor: NDArray[np.float64]
    notional_cap: NDArray[np.float64]
    maintenance_margin_rate: NDArray[np.float64]
    maintenance_amount: NDArray[np.float64]
    max_leverage: NDArray[np.float64]


def tiers_from_rows(rows: Sequence[LeverageTier]) -> Tiers:
    """Return the table as columns."""
    columns = [np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)]
    return Tiers(*columns)


@compiled
def tier_index(tiers: Tiers, notional: float) -> int:
    """Return the row with notional_floor < notional <= notional_cap; the last row above every cap."""
    last = len(tiers.notional_cap) - 1
    for row in range(last):
        if notional <= tiers.notional_cap[row]:
            return row
    return last
