"""The trigger ladder: every protective rule of a position as the mark price at which it acts.

`ladder` names the rungs; the marks themselves come from `margin_rungs`, which is compiled and takes the
policy as a function. A rung solves side * (p - liquidation) = wanted(p) * p, where the wanted distance
may depend on the mark (stop anchor). Both sides are lines in p for every policy whose distance is
constant or anchored to a price, so the secant is exact after one step; others converge.
"""

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from bot.core.compiled import compiled
from bot.core.margin import distance, liquidation_price, mark_at_removable
from bot.core.position import Position
from bot.core.profile import MarginRules
from bot.risk.adjust import reserved_band
from bot.risk.band import Band
from bot.risk.limits import BracketLimits, MarginLimits
from bot.risk.release import spare_at_venue
from bot.risk.trailing import trail_mark
from bot.risk.view import Ladder, MarginView, Rung, TakeProfit
from bot.risk.wallet import minimum_step, target_wallet

NONE: Final = 0.0  # no mark reaches this rung

_ROUNDS: Final = 60
_PRECISE: Final = 1e-13
_PROBE: Final = 1e-3
_FAR: Final = 1e6
_NUDGE: Final = 1e-6
_TOO_LATE: Final = 1e-5  # nothing can be moved this close to liquidation: such a rung is none

BandFunction = Callable[[MarginView, Any], Band]


class Due(NamedTuple):
    """A rung and the marks between which it is NOT due; mark 0.0: it never is, or always is."""

    mark: float
    quiet_low: float
    quiet_high: float


class MarginRungs(NamedTuple):
    """Liquidation, and where margin is added or released."""

    liquidation: float
    add: Due
    release: Due


@compiled
def at_mark(view: MarginView, mark: float) -> MarginView:
    """Return the same position seen at another mark."""
    return MarginView(
        view.ts_ms,
        mark,
        view.mark_age_ms,
        view.position,
        view.rules,
        view.stop_price,
        view.sigma_day,
        view.funding_rate,
        view.entry_distance,
        view.atr,
        view.sigma_parkinson,
        view.sigma_yang_zhang,
        view.sigma_6h,
        view.sigma_10d,
        view.trend_score,
        view.is_high_volatility,
        view.regime,
        view.cuts,
        view.last_cut_ms,
    )


@compiled
def band_at(view: MarginView, mark: float, policy_band: BandFunction, params: Any, payments: int) -> Band:
    """Return the band, funding reserve included, that would hold at `mark`."""
    seen = at_mark(view, mark)
    return reserved_band(seen, policy_band(seen, params), payments)


@compiled
def margin_rungs(view: MarginView, policy_band: BandFunction, params: Any, payments: int) -> MarginRungs:
    """Return the marks at which add and release become due, exact to 1e-9 relative.

    `payments`: funding payments held ahead. Where the band depends on the mark in several bends, the
    rung is the one that its slope at the present mark points at.
    """
    liquidation = float(liquidation_price(view.position, view.rules))
    if not (liquidation > 0.0 and math.isfinite(liquidation) and view.mark > 0.0):
        return _without_liquidation(view, policy_band, params, payments, liquidation)
    add = _due(view, policy_band, params, payments, liquidation, -1)
    release = _due(view, policy_band, params, payments, liquidation, 1)
    return MarginRungs(liquidation, add, release)


@compiled
def _excess(
    view: MarginView,
    mark: float,
    policy_band: BandFunction,
    params: Any,
    payments: int,
    liquidation: float,
    which: int,
) -> float:
    """How far the threshold is overstepped at `mark`, in price: positive is due. which: +1 high, -1 low."""
    band = band_at(view, mark, policy_band, params, payments)
    wanted = band.high if which > 0 else band.low
    return which * (view.position.side * (mark - liquidation) - wanted * mark)


@compiled
def _without_liquidation(
    view: MarginView, policy_band: BandFunction, params: Any, payments: int, liquidation: float
) -> MarginRungs:
    """No price liquidates: nothing to add, and a release is due everywhere or nowhere."""
    never, always = Due(NONE, 0.0, math.inf), Due(NONE, math.inf, 0.0)
    is_wide = view.mark > 0.0 and (
        distance(view.position.side, view.mark, liquidation)
        > band_at(view, view.mark, policy_band, params, payments).high
    )
    return MarginRungs(liquidation, never, always if is_wide else never)


@compiled
def _due(
    view: MarginView,
    policy_band: BandFunction,
    params: Any,
    payments: int,
    liquidation: float,
    which: int,
) -> Due:
    here = _excess(view, view.mark, policy_band, params, payments, liquidation, which)
    root = _secant(view, policy_band, params, payments, liquidation, which, here)
    # At its liquidation price a position is always below the band and never above it.
    if root == NONE and (here > 0.0) == (which > 0):
        root = _bisected(view, policy_band, params, payments, liquidation, which)
    if root == NONE:
        return Due(NONE, math.inf, 0.0) if here > 0.0 else Due(NONE, 0.0, math.inf)
    beyond = _excess(view, root * (1.0 + _NUDGE), policy_band, params, payments, liquidation, which)
    return Due(root, 0.0, root) if beyond > 0.0 else Due(root, root, math.inf)


