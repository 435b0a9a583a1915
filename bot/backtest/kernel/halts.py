"""Halts and the tripwires that raise them; bot/engine/{halts,tripwires,rates}.py over columns."""

from typing import Final

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, equity_of, liquidation_of, unrealised_of, wake
from bot.core.compiled import compiled

DAILY_LOSS: Final = 1
DRAWDOWN: Final = 2
ORDER_RATE: Final = 4
MESSAGE_RATE: Final = 8
PRICE_COLLAR: Final = 16
REPEATED_REJECTION: Final = 32
STALE_DATA: Final = 64
I1: Final = 128
I2: Final = 256
I3: Final = 512
I20: Final = 1024
I4: Final = 2048
I15: Final = 4096
GRAVE: Final = MESSAGE_RATE | I4 | I15  # REDUCE_ONLY: nothing is released either

SENT_ROW: Final = 0
ORDERED_ROW: Final = 1
REFUSED_ROW: Final = 2
_RATE_MS: Final = 60_000
_REFUSALS_MS: Final = 600_000
_LONGEST_WAIT_MS: Final = 600_000
_MONEY_TOLERANCE: Final = 1e-6


@compiled
def latch(b: Books, cause: int) -> None:
    """Halt entries for good; what is held is looked at again."""
    if b.m[c.HALTS] & cause:
        return
    b.m[c.HALTS] |= cause
    for s in range(b.m[c.SYMBOLS]):
        wake(b, s)


@compiled
def may_release(b: Books) -> bool:
    """Return whether margin may be released."""
    return b.m[c.HALTS] & GRAVE == 0


@compiled
def losses(b: Books) -> None:
    """Halt entries when the day's loss or the drawdown exceeds its limit; unrealised PnL counts."""
    a = b.a
    equity = equity_of(b) + unrealised_of(b)
    if a[c.LOSS_BASE] == 0.0:
        a[c.LOSS_BASE] = equity
    a[c.PEAK_EQUITY] = max(a[c.PEAK_EQUITY], equity)
    if a[c.DAILY_LOSS] > 0.0 and a[c.LOSS_BASE] - equity > a[c.DAILY_LOSS] * a[c.LOSS_BASE]:
        latch(b, DAILY_LOSS)
    if a[c.DRAWDOWN] > 0.0 and a[c.PEAK_EQUITY] - equity > a[c.DRAWDOWN] * a[c.PEAK_EQUITY]:
        latch(b, DRAWDOWN)


@compiled
def staleness(b: Books) -> None:
    """Wake what is held and silent while others are heard, and halt entries when that lasts."""
    now, late_ms = b.m[c.NOW], max(b.m[c.TIMEFRAME_MS], b.m[c.MAX_AGE_MS])
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.HOLDS] != 0 and now - b.n[s, c.MARK_MS] > late_ms:
            wake(b, s)
        silent_ms = now - max(b.n[s, c.MARK_MS], b.n[s, c.GAP_UNTIL_MS])
        if b.n[s, c.HOLDS] == 0 or silent_ms <= late_ms:
            b.n[s, c.STALE_SINCE_MS] = -1
            continue
        if b.n[s, c.STALE_SINCE_MS] < 0:
            b.n[s, c.STALE_SINCE_MS] = now
        if 0 < b.m[c.STALE_LIMIT_MS] <= now - b.n[s, c.STALE_SINCE_MS]:
            latch(b, STALE_DATA)


@compiled
def check(b: Books) -> None:
    """Halt entries where an invariant of bot/engine/invariants.py has broken: I1, I2, I3 or I20."""
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.HOLDS] != 0:
            _check_held(b, s)
        for slot in range(b.n[s, c.ORDERS]):
            order = b.orders[s, slot]
            is_waiting = order[c.O_LEG] == c.EXIT_LEG or (
                order[c.O_LEG] == c.ENTRY_LEG and b.m[c.NOW] >= b.n[s, c.CANCEL_AGAIN_MS]
            )
            if is_waiting and b.m[c.NOW] - order[c.O_SENT_MS] > _LONGEST_WAIT_MS:
                latch(b, I20)


@compiled
def _check_held(b: Books, s: int) -> None:
    f, n = b.f[s], b.n[s]
    if n[c.IS_CLOSING] == 0 and n[c.STOPS_COMING] == 0:
        if n[c.STOP_ID] == 0:
            latch(b, I1)
        elif n[c.HOLD_SIDE] * (f[c.STOP_PRICE] - liquidation_of(b, s)) <= 0.0:
            latch(b, I2)
    if n[c.ADDS] > 0 and f[c.WALLET] > _allowed_wallet(b, s) + _MONEY_TOLERANCE:
        latch(b, I3)


@compiled
def check_move(b: Books, s: int, target: float, is_add: bool) -> None:
    """The same of a margin move that was just decided: I3, I4 or I15 of bot/engine/conduct.py."""
    n = b.n[s]
    if not target > 0.0:
        latch(b, I15)
    if is_add and target > _allowed_wallet(b, s) + _MONEY_TOLERANCE:
        latch(b, I3)
    if not is_add and (n[c.ENTRY_COMING] > 0 or n[c.REDUCES_COMING] > 0):
        latch(b, I4)


@compiled
def _allowed_wallet(b: Books, s: int) -> float:
    f = b.f[s]
    return max(f[c.AGREED_LOSS], f[c.INITIAL_WALLET]) + f[c.FUNDING] - f[c.DRAINED]


@compiled
def count_time(b: Books, row: int, column: int) -> None:
    """Remember that a request, order or refusal was made now."""
    b.times[row, b.m[column] % c.TIME_SLOTS] = b.m[c.NOW]
    b.m[column] += 1


@compiled
def _is_above(b: Books, row: int, column: int, limit: int, window_ms: int) -> bool:
    """Whether more than `limit` were made within the window that ends with the newest."""
    count, size = b.m[column], c.TIME_SLOTS
    if limit <= 0 or count <= limit:
        return False
    newest = b.times[row, (count - 1) % size]
    return b.times[row, (count - 1 - limit) % size] > newest - window_ms


@compiled
def rates(b: Books) -> None:
    """Halt when too many requests were decided within a minute."""
    if _is_above(b, SENT_ROW, c.SENT, b.m[c.MESSAGES_LIMIT], _RATE_MS):
        latch(b, MESSAGE_RATE)
    if _is_above(b, ORDERED_ROW, c.ORDERED, b.m[c.ORDERS_LIMIT], _RATE_MS):
        latch(b, ORDER_RATE)


@compiled
def refusals(b: Books) -> None:
    """Halt entries when the venue refuses again and again."""
    if b.m[c.REFUSALS_LIMIT] == 0:
        return
    count_time(b, REFUSED_ROW, c.REFUSED)
    if _is_above(b, REFUSED_ROW, c.REFUSED, b.m[c.REFUSALS_LIMIT], _REFUSALS_MS):
        latch(b, REPEATED_REJECTION)


@compiled
def collar(b: Books, s: int) -> None:
    """Halt entries when one would trade far from the mark, or the mark ran away since it was decided."""
    limit, mark = b.a[c.COLLAR], b.f[s, c.MARK]
    if limit == 0.0:
        return
    price = b.f[s, c.LAST]
    planned = b.f[s, c.PLAN_PRICE] if b.n[s, c.ENTERING] != 0 else price
    away = max(abs(price - mark), abs(planned - mark))
    if not away <= limit * mark:
        latch(b, PRICE_COLLAR)
