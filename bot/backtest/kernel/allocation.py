"""One margin budget over all positions; bot/engine/allocation.py over columns."""

from typing import Final

import numpy as np

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import (
    Books,
    Floats,
    Limits,
    Wholes,
    book_of,
    equity_of,
    is_blind,
    liquidation_of,
    view_of,
)
from bot.backtest.kernel.intents import move
from bot.backtest.kernel.policy_codes import band_of, permissions_of
from bot.core.compiled import compiled
from bot.core.margin import distance, mark_at_distance
from bot.core.probability import distance_for_probability, first_passage_student
from bot.core.steps import step_down
from bot.risk.adjust import reserved_band
from bot.risk.allocator import AllocationLegs
from bot.risk.book import BookMoney, BookRows, book_split, placed_leg
from bot.risk.rebalance import Moves

_LOOK_AGAIN_MS: Final = 1_000
_AGAIN_MS: Final = 10_000
_LAPSED_MS: Final = 60_000
_NEVER: Final = 1e-12

_NO_CAUSE: Final = 0
_INTERVAL: Final = 1
_NEW_POSITION: Final = 2
_RISK_DOUBLED: Final = 3  # from here on they do not wait until every price is fresh
_BELOW_BAND: Final = 4

# What is written down of a leg: first the columns of AllocationLegs.
_SYMBOL: Final = 8
_WALLET: Final = 9
_LEAST: Final = 10
_STEP: Final = 11
_MAY_ADD: Final = 12
_MAY_RELEASE: Final = 13
_COLUMNS: Final = 14


@compiled
def consider(b: Books, s: int, limits: Limits, wants_add: bool) -> None:
    """Split the budget anew if this position, which is looked at now, or the time says so."""
    m = b.m
    if m[c.WAITING] > 0 or m[c.NOW] < m[c.TRIED_MS] + _AGAIN_MS:
        return
    cause = _cause(b, s, limits, wants_add)
    if cause >= _RISK_DOUBLED or (cause != _NO_CAUSE and not _is_any_blind(b)):
        m[c.TRIED_MS] = m[c.NOW]
        _split(b, limits, cause)


@compiled
def on_outcome(b: Books, s: int, limits: Limits, is_done: bool) -> None:
    """A move was made or refused: with the last release come the adds, without those it was to pay for."""
    m = b.m
    m[c.WAITING] -= 1
    if is_done and b.n[s, c.HOLDS] != 0:
        b.f[s, c.SOLVED] = _probability(b, s, limits)
    if not is_done:
        drop_adds(b, s)
    if m[c.WAITING] == 0:
        _send_adds(b, limits)
    if m[c.WAITING] == 0 and m[c.SPLIT_MS] == m[c.TRIED_MS]:
        m[c.SPLIT_MS] = m[c.TRIED_MS] = m[c.NOW]


@compiled
def narrow_sleep(b: Books, s: int, limits: Limits) -> None:
    """Wake also where liquidation is twice as likely as at the last split, and after the interval."""
    m, f, n = b.m, b.f[s], b.n[s]
    alarm = _alarm(b, s, limits)
    if alarm > 0.0 and n[c.HOLD_SIDE] > 0:
        f[c.SLEEP_LOW] = max(f[c.SLEEP_LOW], alarm)
    elif alarm > 0.0:
        f[c.SLEEP_HIGH] = min(f[c.SLEEP_HIGH], alarm)
    due_ms = 0 if f[c.SOLVED] < 0.0 else m[c.SPLIT_MS] + limits.allocation.interval_ms
    n[c.RECHECK_MS] = max(due_ms, m[c.TRIED_MS] + _AGAIN_MS, m[c.NOW] + _LOOK_AGAIN_MS)


@compiled
def _cause(b: Books, s: int, limits: Limits, wants_add: bool) -> int:
    solved = b.f[s, c.SOLVED]
    if solved < 0.0:
        return _NEW_POSITION
    if b.m[c.NOW] >= b.m[c.SPLIT_MS] + limits.allocation.interval_ms:
        return _INTERVAL
    if _probability(b, s, limits) > max(2.0 * solved, _NEVER):
        return _RISK_DOUBLED
    return _BELOW_BAND if wants_add else _NO_CAUSE


