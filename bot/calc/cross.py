"""Cross margin of a whole account: every balance stands in for every position, until all are liquidated.

The account is liquidated when total equity is down to total maintenance margin. Along one direction of
shocks equity is a straight line and maintenance margin convex, so there is one such shock or none.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.calc.book import Leg, book_equity, book_maintenance, check_account, shocked
from bot.calc.inputs import check_finite

_FARTHEST: Final = 1e9


class CrossAccount(NamedTuple):
    """An account in cross margin at its marks. Money in quote, ratios as fractions (1 is liquidation)."""

    equity: float
    maintenance_margin: float
    margin_ratio: float
    effective_leverage: float


class CrossLiquidation(NamedTuple):
    """Where a shock ends the account: `scale` times each leg's direction, and the marks there.

    None for both when no shock in this direction does.
    """

    scale: float | None
    marks: tuple[float, ...] | None


def cross_account(legs: Sequence[Leg], free_quote: float) -> CrossAccount:
    """Return the account's cross-margin numbers; ValueError names a field that makes no account."""
    check_account(legs, free_quote)
    equity, maintenance = book_equity(legs, free_quote), book_maintenance(legs)
    value = sum(leg.position.quantity * leg.mark for leg in legs)
    if equity <= 0.0:
        return CrossAccount(equity, maintenance, math.inf, math.inf)
    return CrossAccount(equity, maintenance, maintenance / equity, value / equity)


def cross_liquidation(legs: Sequence[Leg], free_quote: float, direction: Sequence[float]) -> CrossLiquidation:
    """Return the smallest multiple of `direction` (one move per leg, fractions of its mark) that ends it.

    A direction of equal moves is a common shock; -1 each is a fall of everything. Tiers without maintenance
    amounts jump, and then the result is a crossing but maybe not the first. ValueError names a direction
    that is not one number per leg, or all zeros, and whatever makes no account.
    """
    _check_direction(legs, direction)
    check_account(legs, free_quote)
    falls = [-1.0 / move for move in direction if move < 0.0]
    farthest = min(falls) if falls else _FARTHEST
    if _excess(legs, free_quote, direction, 0.0) <= 0.0:
        return _at(legs, direction, 0.0)
    beyond = _first_beyond(legs, free_quote, direction, farthest)
    if beyond is None:
        return CrossLiquidation(None, None)
    return _at(legs, direction, _bisected(legs, free_quote, direction, beyond))


def _first_beyond(
    legs: Sequence[Leg], free_quote: float, direction: Sequence[float], farthest: float
) -> float | None:
    scale = min(1e-3 / max(abs(move) for move in direction), farthest)
    while _excess(legs, free_quote, direction, scale) > 0.0:
        if scale >= farthest:
            return None
        scale = min(2.0 * scale, farthest)
    return scale


def _bisected(legs: Sequence[Leg], free_quote: float, direction: Sequence[float], beyond: float) -> float:
    low, high = 0.0, beyond
    middle = 0.5 * beyond
    while low < middle < high:
        if _excess(legs, free_quote, direction, middle) > 0.0:
            low = middle
        else:
            high = middle
        middle = 0.5 * (low + high)
    return high


def _excess(legs: Sequence[Leg], free_quote: float, direction: Sequence[float], scale: float) -> float:
    moved = shocked(legs, direction, scale)
    return book_equity(moved, free_quote) - book_maintenance(moved)


def _at(legs: Sequence[Leg], direction: Sequence[float], scale: float) -> CrossLiquidation:
    return CrossLiquidation(scale, tuple(leg.mark for leg in shocked(legs, direction, scale)))


def _check_direction(legs: Sequence[Leg], direction: Sequence[float]) -> None:
    if len(direction) != len(legs):
        raise ValueError(f"direction has {len(direction)} moves; it must have one per leg, {len(legs)}")
    for index, move in enumerate(direction):
        check_finite(f"direction[{index}]", move)
    if not any(direction):
        raise ValueError("direction is all zeros; at least one leg must move")
