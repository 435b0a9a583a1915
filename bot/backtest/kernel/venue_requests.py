"""Requests at the simulated venue, with its own refusals; bot/sim/{order_entry,margin_moves}.py over columns.

A refusal is returned as a code; the engine treats all but the few named here alike.
"""

from typing import Final

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, position_of, rules_of
from bot.backtest.kernel.venue_fills import FITS, entry_fit, execute, leverage_limit, reserve, taker_price_of
from bot.backtest.kernel.venue_orders import (
    cancel_at,
    latency_of,
    next_order,
    put_order,
    slot_of,
    tell,
    touch,
)
from bot.backtest.kernel.venue_protection import is_liquidated_at, is_met
from bot.core.compiled import compiled
from bot.core.margin import notional, removable_margin
from bot.core.steps import is_on_step

DONE: Final = 0
USUAL: Final = 1  # of those that no tripwire counts
TRIGGERS_AT_ONCE: Final = 2
REFUSED: Final = 3
HALTED: Final = 4

_MOST_STOPS: Final = 2


@compiled
def is_in_liquidation(b: Books, s: int) -> bool:
    """Return whether the mark is beyond the position's liquidation price."""
    return is_liquidated_at(b, s, b.f[s, c.NOW_MARK])


@compiled
def is_quantity(b: Books, s: int, quantity: float) -> bool:
    """Return whether the venue takes this quantity."""
    if not 0.0 < quantity < 1e300:
        return False
    return is_on_step(quantity, b.f[s, c.QUANTITY_STEP]) and quantity >= b.f[s, c.MIN_QUANTITY]


@compiled
def is_price(b: Books, s: int, price: float) -> bool:
    """Return whether a price is a positive multiple of the tick."""
    return 0.0 < price < 1e300 and is_on_step(price, b.f[s, c.TICK_SIZE])


@compiled
def open_position(b: Books, s: int, order_id: int, side: int, quantity: float, ts_ms: int) -> int:
    """Enter with a market order, which trades after the latency."""
    last = b.f[s, c.NOW_LAST]
    if b.n[s, c.HAS_TICK] == 0 or not is_quantity(b, s, quantity):
        return REFUSED
    if quantity * last < b.f[s, c.MIN_NOTIONAL] or is_in_liquidation(b, s):
        return REFUSED
    number = next_order(b)
    due_ms = ts_ms + latency_of(b, number)
    price = taker_price_of(b, s, quantity, side, last)
    if entry_fit(b, s, quantity, price, 0.0) != FITS:
        return REFUSED
    slot = put_order(b, s, order_id, number, c.ENTRY_LEG, c.AT_MARKET, side, due_ms)
    b.order_floats[s, slot, c.O_QUANTITY] = quantity
    b.orders[s, slot, c.O_SENT_MS] = ts_ms
    tell(b, c.ACCEPTED, s, ts_ms, order_id)
    reserve(b, s, quantity, price)
    if due_ms <= ts_ms:
        execute(b, s, slot, ts_ms)
    return DONE


@compiled
def reduce_position(
    b: Books, s: int, order_id: int, side: int, quantity: float, reason: int, wallet: float, ts_ms: int
) -> int:
    """Reduce or close with a market order; quantity 0 closes all."""
    if b.n[s, c.SIDE] != side:
        return USUAL
    if (quantity != 0.0 and not is_quantity(b, s, quantity)) or is_in_liquidation(b, s):
        return REFUSED
    number = next_order(b)
    due_ms = ts_ms + latency_of(b, number)
    slot = put_order(b, s, order_id, number, c.EXIT_LEG, c.AT_MARKET, -side, due_ms)
    b.orders[s, slot, c.O_SENT_MS] = ts_ms
    b.orders[s, slot, c.O_REASON], b.orders[s, slot, c.O_IS_WHOLE] = reason, 1 if quantity == 0.0 else 0
    b.order_floats[s, slot, c.O_QUANTITY], b.order_floats[s, slot, c.O_WANTED_WALLET] = quantity, wallet
    tell(b, c.ACCEPTED, s, ts_ms, order_id)
    if due_ms <= ts_ms:
        execute(b, s, slot, ts_ms)
    return DONE


