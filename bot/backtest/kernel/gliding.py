"""Whole candles at once, while nothing is on its way: no price of the candle reaches anything.

At a close the engine looks at what it holds. Where the position lies within its band, that look changes
nothing but the marks between which it sleeps. Those marks are found here in closed form, a little too
narrow; as soon as a price leaves them, the exact ladder is laid and the candle is played as ever. See
bot/risk/triggers.py for why a rung of a band that is a line in the mark is that line's root.
"""

import math
from typing import Final

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import (
    Books,
    Limits,
    equity_of,
    liquidation_of,
    position_of,
    rules_of,
    unrealised_of,
    view_of,
)
from bot.backtest.kernel.candles import learn, roll_clock
from bot.backtest.kernel.margins import lay_ladder
from bot.backtest.kernel.market import Played
from bot.backtest.kernel.policy_codes import STOP_ANCHOR, band_of, is_even
from bot.backtest.kernel.ticks import find_watch, jump_to
from bot.core.compiled import compiled
from bot.risk.anchor import anchor_buffer, anchor_price
from bot.risk.trailing import trail_mark
from bot.risk.triggers import release_wall

_NARROWER: Final = 1e-9
_PAST_ANCHOR: Final = 1e-5
_FROM_WALL: Final = 1e-4  # of the mark; nearer to it the smallest release is a matter of rounding
_CAPS_EVERY_MS: Final = 60_000


@compiled
def glide(b: Books, p: Played, limits: Limits, bar: int, due: int) -> int:
    """Take as many whole candles as nothing happens in, and return the bar reached.

    Below zero: -1 - bar, and the candles that close there were not heard yet.
    """
    candle = (bar * p.bar_ms - p.first_close_ms) // p.candle_ms + 1
    due_ms = p.due[due, 0] if due < len(p.due) else c.NEVER_MS
    while True:
        end = bar + p.candle_bars
        end_ms = p.start_ms + end * p.bar_ms
        is_full = b.m[c.ACCOUNTS_WAITING] + 1 >= c.ACCOUNT_SLOTS
        if is_full or end >= p.bars or due_ms < end_ms or not _is_still(b, p, candle, end_ms):
            _wake_exactly(b, limits)
            return bar
        for s in range(b.m[c.SYMBOLS]):
            jump_to(b, s, end_ms - 1, p.marks[s, end - 1, 3], p.lasts[s, end - 1, 3])
        bar = end
        if due_ms == end_ms or not _is_idle(b, p, limits, candle, end_ms):
            _wake_exactly(b, limits)
            return -1 - bar
        _close(b, p, candle, end_ms)
        candle += 1


@compiled
def _is_still(b: Books, p: Played, candle: int, end_ms: int) -> bool:
    """Whether no price of the candle reaches anything that the venue or the engine waits for."""
    for s in range(b.m[c.SYMBOLS]):
        if p.is_whole[s, candle] == 0 or b.n[s, c.ENTERING] != 0:
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
        if not (max(low, b.f[s, c.WATCH_LOW]) < p.lows[s, candle]):
            return False
        if not (p.highs[s, candle] < min(high, b.f[s, c.WATCH_HIGH])):
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
def _is_idle(b: Books, p: Played, limits: Limits, candle: int, end_ms: int) -> bool:
    """Whether the candles that close now change nothing but what is known."""
    value, margin, risk = unrealised_of(b), 0.0, 0.0
    equity = equity_of(b)
    for s in range(b.m[c.SYMBOLS]):
        row = p.rows[s, candle]
        is_warm = p.said[row, 5] != 0.0
        if b.n[s, c.GAP_UNTIL_MS] != 0:
            return False
        if b.n[s, c.HOLDS] == 0:
            if is_warm and p.said[row, 0] != 0.0:
                return False
            continue
        direction = int(p.said[row, 2])
        if is_warm and p.said[row, 1] != 0.0 and direction in (0, b.n[s, c.HOLD_SIDE]):
            return False
        if not _is_content(b, p, limits, s, row, end_ms):
            return False
        sigma = max(p.estimates[row, 0], b.f[s, c.SIGMA_DAY])
        margin += b.f[s, c.WALLET]
        risk += b.f[s, c.QUANTITY] * b.f[s, c.MARK] * sigma
    if not _is_within_caps(b, limits, margin, risk, equity):
        return False
    return _is_bearable(b, equity + value, end_ms)


