"""One margin budget over all isolated legs, so that the last unit saves the same everywhere.

minimise  sum cost_i * P_i(m_i) + hurdle * sum m_i   subject to  sum m_i <= budget, min_i <= m_i <= max_i
P_i = 2 * T4(-a * d_i / s_i),   d_i = (excess_i + m_i) / (N_i * (1 - q_i * mmr_i)),   a = 1.10

Source: margin-science 3.8. P is convex while d >= 0, so the KKT conditions decide: an interior leg has
the marginal saving k_i * (1 + (a * d_i / s_i)^2 / 4)^-2.5 = lambda, with k_i its saving at d = 0. In the
level u = lambda^-0.4 this is a square root: a * d_i / s_i = 2 * sqrt(k_i^0.4 * u - 1). The sum of margins
rises with u; the segment between two breakpoints is found by binary search, the level in it by Newton.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.compiled import compiled
from bot.core.margin import equity, notional
from bot.core.probability import STUDENT_SCALE
from bot.core.profile import AT_ENTRY, IN_MAINTENANCE, MarginRules
from bot.core.tiers import tier_index
from bot.risk.inputs import InvalidInput
from bot.risk.view import MarginView

Column = NDArray[np.float64]
Mask = NDArray[np.bool_]

_DENSITY_AT_ZERO: Final = 0.375  # of Student's t with four degrees of freedom
_TOLERANCE: Final = 1e-12  # of the budget left unspent
_SOUND: Final = (  # what is asked of a leg, in the order of `soundness`
    ("side", "1 (long) or -1 (short)"),
    ("notional", "finite and above 0"),
    ("maintenance_rate", "at least 0 and below 1"),
    ("sigma_horizon", "finite and above 0"),
    ("liquidation_cost", "finite and not negative"),
    ("excess_at_zero", "finite"),
    ("min_extra", "finite, not negative"),
    ("max_extra", "at least min_extra"),
    ("min_extra", "enough to keep the leg from being past liquidation"),
)


class AllocationLeg(NamedTuple):
    """One leg. Money in quote; "extra" is on top of the margin that `excess_at_zero` already counts.

    `excess_at_zero` is equity less maintenance margin without any extra margin; `sigma_horizon` the
    standard deviation of the log price over the horizon; `liquidation_cost` the dead weight of a
    liquidation, gap risk included (not the margin lost). `max_extra` may be inf.
    """

    side: int
    notional: float
    maintenance_rate: float
    sigma_horizon: float
    liquidation_cost: float
    excess_at_zero: float
    min_extra: float
    max_extra: float


class AllocationLegs(NamedTuple):
    """The same as columns of equal length (float64)."""

    side: Column
    notional: Column
    maintenance_rate: Column
    sigma_horizon: Column
    liquidation_cost: Column
    excess_at_zero: Column
    min_extra: Column
    max_extra: Column


class Allocation(NamedTuple):
    """`extra_margin` per leg and what it leaves; `shadow_price` is the last unit's saving, >= the hurdle.

    A shadow price at the hurdle means that the budget is not what stops: the rest earns more elsewhere.
    """

    extra_margin: Column
    total_extra: float
    expected_liquidation_loss: float
    shadow_price: float


class _Curve(NamedTuple):
    """m_i(u) = clip(width_i * sqrt(height_i * u - 1) - excess_i, low_i, high_i)."""

    width: Column
    height: Column
    excess: Column
    low: Column
    high: Column


def legs_from_rows(rows: Sequence[AllocationLeg], names: Sequence[str] = ()) -> AllocationLegs:
    """Return the legs as columns, after checking them.

    InvalidInput names the leg (by `names`, or by its number where there are none), the field and its value.
    """
    legs = columns_of(rows)
    check_legs(legs, names)
    return legs


def columns_of(rows: Sequence[AllocationLeg]) -> AllocationLegs:
    """Return the legs as columns, unchecked."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(AllocationLegs._fields)
    return AllocationLegs(*(np.array(column, dtype=np.float64) for column in columns))


@compiled
def wallet_leg(
    view: MarginView,
    liquidation_cost: float,
    horizon_days: float,
    lowest_wallet: float,
    highest_wallet: float,
    maintenance: float,
) -> AllocationLeg:
    """Return a position as a leg whose extra margin is its WHOLE isolated wallet: what it should hold.

    `lowest_wallet`: what the venue's removal rule and a stop's anchor leave in it; it is raised to where the
    position is just not liquidated. `maintenance`: its maintenance margin at the mark. Linear contracts only.
    """
    position, rules = view.position, view.rules
    value = notional(position, view.mark, rules)
    excess = equity(position, view.mark, rules) - maintenance
    without = excess - position.isolated_wallet
    lowest = max(lowest_wallet, -without, 0.0)
    return AllocationLeg(
        position.side,
        value,
        _rate_at(value, rules),
        view.sigma_day * math.sqrt(horizon_days),
        liquidation_cost,
        without,
        lowest,
        max(highest_wallet, lowest),
    )


