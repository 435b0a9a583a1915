"""Requests performed one by one, and what comes of them; bot/backtest/exact.py over columns."""

from typing import Final

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.allocation import on_outcome
from bot.backtest.kernel.books import Books, Limits, wake
from bot.backtest.kernel.entries import on_leverage_set
from bot.backtest.kernel.halts import GRAVE, collar, rates, refusals
from bot.backtest.kernel.hearing import complete_entry
from bot.backtest.kernel.intents import cancel, close, intend
from bot.backtest.kernel.protection import CLOSE_AGAIN_MS, STOP_AGAIN_MS, keep_stop_inside, nearest_stop
from bot.backtest.kernel.recorder import accrue, follow, move_row
from bot.backtest.kernel.story import tell_request
from bot.backtest.kernel.venue_requests import (
    DONE,
    HALTED,
    REFUSED,
    TRIGGERS_AT_ONCE,
    cancel_order,
    move_margin,
    open_position,
    reduce_position,
    rest_trigger,
    set_leverage,
)
from bot.core.compiled import compiled

_REFUSED_AGAIN_MS: Final = 60_000


@compiled
def send(b: Books, row: int) -> int:
    """Perform a request at the venue, if the gate lets it pass; return what came of it."""
    intent = b.intents[row]
    s = intent[c.I_SYMBOL]
    code = _gated(b, s, intent[c.I_KIND], b.intent_floats[row, c.I_VALUE])
    if code != DONE:
        return code
    ts_ms = intent[c.I_MS]
    if b.n[s, c.HAS_TICK] != 0:
        ts_ms = max(ts_ms, b.n[s, c.NOW_MS])
    code = _sent(b, row, ts_ms)
    b.m[c.NOW] = ts_ms
    return code


@compiled
def _gated(b: Books, s: int, kind: int, value: float) -> int:
    rates(b)
    if kind == c.ENTRY_INTENT:
        collar(b, s)
    if kind in (c.ADD_INTENT, c.RELEASE_INTENT) and not value > 0.0:
        return REFUSED
    if b.m[c.HALTS] == 0:
        return DONE
    is_entry = kind in (c.ENTRY_INTENT, c.LEVERAGE_INTENT)
    is_forbidden = is_entry or (kind == c.RELEASE_INTENT and b.m[c.HALTS] & GRAVE != 0)
    return HALTED if is_forbidden else DONE


@compiled
def _sent(b: Books, row: int, ts_ms: int) -> int:
    intent, told = b.intents[row], b.intent_floats[row]
    s, kind, order_id = intent[c.I_SYMBOL], intent[c.I_KIND], intent[c.I_ID]
    side, value = intent[c.I_SIDE], told[c.I_VALUE]
    if kind == c.LEVERAGE_INTENT:
        return set_leverage(b, s, int(value))
    if kind == c.ENTRY_INTENT:
        return open_position(b, s, order_id, side, value, ts_ms)
    if kind == c.STOP_INTENT:
        return rest_trigger(b, s, order_id, c.STOP_LEG, side, 0.0, value, ts_ms)
    if kind == c.TARGET_INTENT:
        return rest_trigger(b, s, order_id, c.TARGET_LEG, side, value, told[c.I_TRIGGER], ts_ms)
    if kind == c.CANCEL_INTENT:
        return cancel_order(b, s, intent[c.I_TARGET], ts_ms)
    if kind == c.REDUCE_INTENT:
        wallet = told[c.I_WANTED_WALLET]
        return reduce_position(b, s, order_id, side, value, intent[c.I_REASON], wallet, ts_ms)
    return move_margin(b, s, value, kind == c.ADD_INTENT)


@compiled
def answer(b: Books, row: int, code: int, limits: Limits) -> bool:
    """Let the engine hear what became of a request; False where the venue's events say it."""
    intent, told = b.intents[row], b.intent_floats[row]
    s, kind = intent[c.I_SYMBOL], intent[c.I_KIND]
    if code != DONE:
        _refused(b, row, code, limits)
    elif kind == c.LEVERAGE_INTENT:
        on_leverage_set(b, s, int(told[c.I_VALUE]), intent[c.I_MS])
    elif kind == c.STOP_INTENT:
        b.n[s, c.STOPS_COMING] -= 1
        b.n[s, c.IS_TRAILED] = 1 if intent[c.I_REASON] == c.BY_TRAILING else 0
        _on_stop(b, s, intent[c.I_ID], told[c.I_VALUE])
    elif kind == c.TARGET_INTENT:
        if b.n[s, c.HOLDS] != 0:
            wake(b, s)
        tell_request(b, c.TARGET_RESTS, row, 0.0)
    elif kind in (c.ADD_INTENT, c.RELEASE_INTENT):
        b.n[s, c.MARGIN_COMING] -= 1
        _on_moved(b, row, b.m[c.NOW], limits)
    else:
        return False
    return True


