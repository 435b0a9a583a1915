"""From wallets as they are to wallets as they should be: the moves in order, and what a failure stops.

Source: margin-science 3.8. Releases come first, because they pay for the adds; a leg within the deadband
of its target is left alone.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from bot.core.steps import step_down, step_up
from bot.risk.inputs import InvalidInput

DEADBAND: Final = 0.10


class WalletTarget(NamedTuple):
    """One leg's isolated wallet now and as wanted, quote; `margin_step_quote` 0.0: the venue has none.

    `most_quote`: no add makes the wallet larger, not even by rounding up. Smaller moves than
    `least_move_quote` are not made.
    """

    symbol: str
    wallet_quote: float
    target_quote: float
    margin_step_quote: float
    most_quote: float = math.inf
    least_move_quote: float = 0.0


class MarginMove(NamedTuple):
    """One call to the venue. `kind`: "release" or "add"; `amount_quote` > 0 on the venue's step.

    `paid_by` names the releases whose money an add spends; an add out of free balance names none.
    """

    symbol: str
    kind: str
    amount_quote: float
    paid_by: tuple[str, ...]


def rebalance_plan(
    wallets: Sequence[WalletTarget], free_quote: float, deadband: float = DEADBAND
) -> tuple[MarginMove, ...]:
    """Return the moves to the targets, releases before adds, each kind largest first.

    A leg moves only when it is more than `deadband` (fraction of its target) away from it. Adds round up,
    releases down, and the adds never need more than `free_quote` and the releases together: the last
    ones get less or nothing. `free_quote` below 0 is what the wallets hold beyond their budget: releases
    make it good before they pay for adds. InvalidInput names a number that is negative or not finite.
    """
    _check(wallets, free_quote, deadband)
    moving = [leg for leg in wallets if abs(_gap(leg)) > deadband * leg.target_quote]
    moving.sort(key=lambda leg: (-abs(_gap(leg)), leg.symbol))
    releases = tuple(_releases(moving))
    return (*releases, *_adds(moving, free_quote, releases))


def moves_after_failure(moves: Sequence[MarginMove], failed: str) -> tuple[MarginMove, ...]:
    """Return the moves still to be made after the release of `failed` did not happen.

    Its adds are dropped whole: half an add is no target, and the next plan starts from what is true then.
    """
    return tuple(move for move in moves if failed not in move.paid_by and move.symbol != failed)


def _releases(moving: Sequence[WalletTarget]) -> Iterator[MarginMove]:
    for leg in moving:
        amount = step_down(max(-_gap(leg), 0.0), leg.margin_step_quote)
        if amount > 0.0 and amount >= leg.least_move_quote:
            yield MarginMove(leg.symbol, "release", amount, ())


def _adds(
    moving: Sequence[WalletTarget], free_quote: float, releases: Sequence[MarginMove]
) -> Iterator[MarginMove]:
    """Free balance is spent first: a failed release then stops as few adds as possible."""
    funds = deque([("", max(free_quote, 0.0)), *((move.symbol, move.amount_quote) for move in releases)])
    _spend(funds, max(-free_quote, 0.0))
    available = math.fsum(left for _, left in funds)
    for leg in moving:
        if _gap(leg) <= 0.0:
            continue
        step, room = leg.margin_step_quote, leg.most_quote - leg.wallet_quote
        wanted = step_up(_gap(leg), step)
        if wanted > room:
            wanted = step_down(max(room, 0.0), step)
        amount = min(wanted, step_down(max(available, 0.0), step))
        if amount > 0.0 and amount >= leg.least_move_quote:
            available -= amount
            yield MarginMove(leg.symbol, "add", amount, _spend(funds, amount))


def _spend(funds: deque[tuple[str, float]], amount: float) -> tuple[str, ...]:
    """Take `amount` out of the funds in order; return the releases that paid."""
    paid_by = []
    while funds and amount > 0.0:
        name, held = funds.popleft()
        part = min(held, amount)
        amount -= part
        if part > 0.0 and name:
            paid_by.append(name)
        if held > part:
            funds.appendleft((name, held - part))
    return tuple(paid_by)


def _gap(leg: WalletTarget) -> float:
    return leg.target_quote - leg.wallet_quote


def _check(wallets: Sequence[WalletTarget], free_quote: float, deadband: float) -> None:
    if not math.isfinite(free_quote):
        raise InvalidInput("free_quote", free_quote, "finite")
    named = [("deadband", deadband)]
    for leg in wallets:
        named += [(f"{leg.symbol}.{name}", getattr(leg, name)) for name in leg._fields[1:4]]
    for name, value in named:
        if not 0.0 <= value < math.inf:
            raise InvalidInput(name, value, "finite and not negative")
