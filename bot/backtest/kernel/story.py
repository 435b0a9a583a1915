"""Every change of a position as a row of numbers: what its shadow is found by when all is played.

Read by bot/backtest/told_rows.py, which names the columns. Written only where shadows are followed.
"""

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, Floats
from bot.core.compiled import compiled


@compiled
def is_full(b: Books) -> bool:
    """Return whether the rows must be taken out before more is told."""
    return b.m[c.STORY_WAITING] > c.STORY_SLOTS // 2


@compiled
def remember(b: Books, s: int) -> None:
    """Keep what is held before a change."""
    if b.m[c.FOLLOWS] == 0:
        return
    row = b.story[b.m[c.STORY_WAITING]]
    row[12] = b.n[s, c.HOLDS]
    row[21], row[22], row[23] = b.f[s, c.SEEN_QUANTITY], b.f[s, c.SEEN_ENTRY], b.f[s, c.SEEN_WALLET]


@compiled
def tell_event(b: Books, s: int, event: int) -> None:
    """Write down what the engine has just heard of a position."""
    if b.m[c.FOLLOWS] == 0:
        return
    told, kind = b.events[event], b.events[event, c.E_KIND]
    is_target = kind == c.CANCELLED and told[c.E_LEG] == c.TARGET_LEG
    is_held = b.story[b.m[c.STORY_WAITING], 12] != 0.0 or b.n[s, c.HOLDS] != 0
    if not is_held or not (is_target or kind in (c.FILLED, c.SETTLED, c.LIQUIDATED)):
        return
    row = _row(b, s, kind, told[c.E_MS], b.n[s, c.MARK_MS])
    row[4], row[5], row[6] = told[c.E_LEG], told[c.E_REASON], told[c.E_ID]
    floats = b.event_floats[event]
    row[24], row[25], row[26] = floats[c.E_PRICE], floats[c.E_QUANTITY], floats[c.E_LEFT]
    row[27], row[28] = floats[c.E_FEE], floats[c.E_AMOUNT]


@compiled
def tell_request(b: Books, kind: int, intent: int, amount: float) -> None:
    """Write down what came of a request: margin that was moved or not, or a take-profit that rests."""
    asked = b.intents[intent]
    s = asked[c.I_SYMBOL]
    if b.m[c.FOLLOWS] == 0 or b.n[s, c.HOLDS] == 0:
        return
    remember(b, s)
    row = _row(b, s, kind, b.m[c.NOW], b.n[s, c.MARK_MS])
    row[5], row[6], row[28] = asked[c.I_REASON], asked[c.I_ID], amount
    row[24] = b.intent_floats[intent, c.I_TRIGGER]


@compiled
def tell_funding(b: Books, s: int, ts_ms: int, amount: float) -> None:
    """Write down a settlement between candles that are taken whole: all marks before it were heard."""
    if b.m[c.FOLLOWS] == 0:
        return
    remember(b, s)
    row = _row(b, s, c.SETTLED, ts_ms, ts_ms - 1)
    row[9], row[10], row[28] = ts_ms - 1, b.m[c.SYMBOLS], amount


@compiled
def _row(b: Books, s: int, kind: int, ts_ms: int, heard_ms: int) -> Floats:
    """Return a new row with all that is known anyway."""
    row, f, n = b.story[b.m[c.STORY_WAITING]], b.f[s], b.n[s]
    b.m[c.STORY_WAITING] += 1
    row[0], row[1], row[2], row[3] = kind, s, ts_ms, n[c.POSITION_ID]
    row[4], row[5], row[6], row[7], row[8] = 0, 0, 0, heard_ms, n[c.KNOWN_ROW]
    row[9], row[10] = -1, -1
    for each in range(b.m[c.SYMBOLS]):
        if b.n[each, c.TICK_MS] >= row[9]:
            row[9], row[10] = b.n[each, c.TICK_MS], each
    row[11], row[13], row[14] = n[c.TICK_MS], n[c.HOLDS], n[c.IS_TRAILED]
    row[15], row[16] = n[c.HOLD_SIDE], n[c.HOLD_OPENED_MS]
    row[17], row[18], row[19] = f[c.QUANTITY], f[c.ENTRY_PRICE], f[c.WALLET]
    row[20] = f[c.LEVERAGE]
    for column in range(24, 29):
        row[column] = 0.0
    row[29], row[30] = f[c.MARK], f[c.LAST]
    row[31] = f[c.STOP_PRICE] if n[c.STOP_ID] != 0 else f[c.INITIAL_STOP]
    row[32] = f[c.REALISED] - f[c.FEES] + f[c.FUNDING]
    return row