@compiled
def _split(b: Books, limits: Limits, cause: int) -> None:
    """Split the budget over every position that can be moved now, and begin what follows from it."""
    columns, held, wallets = np.empty((_COLUMNS, b.m[c.SYMBOLS])), 0.0, 0.0
    count = 0
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.HOLDS] != 0 and _is_movable(b, s):
            _write(columns, count, s, b, limits)
            wallets += b.f[s, c.WALLET]
            count += 1
        elif b.n[s, c.HOLDS] != 0:
            held += b.f[s, c.WALLET]
    equity = equity_of(b)
    budget = limits.allocation.budget_fraction * equity - held - _entering(b)
    if held > 0.0:  # no position gives margin away for one that cannot be moved now
        budget = max(budget, wallets)
    money = BookMoney(budget, _spendable(b, limits, equity))
    symbols = columns[_SYMBOL, :count].astype(np.int64)
    by_name = np.argsort(b.n[:, c.NAME_RANK][symbols])
    split = book_split(_rows(columns, count, by_name), _legs(columns, count), money, limits.allocation)
    if not split.is_sound:
        return
    if held == 0.0 or cause == _INTERVAL:  # else the positions left out are not put off for an interval
        b.m[c.SPLIT_MS] = b.m[c.NOW]
    for leg in range(count):
        b.f[symbols[leg], c.SOLVED] = _probability(b, symbols[leg], limits)
    if len(split.moves.leg) > 0:
        _start(b, limits, symbols, split.moves)


@compiled
def _write(columns: Floats, number: int, s: int, b: Books, limits: Limits) -> None:
    """Write a position down as a leg of the book."""
    view = view_of(b, s)
    placed = placed_leg(
        view,
        liquidation_of(b, s),
        reserved_band(view, band_of(view, limits), limits.margin.funding_payments_ahead),
        book_of(b, s),
        limits.margin,
        permissions_of(view, limits),
        limits.allocation,
    )
    leg, column = placed.leg, columns[:, number]
    column[0], column[1], column[2], column[3] = (
        leg.side,
        leg.notional,
        leg.maintenance_rate,
        leg.sigma_horizon,
    )
    column[4], column[5] = leg.liquidation_cost, leg.excess_at_zero
    column[6], column[7] = leg.min_extra, leg.max_extra
    column[_SYMBOL], column[_WALLET], column[_STEP] = s, b.f[s, c.WALLET], b.f[s, c.MARGIN_STEP]
    column[_LEAST] = placed.least_move_quote
    column[_MAY_ADD] = 1.0 if placed.may_add else 0.0
    column[_MAY_RELEASE] = 1.0 if placed.may_release else 0.0


@compiled
def _legs(columns: Floats, count: int) -> AllocationLegs:
    return AllocationLegs(
        columns[0, :count],
        columns[1, :count],
        columns[2, :count],
        columns[3, :count],
        columns[4, :count],
        columns[5, :count],
        columns[6, :count],
        columns[7, :count],
    )


@compiled
def _rows(columns: Floats, count: int, by_name: Wholes) -> BookRows:
    return BookRows(
        columns[_WALLET, :count],
        columns[_LEAST, :count],
        columns[_STEP, :count],
        columns[_MAY_ADD, :count] != 0.0,
        columns[_MAY_RELEASE, :count] != 0.0,
        by_name,
    )


@compiled
def _start(b: Books, limits: Limits, symbols: Wholes, moves: Moves) -> None:
    """Ask for the releases; the adds come when those have happened."""
    plan_adds(b, symbols, moves)
    for number in range(moves.releases):
        _send(b, int(symbols[moves.leg[number]]), c.RELEASE_INTENT, -moves.amount_quote[number])
    if b.m[c.WAITING] == 0:
        _send_adds(b, limits)


@compiled
def plan_adds(b: Books, symbols: Wholes, moves: Moves) -> None:
    """Remember the adds of a split, and which releases pay for them; `symbols`: of its legs."""
    b.m[c.ADDS_PLANNED] = len(moves.leg) - moves.releases
    for s in range(b.m[c.SYMBOLS]):
        b.n[s, c.RELEASE_NUMBER] = -1
    for number in range(moves.releases):
        b.n[symbols[moves.leg[number]], c.RELEASE_NUMBER] = number
    for add in range(b.m[c.ADDS_PLANNED]):
        number = moves.releases + add
        b.f[add, c.PLANNED], b.n[add, c.PLANNED_FOR] = moves.amount_quote[number], symbols[moves.leg[number]]
        b.n[add, c.PAYER], b.n[add, c.PAYER_END] = moves.payer[number], moves.payer_end[number]