@compiled
def _rate_at(value: float, rules: MarginRules) -> float:
    """How fast maintenance margin grows with the notional: not at all where it is valued at entry."""
    if rules.profile.valuation == AT_ENTRY:
        return 0.0
    fee = rules.profile.close_fee_rate if rules.profile.close_fee == IN_MAINTENANCE else 0.0
    return float(rules.tiers.maintenance_margin_rate[tier_index(rules.tiers, value)]) + fee


def allocate(legs: AllocationLegs, budget: float, hurdle: float) -> Allocation:
    """Return the cheapest split of at most `budget` (quote) over `legs`.

    Where the budget binds it is met to 1e-10, or to 1e-8 of a leg's notional * sigma where that is more.
    `hurdle` is what one unit of margin must earn over the horizon (rate * horizon). InvalidInput: a leg
    that `check_legs` refuses, a budget or hurdle that is negative or not a number, or a budget below the
    sum of the floors.
    """
    check_legs(legs)
    check_budget(legs, budget, hurdle)
    return cheapest_split(legs, budget, hurdle)


@compiled
def cheapest_split(legs: AllocationLegs, budget: float, hurdle: float) -> Allocation:
    """Return the same for legs and a budget that are sound: see `are_legs_sound` and `is_payable`."""
    curve = _curve(legs)
    level = hurdle**-0.4 if hurdle > 0.0 else math.inf
    if _margins_sum(curve, level) > budget:
        level = _level_for(curve, budget)
        price = level**-2.5
    else:
        price = hurdle
    margins = _margins(curve, level)
    loss = summed(legs.liquidation_cost * liquidation_probabilities(legs, margins))
    return Allocation(margins, summed(margins), loss, max(price, hurdle))


@compiled
def summed(column: Column) -> float:
    """Return the sum, added one after the other: the same to the last digit as machine code of the kernel."""
    return float(np.cumsum(column)[-1]) if len(column) > 0 else 0.0


@compiled
def liquidation_probabilities(legs: AllocationLegs, extra_margin: Column) -> Column:
    """Return each leg's P(liquidated within the horizon) with this extra margin, in [0, 1]."""
    value = -STUDENT_SCALE * np.maximum(_distance(legs, extra_margin), 0.0) / legs.sigma_horizon
    square = 4.0 + value * value
    sine = value / np.sqrt(square)
    below = 4.0 / (square * (1.0 - sine))
    return np.minimum(below * below * (2.0 - sine) / 2.0, 1.0)


def marginal_savings(legs: AllocationLegs, extra_margin: Column) -> Column:
    """Return how much expected loss one more unit of margin saves on each leg (quote per quote)."""
    curve = _curve(legs)
    reach = (curve.excess + extra_margin) / curve.width
    return curve.height**2.5 * (1.0 + reach * reach) ** -2.5


def check_legs(legs: AllocationLegs, names: Sequence[str] = ()) -> None:
    """Raise InvalidInput naming leg, field and value for numbers that make no living leg."""
    for (field, wanted), is_valid in zip(_SOUND, soundness(legs), strict=True):
        for index in np.flatnonzero(~is_valid)[:1]:
            name = names[index] if names else f"legs[{index}]"
            raise InvalidInput(f"{name}.{field}", float(getattr(legs, field)[index]), wanted)


@compiled
def are_legs_sound(legs: AllocationLegs) -> bool:
    """Return whether `check_legs` has nothing to say."""
    is_sound = True
    for mask in soundness(legs):
        is_sound = is_sound and bool(np.all(mask))
    return is_sound


@compiled
def soundness(legs: AllocationLegs) -> tuple[Mask, Mask, Mask, Mask, Mask, Mask, Mask, Mask, Mask]:
    """Return of each leg what holds of all that a living leg needs."""
    rate, cost = legs.maintenance_rate, legs.liquidation_cost
    return (
        np.abs(legs.side) == 1.0,
        _is_positive(legs.notional),
        (rate >= 0.0) & (rate < 1.0),
        _is_positive(legs.sigma_horizon),
        np.isfinite(cost) & (cost >= 0.0),
        np.isfinite(legs.excess_at_zero),
        np.isfinite(legs.min_extra) & (legs.min_extra >= 0.0),
        legs.max_extra >= legs.min_extra,
        legs.excess_at_zero >= -legs.min_extra,
    )


@compiled
def _is_positive(column: Column) -> Mask:
    return np.isfinite(column) & (column > 0.0)


