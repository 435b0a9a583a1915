"""A book walked along a path of marks, step by step, once for every way of holding its margin.

Order within a step: the exchange's switch, the stop that rests at the venue, liquidation, then the policy.
No fees and no funding, and no orders but the stop and a policy's own volatility cut. What a policy knows of
the market (volatility, trend, regime) stays as it is now. The de-risk ladder is not walked: how often a
policy would have consulted it is counted.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.calc.account import Account, HeldLeg
from bot.calc.book import Leg, check_isolated
from bot.calc.inputs import check_not_negative, check_positive
from bot.calc.walk_cross import Step, walked_cross
from bot.calc.whatif import CROSS, EXCHANGE_AUTO_ADD, ISOLATED
from bot.core.margin import liquidation_price
from bot.core.timeframe import HOUR_MS, MINUTE_MS
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from bot.risk.view import MarginBook, MarginView

Column = NDArray[np.float64]
Act = Callable[[Account, HeldLeg], None]
Watch = Callable[[Account], None]


class PathLeg(NamedTuple):
    """A position as it is now, and its marks to come: one per step, the first after now.

    Steps of 0.0: the venue has none. `book`: what was done to its margin so far; None: just opened.
    """

    view: MarginView
    marks: Column
    margin_step: float
    quantity_step: float = 0.0
    book: MarginBook | None = None


class PathOutcome(NamedTuple):
    """One way of holding the book along the path; money in quote, distances as fractions of price.

    `pnl` is against the account now (marked), `left` what it holds at the end. `margin_hours` is what was
    locked in wallets, in cross the whole account, times hours. `least_distance` is the nearest any
    isolated leg came to its liquidation price; None in cross margin. `cuts`: how often a policy closed a
    part in high volatility. `derisk_asks`: steps at which it would have consulted the de-risk ladder, which
    is not walked here.
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
    cuts: int = 0
    derisk_asks: int = 0


class LegTrace(NamedTuple):
    """One leg along the path, a value per step: NaN after its end. Prices in quote per base."""

    symbol: str
    marks: Column
    liquidation: Column
    wallet: Column


def straight_path(mark: float, shock: float, minutes: int) -> Column:
    """Return marks that walk evenly from `mark` to mark * (1 + shock); ValueError names a bad number."""
    check_positive("mark", mark)
    check_positive("1 + shock", 1.0 + shock)
    check_positive("minutes", minutes)
    return mark * (1.0 + shock * np.arange(1, minutes + 1) / minutes)


def what_if_path(
    paths: Sequence[PathLeg],
    free_quote: float,
    policies: Mapping[str, Any],
    limits: MarginLimits,
    times_ms: Column | None = None,
) -> tuple[PathOutcome, ...]:
    """Return isolated, cross, the exchange's switch, then every policy (name to params; None: its defaults).

    `times_ms`: when each mark is, in ms after now, ascending; None: a minute apart. A policy named like the
    switch is left out: the switch itself acts at the very touch. ValueError names an unknown policy, a path
    that is empty or of another length or holds no price, and what makes no account.
    """
    _check(paths, free_quote, policies, times_ms)
    steps = _steps(paths, times_ms)
    acts = {name: _policy(name, params, limits) for name, params in policies.items()}
    acts.pop(EXCHANGE_AUTO_ADD, None)
    return (
        _walked(ISOLATED, paths, free_quote, steps, _nothing, _nothing),
        PathOutcome(CROSS, *walked_cross([_leg(path) for path in paths], _stops(paths), free_quote, steps)),
        _walked(EXCHANGE_AUTO_ADD, paths, free_quote, steps, Account.rescue, _nothing),
        *(_walked(name, paths, free_quote, steps, _nothing, act) for name, act in acts.items()),
    )


def path_traces(
    paths: Sequence[PathLeg],
    free_quote: float,
    way: str,
    params: Any,
    limits: MarginLimits,
    times_ms: Column | None = None,
) -> tuple[LegTrace, ...]:
    """Return where each leg's liquidation price and wallet are along the path, held the way `way`.

    `way`: "isolated", "exchange_auto_add" or a policy (with its params; None: its defaults). Raises as
    what_if_path does.
    """
    is_policy = way not in (ISOLATED, EXCHANGE_AUTO_ADD)
    _check(paths, free_quote, {way: params} if is_policy else {}, times_ms)
    rescue = Account.rescue if way == EXCHANGE_AUTO_ADD else _nothing
    act = _policy(way, params, limits) if is_policy else _nothing
    seen: list[list[tuple[float, float]]] = []

    def watch(account: Account) -> None:
        seen.append([_seen(leg) for leg in account.legs])

    _walked(way, paths, free_quote, _steps(paths, times_ms), rescue, act, watch)
    columns = np.array(seen, dtype=np.float64)
    return tuple(
        LegTrace(path.view.position.symbol, path.marks, columns[:, index, 0], columns[:, index, 1])
        for index, path in enumerate(paths)
    )


