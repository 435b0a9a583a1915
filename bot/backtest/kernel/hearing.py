"""What the engine makes of a venue event; bot/engine/{engine,fills}.py over columns."""

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, Limits, liquidation_of, wake
from bot.backtest.kernel.halts import losses
from bot.backtest.kernel.intents import protect
from bot.backtest.kernel.margins import bring_back
from bot.backtest.kernel.protection import keep_stop_inside, place_take_profits, take_back
from bot.backtest.kernel.recorder import accrue, follow, open_row, trade_row
from bot.backtest.kernel.story import remember, tell_event
from bot.core.compiled import compiled
from bot.core.margin import distance


@compiled
def hear(b: Books, row: int, limits: Limits) -> None:
    """Let the engine step on one event, but for the outcomes of requests that are told directly."""
    event, told = b.events[row], b.event_floats[row]
    s, kind = event[c.E_SYMBOL], event[c.E_KIND]
    b.m[c.NOW] = event[c.E_MS]
    remember(b, s)
    if b.n[s, c.HOLDS] != 0 and kind in (c.FILLED, c.SETTLED):
        _record(b, s, row)
    if kind == c.FILLED:
        b.a[c.FREE] = told[c.E_FREE]
        _on_filled(b, s, row, limits)
        _on_reduced(b, s, row, limits)
        losses(b)
    elif kind == c.CANCELLED:
        _on_cancelled(b, s, row, limits)
    elif kind == c.SETTLED:
        b.a[c.FREE] = told[c.E_FREE]
        if b.n[s, c.HOLDS] != 0:
            b.f[s, c.FUNDING] += told[c.E_AMOUNT]
            b.f[s, c.DRAINED] = min(b.f[s, c.DRAINED], b.f[s, c.FUNDING])
            keep_stop_inside(b, s)
            wake(b, s)
    elif kind == c.LIQUIDATED:
        b.a[c.FREE] = told[c.E_FREE]
        _on_liquidated(b, s, row, limits)
        losses(b)
    tell_event(b, s, row)


@compiled
def _record(b: Books, s: int, row: int) -> None:
    event, told = b.events[row], b.event_floats[row]
    accrue(b, s, event[c.E_MS])
    is_left = event[c.E_KIND] == c.SETTLED or event[c.E_CODE] == 1
    if not is_left:
        return
    is_exit = event[c.E_KIND] == c.FILLED and event[c.E_LEG] == c.EXIT_LEG
    if is_exit and told[c.E_LEFT] <= 0.0 and told[c.E_QUANTITY] < b.f[s, c.SEEN_QUANTITY]:
        b.n[s, c.ROW_CUTS] += 1
    follow(b, s)


@compiled
def _on_filled(b: Books, s: int, row: int, limits: Limits) -> None:
    event, told, n = b.events[row], b.event_floats[row], b.n[s]
    leg, is_done = event[c.E_LEG], told[c.E_LEFT] <= 0.0
    if is_done and leg == c.ENTRY_LEG:
        n[c.ENTRY_COMING] -= 1
    elif is_done and leg == c.EXIT_LEG:
        n[c.REDUCES_COMING] -= 1
    if leg == c.ENTRY_LEG and event[c.E_CODE] == 1:
        _on_entry(b, s, row, limits)
    if n[c.HOLDS] == 0:
        return
    b.f[s, c.FEES] += told[c.E_FEE]
    b.f[s, c.REALISED] += told[c.E_PNL]
    if event[c.E_CODE] == 0:
        _count_leg(b, leg)
        _end(b, s, event[c.E_MS], _cause(leg, event[c.E_REASON]), told[c.E_PRICE])
        return
    if leg == c.ENTRY_LEG:
        keep_stop_inside(b, s)
    if leg == c.TARGET_LEG and is_done:
        b.m[c.TARGETS_FILLED] += 1
    wake(b, s)


@compiled
def _on_entry(b: Books, s: int, row: int, limits: Limits) -> None:
    event, n, f = b.events[row], b.n[s], b.f[s]
    if n[c.HOLDS] == 0 and n[c.ENTERING] != 0 and event[c.E_ID] == n[c.ENTRY_ID]:
        _open_holding(b, s, event[c.E_MS])
        protect(b, s, f[c.PLAN_STOP])
    elif n[c.HOLDS] != 0:
        f[c.INITIAL_WALLET] = f[c.WALLET]
    if b.event_floats[row, c.E_LEFT] <= 0.0 and n[c.HOLDS] != 0:
        complete_entry(b, s, limits)


