"""Leverage tiers: the venue's maintenance-margin table, looked up by NOTIONAL (never by margin)."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.compiled import compiled

_AMOUNT_TOLERANCE: Final = 1e-6  # of the floor's notional: venues publish amounts rounded to cents


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


def tiers_from_rows(rows: Sequence[LeverageTier], is_continuous: bool = True) -> Tiers:
    """Return the table as columns, after checking it.

    `is_continuous`: maintenance margin has no jump between tiers (Binance: amount_n = floor_n *
    (rate_n - rate_n-1) + amount_n-1); False for venues whose tiers have no maintenance amount.
    ValueError names the row, the field and its value: an empty table, a first floor other than 0, a
    floor that is not the cap below it, a cap not above its floor, a rate outside (0, 1), a maximum
    leverage below 1, a negative amount, or a jump.
    """
    if not rows:
        raise ValueError("tiers: the table has no row")
    below: LeverageTier | None = None
    for index, row in enumerate(rows):
        _check_row(index, row)
        _check_step(index, below, row, is_continuous)
        below = row
    columns = [np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)]
    return Tiers(*columns)


def _check_row(index: int, row: LeverageTier) -> None:
    if not row.notional_cap > row.notional_floor:
        raise _invalid(index, "notional_cap", row.notional_cap, f"above the floor {row.notional_floor}")
    if not 0.0 < row.maintenance_margin_rate < 1.0:
        raise _invalid(index, "maintenance_margin_rate", row.maintenance_margin_rate, "between 0 and 1")
    if not 0.0 <= row.maintenance_amount < math.inf:
        raise _invalid(index, "maintenance_amount", row.maintenance_amount, "finite and not negative")
    if not 1.0 <= row.max_leverage < math.inf:
        raise _invalid(index, "max_leverage", row.max_leverage, "finite and at least 1")


def _check_step(index: int, below: LeverageTier | None, row: LeverageTier, is_continuous: bool) -> None:
    floor = 0.0 if below is None else below.notional_cap
    if row.notional_floor != floor:
        raise _invalid(index, "notional_floor", row.notional_floor, f"{floor}, the cap of the row below")
    if not is_continuous:
        return
    amount = 0.0 if below is None else _continuous_amount(below, row)
    if abs(row.maintenance_amount - amount) > _AMOUNT_TOLERANCE * max(floor, 1.0):
        raise _invalid(index, "maintenance_amount", row.maintenance_amount, f"{amount}, or margin jumps")


def _continuous_amount(below: LeverageTier, row: LeverageTier) -> float:
    step = row.maintenance_margin_rate - below.maintenance_margin_rate
    return below.maintenance_amount + row.notional_floor * step


def _invalid(index: int, field: str, value: float, wanted: str) -> ValueError:
    return ValueError(f"tiers[{index}].{field} is {value!r}; it must be {wanted}")


@compiled
def tier_index(tiers: Tiers, notional: float) -> int:
    """Return the row with notional_floor < notional <= notional_cap; the last row above every cap."""
    caps = tiers.notional_cap
    last = len(caps) - 1
    for row in range(last):
        if notional <= float(caps[row]):
            return row
    return last
