"""What a closed candle, a settlement and a gap do; bot/engine/{engine,book_caps}.py over columns."""

import math
from typing import Final

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, Floats, Limits, equity_of, is_blind, unrealised_of, wake
from bot.backtest.kernel.entries import exposures, on_signal
from bot.backtest.kernel.halts import losses, staleness
from bot.backtest.kernel.intents import close, intend
from bot.backtest.kernel.margins import follow_regime
from bot.backtest.kernel.market import ENTERS, IS_LONG, IS_SHORT, LEAVES
from bot.backtest.kernel.recorder import account_row
from bot.backtest.kernel.venue_protection import is_liquidated_at, liquidate, pay_funding
from bot.core.compiled import compiled
from bot.risk.cutting import closed_part, cuts_of

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 86_400_000
_CAPS_EVERY_MS: Final = 60_000
_NARROWER: Final = 1e-9


@compiled
def hear_candle(
    b: Books,
    estimates: Floats,
    s: int,
    row: int,
    word: int,
    strength: float,
    stop: float,
    ts_ms: int,
    limits: Limits,
) -> None:
    """Let the engine hear a closed candle, up to the look at what it holds."""
    b.m[c.NOW] = ts_ms
    n = b.n[s]
    know(b, estimates, s, row)
    if n[c.HOLDS] != 0:
        follow_regime(b, s)
    if 0 < n[c.GAP_UNTIL_MS] <= ts_ms:
        n[c.GAP_UNTIL_MS] = 0
    roll_clock(b)
    staleness(b)
    is_entry, direction = word & ENTERS != 0, direction_of(word)
    if n[c.HOLDS] != 0:
        n[c.REENTERS] = 1 if is_entry and direction == n[c.HOLD_SIDE] else 0
    if word & (ENTERS | LEAVES) != 0:
        on_signal(b, s, limits, is_entry, word & LEAVES != 0, direction, strength, stop)
    losses(b)
    _watch_caps(b, limits)


@compiled
def direction_of(word: int) -> int:
    """Return 1 for long, -1 for short, 0 for neither."""
    return (1 if word & IS_LONG != 0 else 0) - (1 if word & IS_SHORT != 0 else 0)


@compiled
def know(b: Books, estimates: Floats, s: int, row: int) -> None:
    """Take over a row of estimates."""
    for column in range(8):
        b.f[s, c.ESTIMATES + column] = estimates[row, column]
    b.n[s, c.KNOWN_ROW] = row
    sigma_day = estimates[row, 0]
    b.f[s, c.SIGMA_DAY] = sigma_day if math.isfinite(sigma_day) else 0.0


@compiled
def roll_clock(b: Books) -> None:
    """Write the account down once an hour, and begin a new day."""
    hour_ms = b.m[c.NOW] - b.m[c.NOW] % _HOUR_MS
    if hour_ms == b.m[c.HOUR_MS]:
        return
    b.m[c.HOUR_MS] = hour_ms
    account_row(b, b.m[c.NOW])
    day_ms = hour_ms - hour_ms % _DAY_MS
    if day_ms != b.m[c.DAY_START_MS]:
        equity = equity_of(b) + unrealised_of(b)
        b.m[c.DAY_START_MS], b.a[c.DAY_START_EQUITY], b.a[c.LOSS_BASE] = day_ms, equity, equity


@compiled
def _watch_caps(b: Books, limits: Limits) -> None:
    """Look whether the book exceeds a cap by more than its limit, once a minute at most."""
    cut_above = b.a[c.CUT_ABOVE]
    if cut_above == 0.0 or b.m[c.NOW] < b.m[c.CAPS_AGAIN_MS]:
        return
    b.m[c.CAPS_AGAIN_MS] = b.m[c.NOW] + _CAPS_EVERY_MS
    equity, is_cutting, held = equity_of(b), False, False
    for s in range(b.m[c.SYMBOLS]):
        is_cutting = is_cutting or b.n[s, c.REDUCES_COMING] > 0
        held = held or (b.n[s, c.HOLDS] != 0 and b.n[s, c.IS_CLOSING] == 0)
    if not held or not 0.0 < equity < math.inf or is_cutting or _is_far_from_caps(b, limits, equity):
        return
    cuts = cuts_of(exposures(b, True), equity, limits.caps, cut_above)
    leg = 0
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.HOLDS] != 0 and b.n[s, c.IS_CLOSING] == 0:
            if cuts.kept[leg] < 1.0 and _cut(b, s, 1.0 - cuts.kept[leg]):
                b.m[c.CAPS_AGAIN_MS] = b.m[c.NOW] + b.m[c.CUT_COOLDOWN_MS]
            leg += 1


@compiled
def _is_far_from_caps(b: Books, limits: Limits, equity: float) -> bool:
    """Whether nothing is cut even if all legs moved together; bot/risk/cutting.py is asked where not."""
    caps, margin, risk = limits.caps, 0.0, 0.0
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.HOLDS] != 0:
            margin += max(b.f[s, c.WALLET], 0.0)
            risk += b.f[s, c.QUANTITY] * b.f[s, c.MARK] * b.f[s, c.SIGMA_DAY]
    above = max(b.a[c.CUT_ABOVE], 1.0) * equity * (1.0 - _NARROWER)
    return (
        margin < above * caps.margin_cap_fraction
        and caps.risk_sigmas * risk < above * caps.risk_cap_fraction
        and min(margin, caps.cascade_sigmas * risk) < above * caps.cascade_cap_fraction
    )


@compiled
def _cut(b: Books, s: int, fraction: float) -> bool:
    """Close a share of the position because of a cap; return whether anything could be closed."""
    f = b.f[s]
    if b.n[s, c.IS_FILLED] == 0 or is_blind(b, s):
        return False
    quantity = closed_part(
        f[c.QUANTITY], fraction, f[c.MARK], f[c.QUANTITY_STEP], f[c.MIN_QUANTITY], f[c.MIN_NOTIONAL]
    )
    if quantity <= 0.0:
        return False
    if quantity >= f[c.QUANTITY]:
        close(b, s, c.BY_CAP)
    else:
        intend(b, c.REDUCE_INTENT, s, quantity, c.BY_CAP)
    return True


@compiled
def pay(b: Books, s: int, rate: float, ts_ms: int) -> None:
    """Settle funding at the venue."""
    if b.n[s, c.SIDE] != 0 and b.n[s, c.OPENED_MS] <= ts_ms:
        pay_funding(b, s, rate, ts_ms)


@compiled
def starve(b: Books, s: int, ts_ms: int) -> None:
    """Liquidate what a settlement has left too little."""
    if b.n[s, c.SIDE] != 0 and is_liquidated_at(b, s, b.f[s, c.NOW_MARK]):
        liquidate(b, s, b.f[s, c.NOW_MARK], ts_ms)


@compiled
def hear_rate(b: Books, s: int, rate: float, ts_ms: int) -> None:
    """Take over the rate of a settlement that is done."""
    b.m[c.NOW] = ts_ms
    b.f[s, c.FUNDING_RATE] = rate
    if b.n[s, c.HOLDS] != 0:
        wake(b, s)


@compiled
def begin_gap(b: Books, s: int, ts_ms: int, until_ms: int) -> None:
    """Market data is missing until then."""
    b.m[c.NOW] = ts_ms
    b.n[s, c.GAP_UNTIL_MS] = max(b.n[s, c.GAP_UNTIL_MS], until_ms)
    if b.n[s, c.HOLDS] != 0:
        wake(b, s)
