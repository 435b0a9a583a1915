"""The whole book at once: which wallets one margin budget asks for, and the moves that lead there.

Source: margin-science 3.8. The policy's band and the margin engine give each leg its room (bot/risk/room.py),
the allocator the split within it, the deadband and the least step what is worth moving. The kernel of the
backtest calls `placed_leg` and `book_split`; names and losses are for whoever is told.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.compiled import compiled
from bot.core.margin import maintenance_margin, notional
from bot.risk.allocator import (
    AllocationLeg,
    AllocationLegs,
    Column,
    are_legs_sound,
    cheapest_split,
    check_budget,
    check_legs,
    columns_of,
    is_payable,
    liquidation_probabilities,
    summed,
    wallet_leg,
)
from bot.risk.band import Band
from bot.risk.limits import AllocationLimits, MarginLimits
from bot.risk.permissions import Permissions
from bot.risk.rebalance import (
    MarginMove,
    Moves,
    Places,
    Wallets,
    are_wallets_sound,
    check_wallets,
    moves_between,
    named_moves,
    places_by_name,
)
from bot.risk.room import wallet_room
from bot.risk.view import MarginBook, MarginView
from bot.risk.wallet import minimum_step

_YEAR_DAYS = 365.0


class PlacedLeg(NamedTuple):
    """A position as a leg, the least move worth making (quote), and which way it may be moved now."""

    leg: AllocationLeg
    least_move_quote: float
    may_add: bool
    may_release: bool


class BookLeg(NamedTuple):
    """One position of the book: its wallet and the least move worth making (quote), and its leg.

    `may_add`, `may_release`: whether it may be moved up or down now; it has its share of the split anyhow.
    """

    symbol: str
    wallet_quote: float
    least_move_quote: float
    margin_step_quote: float
    leg: AllocationLeg
    may_add: bool = True
    may_release: bool = True


class BookRows(NamedTuple):
    """The same of every leg as columns, but for the legs themselves; `by_name`: their places by symbol."""

    wallet_quote: Column
    least_move_quote: Column
    margin_step_quote: Column
    may_add: NDArray[np.bool_]
    may_release: NDArray[np.bool_]
    by_name: Places


class BookMoney(NamedTuple):
    """`budget_quote`: what these legs may hold together. `free_quote`: free balance that adds may spend."""

    budget_quote: float
    free_quote: float


class BookSplit(NamedTuple):
    """The moves, and what the last unit of margin saves; no moves and `is_sound` False: there is no split."""

    is_sound: bool
    moves: Moves
    shadow_price: float


class BookPlan(NamedTuple):
    """`moves`: releases before adds. Losses are expected over the horizon, quote, for all legs together.

    `shadow_price`: what the last unit of margin saves there; it lies above the hurdle where money is short.
    `wallets_quote` now; `target_quote` after the moves.
    """

    moves: tuple[MarginMove, ...]
    wallets_quote: float
    target_quote: float
    loss_before_quote: float
    loss_after_quote: float
    shadow_price: float


def plan_book(legs: Sequence[BookLeg], money: BookMoney, limits: AllocationLimits) -> BookPlan:
    """Return the moves that bring the legs to the cheapest split of their budget.

    The wallets after all moves never sum to more than the budget, or than what they were if that is more:
    what is held already and may not be released is no reason to refuse. InvalidInput names the leg, field
    and value that admit no split: a number that is unusable, or a budget below floors that ask for adds.
    """
    names, columns, rows = [leg.symbol for leg in legs], columns_of([leg.leg for leg in legs]), _rows(legs)
    split = book_split(rows, columns, money, limits)
    if not split.is_sound:
        _refuse(names, rows, columns, money, limits)
    wallets, moves = rows.wallet_quote, named_moves(split.moves, names)
    after = _after(wallets, split.moves)
    return BookPlan(
        moves,
        summed(wallets),
        summed(after),
        summed(columns.liquidation_cost * liquidation_probabilities(columns, wallets)),
        summed(columns.liquidation_cost * liquidation_probabilities(columns, after)),
        split.shadow_price,
    )


@compiled
def placed_leg(
    view: MarginView,
    liquidation: float,
    band: Band,
    book: MarginBook,
    margin: MarginLimits,
    permissions: Permissions,
    limits: AllocationLimits,
) -> PlacedLeg:
    """Return a position with this liquidation price as a leg of the book; linear contracts only.

    `band` has the funding reserve in it.
    """
    room = wallet_room(view, liquidation, band, book, margin, permissions)
    maintenance = maintenance_margin(view.position, view.mark, view.rules)
    cost = maintenance + limits.liquidation_cost * notional(view.position, view.mark, view.rules)
    if view.stop_price > 0.0:
        cost *= margin.stop_failure_probability
    leg = wallet_leg(view, cost, limits.horizon_days, room.low, room.high, maintenance)
    least = minimum_step(view.position.isolated_wallet, margin)
    return PlacedLeg(leg, least, room.may_add, room.may_release)


@compiled
def book_split(rows: BookRows, legs: AllocationLegs, money: BookMoney, limits: AllocationLimits) -> BookSplit:
    """Return the moves to the cheapest split; see `plan_book`."""
    nowhere = np.zeros(0, np.int64)
    none = BookSplit(False, Moves(nowhere, np.zeros(0), nowhere, nowhere, 0), 0.0)
    if not are_legs_sound(legs):
        return none
    budget, hurdle = _budget(rows, legs, money), _hurdle(limits)
    if not is_payable(legs, budget, hurdle):
        return none
    split = cheapest_split(legs, budget, hurdle)
    wallets = _wallets(rows, legs, split.extra_margin)
    free = _free(rows, money)
    if not are_wallets_sound(wallets, free, limits.deadband):
        return none
    return BookSplit(True, moves_between(wallets, free, limits.deadband), split.shadow_price)


@compiled
def _budget(rows: BookRows, legs: AllocationLegs, money: BookMoney) -> float:
    """What is split: no more than there is, and what may not be released in any case."""
    kept = summed(np.minimum(legs.min_extra, rows.wallet_quote))
    return max(min(money.budget_quote, summed(rows.wallet_quote) + money.free_quote), kept)


@compiled
def _hurdle(limits: AllocationLimits) -> float:
    return limits.annual_hurdle / _YEAR_DAYS * limits.horizon_days


@compiled
def _free(rows: BookRows, money: BookMoney) -> float:
    return min(money.free_quote, money.budget_quote - summed(rows.wallet_quote))


@compiled
def _wallets(rows: BookRows, legs: AllocationLegs, wanted: Column) -> Wallets:
    """The wallets as they are and as wanted, those that may not be moved that way as they are."""
    held = rows.wallet_quote
    is_kept = ((wanted > held) & ~rows.may_add) | ((wanted < held) & ~rows.may_release)
    return Wallets(
        held,
        np.where(is_kept, held, wanted),
        rows.margin_step_quote,
        legs.max_extra,
        rows.least_move_quote,
        rows.by_name,
    )


def _rows(legs: Sequence[BookLeg]) -> BookRows:
    return BookRows(
        np.array([leg.wallet_quote for leg in legs], np.float64),
        np.array([leg.least_move_quote for leg in legs], np.float64),
        np.array([leg.margin_step_quote for leg in legs], np.float64),
        np.array([leg.may_add for leg in legs], np.bool_),
        np.array([leg.may_release for leg in legs], np.bool_),
        places_by_name([leg.symbol for leg in legs]),
    )


def _refuse(
    names: Sequence[str], rows: BookRows, legs: AllocationLegs, money: BookMoney, limits: AllocationLimits
) -> None:
    """Raise InvalidInput for the first number that admits no split."""
    check_legs(legs, names)
    budget, hurdle = _budget(rows, legs, money), _hurdle(limits)
    check_budget(legs, budget, hurdle)
    wallets = _wallets(rows, legs, cheapest_split(legs, budget, hurdle).extra_margin)
    check_wallets(wallets, names, _free(rows, money), limits.deadband)


def _after(wallets: Column, moves: Moves) -> Column:
    after, signs = wallets.copy(), np.where(np.arange(len(moves.leg)) < moves.releases, -1.0, 1.0)
    after[moves.leg] += signs * moves.amount_quote
    return after
