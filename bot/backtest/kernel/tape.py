"""The prices of a symbol as the venue lives through them; bot/sim/tape.py over the books' columns."""

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books
from bot.core.compiled import compiled


@compiled
def begin_tick(b: Books, s: int, ts_ms: int, mark: float, last: float) -> None:
    """Take up a new tick."""
    f, n = b.f[s], b.n[s]
    if n[c.HAS_TICK] == 0:
        n[c.HAS_TICK] = 1
        n[c.BEFORE_MS], f[c.BEFORE_MARK], f[c.BEFORE_LAST] = ts_ms, mark, last
        n[c.NOW_MS], f[c.NOW_MARK], f[c.NOW_LAST] = ts_ms, mark, last
    else:
        n[c.BEFORE_MS], f[c.BEFORE_MARK], f[c.BEFORE_LAST] = n[c.TICK_MS], f[c.TICK_MARK], f[c.TICK_LAST]
    n[c.TICK_MS], f[c.TICK_MARK], f[c.TICK_LAST] = ts_ms, mark, last
    n[c.TICK_NUMBER] += 1


@compiled
def finish_tick(b: Books, s: int) -> None:
    """Everything the tick causes has happened."""
    f, n = b.f[s], b.n[s]
    n[c.NOW_MS], f[c.NOW_MARK], f[c.NOW_LAST] = n[c.TICK_MS], f[c.TICK_MARK], f[c.TICK_LAST]
    n[c.BEFORE_MS], f[c.BEFORE_MARK], f[c.BEFORE_LAST] = n[c.TICK_MS], f[c.TICK_MARK], f[c.TICK_LAST]


@compiled
def price_at(b: Books, s: int, ts_ms: int) -> tuple[int, float, float]:
    """Return time, mark and last, interpolated; not before now, not after the tick."""
    f, n = b.f[s], b.n[s]
    ts_ms = max(ts_ms, n[c.NOW_MS])
    if ts_ms >= n[c.TICK_MS] or n[c.TICK_MS] <= n[c.BEFORE_MS]:
        return n[c.TICK_MS], f[c.TICK_MARK], f[c.TICK_LAST]
    share = (ts_ms - n[c.BEFORE_MS]) / (n[c.TICK_MS] - n[c.BEFORE_MS])
    if share <= 0.0:
        return n[c.NOW_MS], f[c.NOW_MARK], f[c.NOW_LAST]
    mark = f[c.BEFORE_MARK] + share * (f[c.TICK_MARK] - f[c.BEFORE_MARK])
    last = f[c.BEFORE_LAST] + share * (f[c.TICK_LAST] - f[c.BEFORE_LAST])
    return ts_ms, mark, last


@compiled
def walk_to(b: Books, s: int, ts_ms: int) -> int:
    """Move the price that orders meet to an instant, and return that instant."""
    now_ms, mark, last = price_at(b, s, ts_ms)
    b.n[s, c.NOW_MS], b.f[s, c.NOW_MARK], b.f[s, c.NOW_LAST] = now_ms, mark, last
    return now_ms
