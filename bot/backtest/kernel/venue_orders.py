"""Open orders of the venue, oldest first, and what is to be told; bot/sim/orders.py over columns."""

from bot.backtest.kernel import columns as c
from bot.backtest.kernel import status
from bot.backtest.kernel.books import Books
from bot.core.compiled import compiled


@compiled
def touch(b: Books, s: int) -> None:
    """Say that the position changed: its nearest prices must be found anew."""
    b.n[s, c.IS_LIQUIDATION_KNOWN], b.n[s, c.IS_WATCH_KNOWN], b.n[s, c.IS_WALL_KNOWN] = 0, 0, 0


@compiled
def next_order(b: Books) -> int:
    """Return a new order number."""
    b.m[c.ORDER_COUNT] += 1
    return b.m[c.ORDER_COUNT]


@compiled
def latency_of(b: Books, number: int) -> int:
    """Return the milliseconds until the order of this number is executed."""
    if b.m[c.JITTER_MS] == 0:
        return b.m[c.LATENCY_MS]
    first: int = b.m[c.LATENCIES_FROM]
    return b.latencies[number - first]


@compiled
def put_order(
    b: Books, s: int, order_id: int, number: int, leg: int, kind: int, side: int, due_ms: int
) -> int:
    """Add an order without quantity and trigger; return its slot."""
    b.n[s, c.IS_WATCH_KNOWN] = 0
    slot = b.n[s, c.ORDERS]
    if slot >= c.ORDER_SLOTS:
        b.m[c.FAILED] = status.TOO_MANY_ORDERS
        slot = c.ORDER_SLOTS - 1
    else:
        b.n[s, c.ORDERS] += 1
    row = b.orders[s, slot]
    row[c.O_ID], row[c.O_NUMBER], row[c.O_LEG], row[c.O_KIND] = order_id, number, leg, kind
    row[c.O_SIDE], row[c.O_DUE_MS], row[c.O_FILL_TICK] = side, due_ms, c.NO_TICK
    row[c.O_REASON], row[c.O_IS_WHOLE] = 0, 0
    b.order_floats[s, slot] = 0.0
    return slot


@compiled
def slot_of(b: Books, s: int, order_id: int) -> int:
    """Return where an open order is kept, -1 when it is not open."""
    for slot in range(b.n[s, c.ORDERS]):
        if b.orders[s, slot, c.O_ID] == order_id:
            return slot
    return -1


@compiled
def drop_order(b: Books, s: int, slot: int) -> None:
    """Forget a finished order and free the margin that an entry had reserved."""
    if b.orders[s, slot, c.O_LEG] == c.ENTRY_LEG:
        b.a[c.BOOK_FREE] = b.a[c.BOOK_FREE] + b.f[s, c.RESERVED]
        b.f[s, c.RESERVED] = 0.0
    b.n[s, c.IS_WATCH_KNOWN] = 0
    last = b.n[s, c.ORDERS] - 1
    for row in range(slot, last):
        b.orders[s, row] = b.orders[s, row + 1]
        b.order_floats[s, row] = b.order_floats[s, row + 1]
    b.n[s, c.ORDERS] = last


@compiled
def tell(b: Books, kind: int, s: int, ts_ms: int, order_id: int) -> int:
    """Add an event to what is to be heard; return its slot."""
    slot = b.m[c.EVENTS]
    if slot >= c.EVENT_SLOTS:
        b.m[c.FAILED] = status.TOO_MANY_EVENTS
        slot = c.EVENT_SLOTS - 1
    else:
        b.m[c.EVENTS] += 1
    b.events[slot] = 0
    b.event_floats[slot] = 0.0
    row = b.events[slot]
    row[c.E_KIND], row[c.E_SYMBOL], row[c.E_MS], row[c.E_ID] = kind, s, ts_ms, order_id
    return slot


@compiled
def cancel_at(b: Books, s: int, slot: int, ts_ms: int) -> None:
    """Forget an open order and say so."""
    order = b.orders[s, slot]
    order_id, leg, is_whole = order[c.O_ID], order[c.O_LEG], order[c.O_IS_WHOLE]
    reason = order[c.O_REASON]
    drop_order(b, s, slot)
    event = tell(b, c.CANCELLED, s, ts_ms, order_id)
    b.events[event, c.E_LEG], b.events[event, c.E_IS_WHOLE] = leg, is_whole
    b.events[event, c.E_REASON] = reason
    b.event_floats[event, c.E_FREE] = b.a[c.BOOK_FREE]


@compiled
def cancel_reduce_only(b: Books, s: int, ts_ms: int) -> None:
    """Cancel the orders of a position that is gone, oldest first."""
    slot = 0
    while slot < b.n[s, c.ORDERS]:
        if b.orders[s, slot, c.O_LEG] == c.ENTRY_LEG:
            slot += 1
        else:
            cancel_at(b, s, slot, ts_ms)
