"""Whole candles at once, while nothing is on its way: no price of the candle reaches anything.

At a close the engine looks at what it holds. Where the position lies within its band, that look changes
nothing but the marks between which it sleeps. Those marks are found here in closed form, a little too
narrow; as soon as a price leaves them, the exact ladder is laid and the candle is played as ever. See
bot/risk/triggers.py for why a rung of a band that is a line in the mark is that line's root.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import (
    Books,
    Floats,
    Limits,
    equity_of,
    liquidation_of,
    position_of,
    rules_of,
    unrealised_of,
    view_of,
    wake,
)
from bot.backtest.kernel.candles import direction_of, know, roll_clock
from bot.backtest.kernel.coasting import NARROWER, is_bearable, is_flat
from bot.backtest.kernel.cruising import FROM_WALL, PAST_ANCHOR, advance, is_within_caps
from bot.backtest.kernel.margins import lay_ladder
from bot.backtest.kernel.market import ENTERS, IS_BROKEN, LEAVES, Played
from bot.backtest.kernel.policy_codes import STOP_ANCHOR, band_of, is_even, is_steady
from bot.backtest.kernel.protection import nearest_stop
from bot.backtest.kernel.recorder import accrue, follow
from bot.backtest.kernel.story import is_full, tell_funding
from bot.backtest.kernel.ticks import find_watch, jump_to
from bot.backtest.kernel.venue_orders import touch
from bot.core.compiled import compiled
from bot.core.pnl import funding_payment
from bot.risk.anchor import anchor_buffer, anchor_price
from bot.risk.trailing import trail_mark
from bot.risk.triggers import release_wall

_CAPS_EVERY_MS: Final = 60_000


@compiled
def glide(b: Books, p: Played, limits: Limits, bar: int, due: int) -> int:
    """Take as many whole candles as nothing happens in, and return the bar reached.

    Below zero: -1 - bar, and the candles that close there were not heard yet.
    """
    g, words, m, begin, size, last = p.candles, p.words, b.m, bar, p.candle_bars, p.bars
    candle_ms = p.candle_ms
    candle = (bar * p.bar_ms - p.first_close_ms) // candle_ms + 1
    due_ms = p.due[due, 0] if due < len(p.due) else c.NEVER_MS
    end_ms, code, is_ready, first_due = p.start_ms + bar * p.bar_ms, bar, False, due
    is_coasting = is_flat(b)
    while True:
        end_ms += candle_ms
        is_free = is_coasting and is_bearable(b, b.a[c.FREE], end_ms)
        passed = advance(b, p, candle, bar, end_ms, due_ms, is_free, is_ready)
        candle, bar, end_ms = candle + passed, bar + passed * size, end_ms + passed * candle_ms
        is_full = m[c.ACCOUNTS_WAITING] + 1 >= c.ACCOUNT_SLOTS
        if is_full or bar + size >= last or due_ms < end_ms or not _is_still(b, g, words, candle, end_ms):
            code = bar
            break
        if not is_ready:
            _prepare(b, limits)
            is_ready = True
        bar += size
        for s in range(m[c.SYMBOLS]):
            b.f[s, c.MARK] = g[s, candle, c.G_MARK]
        while due_ms == end_ms and _settle(b, p.due[due, 1], p.due[due, 2], p.due_values[due], end_ms):
            due += 1
            due_ms = p.due[due, 0] if due < len(p.due) else c.NEVER_MS
        if due > first_due:
            _prepare(b, limits)
            first_due = due
        if b.a[c.P_IS_EVEN] != 0.0:
            _find_bands(b, p, limits, candle)
        if due_ms == end_ms or not _is_idle(b, g, words, candle, end_ms):
            code = -1 - bar
            if due_ms != end_ms:
                _wake(b)
            break
        _close(b, g, words, candle, end_ms)
        candle += 1
    if bar > begin:
        _catch_up(b, p.marks, p.lasts, p.estimates, bar, p.start_ms + bar * p.bar_ms)
    _wake_exactly(b, limits)
    m[c.DUE] = due
    return code


@compiled
def _settle(b: Books, s: int, kind: int, rate: float, ts_ms: int) -> bool:
    """Settle funding if nothing but money and the rate changes by it; return whether it is done."""
    f, n = b.f[s], b.n[s]
    if kind != 0 or is_full(b):
        return False
    if n[c.SIDE] != 0:
        wallet, mark, side = f[c.WALLET], f[c.MARK], n[c.SIDE]
        amount = funding_payment(side, f[c.QUANTITY] * mark, rate)
        f[c.WALLET] = wallet + amount
        touch(b, s)
        away = f[c.STOP_PRICE] - nearest_stop(b, s)
        is_dear = n[c.ADDS] > 0 and amount > 0.0
        if (
            n[c.STOP_ID] == 0
            or not side * away > 0.0
            or not side * (mark - liquidation_of(b, s)) > 0.0
            or is_dear
        ):
            f[c.WALLET] = wallet
            touch(b, s)
            return False
        b.m[c.NOW] = ts_ms
        accrue(b, s, ts_ms)
        follow(b, s)
        f[c.FUNDING] += amount
        f[c.DRAINED] = min(f[c.DRAINED], f[c.FUNDING])
        tell_funding(b, s, ts_ms, amount)
    f[c.FUNDING_RATE] = rate
    n[c.IS_GLIDING] = 0
    wake(b, s)
    return True


@compiled
def _prepare(b: Books, limits: Limits) -> None:
    """Write down as plain numbers what does not change while gliding."""
    a, entry, above = b.a, limits.entry, max(b.a[c.CUT_ABOVE], 1.0)
    is_alone = limits.allocation.budget_fraction == 0.0  # one budget over all is looked at every candle
    a[c.P_IS_ANCHORED] = 1.0 if is_alone and limits.policy == STOP_ANCHOR else 0.0
    a[c.P_IS_EVEN] = 1.0 if is_alone and is_even(limits) else 0.0
    a[c.P_IS_STEADY] = 1.0 if is_alone and is_steady(limits) else 0.0
    a[c.P_BUFFER_MIN], a[c.P_BUFFER_SIGMAS] = limits.params[0], limits.params[1]
    a[c.P_LOW], a[c.P_HIGH] = limits.params[2], limits.params[3]
    a[c.P_PAYMENTS] = float(limits.margin.funding_payments_ahead)
    a[c.P_IS_CUTTING] = 1.0 if limits.margin.volatile_cut_fraction > 0.0 else 0.0
    a[c.P_MARGIN_CAP] = above * entry.portfolio_cap_fraction
    a[c.P_RISK_CAP] = above * entry.risk_cap_fraction / limits.caps.risk_sigmas
    a[c.P_CASCADE_CAP] = above * entry.cascade_cap_fraction
    a[c.P_CASCADE_SIGMAS] = limits.caps.cascade_sigmas
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.HOLDS] != 0:
            _prepare_held(b, s, limits)


@compiled
def _prepare_held(b: Books, s: int, limits: Limits) -> None:
    f = b.f[s]
    if b.n[s, c.IS_WALL_KNOWN] == 0:
        f[c.WALL] = release_wall(position_of(b, s), rules_of(b, s), limits.margin)
        b.n[s, c.IS_WALL_KNOWN] = 1
    f[c.TRAIL] = trail_mark(
        b.n[s, c.HOLD_SIDE],
        f[c.ENTRY_PRICE],
        f[c.INITIAL_STOP],
        f[c.STOP_PRICE],
        f[c.TICK_SIZE],
        limits.bracket,
    )


@compiled
def _catch_up(b: Books, marks: Floats, lasts: Floats, estimates: Floats, bar: int, ts_ms: int) -> None:
    """Take over the last ticks of the candles, and what was known when the last of them was heard."""
    for s in range(b.m[c.SYMBOLS]):
        jump_to(b, s, ts_ms - 1, marks[s, bar - 1, 3], lasts[s, bar - 1, 3])
        if b.n[s, c.KNOWN_ROW] >= 0:
            know(b, estimates, s, b.n[s, c.KNOWN_ROW])


@compiled
def _is_still(b: Books, g: Floats, words: NDArray[np.uint8], candle: int, end_ms: int) -> bool:
    """Whether no price of the candle reaches anything that the venue or the engine waits for."""
    for s in range(b.m[c.SYMBOLS]):
        if words[s, candle] & IS_BROKEN != 0 or b.n[s, c.ENTERING] != 0:
            return False
        if b.n[s, c.SIDE] == 0 and b.n[s, c.ORDERS] == 0:
            continue
        if b.n[s, c.IS_WATCH_KNOWN] == 0:
            find_watch(b, s)
        low, high = b.f[s, c.SLEEP_LOW], b.f[s, c.SLEEP_HIGH]
        if b.n[s, c.IS_GLIDING] != 0:
            low, high = b.f[s, c.GLIDE_LOW], b.f[s, c.GLIDE_HIGH]
        elif b.n[s, c.RECHECK_MS] < end_ms:
            return False
        least, most = g[s, candle, c.G_LOW], g[s, candle, c.G_HIGH]
        if not (low < least and b.f[s, c.WATCH_LOW] < least and most < high and most < b.f[s, c.WATCH_HIGH]):
            return False
    return True


@compiled
def _wake_exactly(b: Books, limits: Limits) -> None:
    """Lay the exact ladder where the marks of the sleep were narrowed."""
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.IS_GLIDING] != 0:
            b.n[s, c.IS_GLIDING] = 0
            lay_ladder(b, s, limits, -1)


@compiled
def _wake(b: Books) -> None:
    """Wake what sleeps: the closes that are heard next lay its ladder anew."""
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.IS_GLIDING] != 0:
            b.n[s, c.IS_GLIDING] = 0
            wake(b, s)


@compiled
def _is_idle(b: Books, g: Floats, words: NDArray[np.uint8], candle: int, end_ms: int) -> bool:
    """Whether the candles that close now change nothing but what is known."""
    a, margin, risk, unrealised = b.a, 0.0, 0.0, 0.0
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.GAP_UNTIL_MS] != 0:
            return False
        if b.n[s, c.HOLDS] == 0:
            if words[s, candle] & ENTERS != 0:
                return False
            continue
        side, word = b.n[s, c.HOLD_SIDE], words[s, candle]
        if word & LEAVES != 0 and direction_of(word) in (0, side):
            return False
        if a[c.P_IS_CUTTING] != 0.0 and g[s, candle, c.G_IS_WILD] != 0.0:
            return False
        sigma = g[s, candle, c.G_SIGMA]
        if b.f[s, c.WALLET] <= 0.0 or not _is_content(b, s, sigma, end_ms):
            return False
        value = b.f[s, c.QUANTITY] * b.f[s, c.MARK]
        margin += b.f[s, c.WALLET]
        risk += value * max(sigma, b.f[s, c.SIGMA_DAY])
        unrealised += side * (value - b.f[s, c.QUANTITY] * b.f[s, c.ENTRY_PRICE])
    if margin == 0.0:
        return is_bearable(b, a[c.FREE], end_ms)
    equity = a[c.FREE] + margin
    return is_within_caps(b, equity, margin, risk) and is_bearable(b, equity + unrealised, end_ms)


@compiled
def _is_content(b: Books, s: int, sigma: float, end_ms: int) -> bool:
    """Whether a look at the position would leave all as it is; then the marks of its sleep are kept."""
    side, mark, liquidation = b.n[s, c.HOLD_SIDE], b.f[s, c.MARK], liquidation_of(b, s)
    if b.n[s, c.IS_FILLED] == 0 or b.n[s, c.IS_CLOSING] != 0 or b.n[s, c.STOP_ID] == 0:
        return False
    if b.n[s, c.REDUCES_COMING] > 0 or end_ms < b.n[s, c.MARGIN_AGAIN_MS]:
        return False
    if not (0.0 < sigma < math.inf and 0.0 < liquidation < math.inf):
        return False
    rate = side * b.f[s, c.FUNDING_RATE]
    reserve = rate * b.a[c.P_PAYMENTS] if rate > 0.0 else 0.0
    if b.a[c.P_IS_ANCHORED] != 0.0:
        if not _anchored(b, s, liquidation, sigma, reserve):
            return False
    elif b.a[c.P_IS_EVEN] == 0.0 or not _evenly(b, s, liquidation, reserve):
        return False
    return _is_below_trail(b, s) and b.f[s, c.GLIDE_LOW] < mark < b.f[s, c.GLIDE_HIGH]


@compiled
def _is_below_trail(b: Books, s: int) -> bool:
    """Whether the stop does not follow yet; the mark at which it does bounds the sleep."""
    side, mark, trail = b.n[s, c.HOLD_SIDE], b.f[s, c.MARK], b.f[s, c.TRAIL]
    if trail <= 0.0:
        return True
    best = max(b.f[s, c.BEST_MARK], mark) if side > 0 else min(b.f[s, c.BEST_MARK], mark)
    if side > 0:
        b.f[s, c.GLIDE_HIGH] = min(b.f[s, c.GLIDE_HIGH], trail)
    else:
        b.f[s, c.GLIDE_LOW] = max(b.f[s, c.GLIDE_LOW], trail)
    return side * (best - trail) < -NARROWER * trail


@compiled
def _bound(b: Books, s: int, adds: float, releases: float, is_above: bool) -> bool:
    """Keep the marks of the sleep, narrowed: where margin is added, and where it is released.

    `releases`: the near side of it, 0.0 for none. `is_above`: it is due already, the venue keeps the margin.
    """
    side, mark, low, high = b.n[s, c.HOLD_SIDE], b.f[s, c.MARK], 0.0, math.inf
    if side > 0:
        low = adds * (1.0 + NARROWER)
    else:
        high = adds * (1.0 - NARROWER)
    if is_above:
        releases = b.f[s, c.WALL] * (1.0 - side * FROM_WALL)
    if releases > mark:
        high = min(high, releases * (1.0 - NARROWER))
    elif releases > 0.0:
        low = max(low, releases * (1.0 + NARROWER))
    b.f[s, c.GLIDE_LOW], b.f[s, c.GLIDE_HIGH] = low, high
    return not is_above or side * (releases - mark) > 0.0


@compiled
def _anchored(b: Books, s: int, liquidation: float, sigma: float, reserve: float) -> bool:
    """Find the marks of the sleep of a position whose liquidation is anchored to its stop."""
    side, mark = b.n[s, c.HOLD_SIDE], b.f[s, c.MARK]
    buffer = anchor_buffer(sigma, b.a[c.P_BUFFER_MIN], b.a[c.P_BUFFER_SIGMAS])
    anchor = anchor_price(side, b.f[s, c.STOP_PRICE], buffer)
    low, high = b.a[c.P_LOW], b.a[c.P_HIGH]
    slope = high - 1.0 + side * reserve
    # Behind the anchor the band is another line.
    behind = anchor * (1.0 + side * PAST_ANCHOR)
    if slope <= 0.0 or not side * (mark - behind) > 0.0:
        return False
    adds, releases = (liquidation - low * anchor) / (1.0 - low), (high * anchor - liquidation) / slope
    nearest = max(adds, behind) if side > 0 else min(adds, behind)
    is_above = releases > mark if side > 0 else releases < mark
    return _bound(b, s, nearest, max(releases, 0.0), is_above)


@compiled
def _evenly(b: Books, s: int, liquidation: float, reserve: float) -> bool:
    """Find the same where the band does not depend on the mark."""
    side, mark = b.n[s, c.HOLD_SIDE], b.f[s, c.MARK]
    low, high = b.f[s, c.BAND_LOW], b.f[s, c.BAND_HIGH] + reserve
    if not 0.0 < low < 1.0:
        return False
    releases = liquidation / (1.0 - side * high) if side * high < 1.0 else 0.0
    is_above = releases > 0.0 and side * (mark - releases) > 0.0
    return _bound(b, s, liquidation / (1.0 - side * low), releases, is_above)


@compiled
def _find_bands(b: Books, p: Played, limits: Limits, candle: int) -> None:
    """Ask the policy for the bands after a candle; 0.0 where it has none."""
    for s in range(b.m[c.SYMBOLS]):
        before = b.n[s, c.KNOWN_ROW]
        b.f[s, c.BAND_LOW] = 0.0
        if b.n[s, c.HOLDS] != 0 and before >= 0:
            know(b, p.estimates, s, p.rows[s, candle])
            band = band_of(view_of(b, s), limits)
            know(b, p.estimates, s, before)
            if 0.0 < band.low <= band.target <= band.high:
                b.f[s, c.BAND_LOW], b.f[s, c.BAND_HIGH] = band.low, band.high


@compiled
def _close(b: Books, g: Floats, words: NDArray[np.uint8], candle: int, end_ms: int) -> None:
    """Let the candles close that change nothing but what is known."""
    b.m[c.NOW] = end_ms
    is_holding = False
    for s in range(b.m[c.SYMBOLS]):
        sigma = g[s, candle, c.G_SIGMA]
        b.f[s, c.SIGMA_DAY], b.n[s, c.KNOWN_ROW] = sigma, int(g[s, candle, c.G_ROW])
        if b.n[s, c.HOLDS] != 0:
            side, mark, is_holding = b.n[s, c.HOLD_SIDE], b.f[s, c.MARK], True
            word = words[s, candle]
            is_same = word & ENTERS != 0 and direction_of(word) == side
            b.n[s, c.REENTERS] = 1 if is_same else 0
            b.n[s, c.STALE_SINCE_MS], b.n[s, c.IS_GLIDING] = -1, 1
            if side * (mark - b.f[s, c.BEST_MARK]) > 0.0:
                b.f[s, c.BEST_MARK] = mark
    if end_ms - b.m[c.HOUR_MS] >= 3_600_000:
        roll_clock(b)
    if is_holding:
        b.a[c.PEAK_EQUITY] = max(b.a[c.PEAK_EQUITY], equity_of(b) + unrealised_of(b))
    if b.a[c.CUT_ABOVE] > 0.0 and end_ms >= b.m[c.CAPS_AGAIN_MS]:
        b.m[c.CAPS_AGAIN_MS] = end_ms + _CAPS_EVERY_MS
