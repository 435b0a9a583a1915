"""What a tick does to resting orders, and the venue to a wallet; bot/sim/{triggers,liquidation}.py."""

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, liquidation_of, position_of, rules_of
from bot.backtest.kernel.tape import price_at, walk_to
from bot.backtest.kernel.venue_fills import execute, fill_or_expire, taker_price
from bot.backtest.kernel.venue_orders import cancel_reduce_only, tell, touch
from bot.core.compiled import compiled
from bot.core.margin import notional
from bot.core.pnl import funding_payment


@compiled
def is_liquidated_at(b: Books, s: int, mark: float) -> bool:
    """Return whether the symbol has a position that the venue liquidates at `mark`."""
    return b.n[s, c.SIDE] != 0 and b.n[s, c.SIDE] * (mark - liquidation_of(b, s)) <= 0.0


@compiled
def step_tick(b: Books, s: int) -> bool:
    """Do the next thing the tick causes; False when nothing is left."""
    slot = _next_market_order(b, s)
    if slot >= 0:
        ts_ms = walk_to(b, s, _instant_of(b, s, slot))
        execute(b, s, slot, ts_ms)
        return True
    ts_ms = walk_to(b, s, b.n[s, c.TICK_MS])
    if b.n[s, c.SIDE] == 0:
        return False
    slot = _next_trigger(b, s)
    if slot >= 0:
        price = _trigger_price(b, s, slot)
        fill_or_expire(b, s, slot, price, ts_ms)
        return True
    if is_liquidated_at(b, s, b.f[s, c.TICK_MARK]):
        liquidate(b, s, b.f[s, c.TICK_MARK], ts_ms)
        return True
    return False


@compiled
def is_met(leg: int, side: int, trigger: float, mark: float) -> bool:
    """Return whether a trigger is reached at this mark."""
    away = side * (trigger - mark) if leg == c.TARGET_LEG else side * (mark - trigger)
    return trigger > 0.0 and away >= 0.0


@compiled
def _instant_of(b: Books, s: int, slot: int) -> int:
    order = b.orders[s, slot]
    return order[c.O_DUE_MS] if order[c.O_FILL_TICK] == c.NO_TICK else b.n[s, c.TICK_MS]


@compiled
def _next_market_order(b: Books, s: int) -> int:
    """The market order that is executed next up to this tick; -1: none."""
    found, first_ms, first_number = -1, 0, 0
    for slot in range(b.n[s, c.ORDERS]):
        order = b.orders[s, slot]
        if order[c.O_KIND] != c.AT_MARKET or order[c.O_DUE_MS] > b.n[s, c.TICK_MS]:
            continue
        if order[c.O_FILL_TICK] == b.n[s, c.TICK_NUMBER]:
            continue
        instant, number = _instant_of(b, s, slot), order[c.O_NUMBER]
        if order[c.O_LEG] != c.ENTRY_LEG and is_liquidated_at(b, s, price_at(b, s, instant)[1]):
            continue
        if found < 0 or instant < first_ms or (instant == first_ms and number < first_number):
            found, first_ms, first_number = slot, instant, number
    return found


@compiled
def _next_trigger(b: Books, s: int) -> int:
    """The first order on the tick's way that fires and is not overtaken by liquidation; -1: none."""
    mark = b.f[s, c.TICK_MARK]
    is_dying = is_liquidated_at(b, s, mark)
    found, nearest, first_number = -1, 0.0, 0
    for slot in range(b.n[s, c.ORDERS]):
        order, trigger = b.orders[s, slot], b.order_floats[s, slot, c.O_TRIGGER]
        if order[c.O_KIND] != c.AT_TRIGGER or order[c.O_FILL_TICK] == b.n[s, c.TICK_NUMBER]:
            continue
        if not is_met(order[c.O_LEG], order[c.O_SIDE], trigger, mark):
            continue
        share, number = _share(b, s, trigger), order[c.O_NUMBER]
        if is_dying and not _wins(b, s, slot, share):
            continue
        if found < 0 or share < nearest or (share == nearest and number < first_number):
            found, nearest, first_number = slot, share, number
    return found


@compiled
def _share(b: Books, s: int, price: float) -> float:
    """How far along the mark's way from the previous tick to this one `price` lies, within [0, 1]."""
    begin, end = b.f[s, c.BEFORE_MARK], b.f[s, c.TICK_MARK]
    if begin == end:
        return 0.0
    return min(max((price - begin) / (end - begin), 0.0), 1.0)


@compiled
def _wins(b: Books, s: int, slot: int, share: float) -> bool:
    side, liquidation = b.n[s, c.SIDE], liquidation_of(b, s)
    trigger = b.order_floats[s, slot, c.O_TRIGGER]
    is_first = share < _share(b, s, liquidation) or side * (trigger - liquidation) > 0.0
    return is_first and side * (_trigger_price(b, s, slot) - liquidation) > 0.0


@compiled
def _trigger_price(b: Books, s: int, slot: int) -> float:
    """What a fired order trades at; see bot.sim.triggers.trigger_fill_price."""
    side, trigger = b.orders[s, slot, c.O_SIDE], b.order_floats[s, slot, c.O_TRIGGER]
    last = b.f[s, c.TICK_LAST]
    if b.orders[s, slot, c.O_LEG] == c.TARGET_LEG:
        start = max(trigger, last) if side > 0 else min(trigger, last)
        return taker_price(b, s, slot, start)
    price = taker_price(b, s, slot, last)
    return max(price, trigger) if side > 0 else min(price, trigger)


@compiled
def liquidate(b: Books, s: int, mark: float, ts_ms: int) -> None:
    """Close the position at `mark` and keep its margin."""
    lost = b.f[s, c.WALLET]
    b.n[s, c.SIDE] = 0
    touch(b, s)
    event = tell(b, c.LIQUIDATED, s, ts_ms, 0)
    told = b.event_floats[event]
    told[c.E_PRICE], told[c.E_AMOUNT], told[c.E_FREE] = mark, lost, b.a[c.BOOK_FREE]
    cancel_reduce_only(b, s, ts_ms)


@compiled
def pay_funding(b: Books, s: int, rate: float, ts_ms: int) -> None:
    """Settle funding of an open position at the mark into its isolated wallet."""
    value = notional(position_of(b, s), b.f[s, c.NOW_MARK], rules_of(b, s))
    amount = funding_payment(b.n[s, c.SIDE], value, rate)
    b.f[s, c.WALLET] = b.f[s, c.WALLET] + amount
    touch(b, s)
    event = tell(b, c.SETTLED, s, ts_ms, 0)
    b.event_floats[event, c.E_AMOUNT], b.event_floats[event, c.E_FREE] = amount, b.a[c.BOOK_FREE]
