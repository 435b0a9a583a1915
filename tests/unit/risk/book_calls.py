"""With what each compiled function of the split of one budget is called; plain Python says just the same."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bot.core.margin import maintenance_margin
from bot.risk import allocator, book, rebalance
from bot.risk.band import Band
from bot.risk.limits import AllocationLimits, MarginLimits
from bot.risk.permissions import UNRESTRICTED, Permissions
from tests.property.risk.worlds import book_of, position_of, view_of

LIMITS = AllocationLimits(budget_fraction=0.5, annual_hurdle=0.001)
MARGIN, BAND = MarginLimits(), Band(0.10, 0.13, 0.19)
VIEWS = (
    view_of(position_of(wallet=400.0), mark=59_000.0),
    view_of(position_of(side=-1, wallet=900.0), mark=59_000.0, stop=62_000.0),
)
SIZES = (0, 1, 2, 3, 7, 8, 20, 150)


def legs_of(size: int) -> allocator.AllocationLegs:
    draw = np.random.default_rng(size)
    value = draw.uniform(500.0, 50_000.0, size)
    low = value * draw.uniform(0.0, 0.02, size)
    cost = value * draw.uniform(0.005, 0.02, size) * (draw.random(size) < 0.9)
    return allocator.AllocationLegs(
        draw.choice([-1.0, 1.0], size),
        value,
        draw.uniform(0.004, 0.02, size),
        draw.uniform(0.01, 0.08, size),
        cost,
        value * draw.uniform(0.0, 0.02, size),
        low,
        np.where(draw.random(size) < 0.2, math.inf, low + value * draw.uniform(0.02, 0.6, size)),
    )


def rows_of(size: int) -> book.BookRows:
    draw = np.random.default_rng(size)
    legs = legs_of(size)
    return book.BookRows(
        legs.min_extra + legs.notional * draw.uniform(0.0, 0.1, size),
        draw.choice([0.0, 10.0], size),
        draw.choice([0.0, 1e-8, 0.01], size),
        draw.random(size) < 0.8,
        draw.random(size) < 0.8,
        draw.permutation(size),
    )


def wallets_of(size: int) -> rebalance.Wallets:
    rows, draw = rows_of(size), np.random.default_rng(size)
    wanted = rows.wallet_quote * draw.uniform(0.5, 1.5, size)
    most = wanted * draw.choice([0.9, 1.1], size)
    return rebalance.Wallets(
        rows.wallet_quote, wanted, rows.margin_step_quote, most, rows.least_move_quote, rows.by_name
    )


def budget_of(size: int, share: float) -> float:
    legs = legs_of(size)
    return allocator.summed(legs.min_extra) + share * allocator.summed(legs.notional)


LEGS, ROWS, WALLETS = tuple(map(legs_of, SIZES)), tuple(map(rows_of, SIZES)), tuple(map(wallets_of, SIZES))
BUDGETS = [
    (legs, budget_of(size, share)) for legs, size in zip(LEGS, SIZES, strict=True) for share in (0.02, 0.4)
]
CURVES = [allocator._curve(legs) for legs in LEGS]
CLOSED = [(allocator._curve(legs), budget) for legs, budget in BUDGETS]
BOUND = [(curve, budget) for curve, budget in CLOSED if allocator._margins_sum(curve, 1e9) > budget]
BROKEN = LEGS[2]._replace(side=np.zeros(2)), LEGS[2]._replace(max_extra=np.full(2, math.nan))
MONEY = (book.BookMoney(5e5, 0.0), book.BookMoney(1e4, 2e3), book.BookMoney(math.nan, 1.0))
BOOKS = [(rows, legs, money) for rows, legs in zip(ROWS, LEGS, strict=True) for money in MONEY]


def half_sent(wallets: rebalance.Wallets, releases: int) -> rebalance.Moves:
    """Moves of which the releases are known, and room for the adds."""
    size = len(wallets.wallet_quote)
    whole = np.arange(size, dtype=np.int64)
    return rebalance.Moves(whole.copy(), np.full(size, 3.0), whole.copy(), whole.copy(), releases)


BOOK_CALLS: dict[Callable[..., Any], list[tuple[Any, ...]]] = {
    allocator.wallet_leg: [
        (view, 45.0, 1.0, lowest, 5_000.0, maintenance_margin(view.position, view.mark, view.rules))
        for view in VIEWS
        for lowest in (0.0, 400.0)
    ],
    allocator._rate_at: [(value, VIEWS[0].rules) for value in (500.0, 5e5)],
    allocator.cheapest_split: [
        (legs, budget, hurdle) for legs, budget in BUDGETS for hurdle in (0.0, 1e-5, 0.1)
    ],
    allocator.summed: [(legs.notional,) for legs in LEGS],
    allocator.liquidation_probabilities: [(legs, legs.min_extra) for legs in LEGS],
    allocator.are_legs_sound: [(legs,) for legs in (*LEGS, *BROKEN)],
    allocator.soundness: [(legs,) for legs in (*LEGS, *BROKEN)],
    allocator._is_positive: [(legs.max_extra,) for legs in (*LEGS, *BROKEN)],
    allocator.is_payable: [
        (LEGS[3], budget, hurdle) for budget in (0.0, 1e6, math.nan) for hurdle in (0.0, -1.0)
    ],
    allocator._distance: [(legs, legs.min_extra) for legs in LEGS],
    allocator._margin_per_distance: [(legs,) for legs in LEGS],
    allocator._curve: [(legs,) for legs in LEGS],
    allocator._raised: [(legs.notional, 0.4) for legs in LEGS],
    allocator._margins: [(curve, level) for curve in CURVES for level in (30.0, math.inf)],
    allocator._margins_sum: [(curve, 30.0) for curve in CURVES],
    allocator._breakpoints: [(curve,) for curve in CURVES],
    allocator._level_for: BOUND,
    allocator._level_above: [(curve, budget, 1e-3) for curve, budget in BOUND],
    allocator._solved: [(curve, budget, 1e-9, 1e9) for curve, budget in BOUND],
    allocator._slope: [(curve, low, 60.0) for curve in CURVES for low in (1e-9, 30.0)],
    book.placed_leg: [
        (view, view.mark - view.position.side * away, BAND, held, MARGIN, allowed, LIMITS)
        for view in VIEWS
        for away in (900.0, 5_000.0)
        for held in (book_of(), book_of()._replace(adds=6))
        for allowed in (UNRESTRICTED, Permissions(False, False, 0.5, 0.2, True))
    ],
    book.book_split: [(*each, LIMITS) for each in BOOKS]
    + [(ROWS[2], legs, MONEY[1], LIMITS) for legs in BROKEN]
    + [(ROWS[2]._replace(wallet_quote=np.array([-1.0, 50.0])), LEGS[2], MONEY[0], LIMITS)],
    book._budget: BOOKS,
    book._hurdle: [(LIMITS,)],
    book._free: [(rows, money) for rows, _, money in BOOKS],
    book._wallets: [(rows, legs, 1.1 * rows.wallet_quote) for rows, legs, _ in BOOKS],
    rebalance.moves_between: [
        (wallets, free, 0.05) for wallets in WALLETS for free in (-400.0, 0.0, 5_000.0)
    ],
    rebalance._no_payers: [(3,)],
    rebalance._add: [
        (
            wallets,
            wallets.target_quote - wallets.wallet_quote,
            wallets.by_name,
            50.0,
            half_sent(wallets, 2),
            2,
        )
        for wallets in WALLETS[3:]
    ],
    rebalance._spend: [
        (np.array([5.0, 2.0, 3.0]), fund, amount) for fund in (0, 1, 3) for amount in (0.0, 4.0, 5.0, 99.0)
    ],
    rebalance._left: [(np.array([1e16, 1.0, 1.0]), fund) for fund in (0, 1, 3)],
    rebalance.are_wallets_sound: [
        (wallets, free, band) for wallets in WALLETS for free in (1.0, math.nan) for band in (0.1, -1.0)
    ],
}