@compiled
def _is_within_caps(b: Books, limits: Limits, margin: float, risk: float, equity: float) -> bool:
    """Whether no cap on the whole book is near: the margin bounds the cascade, and no hedge is counted."""
    share = max(b.a[c.CUT_ABOVE], 1.0) * equity
    if b.a[c.CUT_ABOVE] == 0.0 or margin == 0.0:
        return True
    return (
        margin < share * limits.entry.portfolio_cap_fraction
        and limits.caps.risk_sigmas * risk < share * limits.entry.risk_cap_fraction
        and min(margin, limits.caps.cascade_sigmas * risk) < share * limits.entry.cascade_cap_fraction
    )


@compiled
def _is_bearable(b: Books, equity: float, end_ms: int) -> bool:
    """Whether neither the day's loss nor the drawdown would halt; a new day is left to the engine."""
    a = b.a
    if end_ms - b.m[c.DAY_START_MS] >= 86_400_000 or a[c.LOSS_BASE] == 0.0:
        return False
    if a[c.DAILY_LOSS] > 0.0 and a[c.LOSS_BASE] - equity > a[c.DAILY_LOSS] * a[c.LOSS_BASE]:
        return False
    return not (a[c.DRAWDOWN] > 0.0 and a[c.PEAK_EQUITY] - equity > a[c.DRAWDOWN] * a[c.PEAK_EQUITY])


@compiled
def _is_content(b: Books, p: Played, limits: Limits, s: int, row: int, end_ms: int) -> bool:
    """Whether a look would find the position in its band; then the marks of its sleep are kept, narrowed."""
    side, mark, liquidation = b.n[s, c.HOLD_SIDE], b.f[s, c.MARK], liquidation_of(b, s)
    sigma = p.estimates[row, 0]
    if b.n[s, c.IS_FILLED] == 0 or b.n[s, c.IS_CLOSING] != 0 or b.n[s, c.STOP_ID] == 0:
        return False
    if b.n[s, c.REDUCES_COMING] > 0 or end_ms < b.n[s, c.MARGIN_AGAIN_MS]:
        return False
    if not (0.0 < sigma < math.inf and 0.0 < liquidation < math.inf):
        return False
    if limits.margin.volatile_cut_fraction > 0.0 and p.estimates[row, 5] > 0.0:
        return False
    rate = side * b.f[s, c.FUNDING_RATE]
    reserve = rate * limits.margin.funding_payments_ahead if rate > 0.0 else 0.0
    if limits.policy == STOP_ANCHOR:
        if not _anchored(b, s, limits, sigma, reserve):
            return False
    elif not is_even(limits) or not _evenly(b, p, s, limits, row, reserve):
        return False
    return _is_below_trail(b, s, limits) and b.f[s, c.GLIDE_LOW] < mark < b.f[s, c.GLIDE_HIGH]


@compiled
def _is_below_trail(b: Books, s: int, limits: Limits) -> bool:
    """Whether the stop does not follow yet; the mark at which it does bounds the sleep."""
    side, mark = b.n[s, c.HOLD_SIDE], b.f[s, c.MARK]
    trail = trail_mark(
        side,
        b.f[s, c.ENTRY_PRICE],
        b.f[s, c.INITIAL_STOP],
        b.f[s, c.STOP_PRICE],
        b.f[s, c.TICK_SIZE],
        limits.bracket,
    )
    if trail <= 0.0:
        return True
    best = max(b.f[s, c.BEST_MARK], mark) if side > 0 else min(b.f[s, c.BEST_MARK], mark)
    if side > 0:
        b.f[s, c.GLIDE_HIGH] = min(b.f[s, c.GLIDE_HIGH], trail)
    else:
        b.f[s, c.GLIDE_LOW] = max(b.f[s, c.GLIDE_LOW], trail)
    return side * (best - trail) < -_NARROWER * trail


