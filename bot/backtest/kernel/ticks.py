"""A bar's ticks, and what one tick does to venue and engine."""

import numpy as np
from numpy.typing import NDArray

from bot.backtest.kernel import columns as c
from bot.backtest.kernel import status
from bot.backtest.kernel.books import Books, Floats, liquidation_of
from bot.backtest.kernel.protection import end_late, protect_unseen
from bot.backtest.kernel.tape import begin_tick, finish_tick
from bot.core.compiled import compiled
from bot.sim.path import Bar, between, is_calm, steps_of, waypoints


@compiled
def walk_bar(b: Books, marks: Floats, lasts: Floats, s: int, side: int, open_ms: int, bar_ms: int) -> None:
    """Lay out the ticks of a symbol's bar."""
    mark = waypoints(Bar(marks[0], marks[1], marks[2], marks[3]), side)
    last = waypoints(Bar(lasts[0], lasts[1], lasts[2], lasts[3]), side)
    max_step, count = b.a[c.MAX_STEP], 1
    b.tick_marks[s, 0], b.tick_lasts[s, 0] = mark[0], last[0]
    are_calm = is_calm(last, max_step) and is_calm(mark, max_step)
    for leg in range(3):
        steps = 1 if are_calm else steps_of(mark, last, leg, max_step)
        if count + steps > c.TICK_SLOTS:
            b.m[c.FAILED] = status.TOO_MANY_TICKS
            return
        for number in range(1, steps):
            b.tick_marks[s, count] = between(mark, leg, number / steps)
            b.tick_lasts[s, count] = between(last, leg, number / steps)
            count += 1
        b.tick_marks[s, count], b.tick_lasts[s, count] = mark[leg + 1], last[leg + 1]
        count += 1
    for number in range(count):
        b.tick_ms[s, number] = open_ms + number * (bar_ms - 1) // (count - 1)
    b.cursors[s, 1] = count


@compiled
def next_tick(b: Books, due_ms: int, end_ms: int) -> int:
    """Begin the next tick of the bar; return its symbol, -1: an event is due before it, -2: none is left."""
    first, first_ms = -2, end_ms
    for s in range(b.m[c.SYMBOLS]):
        cursor = b.cursors[s, 0]
        if cursor < b.cursors[s, 1] and b.tick_ms[s, cursor] < first_ms:
            first, first_ms = s, b.tick_ms[s, cursor]
    if due_ms < end_ms and due_ms <= first_ms:
        return -1
    if first >= 0:
        cursor = b.cursors[first, 0]
        b.cursors[first, 0] = cursor + 1
        begin_tick(b, first, first_ms, b.tick_marks[first, cursor], b.tick_lasts[first, cursor])
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
        end_late(b, s)
    return False


@compiled
def quiet_until(
    b: Books, marks: Floats, is_there: NDArray[np.uint8], bar: int, stop: int, start_ms: int, bar_ms: int
) -> int:
    """Return the first bar of [bar, stop) with a price that venue or engine waits for, `stop` for none."""
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.SIDE] == 0 and b.n[s, c.ORDERS] == 0:
            continue
        if b.n[s, c.IS_WATCH_KNOWN] == 0:
            find_watch(b, s)
        low = max(b.f[s, c.WATCH_LOW], b.f[s, c.SLEEP_LOW])
        high = min(b.f[s, c.WATCH_HIGH], b.f[s, c.SLEEP_HIGH])
        recheck_ms, number = b.n[s, c.RECHECK_MS], bar
        while number < stop:
            if is_there[s, number] != 0 and (
                not (low < marks[s, number, 2] and marks[s, number, 1] < high)
                or recheck_ms < start_ms + (number + 1) * bar_ms
            ):
                break
            number += 1
        stop = number
    return stop


@compiled
def pass_over(
    b: Books,
    marks: Floats,
    lasts: Floats,
    is_there: NDArray[np.uint8],
    bar: int,
    stop: int,
    start_ms: int,
    bar_ms: int,
) -> None:
    """Take over the last ticks of [bar, stop), in which nothing happened."""
    for s in range(b.m[c.SYMBOLS]):
        newest = stop - 1
        while newest >= bar and is_there[s, newest] == 0:
            newest -= 1
        if newest >= bar:
            ts_ms = start_ms + (newest + 1) * bar_ms - 1
            jump_to(b, s, ts_ms, marks[s, newest, 3], lasts[s, newest, 3])


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
