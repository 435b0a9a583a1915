"""Passing over candles while nothing is held, nothing is on its way and nothing is entered."""

import numpy as np
from numpy.typing import NDArray

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, Floats
from bot.backtest.kernel.candles import roll_clock
from bot.backtest.kernel.market import ENTERS, IS_BROKEN
from bot.core.compiled import compiled

NARROWER = 1e-9
_CAPS_EVERY_MS = 60_000
_DAY_MS = 86_400_000


@compiled
def is_flat(b: Books) -> bool:
    """Return whether no symbol has a position, an order, or an outage of its feed."""
    for s in range(b.m[c.SYMBOLS]):
        n = b.n[s]
        if n[c.HOLDS] + n[c.ENTERING] + n[c.ORDERS] != 0 or n[c.SIDE] != 0 or n[c.GAP_UNTIL_MS] != 0:
            return False
    return True


@compiled
def is_bearable(b: Books, equity: float, end_ms: int) -> bool:
    """Return whether neither the day's loss, none on a new day, nor the drawdown is near its limit."""
    a, least = b.a, equity * (1.0 - NARROWER)
    base = a[c.LOSS_BASE] if end_ms - b.m[c.DAY_START_MS] < _DAY_MS else equity
    if a[c.LOSS_BASE] == 0.0 or not base > 0.0 or not equity > 0.0:
        return False
    if a[c.DAILY_LOSS] > 0.0 and base - least > a[c.DAILY_LOSS] * base:
        return False
    return not (a[c.DRAWDOWN] > 0.0 and a[c.PEAK_EQUITY] - least > a[c.DRAWDOWN] * a[c.PEAK_EQUITY])


@compiled
def coast(
    b: Books, g: Floats, words: NDArray[np.uint8], candle: int, most: int, end_ms: int, due_ms: int
) -> int:
    """Let up to `most` candles close, the first of them `candle` at `end_ms`; return how many did.

    It ends before an entry, a missing bar and a settlement, and where no row of the account fits.
    """
    m, symbols, candle_ms, first = b.m, b.m[c.SYMBOLS], b.m[c.TIMEFRAME_MS], candle
    most = min(most, (due_ms - end_ms - 1) // candle_ms + 1)
    while candle - first < most and m[c.ACCOUNTS_WAITING] + 1 < c.ACCOUNT_SLOTS:
        is_over = False
        for s in range(symbols):
            is_over = is_over or words[s, candle] & (ENTERS | IS_BROKEN) != 0
        if is_over:
            break
        m[c.NOW] = end_ms
        if end_ms - m[c.HOUR_MS] >= 3_600_000:
            roll_clock(b)
        candle, end_ms = candle + 1, end_ms + candle_ms
    if candle > first:
        _settle_down(b, g, candle - 1)
    return candle - first


@compiled
def _settle_down(b: Books, g: Floats, candle: int) -> None:
    """Take over what the last of the candles told."""
    for s in range(b.m[c.SYMBOLS]):
        b.f[s, c.MARK], b.f[s, c.SIGMA_DAY] = g[s, candle, c.G_MARK], g[s, candle, c.G_SIGMA]
        b.n[s, c.KNOWN_ROW] = int(g[s, candle, c.G_ROW])
    if b.a[c.CUT_ABOVE] > 0.0 and b.m[c.NOW] >= b.m[c.CAPS_AGAIN_MS]:
        b.m[c.CAPS_AGAIN_MS] = b.m[c.NOW] + _CAPS_EVERY_MS
