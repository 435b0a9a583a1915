"""How many legs can die together: three caps on the whole book, by stress and not by variance alone.

Source: margin-science 3.8 (i) to (iii). Standard deviations are per sqrt(day), so the caps look one day
ahead; money in quote. W is the account's equity.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from bot.core.compiled import compiled
from bot.risk.cutting import cuts_of
from bot.risk.stress_caps import Column, Legs, StressCaps

MARGIN: Final = "margin"
CORRELATED_RISK: Final = "correlated_risk"
CASCADE: Final = "cascade"

NO_CAP: Final = 0
BY_RISK: Final = 1
BY_CASCADE: Final = 2
CAP_NAMES: Final = ("", CORRELATED_RISK, CASCADE)

_ROUNDING: Final = 1e-9
_CUT_NAMES: Final = ("", MARGIN, CORRELATED_RISK, CASCADE)


class Exposure(NamedTuple):
    """One leg as the stress sees it: what it holds at the mark and the margin it can lose."""

    symbol: str
    side: int
    notional_quote: float
    margin_quote: float
    sigma_day: float


class CapState(NamedTuple):
    """One cap's `value` against its `limit`, quote, and what each leg adds to the value (they sum to it).

    `largest` is the symbol that adds most: the first to cut. "" for an empty book.
    """

    cap: str
    value: float
    limit: float
    contributions: tuple[float, ...]
    largest: str

    @property
    def is_breached(self) -> bool:
        """Whether the value is above the limit."""
        return self.value > self.limit


class CapCut(NamedTuple):
    """Close `fraction` of the leg `symbol` (above 0, at most 1), because `cap` was broken.

    The cap's `value` of the whole book before any cut, its `limit`, and the value `after` all cuts, quote.
    """

    symbol: str
    fraction: float
    cap: str
    value: float
    limit: float
    after: float


class StressRoom(NamedTuple):
    """What the caps leave of a new leg: `fraction` in [0, 1] of it, and the `cap` that says so ("": none).

    `held_quote` is that cap's value of the book without the new leg, `limit_quote` its limit.
    """

    fraction: float
    cap: str
    held_quote: float
    limit_quote: float


def stress(
    legs: Sequence[Exposure], correlation: Column, equity_quote: float, caps: StressCaps
) -> tuple[CapState, ...]:
    """Return the three caps in order, breached or not; `correlation` is of log returns, legs in order.

    ValueError names a field that is not a number or out of range, or a matrix that is no correlation.
    """
    _check(legs, correlation, equity_quote)
    return (
        _state(MARGIN, legs, margins(legs), caps.margin_cap_fraction * equity_quote),
        _state(
            CORRELATED_RISK,
            legs,
            caps.risk_sigmas * correlated_risk(legs, correlation),
            caps.risk_cap_fraction * equity_quote,
        ),
        _state(CASCADE, legs, cascade(legs, caps.cascade_sigmas), caps.cascade_cap_fraction * equity_quote),
    )


def cap_cuts(
    legs: Sequence[Exposure], equity_quote: float, caps: StressCaps, cut_above: float
) -> tuple[CapCut, ...]:
    """Return what to close so that no cap is exceeded, the largest contribution first; empty if none is due.

    A cut is due when a cap's value is more than `cut_above` times its limit, and goes down to the limit: so
    a book at the limit is not cut again at once. Correlations are `assumed_correlation`; a leg that makes
    the value smaller is never cut. ValueError names a number that is unusable.
    """
    _check_legs(legs, equity_quote)
    if is_far_within(legs, equity_quote, caps, max(cut_above, 1.0)):
        return ()
    correlation = assumed_correlation(legs)
    before = {state.cap: state for state in stress(legs, correlation, equity_quote, caps)}
    found = cuts_of(legs_of(legs), equity_quote, caps, cut_above)
    kept, cause = found.kept, [_CUT_NAMES[code] for code in found.cause.tolist()]
    left = [_kept(leg, share) for leg, share in zip(legs, kept.tolist(), strict=True)]
    after = {state.cap: state.value for state in stress(left, correlation, equity_quote, caps)}
    return tuple(
        CapCut(leg.symbol, 1.0 - share, cap, before[cap].value, before[cap].limit, after[cap])
        for leg, share, cap in zip(legs, kept.tolist(), cause, strict=True)
        if share < 1.0
    )


def is_far_within(legs: Sequence[Exposure], equity_quote: float, caps: StressCaps, cut_above: float) -> bool:
    """Return whether no cap is near, even if nothing diversified: almost always so."""
    margin = sum(leg.margin_quote for leg in legs)
    moved = sum(leg.notional_quote * leg.sigma_day for leg in legs)
    room = cut_above * equity_quote * (1.0 - _ROUNDING)
    return (
        margin <= caps.margin_cap_fraction * room
        and caps.risk_sigmas * moved <= caps.risk_cap_fraction * room
        and min(caps.cascade_sigmas * moved, margin) <= caps.cascade_cap_fraction * room
    )


def _kept(leg: Exposure, share: float) -> Exposure:
    return leg._replace(notional_quote=share * leg.notional_quote, margin_quote=share * leg.margin_quote)


def _weights(legs: Sequence[Exposure]) -> Column:
    return _column(legs, "side") * _column(legs, "notional_quote") * _column(legs, "sigma_day")


def margins(legs: Sequence[Exposure]) -> Column:
    """Return each leg's margin: cap (i)."""
    return _column(legs, "margin_quote")