@compiled
def _send_adds(b: Books, limits: Limits) -> None:
    """Send what the releases have paid for, never more than is free beyond the reserve now."""
    m, adds = b.m, b.m[c.ADDS_PLANNED]
    m[c.ADDS_PLANNED] = 0
    if adds == 0 or m[c.NOW] > m[c.TRIED_MS] + _LAPSED_MS:
        return
    free = _spendable(b, limits, equity_of(b))
    for add in range(adds):
        s = b.n[add, c.PLANNED_FOR]
        amount = min(b.f[add, c.PLANNED], step_down(free, b.f[s, c.MARGIN_STEP]))
        if b.n[s, c.HOLDS] != 0 and amount > 0.0 and _is_movable(b, s):
            free -= amount
            _send(b, s, c.ADD_INTENT, amount)


@compiled
def _send(b: Books, s: int, kind: int, amount: float) -> None:
    b.m[c.WAITING] += 1
    move(b, s, kind, b.f[s, c.WALLET] + amount, c.ALLOCATION)


@compiled
def drop_adds(b: Books, failed: int) -> None:
    """Drop the adds that the release of a symbol was to pay for, whole."""
    release, kept = b.n[failed, c.RELEASE_NUMBER], 0
    for add in range(b.m[c.ADDS_PLANNED]):
        n = b.n[add]
        if n[c.PAYER] <= release < n[c.PAYER_END] or n[c.PLANNED_FOR] == failed:
            continue
        b.f[kept, c.PLANNED], b.n[kept, c.PLANNED_FOR] = b.f[add, c.PLANNED], n[c.PLANNED_FOR]
        b.n[kept, c.PAYER], b.n[kept, c.PAYER_END] = n[c.PAYER], n[c.PAYER_END]
        kept += 1
    b.m[c.ADDS_PLANNED] = kept


@compiled
def _is_any_blind(b: Books) -> bool:
    count = 0
    for s in range(b.m[c.SYMBOLS]):
        count += 1 if b.n[s, c.HOLDS] != 0 and is_blind(b, s) else 0
    return count > 0


@compiled
def _is_movable(b: Books, s: int) -> bool:
    """Whether the margin of this position may be moved at all now; else it is held and only counted."""
    n = b.n[s]
    if n[c.IS_FILLED] == 0 or n[c.IS_CLOSING] != 0 or is_blind(b, s) or b.m[c.NOW] < n[c.MARGIN_AGAIN_MS]:
        return False
    if n[c.STOPS_COMING] > 0 or n[c.MARGIN_COMING] > 0 or n[c.REDUCES_COMING] > 0:
        return False
    return n[c.HOLD_SIDE] * (b.f[s, c.MARK] - liquidation_of(b, s)) > 0.0


@compiled
def _entering(b: Books) -> float:
    """Margin that entries on their way will take."""
    total = 0.0
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.ENTERING] != 0 and b.n[s, c.HOLDS] == 0:
            total += b.f[s, c.PLAN_MARGIN]
    return total


@compiled
def _spendable(b: Books, limits: Limits, equity: float) -> float:
    return max(b.a[c.FREE] - _entering(b) - limits.margin.reserve_fraction * equity, 0.0)


@compiled
def _probability(b: Books, s: int, limits: Limits) -> float:
    """P(liquidated within the allocator's horizon) at the mark, as the allocator counts it."""
    away = distance(b.n[s, c.HOLD_SIDE], b.f[s, c.MARK], liquidation_of(b, s))
    return first_passage_student(away, _sigma(b, s, limits))


@compiled
def _sigma(b: Books, s: int, limits: Limits) -> float:
    return b.f[s, c.SIGMA_DAY] * limits.allocation.horizon_days**0.5


@compiled
def _alarm(b: Books, s: int, limits: Limits) -> float:
    """The mark at which liquidation is twice as likely as at the last split; 0.0 for none."""
    doubled = 2.0 * b.f[s, c.SOLVED]
    if not _NEVER < doubled < 1.0:
        return 0.0
    away = distance_for_probability(doubled, _sigma(b, s, limits))
    return mark_at_distance(b.n[s, c.HOLD_SIDE], liquidation_of(b, s), away)