@compiled
def _open_holding(b: Books, s: int, ts_ms: int) -> None:
    """Begin the books of a position that has no stop yet."""
    f, n = b.f[s], b.n[s]
    b.m[c.NEXT_POSITION_ID] += 1
    n[c.HOLDS], n[c.HOLD_SIDE], n[c.POSITION_ID] = 1, n[c.SIDE], b.m[c.NEXT_POSITION_ID] - 1
    n[c.HOLD_OPENED_MS], n[c.IS_FILLED], n[c.IS_CLOSING] = ts_ms, 0, 0
    n[c.ADDS], n[c.LAST_ADD_MS], n[c.LAST_RELEASE_MS] = 0, 0, 0
    n[c.REGIME], n[c.REGIME_SINCE_MS], n[c.CUTS], n[c.LAST_CUT_MS] = 0, 0, 0, 0
    n[c.DERISK_CUTS], n[c.DERISK_AGAIN_MS], n[c.REENTERS], n[c.RECHECK_MS] = 0, 0, 0, 0
    n[c.STOP_AGAIN_MS], n[c.CLOSE_AGAIN_MS], n[c.MARGIN_AGAIN_MS], n[c.STOP_ID] = 0, 0, 0, 0
    f[c.INITIAL_WALLET], f[c.INITIAL_STOP] = f[c.WALLET], f[c.PLAN_STOP]
    f[c.ENTRY_DISTANCE] = distance(n[c.SIDE], f[c.ENTRY_PRICE], liquidation_of(b, s))
    f[c.AGREED_LOSS], f[c.BEST_MARK], f[c.STOP_PRICE] = f[c.PLAN_AGREED], f[c.ENTRY_PRICE], 0.0
    f[c.ADDED], f[c.RELEASED], f[c.RESTORED], f[c.KEPT_SHARE] = 0.0, 0.0, 0.0, 1.0
    f[c.REALISED], f[c.FEES], f[c.FUNDING], f[c.DRAINED] = 0.0, 0.0, 0.0, 0.0
    f[c.SOLVED] = -1.0
    wake(b, s)
    open_row(b, s, ts_ms)


@compiled
def complete_entry(b: Books, s: int, limits: Limits) -> None:
    """The entry order is finished: rest the take-profits over what was filled."""
    b.n[s, c.ENTERING] = 0
    if b.n[s, c.HOLDS] != 0 and b.n[s, c.IS_FILLED] == 0:
        b.n[s, c.IS_FILLED] = 1
        place_take_profits(b, s, limits)


@compiled
def _count_leg(b: Books, leg: int) -> None:
    if leg == c.STOP_LEG:
        b.m[c.STOPS_FILLED] += 1
    elif leg == c.TARGET_LEG:
        b.m[c.TARGETS_FILLED] += 1


@compiled
def _cause(leg: int, reason: int) -> int:
    if leg == c.STOP_LEG:
        return c.BY_STOP
    return c.BY_TARGET if leg == c.TARGET_LEG else reason


@compiled
def _end(b: Books, s: int, ts_ms: int, cause: int, price: float) -> None:
    trade_row(b, s, ts_ms, cause, price, b.f[s, c.REALISED])
    b.n[s, c.HOLDS] = 0
    take_back(b, s)


@compiled
def _on_reduced(b: Books, s: int, row: int, limits: Limits) -> None:
    """Count a fill of a cut; when a de-risk cut is complete, bring the margin back that it set free."""
    event, told = b.events[row], b.event_floats[row]
    reason, is_done = event[c.E_REASON], told[c.E_LEFT] <= 0.0
    if event[c.E_LEG] != c.EXIT_LEG or reason not in (
        c.BY_DERISK_CUT,
        c.BY_DERISK_CLOSE,
        c.BY_VOLATILITY,
        c.BY_CAP,
    ):
        return
    if is_done and reason == c.BY_DERISK_CUT:
        b.m[c.DERISKED_CUTS] += 1
    elif is_done and reason == c.BY_DERISK_CLOSE:
        b.m[c.DERISK_CLOSES] += 1
    elif is_done and reason == c.BY_VOLATILITY:
        b.m[c.VOLATILITY_CUTS] += 1
    if b.n[s, c.HOLDS] == 0 or reason == c.BY_DERISK_CLOSE:
        return
    left = b.f[s, c.QUANTITY]
    b.f[s, c.KEPT_SHARE] *= left / (left + told[c.E_QUANTITY])
    if reason == c.BY_DERISK_CUT and is_done and b.n[s, c.IS_CLOSING] == 0:
        bring_back(b, s, limits, told[c.E_WANTED_WALLET])


@compiled
def _on_cancelled(b: Books, s: int, row: int, limits: Limits) -> None:
    event, n = b.events[row], b.n[s]
    leg = event[c.E_LEG]
    if leg == c.ENTRY_LEG:
        b.a[c.FREE] = b.event_floats[row, c.E_FREE]
        n[c.ENTRY_COMING] -= 1
        if n[c.ENTERING] != 0 and event[c.E_ID] == n[c.ENTRY_ID]:
            complete_entry(b, s, limits)
        return
    if leg == c.EXIT_LEG:
        n[c.REDUCES_COMING] -= 1
    if n[c.HOLDS] == 0:
        return
    if leg == c.EXIT_LEG and event[c.E_IS_WHOLE] != 0:
        n[c.IS_CLOSING] = 0
    elif leg == c.STOP_LEG and event[c.E_ID] == n[c.STOP_ID]:
        n[c.STOP_ID] = 0
        protect(b, s, b.f[s, c.STOP_PRICE])
    wake(b, s)


@compiled
def _on_liquidated(b: Books, s: int, row: int, limits: Limits) -> None:
    event, told = b.events[row], b.event_floats[row]
    cool_ms = event[c.E_MS] + limits.entry.forced_cooldown_ms
    b.n[s, c.COOL_UNTIL_MS] = max(b.n[s, c.COOL_UNTIL_MS], cool_ms)
    if b.n[s, c.HOLDS] == 0:
        return
    b.m[c.LIQUIDATIONS] += 1
    b.f[s, c.REALISED] -= told[c.E_AMOUNT]
    _end(b, s, event[c.E_MS], c.BY_LIQUIDATION, told[c.E_PRICE])
