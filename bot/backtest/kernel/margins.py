"""Margin moves of the engine, and how long it may sleep; bot/engine/{margins,deleverage}.py over columns."""

import math
from typing import Final

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.allocation import consider, narrow_sleep
from bot.backtest.kernel.books import Books, Limits, book_of, is_blind, liquidation_of, view_of, wake
from bot.backtest.kernel.halts import may_release
from bot.backtest.kernel.intents import intend, move
from bot.backtest.kernel.policy_codes import band_of, permissions_of
from bot.backtest.kernel.rungs import rungs_of
from bot.core.compiled import compiled
from bot.core.steps import step_down
from bot.risk.adjust import cut_fraction, is_measurable, judge, measure_sound, reserved_band
from bot.risk.derisk import ADD as DERISK_ADD
from bot.risk.derisk import CLOSE, settle_derisk
from bot.risk.derisk import HOLD as DERISK_HOLD
from bot.risk.derisk_case import Thesis, case_of, restored_wallet
from bot.risk.estimates import MarketEstimates
from bot.risk.reasons import ADD, HOLD, RELEASE, UNUSABLE
from bot.risk.regime import RegimeState, next_regime
from bot.risk.trailing import trail_mark
from bot.risk.triggers import release_when_removable
from bot.risk.verdict import hold
from bot.risk.view import MarginBook, MarginView

_SECOND_LOOK_MS: Final = 60_000
_DAY_ROOT: Final = 24.0**0.5
_NO_RETRY: Final = -1


@compiled
def follow_regime(b: Books, s: int) -> None:
    """Let the position's regime follow the newest estimates."""
    known = b.f[s]
    first = c.ESTIMATES
    estimates = MarketEstimates(
        known[first],
        known[first + 1],
        known[first + 2],
        known[first + 3],
        known[first + 4],
        known[first + 5] > 0.0,
        known[first + 6],
        known[first + 7],
    )
    before = RegimeState(b.n[s, c.HOLD_SIDE], b.n[s, c.REGIME], b.n[s, c.REGIME_SINCE_MS])
    after = next_regime(before, estimates, b.m[c.NOW])
    b.n[s, c.REGIME], b.n[s, c.REGIME_SINCE_MS] = after.regime, after.since_ms


@compiled
def reconsider(b: Books, s: int, limits: Limits) -> None:
    """Add, release, cut, close or hold; then find how long the engine may sleep."""
    if b.n[s, c.IS_FILLED] == 0 or b.n[s, c.STOPS_COMING] > 0 or b.n[s, c.MARGIN_COMING] > 0:
        return
    retry_at_ms = _NO_RETRY
    if not is_blind(b, s) and b.m[c.NOW] >= b.n[s, c.MARGIN_AGAIN_MS]:
        view, book = view_of(b, s), book_of(b, s)
        verdict = hold(UNUSABLE, view.position.isolated_wallet)
        if is_measurable(view):
            allowed = permissions_of(view, limits)
            band = band_of(view, limits)
            measured = measure_sound(view, band, limits.margin.funding_payments_ahead, liquidation_of(b, s))
            verdict = judge(view, measured, book, limits.margin, allowed)
            cut = cut_fraction(view, verdict, limits.margin, allowed)
            if cut > 0.0 and _cut(b, s, cut):
                return
        if verdict.wants_derisk:
            acted = _consult(b, s, limits, view, book)
            if acted:
                return
        is_free = may_release(b) and b.n[s, c.REDUCES_COMING] == 0
        is_held = verdict.action == HOLD or (verdict.action == RELEASE and not is_free)
        # A split releases; while nothing may be released, each position's own policy still adds.
        is_splitting = limits.allocation.budget_fraction > 0.0 and may_release(b)
        if is_splitting:
            consider(b, s, limits, verdict.action == ADD)
        elif not is_held:
            kind = c.ADD_INTENT if verdict.action == ADD else c.RELEASE_INTENT
            move(b, s, kind, verdict.wallet, verdict.reason)
            return
        retry_at_ms = verdict.retry_at_ms if is_held else _NO_RETRY
    lay_ladder(b, s, limits, retry_at_ms)


@compiled
def _cut(b: Books, s: int, share: float) -> bool:
    """Close a share of the position because of volatility; return whether it is large enough to be cut."""
    if b.n[s, c.REDUCES_COMING] > 0:
        return True
    held = b.f[s, c.QUANTITY]
    quantity = step_down(held * share, b.f[s, c.QUANTITY_STEP])
    rest = min(quantity, held - quantity)
    if rest < b.f[s, c.MIN_QUANTITY] or rest * b.f[s, c.MARK] < b.f[s, c.MIN_NOTIONAL]:
        return False
    b.n[s, c.CUTS] += 1
    b.n[s, c.LAST_CUT_MS] = b.m[c.NOW]
    intend(b, c.REDUCE_INTENT, s, quantity, c.BY_VOLATILITY)
    return True