def correlated_risk(legs: Sequence[Exposure], correlation: Column) -> Column:
    """Return each leg's share of sqrt(w' C w), its marginal contribution times its size: cap (ii).

    w_i = q_i * N_i * sigma_i; C is `correlation` shrunk half-way to ones, because correlations rise when
    it matters. A hedging leg's share is negative.
    """
    weights = _weights(legs)
    pull = 0.5 * (correlation @ weights + float(np.sum(weights)))  # shrunk, without building the matrix
    total = math.sqrt(max(float(weights @ pull), 0.0))
    return weights * pull / total if total > 0.0 else np.zeros(len(legs))


def cascade(legs: Sequence[Exposure], sigmas: float) -> Column:
    """Return each leg's loss when all move `sigmas` against their sides, at most its margin: cap (iii)."""
    moved = sigmas * _column(legs, "notional_quote") * _column(legs, "sigma_day")
    return np.minimum(moved, margins(legs))


def shrunk(correlation: Column) -> Column:
    """Return the matrix half-way to all ones."""
    return 0.5 * (correlation + 1.0)


def assumed_correlation(legs: Sequence[Exposure]) -> Column:
    """Return the matrix to use when none was measured: 1 between legs of one side, 0 between the sides.

    No diversification and no hedge is taken for granted.
    """
    side = _column(legs, "side")
    return (np.equal.outer(side, side)).astype(np.float64)


def entry_room(held: Sequence[Exposure], new: Exposure, equity_quote: float, caps: StressCaps) -> StressRoom:
    """Return the largest part of `new` that keeps caps (ii) and (iii), and the cap that limits it.

    Margin and notional of `new` shrink together; correlations are `assumed_correlation`. An entry that
    hedges a book beyond cap (ii) is let in as far as it makes that no worse.
    """
    room = room_left(legs_of(held), new_leg(new), equity_quote, caps)
    return StressRoom(room.fraction, CAP_NAMES[room.cap], room.held_quote, room.limit_quote)


def legs_of(held: Sequence[Exposure]) -> Legs:
    """Return the numbers of several exposures, as columns."""
    return Legs(*(_column(held, name) for name in Legs._fields))


def new_leg(new: Exposure) -> "NewLeg":
    """Return the numbers of an exposure."""
    return NewLeg(float(new.side), new.notional_quote, new.margin_quote, new.sigma_day)


class NewLeg(NamedTuple):
    """The numbers of one leg that is not in the book yet."""

    side: float
    notional_quote: float
    margin_quote: float
    sigma_day: float


class Room(NamedTuple):
    """What StressRoom says, with the cap as a code: NO_CAP, BY_RISK or BY_CASCADE."""

    fraction: float
    cap: int
    held_quote: float
    limit_quote: float


