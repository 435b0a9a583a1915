"""From wallets as they are to wallets as they should be: the moves in order, and what a failure stops.

Source: margin-science 3.8. Releases come first, because they pay for the adds; a leg within the deadband
of its target is left alone.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.compiled import compiled
from bot.core.steps import step_down, step_up
from bot.risk.inputs import InvalidInput

Column = NDArray[np.float64]
Places = NDArray[np.int64]

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


class Wallets(NamedTuple):
    """The same as columns of equal length; `by_name`: the places of the legs ordered by their symbols."""

    wallet_quote: Column
    target_quote: Column
    margin_step_quote: Column
    most_quote: Column
    least_move_quote: Column
    by_name: Places


class Moves(NamedTuple):
    """The moves in order, the first `releases` of them releases: which leg, and by how much (above 0).

    An add is paid by the releases from `payer` up to, without it, `payer_end`, as they are numbered here.
    """

    leg: Places
    amount_quote: Column
    payer: Places
    payer_end: Places
    releases: int


def rebalance_plan(
    wallets: Sequence[WalletTarget], free_quote: float, deadband: float = DEADBAND
) -> tuple[MarginMove, ...]:
    """Return the moves to the targets, releases before adds, each kind largest first.

    A leg moves only when it is more than `deadband` (fraction of its target) away from it. Adds round up,
    releases down, and the adds never need more than `free_quote` and the releases together: the last
    ones get less or nothing. `free_quote` below 0 is what the wallets hold beyond their budget: releases
    make it good before they pay for adds. InvalidInput names a number that is negative or not finite.
    """
    names = [leg.symbol for leg in wallets]
    held, wanted, steps, most, least = (
        np.array([leg[field] for leg in wallets], np.float64) for field in range(1, len(WalletTarget._fields))
    )
    legs = Wallets(held, wanted, steps, most, least, places_by_name(names))
    check_wallets(legs, names, free_quote, deadband)
    return named_moves(moves_between(legs, free_quote, deadband), names)


def places_by_name(names: list[str]) -> Places:
    """Return the places of the names in their order."""
    return np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)


def named_moves(moves: Moves, names: list[str]) -> tuple[MarginMove, ...]:
    """Return the moves with the symbols of their legs."""
    legs, amounts, ends = moves.leg.tolist(), moves.amount_quote.tolist(), moves.payer_end.tolist()
    symbols = [names[leg] for leg in legs]
    return tuple(
        MarginMove(
            symbols[number],
            "release" if number < moves.releases else "add",
            amounts[number],
            tuple(symbols[payer : ends[number]]),
        )
        for number, payer in enumerate(moves.payer.tolist())
    )


def moves_after_failure(moves: Sequence[MarginMove], failed: str) -> tuple[MarginMove, ...]:
    """Return the moves still to be made after the release of `failed` did not happen.

    Its adds are dropped whole: half an add is no target, and the next plan starts from what is true then.
    """
    return tuple(move for move in moves if failed not in move.paid_by and move.symbol != failed)


@compiled
def moves_between(wallets: Wallets, free_quote: float, deadband: float) -> Moves:
    """Return what `rebalance_plan` says, for numbers that are sound: see `are_wallets_sound`."""
    gaps = wallets.target_quote - wallets.wallet_quote
    size = len(gaps)
    moves = Moves(np.empty(size, np.int64), np.empty(size), *_no_payers(size), 0)
    largest_first = wallets.by_name[np.argsort(-np.abs(gaps)[wallets.by_name], kind="mergesort")]
    moving = largest_first[(np.abs(gaps) > deadband * wallets.target_quote)[largest_first]]
    releases = 0
    for number in range(len(moving)):
        leg = int(moving[number])
        amount = step_down(max(-gaps[leg], 0.0), wallets.margin_step_quote[leg])
        if amount > 0.0 and amount >= wallets.least_move_quote[leg]:
            moves.leg[releases], moves.amount_quote[releases] = leg, amount
            releases += 1
    count = _add(wallets, gaps, moving, free_quote, moves, releases)
    return Moves(
        moves.leg[:count],
        moves.amount_quote[:count],
        moves.payer[:count],
        moves.payer_end[:count],
        releases,
    )


@compiled
def _no_payers(size: int) -> tuple[Places, Places]:
    return np.zeros(size, np.int64), np.zeros(size, np.int64)


@compiled
def _add(
    wallets: Wallets, gaps: Column, moving: Places, free_quote: float, moves: Moves, releases: int
) -> int:
    """Append the adds; return how many moves there are then.

    Free balance is spent first: a failed release then stops as few adds as possible.
    """
    funds = np.empty(releases + 1)
    funds[0], funds[1:] = max(free_quote, 0.0), moves.amount_quote[:releases]
    fund, _ = _spend(funds, 0, max(-free_quote, 0.0))
    available, count = _left(funds, fund), releases
    for number in range(len(moving)):
        leg = int(moving[number])
        if gaps[leg] <= 0.0:
            continue
        step, room = wallets.margin_step_quote[leg], wallets.most_quote[leg] - wallets.wallet_quote[leg]
        wanted = step_up(gaps[leg], step)
        if wanted > room:
            wanted = step_down(max(room, 0.0), step)
        amount = min(wanted, step_down(max(available, 0.0), step))
        if amount > 0.0 and amount >= wallets.least_move_quote[leg]:
            available -= amount
            moves.leg[count], moves.amount_quote[count] = leg, amount
            moves.payer[count] = max(fund - 1, 0)
            fund, end = _spend(funds, fund, amount)
            moves.payer_end[count] = max(end - 1, 0)
            count += 1
    return count


@compiled
def _spend(funds: Column, fund: int, amount: float) -> tuple[int, int]:
    """Take `amount` out of the funds from `fund` on; return the next that has money, and the payers' end.

    The first of all funds is the free balance, the others are the releases.
    """
    end = fund
    while fund < len(funds) and amount > 0.0:
        part = min(funds[fund], amount)
        amount -= part
        funds[fund] -= part
        end = fund + 1
        if funds[fund] > 0.0:
            break
        fund += 1
    return fund, end


@compiled
def _left(funds: Column, fund: int) -> float:
    """The sum of the funds from `fund` on, with what adding loses added at the end."""
    total, lost = 0.0, 0.0
    for number in range(fund, len(funds)):
        more = total + funds[number]
        high, low = max(total, funds[number]), min(total, funds[number])
        lost += (high - more) + low
        total = more
    return total + lost


@compiled
def are_wallets_sound(wallets: Wallets, free_quote: float, deadband: float) -> bool:
    """Return whether `check_wallets` has nothing to say."""
    is_sound = math.isfinite(free_quote) and 0.0 <= deadband < math.inf
    for column in (wallets.wallet_quote, wallets.target_quote, wallets.margin_step_quote):
        is_sound = is_sound and bool(np.all(np.isfinite(column) & (column >= 0.0)))
    return is_sound


def check_wallets(wallets: Wallets, names: Sequence[str], free_quote: float, deadband: float) -> None:
    """Raise InvalidInput for a number that is negative or not finite."""
    if are_wallets_sound(wallets, free_quote, deadband):
        return
    if not math.isfinite(free_quote):
        raise InvalidInput("free_quote", free_quote, "finite")
    named = [("deadband", deadband)]
    for row, name in enumerate(names):
        fields = WalletTarget._fields[1:4]
        named += [(f"{name}.{field}", float(getattr(wallets, field)[row])) for field in fields]
    for name, value in named:
        if not 0.0 <= value < math.inf:
            raise InvalidInput(name, value, "finite and not negative")