def _walked(
    way: str,
    paths: Sequence[PathLeg],
    free_quote: float,
    steps: Sequence[Step],
    rescue: Act,
    act: Act,
    watch: Watch | None = None,
) -> PathOutcome:
    legs = [_held(path) for path in paths]
    account = Account(free_quote, legs)
    before, start_ms = account.left(), max(path.view.ts_ms for path in paths)
    for step in steps:
        for leg, mark in zip(legs, step.marks, strict=True):
            if leg.is_open:
                _step(account, leg, mark, start_ms + step.ts_ms, rescue, act)
        account.measure(step.hours)
        if watch is not None:
            watch(account)
    return _outcome(way, account, before)


def _held(path: PathLeg) -> HeldLeg:
    """The leg as it starts: with its history where that is known, else as just opened."""
    if path.book is None:
        wallet = path.view.position.isolated_wallet
        return HeldLeg(path.view, path.margin_step, wallet, quantity_step=path.quantity_step)
    return HeldLeg(
        path.view,
        path.margin_step,
        path.book.initial_wallet_quote,
        adds_before=path.book.adds,
        added_before=path.book.added_quote,
        released_before=path.book.released_quote,
        last_add_ms=path.book.last_add_ms,
        last_release_ms=path.book.last_release_ms,
        agreed_loss=path.book.agreed_loss_quote,
        quantity_step=path.quantity_step,
    )


def _seen(leg: HeldLeg) -> tuple[float, float]:
    if not leg.is_open:
        return math.nan, math.nan
    return float(liquidation_price(leg.view.position, leg.view.rules)), leg.wallet


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
        account.margin_hours,
        sum(leg.cuts for leg in account.legs),
        sum(leg.derisk_asks for leg in account.legs),
    )


def _leg(path: PathLeg) -> Leg:
    return Leg(path.view.position, path.view.mark, path.view.rules)


def _stops(paths: Sequence[PathLeg]) -> list[float]:
    return [path.view.stop_price for path in paths]


def _steps(paths: Sequence[PathLeg], times_ms: Column | None) -> list[Step]:
    """The marks of all legs, step by step, as plain floats (numpy scalars are slower in formulas)."""
    return list(_timed(np.column_stack([path.marks for path in paths]).tolist(), times_ms))


def _timed(rows: list[list[float]], times_ms: Column | None) -> Iterator[Step]:
    times = [MINUTE_MS * number for number in range(1, len(rows) + 1)] if times_ms is None else times_ms
    before = 0.0
    for ts_ms, marks in zip(times, rows, strict=True):
        yield Step(int(ts_ms), (float(ts_ms) - before) / HOUR_MS, marks)
        before = float(ts_ms)


def _check(
    paths: Sequence[PathLeg], free_quote: float, policies: Mapping[str, Any], times_ms: Column | None
) -> None:
    check_isolated([_leg(path) for path in paths], free_quote)
    for path in paths:
        _check_path(path, len(paths[0].marks))
    if times_ms is not None and (
        len(times_ms) != len(paths[0].marks) or not np.all(np.diff(times_ms, prepend=0.0) > 0.0)
    ):
        raise ValueError(f"times_ms has {len(times_ms)} values; it needs one per mark, rising from above 0")
    for name in policies:
        if name not in POLICIES:
            raise ValueError(f"policies has {name!r}; known are {', '.join(POLICIES)}")


def _check_path(path: PathLeg, count: int) -> None:
    symbol = path.view.position.symbol
    check_not_negative(f"{symbol}.margin_step", path.margin_step)
    check_not_negative(f"{symbol}.quantity_step", path.quantity_step)
    check_positive(f"{symbol}.sigma_day", path.view.sigma_day)
    if not len(path.marks) or len(path.marks) != count:
        raise ValueError(f"{symbol}.marks has {len(path.marks)} steps; all legs need as many, at least 1")
    for index in np.flatnonzero(~(np.isfinite(path.marks) & (path.marks > 0.0)))[:1]:
        check_positive(f"{symbol}.marks[{index}]", float(path.marks[index]))
