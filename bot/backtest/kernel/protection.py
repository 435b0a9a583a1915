"""Stops of the engine: placed, trailed, kept inside liquidation, never absent; bot/engine/protection.py."""

from typing import Final

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, Limits, liquidation_of
from bot.backtest.kernel.intents import cancel, close, intend, protect
from bot.core.compiled import compiled
from bot.risk.brackets import Least, take_profits_for
from bot.risk.trailing import on_tick_toward_mark, trailed_stop

_MIN_GAP_FRACTION: Final = 0.002
_UNSEEN_MS: Final = 2_000
_UNSEEN_AGAIN_MS: Final = 4_000
_LIFE_MS: Final = 120_000
_TAKE_BACK_AGAIN_MS: Final = 60_000
STOP_AGAIN_MS: Final = 60_000
CLOSE_AGAIN_MS: Final = 1_000


@compiled
def least_of(b: Books, s: int) -> Least:
    """Return the venue's steps and minima."""
    known = b.f[s]
    return Least(known[c.TICK_SIZE], known[c.QUANTITY_STEP], known[c.MIN_QUANTITY], known[c.MIN_NOTIONAL])


@compiled
def protect_unseen(b: Books, s: int) -> None:
    """Ask for the stop of an entry that was sent, and whose fill nobody has told yet: it may be open."""
    n, now = b.n[s], b.m[c.NOW]
    if n[c.ENTRY_ID] == 0 or n[c.ENTRY_COMING] == 0 or n[c.STOPS_COMING] > 0:
        return
    if now >= max(n[c.ENTRY_SENT_MS] + _UNSEEN_MS, n[c.UNSEEN_AGAIN_MS]):
        n[c.UNSEEN_AGAIN_MS] = now + _UNSEEN_AGAIN_MS
        protect(b, s, b.f[s, c.PLAN_STOP])


@compiled
def end_late(b: Books, s: int) -> None:
    """Take back what has not filled of an entry in time; bot/engine/entries.py."""
    n, now = b.n[s], b.m[c.NOW]
    if n[c.ENTERING] == 0 or n[c.ENTRY_COMING] == 0 or now < n[c.CANCEL_AGAIN_MS]:
        return
    if now - n[c.ENTRY_SENT_MS] > _LIFE_MS:
        take_back(b, s)


@compiled
def take_back(b: Books, s: int) -> None:
    """Cancel what is left of an entry that is on its way."""
    n = b.n[s]
    if n[c.ENTERING] != 0 and n[c.ENTRY_ID] != 0 and n[c.ENTRY_COMING] > 0:
        n[c.CANCEL_AGAIN_MS] = b.m[c.NOW] + _TAKE_BACK_AGAIN_MS
        cancel(b, s, n[c.ENTRY_ID])


@compiled
def place_take_profits(b: Books, s: int, limits: Limits) -> None:
    """Rest the ladder for what was really filled; its last rung closes whatever is left."""
    found = take_profits_for(
        b.n[s, c.HOLD_SIDE],
        b.f[s, c.ENTRY_PRICE],
        b.f[s, c.INITIAL_STOP],
        b.f[s, c.QUANTITY],
        least_of(b, s),
        limits.bracket,
    )
    is_single = found.second_quantity == 0.0
    row = intend(b, c.TARGET_INTENT, s, 0.0 if is_single else found.first_quantity, 0)
    b.intent_floats[row, c.I_TRIGGER] = found.first_price
    if not is_single:
        row = intend(b, c.TARGET_INTENT, s, 0.0, 0)
        b.intent_floats[row, c.I_TRIGGER] = found.second_price


@compiled
def ensure(b: Books, s: int) -> None:
    """Protect a position that has neither a stop nor one on its way."""
    if b.n[s, c.STOP_ID] != 0 or b.n[s, c.STOPS_COMING] > 0 or b.m[c.NOW] < b.n[s, c.CLOSE_AGAIN_MS]:
        return
    if b.n[s, c.HOLD_SIDE] * (b.f[s, c.MARK] - b.f[s, c.INITIAL_STOP]) > 0.0:
        protect(b, s, b.f[s, c.INITIAL_STOP])
    else:
        close(b, s, c.BY_PROTECTION)


@compiled
def trail(b: Books, s: int, limits: Limits) -> None:
    """Follow the best mark with the stop, only ever toward profit."""
    if b.n[s, c.STOP_ID] == 0 or b.n[s, c.STOPS_COMING] > 0 or b.m[c.NOW] < b.n[s, c.STOP_AGAIN_MS]:
        return
    side = b.n[s, c.HOLD_SIDE]
    price = trailed_stop(
        side,
        b.f[s, c.ENTRY_PRICE],
        b.f[s, c.INITIAL_STOP],
        b.f[s, c.STOP_PRICE],
        b.f[s, c.BEST_MARK],
        b.f[s, c.TICK_SIZE],
        limits.bracket,
    )
    if price > 0.0 and side * (b.f[s, c.MARK] - price) > 0.0:
        protect(b, s, price, c.BY_TRAILING)


@compiled
def nearest_stop(b: Books, s: int) -> float:
    """Return the stop price that is as close to liquidation as any may be."""
    return liquidation_of(b, s) * (1.0 + b.n[s, c.HOLD_SIDE] * _MIN_GAP_FRACTION)


@compiled
def keep_stop_inside(b: Books, s: int) -> None:
    """Tighten a stop that liquidation has come too close to."""
    if b.n[s, c.STOP_ID] == 0 or b.n[s, c.STOPS_COMING] > 0:
        return
    side, nearest = b.n[s, c.HOLD_SIDE], nearest_stop(b, s)
    if side * (b.f[s, c.STOP_PRICE] - nearest) >= 0.0:
        return
    price = on_tick_toward_mark(side, nearest, b.f[s, c.TICK_SIZE])
    if side * (b.f[s, c.MARK] - price) > 0.0:
        protect(b, s, price)
    else:
        close(b, s, c.BY_NEARNESS)
