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
_HOUR_MS = 3_600_000
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
def candles_without_entry(
    b: Books, words: NDArray[np.uint8], candle: int, most: int, end_ms: int, due_ms: int
) -> int:
    """Return how many candles close, the first of them `candle` at `end_ms`, before something is done.

    That is an entry, a missing bar or a settlement; `most` at most.
    """
    most = min(most, (due_ms - end_ms - 1) // b.m[c.TIMEFRAME_MS] + 1)
    for s in range(b.m[c.SYMBOLS]):
        count = 0
        while count < most and words[s, candle + count] & (ENTERS | IS_BROKEN) == 0:
            count += 1
        most = count
    return most


@compiled
def coast(b: Books, most: int, end_ms: int) -> int:
    """Let up to `most` candles close, the first of them at `end_ms`; return how many did.

    It ends where no row of the account fits. What the last of them told is not known before `land`.
    """
    m, candle_ms, passed = b.m, b.m[c.TIMEFRAME_MS], 0
    while passed < most and m[c.ACCOUNTS_WAITING] + 1 < c.ACCOUNT_SLOTS:
        until_hour_ms = m[c.HOUR_MS] + _HOUR_MS - end_ms - passed * candle_ms
        if until_hour_ms > 0:
            passed += (until_hour_ms - 1) // candle_ms + 1
        if passed >= most:
            passed = most
            m[c.NOW] = end_ms + (passed - 1) * candle_ms
            break
        m[c.NOW] = end_ms + passed * candle_ms
        roll_clock(b)
        passed += 1
    return passed


@compiled
def land(b: Books, g: Floats, candle: int, passed: int) -> None:
    """Take over what a candle told, the last of those that were passed over, if any were."""
    if passed == 0:
        return
    for s in range(b.m[c.SYMBOLS]):
        b.f[s, c.MARK], b.f[s, c.SIGMA_DAY] = g[s, candle, c.G_MARK], g[s, candle, c.G_SIGMA]
        b.n[s, c.KNOWN_ROW] = int(g[s, candle, c.G_ROW])
    if b.a[c.CUT_ABOVE] > 0.0 and b.m[c.NOW] >= b.m[c.CAPS_AGAIN_MS]:
        b.m[c.CAPS_AGAIN_MS] = b.m[c.NOW] + _CAPS_EVERY_MS