@compiled
def rest_trigger(
    b: Books, s: int, order_id: int, leg: int, side: int, quantity: float, trigger: float, ts_ms: int
) -> int:
    """Rest a stop over the whole position, or a take-profit."""
    if b.n[s, c.SIDE] != side:
        return USUAL
    if leg == c.STOP_LEG and _stops(b, s) >= _MOST_STOPS:
        return REFUSED
    if leg == c.TARGET_LEG and quantity != 0.0 and not is_quantity(b, s, quantity):
        return REFUSED
    number = next_order(b)
    if not is_price(b, s, trigger):
        return REFUSED
    if is_met(leg, -side, trigger, b.f[s, c.NOW_MARK]):
        return TRIGGERS_AT_ONCE
    slot = put_order(b, s, order_id, number, leg, c.AT_TRIGGER, -side, ts_ms + latency_of(b, number))
    b.order_floats[s, slot, c.O_QUANTITY] = quantity
    b.order_floats[s, slot, c.O_TRIGGER] = trigger
    tell(b, c.ACCEPTED, s, ts_ms, order_id)
    return DONE


@compiled
def _stops(b: Books, s: int) -> int:
    count = 0
    for slot in range(b.n[s, c.ORDERS]):
        if b.orders[s, slot, c.O_LEG] == c.STOP_LEG:
            count += 1
    return count


@compiled
def cancel_order(b: Books, s: int, target: int, ts_ms: int) -> int:
    """Take an open order back."""
    slot = slot_of(b, s, target)
    if slot < 0:
        return USUAL
    cancel_at(b, s, slot, ts_ms)
    return DONE


@compiled
def set_leverage(b: Books, s: int, leverage: int) -> int:
    """Set a symbol's leverage; with a position it can only be raised."""
    most = b.f[s, c.MAX_LEVERAGE]
    is_held = b.n[s, c.SIDE] != 0
    if is_held:
        value = notional(position_of(b, s), b.f[s, c.NOW_MARK], rules_of(b, s))
        most = min(most, leverage_limit(b, s, value))
    if not 1 <= leverage <= most or (is_held and leverage < b.f[s, c.LEVERAGE]):
        return REFUSED
    b.n[s, c.BOOK_LEVERAGE] = leverage
    if is_held:
        b.f[s, c.LEVERAGE] = float(leverage)
        touch(b, s)
    return DONE


@compiled
def move_margin(b: Books, s: int, target: float, is_add: bool) -> int:
    """Bring the isolated wallet to the target, up or down, as far as money and the venue's rule let it."""
    if b.n[s, c.SIDE] == 0:
        return USUAL if target > 0.0 else REFUSED
    if not 0.0 < target < 1e300 or is_in_liquidation(b, s):
        return REFUSED
    amount = target - b.f[s, c.WALLET] if is_add else b.f[s, c.WALLET] - target
    if not amount >= 0.5 * b.f[s, c.MARGIN_STEP]:
        return REFUSED
    if is_add and amount > b.a[c.BOOK_FREE]:
        return REFUSED
    if not is_add:
        removable = removable_margin(position_of(b, s), b.f[s, c.NOW_MARK], rules_of(b, s))
        if amount > removable + 0.5 * b.f[s, c.MARGIN_STEP]:
            return REFUSED
    moved = amount if is_add else -amount
    b.a[c.BOOK_FREE] = b.a[c.BOOK_FREE] - moved
    b.f[s, c.WALLET] = b.f[s, c.WALLET] + moved
    b.f[s, c.MOVED] = moved
    touch(b, s)
    return DONE
