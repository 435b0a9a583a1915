"""Fills at the simulated venue: price, quantity, money and position; bot/sim/matching.py over columns."""

import math

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books
from bot.backtest.kernel.venue_orders import cancel_at, cancel_reduce_only, drop_order, tell, touch
from bot.core.compiled import compiled
from bot.core.pnl import realised_pnl, trading_fee
from bot.core.steps import step_down

FITS = 0
POSITION_LIMIT = 1
INSUFFICIENT = 2


@compiled
def on_step(quantity: float, step: float) -> float:
    """Return the multiple of `step` nearest to `quantity`."""
    return step_down(quantity + 0.5 * step, step)


@compiled
def wanted_quantity(b: Books, s: int, slot: int) -> float:
    """Return what is left of the order; never more than the position for a reduce-only order."""
    quantity = b.order_floats[s, slot, c.O_QUANTITY]
    if b.orders[s, slot, c.O_LEG] == c.ENTRY_LEG:
        return quantity
    held = b.f[s, c.QUANTITY]
    return held if quantity == 0.0 else min(quantity, held)


@compiled
def fillable_of(b: Books, s: int, wanted: float, price: float) -> float:
    """Return the quantity that one tick fills of what is wanted."""
    step = b.f[s, c.QUANTITY_STEP]
    return min(wanted, max(step_down(b.f[s, c.DEPTH] / price, step), step))


@compiled
def taker_price_of(b: Books, s: int, wanted: float, side: int, price: float) -> float:
    """Return `price` worsened by half the spread and by slippage for what this tick can fill."""
    share = min(fillable_of(b, s, wanted, price) * price / b.f[s, c.DEPTH], 1.0)
    worse = b.a[c.HALF_SPREAD] + b.a[c.IMPACT] * math.sqrt(share)
    return price * (1.0 + side * worse)


@compiled
def taker_price(b: Books, s: int, slot: int, price: float) -> float:
    """Return what an open order pays at `price`."""
    return taker_price_of(b, s, wanted_quantity(b, s, slot), b.orders[s, slot, c.O_SIDE], price)


@compiled
def leverage_limit(b: Books, s: int, notional: float) -> float:
    """Return the highest leverage that the tier of `notional` allows."""
    caps = b.tiers[s, 1]
    last = len(caps) - 1
    for row in range(last):
        if notional <= caps[row]:
            return b.tiers[s, 4, row]
    return b.tiers[s, 4, last]


@compiled
def cost_of(b: Books, s: int, quantity: float, price: float) -> float:
    """Return initial margin plus taker fee of `quantity` at `price`."""
    notional = quantity * price
    return notional / b.n[s, c.BOOK_LEVERAGE] + trading_fee(notional, b.f[s, c.TAKER_FEE])


@compiled
def entry_fit(b: Books, s: int, quantity: float, price: float, reserved: float) -> int:
    """Return whether an entry order can be filled at `price` as a whole, or why not."""
    held = b.f[s, c.QUANTITY] if b.n[s, c.SIDE] != 0 else 0.0
    notional = (held + quantity) * price
    if b.n[s, c.BOOK_LEVERAGE] > leverage_limit(b, s, notional):
        return POSITION_LIMIT
    if cost_of(b, s, quantity, price) > b.a[c.BOOK_FREE] + reserved:
        return INSUFFICIENT
    return FITS


@compiled
def reserve(b: Books, s: int, quantity: float, price: float) -> None:
    """Set aside margin and fee of what is left of the entry at `price`, as far as free money goes."""
    b.a[c.BOOK_FREE] = b.a[c.BOOK_FREE] + b.f[s, c.RESERVED]
    amount = min(cost_of(b, s, quantity, price), b.a[c.BOOK_FREE])
    b.a[c.BOOK_FREE] = b.a[c.BOOK_FREE] - amount
    b.f[s, c.RESERVED] = 0.0 + amount


@compiled
def fill_or_expire(b: Books, s: int, slot: int, price: float, ts_ms: int) -> None:
    """Fill what one tick gives; cancel an entry order that the account cannot carry any more."""
    is_entry = b.orders[s, slot, c.O_LEG] == c.ENTRY_LEG
    if is_entry and entry_fit(b, s, b.order_floats[s, slot, c.O_QUANTITY], price, b.f[s, c.RESERVED]) != FITS:
        cancel_at(b, s, slot, ts_ms)
        return
    quantity = fillable_of(b, s, wanted_quantity(b, s, slot), price)
    _fill(b, s, slot, price, quantity, ts_ms)


@compiled
def execute(b: Books, s: int, slot: int, ts_ms: int) -> None:
    """Trade a market order at the price now."""
    fill_or_expire(b, s, slot, taker_price(b, s, slot, b.f[s, c.NOW_LAST]), ts_ms)


