"""What the engine wants done: queued in order, counted as on its way until its outcome comes."""

from bot.backtest.kernel import columns as c
from bot.backtest.kernel import status
from bot.backtest.kernel.books import Books, liquidation_of, view_of
from bot.backtest.kernel.halts import ORDERED_ROW, SENT_ROW, check_move, count_time
from bot.core.compiled import compiled
from bot.core.margin import distance, margin_ratio
from bot.core.probability import liquidation_probability
from bot.risk.view import MarginView


@compiled
def intend(b: Books, kind: int, s: int, value: float, reason: int) -> int:
    """Queue an action; return its row. The side is that of the position, or of the entry."""
    row = b.m[c.QUEUE_TAIL]
    if row >= c.QUEUE_SLOTS:
        b.m[c.FAILED] = status.TOO_MANY_INTENTS
        row = c.QUEUE_SLOTS - 1
    else:
        b.m[c.QUEUE_TAIL] += 1
    b.intents[row] = 0
    b.intent_floats[row] = 0.0
    b.m[c.NEXT_ID] += 1
    intent = b.intents[row]
    intent[c.I_KIND], intent[c.I_SYMBOL], intent[c.I_ID] = kind, s, b.m[c.NEXT_ID]
    intent[c.I_MS], intent[c.I_REASON] = b.m[c.NOW], reason
    intent[c.I_SIDE] = b.n[s, c.HOLD_SIDE] if b.n[s, c.HOLDS] != 0 else b.n[s, c.PLAN_SIDE]
    b.intent_floats[row, c.I_VALUE] = value
    _count(b, kind, s)
    return row


@compiled
def _count(b: Books, kind: int, s: int) -> None:
    count_time(b, SENT_ROW, c.SENT)
    if kind == c.STOP_INTENT:
        b.n[s, c.STOPS_COMING] += 1
    elif kind in (c.ADD_INTENT, c.RELEASE_INTENT):
        b.n[s, c.MARGIN_COMING] += 1
    elif kind == c.REDUCE_INTENT:
        b.n[s, c.REDUCES_COMING] += 1
    elif kind == c.ENTRY_INTENT:
        b.n[s, c.ENTRY_COMING] += 1
    if kind in (c.ENTRY_INTENT, c.REDUCE_INTENT, c.STOP_INTENT, c.TARGET_INTENT):
        count_time(b, ORDERED_ROW, c.ORDERED)


@compiled
def close(b: Books, s: int, reason: int) -> None:
    """Close the whole position at market, once."""
    if b.n[s, c.IS_CLOSING] == 0:
        b.n[s, c.IS_CLOSING] = 1
        intend(b, c.REDUCE_INTENT, s, 0.0, reason)


@compiled
def protect(b: Books, s: int, price: float, reason: int = 0) -> None:
    """Ask the venue for a stop over the whole position."""
    intend(b, c.STOP_INTENT, s, price, reason)


@compiled
def cancel(b: Books, s: int, target: int) -> None:
    """Take an order back."""
    row = intend(b, c.CANCEL_INTENT, s, 0.0, 0)
    b.intents[row, c.I_TARGET] = target


@compiled
def move(b: Books, s: int, kind: int, target: float, reason: int) -> None:
    """Ask for an isolated wallet of `target`, and keep the risk before the move."""
    row = intend(b, kind, s, target, reason)
    check_move(b, s, target, kind == c.ADD_INTENT)
    before = b.intent_floats[row]
    view = view_of(b, s)
    keep_risk(before, c.I_BEFORE, view, liquidation_of(b, s))


@compiled
def keep_risk(row, first: int, view: MarginView, liquidation: float) -> None:
    """Write wallet, margin ratio, liquidation, distance and the chance of liquidation in 24 hours."""
    row[first] = view.position.isolated_wallet
    row[first + 1] = margin_ratio(view.position, view.mark, view.rules)
    row[first + 2] = liquidation
    row[first + 3] = distance(view.position.side, view.mark, liquidation)
    row[first + 4] = liquidation_probability(view.mark, liquidation, view.sigma_day, 1.0)
