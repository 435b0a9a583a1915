"""How much of each leg is cut when the book exceeds a cap, in numbers that compile; margin-science 3.8.

bot/risk/stress.py has the caps in words and names.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.compiled import compiled
from bot.core.steps import step_down, step_up
from bot.risk.stress_caps import Column, Legs, StressCaps

BY_MARGIN: Final = 1
BY_RISK: Final = 2
BY_CASCADE: Final = 3

_ROUNDING: Final = 1e-9
_WHOLE: Final = 1.0 - 1e-9
# Two legs that hedge each other are cut in turns; each cut takes a quarter of the variance.
_MOST_CUTS_PER_LEG: Final = 64


class Cuts(NamedTuple):
    """Of each leg the share that is kept, and the code of the cap for which it is cut first, 0: none."""

    kept: Column
    cause: NDArray[np.int64]


@compiled
def cuts_of(legs: Legs, equity_quote: float, caps: StressCaps, cut_above: float) -> Cuts:
    """Return what to keep of each leg so that no cap is exceeded; see bot.risk.stress.cap_cuts."""
    cuts = Cuts(np.ones(len(legs.side)), np.zeros(len(legs.side), np.int64))
    for cap in range(BY_MARGIN, BY_CASCADE + 1):
        limit = _limit(cap, caps) * equity_quote
        if _value(cap, legs, caps) > max(cut_above, 1.0) * limit:
            _cut_down(cap, legs, limit, caps, cuts)
    return cuts


@compiled
def closed_part(
    held: float, fraction: float, mark: float, quantity_step: float, min_quantity: float, min_notional: float
) -> float:
    """Return how much of `held` to close for `fraction`: all of it, or what the venue takes and lets rest.

    0.0 where neither the order nor the rest can meet the venue's minimum.
    """
    if fraction >= _WHOLE:
        return held
    least = max(min_quantity, step_up(min_notional / mark, quantity_step))
    quantity = step_down(min(fraction * held, held - least), quantity_step)
    return quantity if quantity >= least else 0.0


@compiled
def _limit(cap: int, caps: StressCaps) -> float:
    if cap == BY_MARGIN:
        return caps.margin_cap_fraction
    return caps.risk_cap_fraction if cap == BY_RISK else caps.cascade_cap_fraction


@compiled
def _value(cap: int, legs: Legs, caps: StressCaps) -> float:
    """A cap's value of the whole book, quote."""
    total, kept = 0.0, np.ones(len(legs.side))
    for row in range(len(legs.side)):
        total += _part(cap, legs, kept, row, caps)
    return caps.risk_sigmas * math.sqrt(max(total, 0.0)) if cap == BY_RISK else total


@compiled
def _part(cap: int, legs: Legs, kept: Column, row: int, caps: StressCaps) -> float:
    """What a leg adds to the cap's value, or for the correlated risk to its square in daily sigmas."""
    if cap == BY_MARGIN:
        return kept[row] * legs.margin_quote[row]
    if cap == BY_RISK:
        weight = _weight(legs, kept, row)
        return weight * _pull(legs, kept, legs.side[row], -1)
    moved = caps.cascade_sigmas * legs.notional_quote[row] * legs.sigma_day[row]
    return kept[row] * min(moved, legs.margin_quote[row])


@compiled
def _weight(legs: Legs, kept: Column, row: int) -> float:
    return kept[row] * legs.side[row] * legs.notional_quote[row] * legs.sigma_day[row]


@compiled
def _pull(legs: Legs, kept: Column, side: float, without: int) -> float:
    """C w with the assumed correlation, shrunk: 1 between legs of one side, a half between the sides."""
    total = 0.0
    for row in range(len(legs.side)):
        if row != without:
            weight = _weight(legs, kept, row)
            total += weight if legs.side[row] == side else 0.5 * weight
    return total


@compiled
def _cut_down(cap: int, legs: Legs, limit_quote: float, caps: StressCaps, cuts: Cuts) -> None:
    """Lower what is kept, leg by leg, the largest part first, until the cap holds."""
    limit = limit_quote / caps.risk_sigmas if cap == BY_RISK else limit_quote
    for _ in range(_MOST_CUTS_PER_LEG * len(legs.side)):
        largest, index, total = -math.inf, 0, 0.0
        for row in range(len(legs.side)):
            part = _part(cap, legs, cuts.kept, row, caps)
            total += part
            if part > largest:
                largest, index = part, row
        value = math.sqrt(max(total, 0.0)) if cap == BY_RISK else total
        if value <= limit * (1.0 + _ROUNDING) or largest <= 0.0:
            return
        if cap == BY_RISK:
            cuts.kept[index] *= _share_within(legs, cuts.kept, index, limit)
        else:
            cuts.kept[index] *= max(1.0 - (total - limit) / largest, 0.0)
        if cuts.cause[index] == 0:
            cuts.cause[index] = cap


@compiled
def _share_within(legs: Legs, kept: Column, index: int, limit: float) -> float:
    """The largest f in [0, 1] with sqrt(w' C w) within `limit` once w_index is f times what it is.

    Where no f is small enough: the one that makes the root smallest.
    """
    own, rest = _weight(legs, kept, index), 0.0
    for row in range(len(legs.side)):
        if row != index:
            rest += _weight(legs, kept, row) * _pull(legs, kept, legs.side[row], index)
    half, square = own * _pull(legs, kept, legs.side[index], index), own * own
    root = half * half + square * (limit * limit - rest)
    share = (math.sqrt(root) - half) / square if root > 0.0 else -half / square
    return min(max(share, 0.0), 1.0)