@compiled
def _bound(b: Books, s: int, limits: Limits, adds: float, releases: float, is_above: bool) -> bool:
    """Keep the marks of the sleep, narrowed: where margin is added, and where it is released.

    `releases`: the near side of it, 0.0 for none. `is_above`: it is due, and the venue keeps the margin.
    """
    side, low, high = b.n[s, c.HOLD_SIDE], 0.0, math.inf
    if side > 0:
        low = adds * (1.0 + _NARROWER)
    else:
        high = adds * (1.0 - _NARROWER)
    if is_above:
        if b.n[s, c.IS_WALL_KNOWN] == 0:
            b.f[s, c.WALL] = release_wall(position_of(b, s), rules_of(b, s), limits.margin)
            b.n[s, c.IS_WALL_KNOWN] = 1
        releases = b.f[s, c.WALL] * (1.0 - side * _FROM_WALL)
    if releases > b.f[s, c.MARK]:
        high = min(high, releases * (1.0 - _NARROWER))
    elif releases > 0.0:
        low = max(low, releases * (1.0 + _NARROWER))
    b.f[s, c.GLIDE_LOW], b.f[s, c.GLIDE_HIGH] = low, high
    return not is_above or side * (releases - b.f[s, c.MARK]) > 0.0


@compiled
def _anchored(b: Books, s: int, limits: Limits, sigma: float, reserve: float) -> bool:
    """Find the marks of the sleep of a position whose liquidation is anchored to its stop."""
    side, mark, liquidation = b.n[s, c.HOLD_SIDE], b.f[s, c.MARK], liquidation_of(b, s)
    buffer = anchor_buffer(sigma, limits.params[0], limits.params[1])
    anchor = anchor_price(side, b.f[s, c.STOP_PRICE], buffer)
    low, high = limits.params[2], limits.params[3]
    slope = high - 1.0 + side * reserve
    # Behind the anchor the band is another line.
    behind = anchor * (1.0 + side * _PAST_ANCHOR)
    if slope <= 0.0 or not side * (mark - behind) > 0.0:
        return False
    adds, releases = (liquidation - low * anchor) / (1.0 - low), (high * anchor - liquidation) / slope
    nearest = max(adds, behind) if side > 0 else min(adds, behind)
    is_above = releases > mark if side > 0 else releases < mark
    return _bound(b, s, limits, nearest, max(releases, 0.0), is_above)


@compiled
def _evenly(b: Books, p: Played, s: int, limits: Limits, row: int, reserve: float) -> bool:
    """Find the same where the band does not depend on the mark."""
    side, mark, liquidation = b.n[s, c.HOLD_SIDE], b.f[s, c.MARK], liquidation_of(b, s)
    before = b.n[s, c.KNOWN_ROW]
    if before < 0:
        return False
    learn(b, p, s, row)
    band = band_of(view_of(b, s), limits)
    learn(b, p, s, before)
    high = band.high + reserve
    if not 0.0 < band.low <= band.target <= band.high or band.low >= 1.0:
        return False
    releases = liquidation / (1.0 - side * high) if side * high < 1.0 else 0.0
    is_above = releases > 0.0 and side * (mark - releases) > 0.0
    return _bound(b, s, limits, liquidation / (1.0 - side * band.low), releases, is_above)


@compiled
def _close(b: Books, p: Played, candle: int, end_ms: int) -> None:
    """Let the candles close that change nothing but what is known."""
    b.m[c.NOW] = end_ms
    for s in range(b.m[c.SYMBOLS]):
        row = p.rows[s, candle]
        learn(b, p, s, row)
        if b.n[s, c.HOLDS] != 0:
            side, mark = b.n[s, c.HOLD_SIDE], b.f[s, c.MARK]
            is_entry = p.said[row, 5] != 0.0 and p.said[row, 0] != 0.0
            b.n[s, c.REENTERS] = 1 if is_entry and int(p.said[row, 2]) == side else 0
            b.n[s, c.STALE_SINCE_MS] = -1
            b.n[s, c.IS_GLIDING] = 1
            if side * (mark - b.f[s, c.BEST_MARK]) > 0.0:
                b.f[s, c.BEST_MARK] = mark
    if end_ms - b.m[c.HOUR_MS] >= 3_600_000:
        roll_clock(b)
    b.a[c.PEAK_EQUITY] = max(b.a[c.PEAK_EQUITY], equity_of(b) + unrealised_of(b))
    if b.a[c.CUT_ABOVE] > 0.0 and end_ms >= b.m[c.CAPS_AGAIN_MS]:
        b.m[c.CAPS_AGAIN_MS] = end_ms + _CAPS_EVERY_MS