@compiled
def _fill(b: Books, s: int, slot: int, price: float, quantity: float, ts_ms: int) -> None:
    order = b.orders[s, slot]
    order_id, leg, reason, is_whole = order[c.O_ID], order[c.O_LEG], order[c.O_REASON], order[c.O_IS_WHOLE]
    wanted_wallet = b.order_floats[s, slot, c.O_WANTED_WALLET]
    fee = trading_fee(quantity * price, b.f[s, c.TAKER_FEE])
    left = on_step(wanted_quantity(b, s, slot) - quantity, b.f[s, c.QUANTITY_STEP])
    pnl = 0.0
    if leg == c.ENTRY_LEG:
        _increase(b, s, order[c.O_SIDE], price, quantity, fee, ts_ms)
    else:
        pnl = _reduce(b, s, price, quantity, fee)
    touch(b, s)
    _settle_order(b, s, slot, left, price)
    is_gone = b.f[s, c.QUANTITY] == 0.0
    if is_gone:
        b.a[c.BOOK_FREE] = b.a[c.BOOK_FREE] + b.f[s, c.WALLET]
        b.n[s, c.SIDE] = 0
    event = tell(b, c.FILLED, s, ts_ms, order_id)
    b.events[event, c.E_LEG], b.events[event, c.E_REASON] = leg, reason
    b.events[event, c.E_IS_WHOLE], b.events[event, c.E_CODE] = is_whole, 0 if is_gone else 1
    told = b.event_floats[event]
    told[c.E_PRICE], told[c.E_QUANTITY], told[c.E_LEFT], told[c.E_FEE] = price, quantity, left, fee
    told[c.E_PNL], told[c.E_FREE], told[c.E_WANTED_WALLET] = pnl, b.a[c.BOOK_FREE], wanted_wallet
    if is_gone:
        cancel_reduce_only(b, s, ts_ms)


@compiled
def _settle_order(b: Books, s: int, slot: int, left: float, price: float) -> None:
    """Keep what is left of the order for the next tick, or forget it."""
    if left == 0.0:
        drop_order(b, s, slot)
        return
    order = b.orders[s, slot]
    is_entry = order[c.O_LEG] == c.ENTRY_LEG
    is_whole = not is_entry and b.order_floats[s, slot, c.O_QUANTITY] == 0.0
    b.order_floats[s, slot, c.O_QUANTITY] = 0.0 if is_whole else left
    order[c.O_KIND], order[c.O_FILL_TICK] = c.AT_MARKET, b.n[s, c.TICK_NUMBER]
    if is_entry:
        reserve(b, s, left, price)


@compiled
def _increase(b: Books, s: int, side: int, price: float, quantity: float, fee: float, ts_ms: int) -> None:
    """Move margin into the isolated wallet and the fee out of it; average the entry."""
    leverage = b.n[s, c.BOOK_LEVERAGE]
    b.a[c.BOOK_FREE] = b.a[c.BOOK_FREE] + b.f[s, c.RESERVED]
    b.f[s, c.RESERVED] = 0.0
    margin = quantity * price / leverage
    b.a[c.BOOK_FREE] = b.a[c.BOOK_FREE] - margin
    if b.n[s, c.SIDE] == 0:
        b.n[s, c.SIDE], b.n[s, c.OPENED_MS] = side, ts_ms
        b.f[s, c.QUANTITY], b.f[s, c.ENTRY_PRICE] = quantity, price
        b.f[s, c.LEVERAGE], b.f[s, c.WALLET] = float(leverage), margin - fee
        return
    held, entry = b.f[s, c.QUANTITY], b.f[s, c.ENTRY_PRICE]
    b.f[s, c.WALLET] = b.f[s, c.WALLET] + margin - fee
    b.f[s, c.ENTRY_PRICE] = (held * entry + quantity * price) / (held + quantity)
    b.f[s, c.QUANTITY] = on_step(held + quantity, b.f[s, c.QUANTITY_STEP])


@compiled
def _reduce(b: Books, s: int, price: float, quantity: float, fee: float) -> float:
    """Pay the proportional wallet plus PnL minus fee to the free balance; return the PnL."""
    held, wallet = b.f[s, c.QUANTITY], b.f[s, c.WALLET]
    left = on_step(held - quantity, b.f[s, c.QUANTITY_STEP])
    share = wallet * (quantity / held if left > 0.0 else 1.0)
    pnl = realised_pnl(b.n[s, c.SIDE], b.f[s, c.ENTRY_PRICE], price, quantity, False)
    wallet = wallet + pnl - fee
    paid_out = share + pnl - fee
    if paid_out > 0.0 and left > 0.0:
        wallet = wallet - paid_out
        b.a[c.BOOK_FREE] = b.a[c.BOOK_FREE] + paid_out
    elif wallet < 0.0:
        wallet = 0.0
    b.f[s, c.WALLET], b.f[s, c.QUANTITY] = wallet, left
    return pnl
