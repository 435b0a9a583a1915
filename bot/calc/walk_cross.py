"""A book in cross margin walked along a path: all balances stand for all legs until the account is gone."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.calc.book import Leg, account_quote, book_equity, book_maintenance


class Step(NamedTuple):
    """One instant of a path: ms after now, hours since the step before, and a mark per leg."""

    ts_ms: int
    hours: float
    marks: list[float]


class CrossWalk(NamedTuple):
    """What cross margin leaves, in the order of a PathOutcome without its name."""

    pnl: float
    left: float
    liquidated: tuple[str, ...]
    stopped: tuple[str, ...]
    adds: int
    releases: int
    added: float
    released: float
    least_distance: None
    margin_hours: float


def walked_cross(
    legs: Sequence[Leg], stops: Sequence[float], free_quote: float, steps: Sequence[Step]
) -> CrossWalk:
    """Return the account after all steps; a stop (0.0: none) closes its leg, margin is never moved."""
    held, free, before = list(legs), free_quote, book_equity(legs, free_quote)
    stopped: list[str] = []
    locked = 0.0
    for step in steps:
        held = [leg._replace(mark=mark) for leg, mark in zip(held, step.marks, strict=True)]
        if book_equity(held, free) <= book_maintenance(held):
            gone = tuple(leg.position.symbol for leg in held if leg.position.quantity > 0.0)
            return _ended(-before, 0.0, gone, stopped, locked)
        for index, (leg, stop) in enumerate(zip(held, stops, strict=True)):
            if _is_stopped(leg, stop):
                free += _stopped_pnl(leg, stop)
                held[index] = leg._replace(position=leg.position._replace(quantity=0.0))
                stopped.append(leg.position.symbol)
        locked += account_quote(held, free) * step.hours
    left = book_equity(held, free)
    return _ended(left - before, left, (), stopped, locked)


def _ended(pnl: float, left: float, gone: tuple[str, ...], stopped: list[str], locked: float) -> CrossWalk:
    return CrossWalk(pnl, left, gone, tuple(stopped), 0, 0, 0.0, 0.0, None, locked)


def _is_stopped(leg: Leg, stop: float) -> bool:
    return leg.position.quantity > 0.0 and stop > 0.0 and leg.position.side * (leg.mark - stop) <= 0.0


def _stopped_pnl(leg: Leg, stop: float) -> float:
    side = leg.position.side
    fill = min(stop * side, leg.mark * side) * side
    return side * leg.position.quantity * (fill - leg.position.entry_price)
