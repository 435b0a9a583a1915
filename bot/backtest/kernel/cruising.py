"""Passing over candles, above all while positions are held whose band is anchored to their stop, or steady.

The same proof as in gliding.py, candle by candle: between the marks that the last close left, nothing is due.
What does not change while nothing happens is looked up once, and nothing is divided. The marks of a steady
band stay as they are.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, Floats, equity_of, liquidation_of
from bot.backtest.kernel.candles import direction_of, roll_clock
from bot.backtest.kernel.coasting import NARROWER, candles_without_entry, coast, is_bearable, land
from bot.backtest.kernel.market import ENTERS, IS_BROKEN, LEAVES, Played, fetch
from bot.core.compiled import compiled
from bot.risk.anchor import anchor_buffer, anchor_price

PAST_ANCHOR: Final = 1e-5
FROM_WALL: Final = 1e-4  # of the mark; nearer to it the smallest release is a matter of rounding
_CAPS_EVERY_MS: Final = 60_000
_CANDLES_AHEAD: Final = 6


@compiled
def advance(
    b: Books, p: Played, candle: int, bar: int, end_ms: int, due_ms: int, is_free: bool, is_ready: bool
) -> int:
    """Let as many candles close as nothing happens in, flat or held; return how many did."""
    size = p.candle_bars
    most = (p.bars - 1 - bar) // size
    if is_free:
        most = candles_without_entry(b, p.words, candle, most, end_ms, due_ms)
        _fetch_ahead(b, p, candle + most, bar + most * size, most)
        passed = coast(b, most, end_ms)
        land(b, p.candles, candle + passed - 1, passed)
        return passed
    passed = cruise(b, p.candles, p.words, candle, most, end_ms, due_ms) if is_ready else 0
    if passed > 0 or not is_ready:
        _fetch_ahead(b, p, candle + passed, bar + passed * size, 0)
    return passed


@compiled
def _fetch_ahead(b: Books, p: Played, candle: int, bar: int, rows: int) -> None:
    """Have what is needed next fetched all at once: it lies in many tables, and none of it at hand."""
    for s in range(b.m[c.SYMBOLS]):
        row = b.n[s, c.KNOWN_ROW] + rows
        fetch(p.candles, s, candle)
        fetch(p.candles, s, candle + 1)
        fetch(p.estimates, row, 0)
        fetch(p.estimates, row + 1, 0)
        fetch(p.rows, s, candle)
        fetch(p.strengths, row + 1, 0)
        fetch(p.stop_distances, row + 1, 0)
        fetch(p.is_there, s, bar)
        fetch(p.marks, s, bar - 1)
        fetch(p.marks, s, bar + 1)
        fetch(p.marks, s, bar + 3)


@compiled
def cruise(
    b: Books, g: Floats, words: NDArray[np.uint8], candle: int, most: int, end_ms: int, due_ms: int
) -> int:
    """Let up to `most` candles close, the first of them `candle` at `end_ms`; return how many did.

    It ends before a signal, a missing bar, a settlement and whatever could be due, and where no row of the
    account fits.
    """
    m, a, symbols, first = b.m, b.a, b.m[c.SYMBOLS], candle
    if not _are_gliding(b):
        return 0
    equity, margin = equity_of(b), _margin(b)
    most = min(most, (due_ms - end_ms - 1) // m[c.TIMEFRAME_MS] + 1)
    while candle - first < most and m[c.ACCOUNTS_WAITING] + 1 < c.ACCOUNT_SLOTS:
        risk, unrealised, is_over = 0.0, 0.0, False
        for s in range(symbols):
            word = words[s, candle]
            fetch(g, s, candle + _CANDLES_AHEAD)
            is_over = is_over or word & (ENTERS | IS_BROKEN) != 0
            if b.n[s, c.HOLDS] != 0:
                is_over = is_over or (word & LEAVES != 0 and direction_of(word) in (0, b.n[s, c.HOLD_SIDE]))
                least, largest, mark = g[s, candle, c.G_LOW], g[s, candle, c.G_HIGH], g[s, candle, c.G_MARK]
                sigma, is_wild = g[s, candle, c.G_SIGMA], g[s, candle, c.G_IS_WILD] != 0.0
                is_over = is_over or not _is_within(b, s, least, largest, mark, sigma, is_wild)
                quantity = b.f[s, c.QUANTITY]
                risk += quantity * mark * max(sigma, b.f[s, c.SIGMA_DAY])
                unrealised += b.n[s, c.HOLD_SIDE] * quantity * (mark - b.f[s, c.ENTRY_PRICE])
        if is_over or not is_within_caps(b, equity, margin, risk):
            break
        if not is_bearable(b, equity + unrealised, end_ms):
            break
        for s in range(symbols):
            if b.n[s, c.HOLDS] != 0:
                _take(b, s, g[s, candle, c.G_MARK], g[s, candle, c.G_SIGMA])
        m[c.NOW] = end_ms
        if end_ms - m[c.HOUR_MS] >= 3_600_000:
            roll_clock(b)
        a[c.PEAK_EQUITY] = max(a[c.PEAK_EQUITY], equity + unrealised)
        if a[c.CUT_ABOVE] > 0.0 and end_ms >= m[c.CAPS_AGAIN_MS]:
            m[c.CAPS_AGAIN_MS] = end_ms + _CAPS_EVERY_MS
        candle, end_ms = candle + 1, end_ms + m[c.TIMEFRAME_MS]
    if candle > first:
        _settle_down(b, g, candle - 1)
    return candle - first


@compiled
def _are_gliding(b: Books) -> bool:
    """Whether the last close left marks for all that is held: then nothing else is on its way either."""
    is_steady, is_held = b.a[c.P_IS_STEADY] != 0.0, False
    if b.a[c.P_IS_ANCHORED] == 0.0 and not is_steady:
        return False
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.HOLDS] == 0:
            if b.n[s, c.SIDE] != 0 or b.n[s, c.ORDERS] != 0:
                return False
            continue
        if b.n[s, c.IS_GLIDING] == 0 or b.n[s, c.IS_WATCH_KNOWN] == 0:
            return False
        if not is_steady and not _is_sloping(b, s):
            return False
        is_held = True
    return is_held


@compiled
def _is_sloping(b: Books, s: int) -> bool:
    """Keep how fast the release comes nearer; whether it does."""
    rate = b.n[s, c.HOLD_SIDE] * b.f[s, c.FUNDING_RATE]
    reserve = rate * b.a[c.P_PAYMENTS] if rate > 0.0 else 0.0
    slope = b.a[c.P_HIGH] - 1.0 + b.n[s, c.HOLD_SIDE] * reserve
    if not slope > 0.0:
        return False
    b.f[s, c.PER_SLOPE] = 1.0 / slope
    b.f[s, c.PER_LOW] = 1.0 / (1.0 - b.a[c.P_LOW])
    return 0.0 < liquidation_of(b, s) < math.inf


@compiled
def _is_within(b: Books, s: int, least: float, most: float, mark: float, sigma: float, is_wild: bool) -> bool:
    """Whether the candle stays between the marks of the last close; keep those of its own."""
    f = b.f
    is_still = max(f[s, c.GLIDE_LOW], f[s, c.WATCH_LOW]) < least
    is_still = is_still and most < min(f[s, c.GLIDE_HIGH], f[s, c.WATCH_HIGH])
    if not is_still or not 0.0 < sigma < math.inf or (is_wild and b.a[c.P_IS_CUTTING] != 0.0):
        return False
    if b.a[c.P_IS_STEADY] != 0.0:
        f[s, c.NEXT_LOW], f[s, c.NEXT_HIGH] = f[s, c.GLIDE_LOW], f[s, c.GLIDE_HIGH]
        return True
    side, liquidation = float(b.n[s, c.HOLD_SIDE]), f[s, c.LIQUIDATION]
    buffer = anchor_buffer(sigma, b.a[c.P_BUFFER_MIN], b.a[c.P_BUFFER_SIGMAS])
    anchor = anchor_price(b.n[s, c.HOLD_SIDE], f[s, c.STOP_PRICE], buffer)
    behind = anchor * (1.0 + side * PAST_ANCHOR)
    adds = (liquidation - b.a[c.P_LOW] * anchor) * f[s, c.PER_LOW]
    releases = (b.a[c.P_HIGH] * anchor - liquidation) * f[s, c.PER_SLOPE]
    if side * (releases - mark) > 0.0:  # it is due already, the venue keeps the margin
        releases = f[s, c.WALL] * (1.0 - side * FROM_WALL)
        if not side * (releases - mark) > 0.0:
            return False
    low, high = 0.0, math.inf
    if side > 0.0:
        low = max(adds, behind) * (1.0 + NARROWER)
    else:
        high = min(adds, behind) * (1.0 - NARROWER)
    if releases > mark:
        high = min(high, releases * (1.0 - NARROWER))
    elif releases > 0.0:
        low = max(low, releases * (1.0 + NARROWER))
    trail = f[s, c.TRAIL]
    if trail > 0.0:
        best = max(f[s, c.BEST_MARK], mark) if side > 0.0 else min(f[s, c.BEST_MARK], mark)
        if not side * (best - trail) < -NARROWER * trail:
            return False
        low, high = (low, min(high, trail)) if side > 0.0 else (max(low, trail), high)
    f[s, c.NEXT_LOW], f[s, c.NEXT_HIGH] = low, high
    return low < mark < high


@compiled
def _margin(b: Books) -> float:
    """What is locked in all positions."""
    margin = 0.0
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.HOLDS] != 0:
            margin += b.f[s, c.WALLET]
    return margin


@compiled
def is_within_caps(b: Books, equity: float, margin: float, risk: float) -> bool:
    """Return whether no cap on the whole book is exceeded by what makes the engine cut."""
    a = b.a
    return a[c.CUT_ABOVE] == 0.0 or (
        margin < equity * a[c.P_MARGIN_CAP]
        and risk < equity * a[c.P_RISK_CAP]
        and min(margin, a[c.P_CASCADE_SIGMAS] * risk) < equity * a[c.P_CASCADE_CAP]
    )


@compiled
def _take(b: Books, s: int, mark: float, sigma: float) -> None:
    """Let the candle of a held symbol close."""
    b.f[s, c.MARK], b.f[s, c.SIGMA_DAY] = mark, sigma
    b.f[s, c.GLIDE_LOW], b.f[s, c.GLIDE_HIGH] = b.f[s, c.NEXT_LOW], b.f[s, c.NEXT_HIGH]
    if b.n[s, c.HOLD_SIDE] * (mark - b.f[s, c.BEST_MARK]) > 0.0:
        b.f[s, c.BEST_MARK] = mark


@compiled
def _settle_down(b: Books, g: Floats, candle: int) -> None:
    """Take over what the last of the candles told."""
    for s in range(b.m[c.SYMBOLS]):
        b.f[s, c.MARK], b.f[s, c.SIGMA_DAY] = g[s, candle, c.G_MARK], g[s, candle, c.G_SIGMA]
        b.n[s, c.KNOWN_ROW] = int(g[s, candle, c.G_ROW])
        if b.n[s, c.HOLDS] != 0:
            b.n[s, c.REENTERS], b.n[s, c.STALE_SINCE_MS] = 0, -1