@compiled
def _secant(
    view: MarginView,
    policy_band: BandFunction,
    params: Any,
    payments: int,
    liquidation: float,
    which: int,
    here: float,
) -> float:
    """The crossing that the slope at the mark points at; NONE when it is not on the living side."""
    side = view.position.side
    nearest = liquidation * (1.0 + side * _TOO_LATE)
    last, last_value = view.mark, here
    mark = view.mark * (1.0 + side * _PROBE)
    for _ in range(_ROUNDS):
        value = _excess(view, mark, policy_band, params, payments, liquidation, which)
        if value == last_value:
            return NONE
        step = value * (mark - last) / (value - last_value)
        last, last_value, mark = mark, value, mark - step
        if not (view.mark / _FAR < mark < view.mark * _FAR) or side * (mark - nearest) <= 0.0:
            return NONE
        if abs(step) <= _PRECISE * mark:
            return mark
    return NONE


@compiled
def _bisected(
    view: MarginView,
    policy_band: BandFunction,
    params: Any,
    payments: int,
    liquidation: float,
    which: int,
) -> float:
    """The crossing between liquidation and the mark, which must lie on two sides of the threshold."""
    near, far = liquidation * (1.0 + view.position.side * _TOO_LATE), view.mark
    if view.position.side * (far - near) <= 0.0:
        return NONE
    value = _excess(view, near, policy_band, params, payments, liquidation, which)
    if (value > 0.0) == (which > 0):
        return NONE
    for _ in range(_ROUNDS):
        middle = 0.5 * (near + far)
        value = _excess(view, middle, policy_band, params, payments, liquidation, which)
        if (value > 0.0) == (which > 0):
            far = middle
        else:
            near = middle
    return far


def ladder(
    view: MarginView,
    policy_band: BandFunction,
    params: Any,
    payments: int,
    take_profits: tuple[TakeProfit, ...],
    best_mark: float,
    initial_stop: float,
    bracket: BracketLimits,
    limits: MarginLimits,
) -> Ladder:
    """Return all rungs ascending by price; amounts of margin rungs are what the band asks, before caps.

    A release that is due but that the venue does not let out yet has its rung where the venue does.
    `best_mark`: the best mark for the position since entry. `initial_stop`: 0.0 for none.
    """
    margin = margin_rungs(view, policy_band, params, payments)
    margin = margin._replace(release=release_when_removable(view, margin.release, limits))
    position = view.position
    trail = trail_mark(
        position.side, position.entry_price, initial_stop, view.stop_price, view.rules.tick_size, bracket
    )
    released = _amount(view, margin.release.mark, policy_band, params, payments)
    if margin.release.mark > 0.0:
        released = min(released, spare_at_venue(at_mark(view, margin.release.mark), limits))
    rungs = [
        Rung(margin.liquidation, "liquidation", 0.0),
        Rung(view.stop_price, "stop", position.quantity),
        Rung(margin.add.mark, "add", _amount(view, margin.add.mark, policy_band, params, payments)),
        Rung(margin.release.mark, "release", released),
        Rung(trail, "trail", position.quantity),
        *(Rung(rung.price, "take_profit", rung.quantity) for rung in take_profits),
    ]
    present = sorted(rung for rung in rungs if _is_reached(rung, position.side, view.stop_price))
    sleep_low = max(margin.add.quiet_low, margin.release.quiet_low)
    sleep_high = min(margin.add.quiet_high, margin.release.quiet_high)
    return Ladder(tuple(present), *_with_trail(sleep_low, sleep_high, position.side, trail, best_mark))


def _is_reached(rung: Rung, side: int, stop_price: float) -> bool:
    """Whether the mark can come to the rung: margin is not moved behind the stop, which fills first."""
    if not (rung.price > 0.0 and math.isfinite(rung.price)):
        return False
    is_margin = rung.kind in ("add", "release")
    return not (is_margin and stop_price > 0.0 and side * (rung.price - stop_price) <= 0.0)


@compiled
def release_when_removable(view: MarginView, release: Due, limits: MarginLimits) -> Due:
    """Return the release rung moved to the mark at which the venue lets the smallest release out."""
    side, mark = view.position.side, view.mark
    is_due = not release.quiet_low < mark < release.quiet_high
    is_ahead = side * (release.mark - mark) > 0.0 and release.mark != NONE
    if not (mark > 0.0 and (is_due or is_ahead)):
        return release
    wall = release_wall(view.position, view.rules, limits)
    if side * (wall - (mark if is_due else release.mark)) <= 0.0:
        return release
    return Due(wall, 0.0, wall) if side > 0 else Due(wall, wall, math.inf)


@compiled
def release_wall(position: Position, rules: MarginRules, limits: MarginLimits) -> float:
    """Return the mark from which, in the position's favour, the venue lets the smallest release out."""
    least = minimum_step(position.isolated_wallet, limits) * (1.0 + _NUDGE)
    return float(mark_at_removable(position, least, limits.removal_cushion_fraction, rules))


def _amount(view: MarginView, mark: float, policy_band: BandFunction, params: Any, payments: int) -> float:
    """Quote margin that reaching this rung would move; 0.0 where there is no rung."""
    if mark <= 0.0 or not math.isfinite(mark):
        return 0.0
    band = band_at(view, mark, policy_band, params, payments)
    return abs(target_wallet(at_mark(view, mark), band.target) - view.position.isolated_wallet)


def _with_trail(low: float, high: float, side: int, trail: float, best_mark: float) -> tuple[float, float]:
    """Bound the sleep by the mark at which the stop trails; already due wakes at every mark."""
    if trail <= 0.0:
        return low, high
    if side * (best_mark - trail) >= 0.0:
        return math.inf, 0.0
    return (low, min(high, trail)) if side > 0 else (max(low, trail), high)
