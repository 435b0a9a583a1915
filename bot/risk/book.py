"""The whole book at once: which wallets one margin budget asks for, and the moves that lead there.

Source: margin-science 3.8. The policy's band and the margin engine give each leg its room (bot/risk/room.py),
the allocator the split within it, the deadband and the least step what is worth moving.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bot.risk.allocator import AllocationLeg, allocate, legs_from_rows, liquidation_probabilities
from bot.risk.limits import AllocationLimits
from bot.risk.rebalance import MarginMove, WalletTarget, rebalance_plan

_YEAR_DAYS = 365.0


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


class BookMoney(NamedTuple):
    """`budget_quote`: what these legs may hold together. `free_quote`: free balance that adds may spend."""

    budget_quote: float
    free_quote: float


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
    columns = legs_from_rows([leg.leg for leg in legs], [leg.symbol for leg in legs])
    wallets = np.array([leg.wallet_quote for leg in legs], dtype=np.float64)
    held = float(np.sum(wallets))
    hurdle = limits.annual_hurdle / _YEAR_DAYS * limits.horizon_days
    kept = float(np.sum(np.minimum(columns.min_extra, wallets)))
    budget = max(min(money.budget_quote, held + money.free_quote), kept)
    split = allocate(columns, budget, hurdle)
    targets = [_target(leg, wanted) for leg, wanted in zip(legs, split.extra_margin.tolist(), strict=True)]
    free = min(money.free_quote, money.budget_quote - held)
    moves = rebalance_plan(targets, free, limits.deadband)
    after = _after(legs, wallets, moves)
    return BookPlan(
        moves,
        held,
        float(np.sum(after)),
        float(np.sum(columns.liquidation_cost * liquidation_probabilities(columns, wallets))),
        float(np.sum(columns.liquidation_cost * liquidation_probabilities(columns, after))),
        split.shadow_price,
    )


def _target(leg: BookLeg, wanted: float) -> WalletTarget:
    if (wanted > leg.wallet_quote and not leg.may_add) or (wanted < leg.wallet_quote and not leg.may_release):
        wanted = leg.wallet_quote
    most = leg.leg.max_extra
    return WalletTarget(
        leg.symbol, leg.wallet_quote, wanted, leg.margin_step_quote, most, leg.least_move_quote
    )


def _after(legs: Sequence[BookLeg], wallets: np.ndarray, moves: Sequence[MarginMove]) -> np.ndarray:
    after = wallets.copy()
    row = {leg.symbol: index for index, leg in enumerate(legs)}
    for move in moves:
        after[row[move.symbol]] += move.amount_quote if move.kind == "add" else -move.amount_quote
    return after
