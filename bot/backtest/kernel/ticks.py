"""A bar's ticks, and what one tick does to venue and engine."""

from bot.backtest.kernel import columns as c
from bot.backtest.kernel import status
from bot.backtest.kernel.books import Books, liquidation_of
from bot.backtest.kernel.market import Played
from bot.backtest.kernel.protection import protect_unseen
from bot.backtest.kernel.tape import begin_tick, finish_tick
from bot.core.compiled import compiled
from bot.sim.path import Bar, between, is_calm, steps_of, waypoints


@compiled
def walk_bar(b: Books, p: Played, s: int, bar: int, side: int) -> int:
    """Lay out the ticks of a symbol's bar and return how many there are."""
    if p.is_there[s, bar] == 0:
        return 0
    marks, lasts = p.marks[s, bar], p.lasts[s, bar]
    mark = waypoints(Bar(marks[0], marks[1], marks[2], marks[3]), side)
    last = waypoints(Bar(lasts[0], lasts[1], lasts[2], lasts[3]), side)
    max_step, count = b.a[c.MAX_STEP], 1
    p.tick_marks[s, 0], p.tick_lasts[s, 0] = mark[0], last[0]
    are_calm = is_calm(last, max_step) and is_calm(mark, max_step)
    for leg in range(3):
        steps = 1 if are_calm else steps_of(mark, last, leg, max_step)
        if count + steps > p.tick_ms.shape[1]:
            b.m[c.FAILED] = status.TOO_MANY_TICKS
            return 0
        for number in range(1, steps):
            p.tick_marks[s, count] = between(mark, leg, number / steps)
            p.tick_lasts[s, count] = between(last, leg, number / steps)
            count += 1
        p.tick_marks[s, count], p.tick_lasts[s, count] = mark[leg + 1], last[leg + 1]
        count += 1
    open_ms = p.start_ms + bar * p.bar_ms
    for number in range(count):
        p.tick_ms[s, number] = open_ms + number * (p.bar_ms - 1) // (count - 1)
    return count


@compiled
def next_tick(b: Books, p: Played, bar: int, due: int) -> int:
    """Begin the next tick of the bar; return its symbol, -1: an event is due before it, -2: none is left."""
    first, first_ms = -2, p.start_ms + (bar + 1) * p.bar_ms
    for s in range(p.is_there.shape[0]):
        cursor = p.cursors[s, 0]
        if cursor < p.cursors[s, 1] and p.tick_ms[s, cursor] < first_ms:
            first, first_ms = s, p.tick_ms[s, cursor]
    if due < len(p.due) and p.due[due, 0] < p.start_ms + (bar + 1) * p.bar_ms and p.due[due, 0] <= first_ms:
        return -1
    if first >= 0:
        cursor = p.cursors[first, 0]
        p.cursors[first, 0] = cursor + 1
        begin_tick(b, first, first_ms, p.tick_marks[first, cursor], p.tick_lasts[first, cursor])
    return first


@compiled
def hear_tick(b: Books, s: int) -> bool:
    """Take over the tick that the venue has lived through; return whether the engine has to look."""
    f, n = b.f[s], b.n[s]
    ts_ms, mark = n[c.TICK_MS], f[c.TICK_MARK]
    b.m[c.NOW] = ts_ms
    f[c.MARK], f[c.LAST], n[c.MARK_MS] = mark, f[c.TICK_LAST], ts_ms
    if n[c.HOLDS] != 0:
        return not (f[c.SLEEP_LOW] < mark < f[c.SLEEP_HIGH] and ts_ms < n[c.RECHECK_MS])
    if n[c.ENTERING] != 0:
        protect_unseen(b, s)
    return False


@compiled
def is_quiet(b: Books, p: Played, bar: int) -> bool:
    """Return whether no price of the bar reaches anything that the venue or the engine waits for."""
    for s in range(p.is_there.shape[0]):
        n, f = b.n[s], b.f[s]
        if p.is_there[s, bar] == 0 or (n[c.SIDE] == 0 and n[c.ORDERS] == 0):
            continue
        if n[c.IS_WATCH_KNOWN] == 0:
            find_watch(b, s)
        low, high = max(f[c.WATCH_LOW], f[c.SLEEP_LOW]), min(f[c.WATCH_HIGH], f[c.SLEEP_HIGH])
        if not (low < p.marks[s, bar, 2] and p.marks[s, bar, 1] < high):
            return False
        if n[c.RECHECK_MS] < p.start_ms + (bar + 1) * p.bar_ms:
            return False
    return True


@compiled
def jump(b: Books, p: Played, bar: int) -> None:
    """Take over the last ticks of a quiet bar."""
    ts_ms = p.start_ms + (bar + 1) * p.bar_ms - 1
    for s in range(p.is_there.shape[0]):
        if p.is_there[s, bar] != 0:
            jump_to(b, s, ts_ms, p.marks[s, bar, 3], p.lasts[s, bar, 3])


@compiled
def jump_to(b: Books, s: int, ts_ms: int, mark: float, last: float) -> None:
    """Take over a tick before which nothing happened."""
    begin_tick(b, s, ts_ms, mark, last)
    finish_tick(b, s)
    b.m[c.NOW] = max(b.m[c.NOW], ts_ms)
    b.f[s, c.MARK], b.f[s, c.LAST], b.n[s, c.MARK_MS] = mark, last, ts_ms


@compiled
def find_watch(b: Books, s: int) -> None:
    """Find the marks between which a tick of the symbol causes nothing at the venue."""
    low, high, side = 0.0, 1e300, b.n[s, c.SIDE]
    if side > 0:
        low = liquidation_of(b, s)
    elif side < 0:
        high = liquidation_of(b, s)
    for slot in range(b.n[s, c.ORDERS]):
        order = b.orders[s, slot]
        trigger = b.order_floats[s, slot, c.O_TRIGGER]
        if order[c.O_KIND] == c.AT_MARKET:
            low, high = 1e300, 0.0
        elif (order[c.O_SIDE] > 0) == (order[c.O_LEG] == c.TARGET_LEG):
            low = max(low, trigger)
        else:
            high = min(high, trigger)
    b.f[s, c.WATCH_LOW], b.f[s, c.WATCH_HIGH], b.n[s, c.IS_WATCH_KNOWN] = low, high, 1
