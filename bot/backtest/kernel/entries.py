"""From a signal to an order; bot/engine/entries.py over columns."""

import numpy as np

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, Limits, equity_of, is_blind, rules_of, unrealised_of
from bot.backtest.kernel.intents import close, intend
from bot.backtest.kernel.protection import least_of
from bot.core.compiled import compiled
from bot.risk.entry_judgement import EntryAsk, EntryVerdict, agreed_loss, judge_entry
from bot.risk.faults import EntryAccount, EntryTerms
from bot.risk.stress_caps import Legs


@compiled
def on_signal(
    b: Books,
    s: int,
    limits: Limits,
    is_entry: bool,
    is_exit: bool,
    direction: int,
    strength: float,
    stop: float,
) -> None:
    """Act on the strategy's newest belief about one symbol."""
    if is_exit and b.n[s, c.HOLDS] != 0 and direction in (0, b.n[s, c.HOLD_SIDE]):
        close(b, s, c.BY_EXIT)
    elif is_entry and b.n[s, c.HOLDS] == 0 and b.n[s, c.ENTERING] == 0:
        _enter(b, s, limits, direction, strength, stop)


@compiled
def is_blocked(b: Books, s: int) -> bool:
    """Return whether nothing may be entered now: a halt, a cooldown, prices that are old."""
    return b.m[c.HALTS] != 0 or b.m[c.NOW] < b.n[s, c.COOL_UNTIL_MS] or is_blind(b, s)


@compiled
def _enter(b: Books, s: int, limits: Limits, direction: int, strength: float, stop: float) -> None:
    if is_blocked(b, s):
        b.m[c.ENTRIES_REFUSED] += 1
        return
    verdict = _evaluate(b, s, limits, EntryAsk(direction, strength, stop))
    if verdict.faults != 0:
        b.m[c.ENTRIES_REFUSED] += 1
        return
    sizing, f, n = verdict.sizing, b.f[s], b.n[s]
    f[c.PLAN_QUANTITY], f[c.PLAN_PRICE] = sizing.quantity, f[c.MARK]
    f[c.PLAN_STOP], f[c.PLAN_MARGIN] = verdict.order.stop_price, sizing.required_margin_quote
    f[c.PLAN_AGREED] = agreed_loss(sizing, limits.margin.max_added_fraction)
    n[c.PLAN_SIDE], n[c.PLAN_LEVERAGE] = direction, sizing.leverage
    n[c.ENTERING], n[c.ENTRY_ID] = 1, 0
    if n[c.SET_LEVERAGE] == sizing.leverage:
        send_order(b, s)
    else:
        intend(b, c.LEVERAGE_INTENT, s, float(sizing.leverage), 0)


@compiled
def send_order(b: Books, s: int) -> None:
    """Send the order of the entry that is on its way."""
    row = intend(b, c.ENTRY_INTENT, s, b.f[s, c.PLAN_QUANTITY], 0)
    b.n[s, c.ENTRY_ID], b.n[s, c.ENTRY_SENT_MS] = b.intents[row, c.I_ID], b.m[c.NOW]
    b.n[s, c.UNSEEN_AGAIN_MS], b.n[s, c.CANCEL_AGAIN_MS] = 0, 0


@compiled
def on_leverage_set(b: Books, s: int, leverage: int, decided_ms: int) -> None:
    """The venue confirmed the leverage: send the entry that waited for it, unless its bar is over."""
    n = b.n[s]
    n[c.SET_LEVERAGE] = leverage
    if n[c.ENTERING] == 0 or n[c.ENTRY_ID] != 0:
        return
    is_late = b.m[c.NOW] - decided_ms >= b.m[c.TIMEFRAME_MS]
    if is_blocked(b, s) or leverage != n[c.PLAN_LEVERAGE] or is_late:
        n[c.ENTERING] = 0
        b.m[c.ENTRIES_REFUSED] += 1
    else:
        send_order(b, s)


@compiled
def _evaluate(b: Books, s: int, limits: Limits, ask: EntryAsk) -> EntryVerdict:
    f = b.f[s]
    terms = EntryTerms(
        f[c.MARK],
        f[c.SIGMA_DAY],
        f[c.FUNDING_RATE],
        least_of(b, s),
        f[c.TAKER_FEE],
        f[c.MAX_LEVERAGE],
        False,
    )
    return judge_entry(
        ask, terms, rules_of(b, s), _account(b, s), exposures(b, False), limits.entry, limits.bracket
    )


@compiled
def _account(b: Books, s: int) -> EntryAccount:
    equity, pending, coming, held, committed = equity_of(b), 0.0, 0, 0, 0.0
    for each in range(b.m[c.SYMBOLS]):
        if b.n[each, c.ENTERING] != 0:
            pending += b.f[each, c.PLAN_MARGIN]
            coming += 1
        if b.n[each, c.HOLDS] != 0:
            held += 1
            committed += b.f[each, c.WALLET]
    return EntryAccount(
        b.a[c.FREE],
        equity,
        pending,
        b.a[c.DAY_START_EQUITY],
        equity + unrealised_of(b) - b.a[c.DAY_START_EQUITY],
        held,
        coming,
        committed,
        b.n[s, c.HOLDS] != 0,
    )


@compiled
def exposures(b: Books, is_for_cuts: bool) -> Legs:
    """Return what the caps on the whole book count.

    For an entry: positions at their mark and entries on their way. For cuts: positions not being closed.
    """
    size, count = b.m[c.SYMBOLS], 0
    side, value, margin, sigma = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    for s in range(size):
        f, n = b.f[s], b.n[s]
        if n[c.HOLDS] != 0 and not (is_for_cuts and n[c.IS_CLOSING] != 0):
            side[count], value[count] = n[c.HOLD_SIDE], f[c.QUANTITY] * f[c.MARK]
            margin[count] = max(f[c.WALLET], 0.0)
        elif n[c.HOLDS] == 0 and n[c.ENTERING] != 0 and not is_for_cuts:
            side[count], margin[count] = n[c.PLAN_SIDE], f[c.PLAN_MARGIN]
            value[count] = f[c.PLAN_QUANTITY] * f[c.PLAN_PRICE]
        else:
            continue
        sigma[count] = f[c.SIGMA_DAY]
        count += 1
    return Legs(side[:count], value[:count], margin[:count], sigma[:count])