@compiled
def room_left(held: Legs, new: NewLeg, equity_quote: float, caps: StressCaps) -> Room:
    """Return what `entry_room` says, in numbers that compile."""
    by_risk = _risk_room(held, new, caps, caps.risk_cap_fraction * equity_quote)
    by_cascade = _cascade_room(held, new, caps, caps.cascade_cap_fraction * equity_quote)
    narrowest = by_cascade if by_cascade.fraction < by_risk.fraction else by_risk
    if narrowest.fraction < 1.0:
        return narrowest
    return Room(narrowest.fraction, NO_CAP, narrowest.held_quote, narrowest.limit_quote)


@compiled
def _risk_room(held: Legs, new: NewLeg, caps: StressCaps, limit_quote: float) -> Room:
    """The largest f in [0, 1] with (w_h + f w_n)' C (w_h + f w_n) within the cap, or within what it was."""
    own = new.side * new.notional_quote * new.sigma_day
    square, pull, before = own * own, 0.0, 0.0
    for row in range(len(held.side)):
        weight = held.side[row] * held.notional_quote[row] * held.sigma_day[row]
        pull += weight if held.side[row] == new.side else 0.5 * weight
        for other in range(len(held.side)):
            product = weight * held.side[other] * held.notional_quote[other] * held.sigma_day[other]
            before += product if held.side[row] == held.side[other] else 0.5 * product
    half = own * pull
    room = max((limit_quote / caps.risk_sigmas) ** 2 - before, 0.0)
    fraction = 1.0
    if 2.0 * half + square > room:
        fraction = max((math.sqrt(half * half + square * room) - half) / square, 0.0)
    return Room(fraction, BY_RISK, caps.risk_sigmas * math.sqrt(max(before, 0.0)), limit_quote)


@compiled
def _cascade_room(held: Legs, new: NewLeg, caps: StressCaps, limit_quote: float) -> Room:
    before = 0.0
    for row in range(len(held.side)):
        moved = caps.cascade_sigmas * held.notional_quote[row] * held.sigma_day[row]
        before += min(moved, held.margin_quote[row])
    own = min(caps.cascade_sigmas * new.notional_quote * new.sigma_day, new.margin_quote)
    fraction = min(max((limit_quote - before) / own, 0.0), 1.0) if own > 0.0 else 1.0
    return Room(fraction, BY_CASCADE, before, limit_quote)


def _state(cap: str, legs: Sequence[Exposure], contributions: Column, limit: float) -> CapState:
    largest = legs[int(np.argmax(contributions))].symbol if legs else ""
    value = float(np.sum(contributions))
    return CapState(cap, value, limit, tuple(float(part) for part in contributions), largest)


def _column(legs: Sequence[Exposure], name: str) -> Column:
    return np.array([getattr(leg, name) for leg in legs], dtype=np.float64)


def _check(legs: Sequence[Exposure], correlation: Column, equity_quote: float) -> None:
    _check_legs(legs, equity_quote)
    _check_correlation(correlation, len(legs))


def _check_legs(legs: Sequence[Exposure], equity_quote: float) -> None:
    if not 0.0 < equity_quote < math.inf:
        raise ValueError(f"equity_quote is {equity_quote!r}; it must be finite and above 0")
    for leg in legs:
        if leg.side not in (1, -1):
            raise ValueError(f"{leg.symbol}.side is {leg.side!r}; it must be 1 (long) or -1 (short)")
        for name in ("notional_quote", "margin_quote", "sigma_day"):
            value = getattr(leg, name)
            if not 0.0 <= value < math.inf:
                raise ValueError(f"{leg.symbol}.{name} is {value!r}; it must be finite and not negative")


def _check_correlation(correlation: Column, count: int) -> None:
    if correlation.shape != (count, count):
        raise ValueError(f"correlation has the shape {correlation.shape}; it must be ({count}, {count})")
    if not np.max(np.abs(correlation), initial=0.0) <= 1.0 + _ROUNDING:
        row, column = np.argwhere(~(np.abs(correlation) <= 1.0 + _ROUNDING))[0]
        value = float(correlation[row, column])
        raise ValueError(f"correlation[{row}][{column}] is {value!r}; it must be between -1 and 1")
    off = np.max(np.abs(correlation - correlation.T), initial=0.0)
    if not max(off, np.max(np.abs(np.diag(correlation) - 1.0), initial=0.0)) <= _ROUNDING:
        raise ValueError("correlation is no correlation matrix: symmetric with ones on its diagonal")