def check_budget(legs: AllocationLegs, budget: float, hurdle: float) -> None:
    """Raise InvalidInput for a budget or a hurdle that no split of `legs` keeps."""
    if is_payable(legs, budget, hurdle):
        return
    for name, value in (("budget", budget), ("hurdle", hurdle)):
        if not 0.0 <= value < math.inf:
            raise InvalidInput(name, value, "finite and not negative")
    raise InvalidInput("budget", budget, f"at least the sum of the floors, {summed(legs.min_extra)!r}")


@compiled
def is_payable(legs: AllocationLegs, budget: float, hurdle: float) -> bool:
    """Return whether budget and hurdle are numbers, and the budget pays for every floor."""
    return 0.0 <= hurdle < math.inf and budget < math.inf and budget >= max(summed(legs.min_extra), 0.0)


@compiled
def _distance(legs: AllocationLegs, extra_margin: Column) -> Column:
    return (legs.excess_at_zero + extra_margin) / _margin_per_distance(legs)


@compiled
def _margin_per_distance(legs: AllocationLegs) -> Column:
    return legs.notional * (1.0 - legs.side * legs.maintenance_rate)


@compiled
def _curve(legs: AllocationLegs) -> _Curve:
    width = 2.0 * legs.sigma_horizon * _margin_per_distance(legs) / STUDENT_SCALE
    steepest = 4.0 * _DENSITY_AT_ZERO * legs.liquidation_cost / width
    return _Curve(width, _raised(steepest, 0.4), legs.excess_at_zero, legs.min_extra, legs.max_extra)


@compiled
def _raised(column: Column, power: float) -> Column:
    """One by one: what numpy makes of a whole column differs in its last digit between processors."""
    raised = np.empty(len(column))
    for row in range(len(column)):
        raised[row] = column[row] ** power
    return raised


@compiled
def _margins(curve: _Curve, level: float) -> Column:
    if math.isinf(level):  # margin is free: every leg takes all it may, unless its liquidation costs nothing
        return np.where(curve.height > 0.0, curve.high, curve.low)
    reach = np.sqrt(np.maximum(curve.height * level - 1.0, 0.0))
    return np.minimum(np.maximum(curve.width * reach - curve.excess, curve.low), curve.high)


@compiled
def _margins_sum(curve: _Curve, level: float) -> float:
    return summed(_margins(curve, level))


@compiled
def _breakpoints(curve: _Curve) -> Column:
    """The levels at which a leg leaves its floor or meets its ceiling, ascending."""
    paid = curve.height > 0.0
    width, height = curve.width[paid], curve.height[paid]
    ends = np.concatenate(((curve.low + curve.excess)[paid], (curve.high + curve.excess)[paid]))
    reach = ends / np.concatenate((width, width))
    levels = (1.0 + reach * reach) / np.concatenate((height, height))
    return np.sort(levels[np.isfinite(levels)])


@compiled
def _level_for(curve: _Curve, budget: float) -> float:
    """The level at which the margins sum to the budget, approached from below so as never to exceed it."""
    levels = _breakpoints(curve)
    first, last = 0, len(levels)  # the sum at levels[first - 1] is within budget, at levels[last] above
    while first < last:
        middle = (first + last) // 2
        if _margins_sum(curve, float(levels[middle])) <= budget:
            first = middle + 1
        else:
            last = middle
    low = float(levels[first - 1]) if first > 0 else (1.0 - _TOLERANCE) * float(levels[0])
    high = float(levels[first]) if first < len(levels) else _level_above(curve, budget, low)
    return _solved(curve, budget, low, high)


@compiled
def _level_above(curve: _Curve, budget: float, low: float) -> float:
    """A level past the last breakpoint at which the margins are more than the budget."""
    high = 2.0 * low
    while _margins_sum(curve, high) <= budget:
        high *= 4.0
    return high


@compiled
def _solved(curve: _Curve, budget: float, low: float, high: float) -> float:
    """Newton inside a bracket that never leaves the root; on one segment the sum is smooth and concave."""
    missing = budget - _margins_sum(curve, low)
    while missing > _TOLERANCE * budget:
        tried = low + missing / _slope(curve, low, high)
        if not low < tried < high:
            tried = 0.5 * (low + high)
        if not low < tried < high:
            break  # the two are neighbours among the floats
        if _margins_sum(curve, tried) <= budget:
            low = tried
            missing = budget - _margins_sum(curve, low)
        else:
            high = tried
    return low


@compiled
def _slope(curve: _Curve, low: float, high: float) -> float:
    """d(sum of margins)/d(level) at `low`; inf where a leg's square root begins there: bisect then."""
    middle = _margins(curve, 0.5 * (low + high))
    moves = (middle > curve.low) & (middle < curve.high)
    reach = np.sqrt(np.maximum(curve.height[moves] * low - 1.0, 0.0))
    if len(reach) == 0 or float(np.min(reach)) <= 0.0:
        return math.inf
    return summed(curve.width[moves] * curve.height[moves] / (2.0 * reach))