@compiled
def _consult(b: Books, s: int, limits: Limits, view: MarginView, book: MarginBook) -> bool:
    """Ask the de-risk ladder; return whether it acted, by an add, a cut or a close."""
    if limits.margin.allow_derisk == 0:
        return False
    if b.m[c.NOW] < b.n[s, c.DERISK_AGAIN_MS] or b.n[s, c.REDUCES_COMING] > 0:
        return False
    # One wallet has one owner: a split adds, nobody else.
    may_add = b.n[s, c.REENTERS] != 0 and limits.allocation.budget_fraction == 0.0
    thesis = Thesis(may_add, b.n[s, c.DERISK_CUTS], b.f[s, c.KEPT_SHARE])
    band = reserved_band(view, band_of(view, limits), limits.margin.funding_payments_ahead)
    case = case_of(
        view,
        band,
        book,
        limits.margin,
        permissions_of(view, limits).allow_add,
        thesis,
        b.f[s, c.LIQUIDATION_FEE],
        b.f[s, c.TAKER_FEE] + limits.entry.stop_slippage,
    )
    choice = settle_derisk(
        view, case, limits.derisk, b.f[s, c.QUANTITY_STEP], b.f[s, c.MIN_QUANTITY], b.f[s, c.MIN_NOTIONAL]
    )
    if choice.move == DERISK_HOLD:
        return False
    b.n[s, c.DERISK_AGAIN_MS] = b.m[c.NOW] + limits.margin.derisk_interval_ms
    if choice.move == DERISK_ADD:
        move(b, s, c.ADD_INTENT, choice.wallet, c.DERISK_ADD)
    elif choice.move == CLOSE:
        b.n[s, c.IS_CLOSING] = 1
        intend(b, c.REDUCE_INTENT, s, 0.0, c.BY_DERISK_CLOSE)
    else:
        b.n[s, c.DERISK_CUTS] += 1
        row = intend(b, c.REDUCE_INTENT, s, choice.reduced, c.BY_DERISK_CUT)
        b.intent_floats[row, c.I_WANTED_WALLET] = choice.wallet
    return True


@compiled
def bring_back(b: Books, s: int, limits: Limits, wanted: float) -> None:
    """Bring the margin back that a de-risk cut set free; under one budget the book is split anew."""
    if limits.allocation.budget_fraction > 0.0:
        b.f[s, c.SOLVED] = -1.0
        return
    if is_blind(b, s):
        return
    view, before = view_of(b, s), b.f[s, c.WALLET]
    if not is_measurable(view) or view.mark_age_ms > limits.margin.max_mark_age_ms:
        return
    band = reserved_band(view, band_of(view, limits), limits.margin.funding_payments_ahead)
    if not 0.0 < band.low <= band.target <= band.high:
        return
    near = permissions_of(view, limits).derisk_below
    target = restored_wallet(view, band, book_of(b, s), limits.margin, near, wanted)
    if target > max(before, 0.0):
        move(b, s, c.ADD_INTENT, target, c.BROUGHT_BACK)


@compiled
def lay_ladder(b: Books, s: int, limits: Limits, retry_at_ms: int) -> None:
    """Find the marks between which, and the time until which, nothing is due."""
    view, f, n = view_of(b, s), b.f[s], b.n[s]
    rungs = rungs_of(view, liquidation_of(b, s), limits)
    release = release_when_removable(view, rungs.release, limits.margin)
    side, mark = n[c.HOLD_SIDE], f[c.MARK]
    trail = trail_mark(
        side, f[c.ENTRY_PRICE], f[c.INITIAL_STOP], view.stop_price, f[c.TICK_SIZE], limits.bracket
    )
    low = max(rungs.add.quiet_low, release.quiet_low)
    high = min(rungs.add.quiet_high, release.quiet_high)
    is_trail_due = trail > 0.0 and side * (f[c.BEST_MARK] - trail) >= 0.0
    if is_trail_due:
        low, high = math.inf, 0.0
    elif trail > 0.0 and side > 0:
        high = min(high, trail)
    elif trail > 0.0:
        low = max(low, trail)
    f[c.SLEEP_LOW], f[c.SLEEP_HIGH], n[c.RECHECK_MS] = low, high, c.NEVER_MS
    if limits.allocation.budget_fraction > 0.0:
        narrow_sleep(b, s, limits)
    if f[c.SLEEP_LOW] < mark < f[c.SLEEP_HIGH]:
        return
    _doze(b, s, view, rungs.add.mark, release.mark, trail)
    n[c.RECHECK_MS] = _second_look_ms(b, s, retry_at_ms)
    if is_blind(b, s) or (is_trail_due and math.isfinite(trail)):
        wake(b, s)


@compiled
def _doze(b: Books, s: int, view: MarginView, add: float, release: float, trail: float) -> None:
    """Sleep until the next rung, or half a typical hourly move away."""
    mark, stop, side = b.f[s, c.MARK], view.stop_price, view.position.side
    half_move = 0.5 * b.f[s, c.SIGMA_DAY] / _DAY_ROOT * mark
    low, high = mark - half_move, mark + half_move
    for number in range(3):
        price = add if number == 0 else (release if number == 1 else trail)
        if not (price > 0.0 and math.isfinite(price)):
            continue
        if number < 2 and stop > 0.0 and side * (price - stop) <= 0.0:
            continue
        if price < mark:
            low = max(low, price)
        elif price > mark:
            high = min(high, price)
    b.f[s, c.SLEEP_LOW], b.f[s, c.SLEEP_HIGH] = low, high


@compiled
def _second_look_ms(b: Books, s: int, retry_at_ms: int) -> int:
    now = b.m[c.NOW]
    if now < b.n[s, c.MARGIN_AGAIN_MS]:
        return b.n[s, c.MARGIN_AGAIN_MS]
    return retry_at_ms if retry_at_ms > now else now + _SECOND_LOOK_MS
