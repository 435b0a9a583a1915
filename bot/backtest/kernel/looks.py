"""One look of the engine at a held symbol; bot/engine/engine.py over columns."""

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, Limits, wake
from bot.backtest.kernel.halts import check
from bot.backtest.kernel.margins import reconsider
from bot.backtest.kernel.protection import end_late, ensure, trail
from bot.core.compiled import compiled


@compiled
def finish(b: Books) -> None:
    """End a step: take back what is late, and look whether anything has broken."""
    for s in range(b.m[c.SYMBOLS]):
        end_late(b, s)
    check(b)


@compiled
def look_at(b: Books, s: int, limits: Limits) -> None:
    """Protect, trail, and decide about margin."""
    f, n = b.f[s], b.n[s]
    if n[c.HOLDS] == 0 or n[c.IS_CLOSING] != 0:
        return
    if n[c.HOLD_SIDE] * (f[c.MARK] - f[c.BEST_MARK]) > 0.0:
        f[c.BEST_MARK] = f[c.MARK]
    ensure(b, s)
    trail(b, s, limits)
    if n[c.IS_CLOSING] == 0:
        reconsider(b, s, limits)
    if n[c.STOP_ID] == 0:
        wake(b, s)