@compiled
def _on_stop(b: Books, s: int, order_id: int, price: float) -> None:
    """A stop rests: the tighter of two stays."""
    n = b.n[s]
    if n[c.HOLDS] == 0:
        cancel(b, s, order_id)
        return
    if n[c.STOP_ID] == 0:
        n[c.STOP_ID], b.f[s, c.STOP_PRICE] = order_id, price
    elif n[c.HOLD_SIDE] * (price - b.f[s, c.STOP_PRICE]) < 0.0:
        cancel(b, s, order_id)
    else:
        retired = n[c.STOP_ID]
        n[c.STOP_ID], b.f[s, c.STOP_PRICE] = order_id, price
        cancel(b, s, retired)
    keep_stop_inside(b, s)
    wake(b, s)


@compiled
def _on_moved(b: Books, row: int, ts_ms: int, limits: Limits) -> None:
    intent = b.intents[row]
    s, n, f = intent[c.I_SYMBOL], b.n[intent[c.I_SYMBOL]], b.f[intent[c.I_SYMBOL]]
    accrue(b, s, ts_ms)
    amount = f[c.MOVED]
    b.a[c.FREE] = b.a[c.BOOK_FREE]
    follow(b, s)
    if amount > 0.0:
        f[c.ADDED] += amount
        if intent[c.I_REASON] == c.BROUGHT_BACK:
            f[c.RESTORED] += amount
        else:
            n[c.ADDS] += 1
        n[c.LAST_ADD_MS] = ts_ms
    else:
        f[c.RELEASED] -= amount
        n[c.LAST_RELEASE_MS] = ts_ms
    wake(b, s)
    move_row(b, s, ts_ms, row, amount)
    tell_request(b, c.MARGIN_MOVED, row, amount)
    if intent[c.I_REASON] == c.ALLOCATION:
        on_outcome(b, s, limits, True)


@compiled
def _refused(b: Books, row: int, code: int, limits: Limits) -> None:
    """The venue, or the gate, said no."""
    intent, told = b.intents[row], b.intent_floats[row]
    s, kind, n, now = intent[c.I_SYMBOL], intent[c.I_KIND], b.n[intent[c.I_SYMBOL]], b.m[c.NOW]
    if code == REFUSED:
        refusals(b)
    if kind == c.ENTRY_INTENT:
        n[c.ENTRY_COMING] -= 1
        complete_entry(b, s, limits)
    elif kind == c.LEVERAGE_INTENT:
        complete_entry(b, s, limits)
    elif kind == c.STOP_INTENT:
        n[c.STOPS_COMING] -= 1
        _on_stop_refused(b, s)
    elif kind == c.TARGET_INTENT and code == TRIGGERS_AT_ONCE and n[c.HOLDS] != 0:
        if told[c.I_VALUE] == 0.0:
            close(b, s, c.BY_TARGET_AT_ONCE)
        else:
            intend(b, c.REDUCE_INTENT, s, told[c.I_VALUE], c.BY_TARGET_AT_ONCE)
    elif kind in (c.ADD_INTENT, c.RELEASE_INTENT):
        n[c.MARGIN_COMING] -= 1
        if n[c.HOLDS] != 0:
            n[c.MARGIN_AGAIN_MS] = now + _REFUSED_AGAIN_MS
            wake(b, s)
        tell_request(b, c.MOVE_REFUSED, row, 0.0)
        if intent[c.I_REASON] == c.ALLOCATION:
            on_outcome(b, s, limits, False)
    elif kind == c.REDUCE_INTENT:
        n[c.REDUCES_COMING] -= 1
        _on_reduce_refused(b, row)


@compiled
def _on_stop_refused(b: Books, s: int) -> None:
    """Close a position that cannot be protected; keep an older stop where there is one that works."""
    n = b.n[s]
    if n[c.HOLDS] == 0:
        return
    n[c.STOP_AGAIN_MS] = b.m[c.NOW] + STOP_AGAIN_MS
    if n[c.STOP_ID] == 0 or n[c.HOLD_SIDE] * (b.f[s, c.STOP_PRICE] - nearest_stop(b, s)) < 0.0:
        close(b, s, c.BY_PROTECTION)


@compiled
def _on_reduce_refused(b: Books, row: int) -> None:
    """The position is still there: let it be looked at again."""
    intent = b.intents[row]
    s, reason, now = intent[c.I_SYMBOL], intent[c.I_REASON], b.m[c.NOW]
    n = b.n[s]
    if n[c.HOLDS] == 0:
        return
    if b.intent_floats[row, c.I_VALUE] == 0.0:
        n[c.IS_CLOSING], n[c.CLOSE_AGAIN_MS] = 0, now + CLOSE_AGAIN_MS
        wake(b, s)
    if reason in (c.BY_DERISK_CUT, c.BY_DERISK_CLOSE):
        if reason == c.BY_DERISK_CUT:
            n[c.DERISK_CUTS] -= 1
        n[c.DERISK_AGAIN_MS] = now + _REFUSED_AGAIN_MS
        wake(b, s)
