"""A book walked along a path of marks, minute by minute, once for every way of holding its margin.

Order within a step: the exchange's switch, the stop that rests at the venue, liquidation, then the policy.
No fees and no funding, and no orders but the stop: the ways differ by margin alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.calc.account import Account, HeldLeg
from bot.calc.book import Leg, account_quote, book_equity, book_maintenance, check_isolated
from bot.calc.inputs import check_not_negative, check_positive
from bot.calc.whatif import CROSS, EXCHANGE_AUTO_ADD, ISOLATED
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from bot.risk.view import MarginView

Column = NDArray[np.float64]
Act = Callable[[Account, HeldLeg], None]

MINUTE_MS: Final = 60_000
_MINUTES_PER_HOUR: Final = 60.0


class PathLeg(NamedTuple):
    """A position as it is now, and its marks to come: one a minute, the first after now.

    `margin_step` 0.0: the venue has none.
    """

    view: MarginView
    marks: Column
    margin_step: float


class PathOutcome(NamedTuple):
    """One way of holding the book along the path; money in quote, distances as fractions of price.

    `pnl` is against the account now (marked), `left` what it holds at the end. `margin_hours` is what was
    locked in wallets, in cross the whole account, times hours. `least_distance` is the nearest any
    isolated leg came to its liquidation price; None in cross margin.
    """

    way: str
    pnl: float
    left: float
    liquidated: tuple[str, ...]
    stopped: tuple[str, ...]
    adds: int
    releases: int
    added: float
    released: float
    least_distance: float | None
    margin_hours: float


def straight_path(mark: float, shock: float, minutes: int) -> Column:
    """Return marks that walk evenly from `mark` to mark * (1 + shock); ValueError names a bad number."""
    check_positive("mark", mark)
    check_positive("1 + shock", 1.0 + shock)
    check_positive("minutes", minutes)
    return mark * (1.0 + shock * np.arange(1, minutes + 1) / minutes)


def what_if_path(
    paths: Sequence[PathLeg], free_quote: float, policies: Mapping[str, Any], limits: MarginLimits
) -> tuple[PathOutcome, ...]:
    """Return isolated, cross, the exchange's switch, then every policy (name to params; None: its defaults).

    A policy named like the switch is left out: the switch itself acts at the very touch. ValueError names
    an unknown policy, a path that is empty or of another length or holds no price, and what makes no
    account.
    """
    _check(paths, free_quote, policies)
    acts = {name: _policy(name, params, limits) for name, params in policies.items()}
    acts.pop(EXCHANGE_AUTO_ADD, None)
    return (
        _walked(ISOLATED, paths, free_quote, _nothing, _nothing),
        _walked_cross(paths, free_quote),
        _walked(EXCHANGE_AUTO_ADD, paths, free_quote, Account.rescue, _nothing),
        *(_walked(name, paths, free_quote, _nothing, act) for name, act in acts.items()),
    )


def _walked(way: str, paths: Sequence[PathLeg], free_quote: float, rescue: Act, act: Act) -> PathOutcome:
    wallets = [path.view.position.isolated_wallet for path in paths]
    legs = [HeldLeg(path.view, path.margin_step, wallet) for path, wallet in zip(paths, wallets, strict=True)]
    account = Account(free_quote, legs)
    before, start_ms = account.left(), max(path.view.ts_ms for path in paths)
    for minute, marks in enumerate(_minutes(paths), start=1):
        for leg, mark in zip(legs, marks, strict=True):
            if leg.is_open:
                _step(account, leg, mark, start_ms + minute * MINUTE_MS, rescue, act)
        account.measure()
    return _outcome(way, account, before)


def _step(account: Account, leg: HeldLeg, mark: float, ts_ms: int, rescue: Act, act: Act) -> None:
    account.advance(leg, mark, ts_ms)
    rescue(account, leg)
    account.settle(leg)
    if leg.is_open:
        act(account, leg)


def _nothing(_account: Account, _leg: HeldLeg) -> None:
    """Leave the margin as it is."""


def _policy(name: str, params: Any, limits: MarginLimits) -> Act:
    chosen = POLICIES[name].default if params is None else params
    manager = RiskManager(name, chosen, limits, EntryLimits(), BracketLimits())

    def act(account: Account, leg: HeldLeg) -> None:
        account.obey(leg, manager.decide_margin(leg.view, account.book(leg, limits)))

    return act


def _outcome(way: str, account: Account, before: float) -> PathOutcome:
    left = account.left()
    return PathOutcome(
        way,
        left - before,
        left,
        tuple(account.liquidated),
        tuple(account.stopped),
        sum(leg.adds for leg in account.legs),
        sum(leg.releases for leg in account.legs),
        sum(leg.added for leg in account.legs),
        sum(leg.released for leg in account.legs),
        account.least_distance,
        account.margin_steps / _MINUTES_PER_HOUR,
    )


def _walked_cross(paths: Sequence[PathLeg], free_quote: float) -> PathOutcome:
    """All balances stand for all legs: no stop differs in effect until the account itself is gone."""
    legs = [Leg(path.view.position, path.view.mark, path.view.rules) for path in paths]
    stops = [path.view.stop_price for path in paths]
    free, before = free_quote, book_equity(legs, free_quote)
    stopped: list[str] = []
    locked = 0.0
    for marks in _minutes(paths):
        legs = [leg._replace(mark=mark) for leg, mark in zip(legs, marks, strict=True)]
        if book_equity(legs, free) <= book_maintenance(legs):
            gone = tuple(leg.position.symbol for leg in legs if leg.position.quantity > 0.0)
            return PathOutcome(
                CROSS, -before, 0.0, gone, tuple(stopped), 0, 0, 0.0, 0.0, None, locked / _MINUTES_PER_HOUR
            )
        for index, (leg, stop) in enumerate(zip(legs, stops, strict=True)):
            if _is_stopped(leg, stop):
                free += _stopped_pnl(leg, stop)
                legs[index] = leg._replace(position=leg.position._replace(quantity=0.0))
                stopped.append(leg.position.symbol)
        locked += account_quote(legs, free)
    left = book_equity(legs, free)
    return PathOutcome(
        CROSS, left - before, left, (), tuple(stopped), 0, 0, 0.0, 0.0, None, locked / _MINUTES_PER_HOUR
    )


def _is_stopped(leg: Leg, stop: float) -> bool:
    return leg.position.quantity > 0.0 and stop > 0.0 and leg.position.side * (leg.mark - stop) <= 0.0


def _stopped_pnl(leg: Leg, stop: float) -> float:
    side = leg.position.side
    fill = min(stop * side, leg.mark * side) * side
    return side * leg.position.quantity * (fill - leg.position.entry_price)


def _minutes(paths: Sequence[PathLeg]) -> list[list[float]]:
    """The marks of all legs, minute by minute, as plain floats (numpy scalars are slower in formulas)."""
    return np.column_stack([path.marks for path in paths]).tolist()


def _check(paths: Sequence[PathLeg], free_quote: float, policies: Mapping[str, Any]) -> None:
    check_isolated([Leg(path.view.position, path.view.mark, path.view.rules) for path in paths], free_quote)
    for path in paths:
        symbol = path.view.position.symbol
        check_not_negative(f"{symbol}.margin_step", path.margin_step)
        check_positive(f"{symbol}.sigma_day", path.view.sigma_day)
        if not len(path.marks) or len(path.marks) != len(paths[0].marks):
            raise ValueError(
                f"{symbol}.marks has {len(path.marks)} minutes; all legs need as many, at least 1"
            )
        for index in np.flatnonzero(~(np.isfinite(path.marks) & (path.marks > 0.0)))[:1]:
            check_positive(f"{symbol}.marks[{index}]", float(path.marks[index]))
    for name in policies:
        if name not in POLICIES:
            raise ValueError(f"policies has {name!r}; known are {', '.join(POLICIES)}")
