"""Stops and take-profits at the venue: placed on fill, trailed, kept inside liquidation, never absent.

A new stop is accepted before the old one is cancelled. One for a quantity, as a venue takes it beside one
over the whole position, is followed by another when more is filled; the one over all of it rests until then.
A position whose stop the venue refuses, and that has no other over all of it, is closed at market.
"""

from bot.core.event import OrderAccepted, OrderCancelled, OrderFilled, Refused
from bot.core.intent import Action, CancelOrder, Fact, Intent, PlaceStop, PlaceTakeProfit, ReducePosition
from bot.engine import alerts
from bot.engine.desk import Desk
from bot.engine.state import Holding, Market, RestingStop
from bot.risk.trailing import on_tick_toward_mark
from bot.risk.view import TakeProfit

_MIN_GAP_FRACTION = 0.002  # of the liquidation price, between it and the stop, whatever the policy
_STOP_AGAIN_MS = 60_000
_CLOSE_AGAIN_MS = 1_000
# After three a stop that vanishes again is placed no faster: other things need requests too.
_LOST_AGAIN_MS = 2_000
_LOST_AT_ONCE = 3
# The venue knows how much is held: another stop at once would be for as little, until the fill is told.
_COVER_AGAIN_MS = 1_000
# An entry whose fill is not told for so long may be open: a reduce-only stop costs nothing.
_UNSEEN_MS = 2_000
_UNSEEN_AGAIN_MS = 4_000


def protect(desk: Desk, market: Market, holding: Holding, price: float, reason: str) -> None:
    """Ask the venue for a stop at `price` over the whole position."""
    facts = {
        "mark": market.mark,
        "liquidation_price": market.liquidation_price(holding.position),
        "previous_stop": holding.stop.trigger_price if holding.stop else None,
    }
    # The venue may have changed its tick since the price was chosen.
    price = on_tick_toward_mark(holding.position.side, price, market.instrument.tick_size)
    action = PlaceStop(market.instrument.symbol, holding.position.side, price)
    desk.outbox.intend(action, reason, facts)


def protect_unseen(desk: Desk, market: Market) -> None:
    """Ask for the stop of an entry that was sent, and whose fill nobody has told yet: it may be open."""
    entry, now_ms = market.entry, desk.state.now_ms
    if entry is None or market.holding is not None or entry.stop is not None:
        return
    sent, symbol = desk.state.in_flight.get(entry.client_id), market.instrument.symbol
    if sent is None or now_ms < max(sent.ts_ms + _UNSEEN_MS * desk.pace, entry.stop_again_ms):
        return
    if desk.is_in_flight(symbol, PlaceStop):
        return
    entry.stop_again_ms = now_ms + round(_UNSEEN_AGAIN_MS * desk.pace)
    facts: dict[str, Fact] = {"mark": market.mark, "entry": entry.client_id}
    desk.outbox.intend(PlaceStop(symbol, entry.plan.side, entry.plan.stop_price), "entry_unseen", facts)


def take_back_unseen(desk: Desk, market: Market) -> None:
    """Cancel the stop of an entry that came to nothing."""
    entry = market.entry
    if entry is not None and entry.stop is not None and market.holding is None:
        target, entry.stop = entry.stop.client_id, None
        desk.outbox.intend(CancelOrder(market.instrument.symbol, target), "entry_ended")


def place_take_profits(desk: Desk, market: Market, holding: Holding) -> None:
    """Rest the ladder for what was really filled; its last rung closes whatever is left."""
    position = holding.position
    plan = desk.risk.take_profits(
        position.side, position.entry_price, holding.initial_stop, position.quantity, market.instrument
    )
    for rung in plan:
        quantity = 0.0 if rung is plan[-1] else rung.quantity
        action = PlaceTakeProfit(market.instrument.symbol, holding.position.side, quantity, rung.price)
        desk.outbox.intend(action, "take_profit_ladder", {"planned_quantity": rung.quantity})


def ensure(desk: Desk, market: Market, holding: Holding) -> None:
    """Protect a position that has neither a stop nor one on its way: the venue refused stop and close."""
    symbol, side = market.instrument.symbol, holding.position.side
    if holding.stop is not None or desk.is_in_flight(symbol, PlaceStop):
        return
    if desk.state.now_ms < holding.close_again_ms:
        return
    price = holding.lost_stop or holding.initial_stop
    if side * (market.mark - price) > 0.0:
        doing = f"The last one at {price:.10g} is placed again."
        alerts.stop_missing(desk, market, "neither a stop nor one on its way", doing)
        protect(desk, market, holding, price, "stop_missing")
    else:
        doing = f"The mark {market.mark:.10g} is past {price:.10g}, so it is closed at market."
        alerts.stop_missing(desk, market, "neither a stop nor one on its way", doing)
        close(desk, market, holding, "protection")


def cover(desk: Desk, market: Market, holding: Holding) -> None:
    """Replace a stop for less than the position, where more was filled since, by one over all of it."""
    stop, side = holding.stop, holding.position.side
    _retire_elder(desk, market, holding)
    if stop is None or holding.is_closing or stop.covers(holding.position.quantity):
        return
    holding.unprotected_since_ms = holding.unprotected_since_ms or desk.state.now_ms
    again_ms = max(holding.close_again_ms, holding.cover_again_ms)
    if desk.is_in_flight(market.instrument.symbol, PlaceStop) or desk.state.now_ms < again_ms:
        return
    if side * (market.mark - stop.trigger_price) > 0.0:
        holding.cover_again_ms = desk.state.now_ms + round(_COVER_AGAIN_MS * desk.pace)
        protect(desk, market, holding, stop.trigger_price, "stop_too_small")
    else:
        close(desk, market, holding, "protection")


def on_stop_used_up(desk: Desk, market: Market, holding: Holding, event: OrderFilled) -> None:
    """Protect what a stop for less than the position has left, or close it."""
    stop = holding.stop
    if stop is None or stop.client_id != event.client_id or stop.quantity == 0.0:
        return
    holding.stop, holding.lost_stop, holding.unprotected_since_ms = None, stop.trigger_price, event.ts_ms
    ensure(desk, market, holding)


def trail(desk: Desk, market: Market, holding: Holding) -> None:
    """Follow the best mark with the stop, only ever toward profit."""
    if holding.stop is None or desk.is_in_flight(market.instrument.symbol, PlaceStop):
        return
    if desk.state.now_ms < holding.stop_again_ms:
        return
    price = desk.risk.trailed_stop(
        holding.position.side,
        holding.position.entry_price,
        holding.initial_stop,
        holding.stop.trigger_price,
        holding.best_mark,
        market.instrument.tick_size,
    )
    if price > 0.0 and holding.position.side * (market.mark - price) > 0.0:
        protect(desk, market, holding, price, "trailing")


def keep_stop_inside(desk: Desk, market: Market, holding: Holding) -> None:
    """Tighten a stop that liquidation has come too close to (funding drains the wallet)."""
    if holding.stop is None or desk.is_in_flight(market.instrument.symbol, PlaceStop):
        return
    side = holding.position.side
    nearest = _nearest_stop(market, holding)
    if side * (holding.stop.trigger_price - nearest) >= 0.0:
        return
    price = on_tick_toward_mark(side, nearest, market.instrument.tick_size)
    if side * (market.mark - price) > 0.0:
        protect(desk, market, holding, price, "liquidation_came_close")
    else:
        close(desk, market, holding, "liquidation_came_close")


def close(desk: Desk, market: Market, holding: Holding, reason: str) -> None:
    """Close the whole position at market, once."""
    if holding.is_closing:
        return
    holding.is_closing = True
    symbol, side = market.instrument.symbol, holding.position.side
    desk.outbox.intend(ReducePosition(symbol, side, 0.0), reason, {"mark": market.mark})


def on_accepted(desk: Desk, market: Market, event: OrderAccepted, intent: Intent) -> None:
    """Note a resting order; a new stop retires the old one, and a looser one is taken back itself."""
    holding, action = market.holding, intent.action
    if holding is None:
        _accepted_unseen(desk, market, event, action)
        return
    if isinstance(action, PlaceTakeProfit):
        holding.take_profits[event.client_id] = TakeProfit(action.trigger_price, action.quantity)
    elif isinstance(action, PlaceStop):
        new = RestingStop(event.client_id, action.trigger_price, event.quantity)
        _exchange_stops(desk, market, holding, new)
        if new.covers(holding.position.quantity):
            _protected(desk, market, holding, event.ts_ms)
        keep_stop_inside(desk, market, holding)
        cover(desk, market, holding)
    holding.wake()


def _accepted_unseen(desk: Desk, market: Market, event: OrderAccepted, action: Action) -> None:
    """Keep the stop of an entry that is not told yet; one that came after the entry's end is taken back."""
    if not isinstance(action, PlaceStop):
        return
    if market.entry is not None:
        market.entry.stop = RestingStop(event.client_id, action.trigger_price, event.quantity)
    else:
        desk.outbox.intend(CancelOrder(action.symbol, event.client_id), "entry_ended")


def on_cancelled(desk: Desk, market: Market, event: OrderCancelled, asked: Action | None) -> None:
    """Forget a resting order; a stop that vanished without our wish is placed again.

    `asked`: the request that is in flight still: it ended before anybody could tell that it rested.
    """
    holding, entry = market.holding, market.entry
    if entry is not None and entry.stop is not None and entry.stop.client_id == event.client_id:
        entry.stop = None
    if holding is None:
        return
    holding.take_profits.pop(event.client_id, None)
    if holding.stop is not None and holding.stop.client_id == event.client_id:
        _on_lost(desk, market, holding, holding.stop.trigger_price, event)
    elif isinstance(asked, PlaceStop) and _has_no_stop_coming(desk, holding):
        _on_lost(desk, market, holding, asked.trigger_price, event)
    if holding.elder_stop == event.client_id:
        holding.elder_stop = ""
    holding.wake()


def _has_no_stop_coming(desk: Desk, holding: Holding) -> bool:
    is_coming = desk.is_in_flight(holding.position.symbol, PlaceStop)
    return holding.stop is None and not holding.is_closing and not is_coming


def _on_lost(desk: Desk, market: Market, holding: Holding, price: float, event: OrderCancelled) -> None:
    """Place a stop that vanished again: at once, unless three vanished just before it too."""
    interval_ms = round(_LOST_AGAIN_MS * desk.pace)
    counted_ms = max(holding.lost_stop_ms, event.ts_ms) + interval_ms
    again_ms = counted_ms - _LOST_AT_ONCE * interval_ms
    holding.stop, holding.lost_stop, holding.lost_stop_ms = None, price, counted_ms
    holding.unprotected_since_ms = event.ts_ms
    doing = f"It is placed again at {price:.10g}; if the venue refuses it, the position is closed."
    alerts.stop_missing(desk, market, f"the venue cancelled it ({event.cause})", doing)
    if event.ts_ms < again_ms:
        holding.close_again_ms = max(holding.close_again_ms, again_ms)
    else:
        protect(desk, market, holding, price, "stop_vanished")


def on_stop_refused(desk: Desk, market: Market, event: Refused) -> None:
    """Close a position that cannot be protected; keep an older stop over all of it where it works."""
    holding = market.holding
    if holding is None:
        return
    holding.stop_again_ms = event.ts_ms + _STOP_AGAIN_MS
    side, nearest = holding.position.side, _nearest_stop(market, holding)
    if holding.stop is None:
        what = f"the venue refused it ({event.code}: {event.message})"
        alerts.stop_missing(desk, market, what, "The position is closed at market.")
    stop = holding.stop
    is_covered = stop is not None and stop.covers(holding.position.quantity)
    if stop is None or not is_covered or side * (stop.trigger_price - nearest) < 0.0:
        close(desk, market, holding, "protection")


def on_close_refused(market: Market, event: Refused) -> None:
    """The position is still there: let it be looked at again."""
    holding = market.holding
    if holding is None:
        return
    holding.is_closing = False
    holding.close_again_ms = event.ts_ms + _CLOSE_AGAIN_MS
    holding.wake()


def on_take_profit_refused(desk: Desk, market: Market, event: Refused, action: PlaceTakeProfit) -> None:
    """Take the profit at once when the price is already beyond it."""
    holding = market.holding
    if holding is None or event.code != "would_trigger_immediately":
        return
    if action.quantity == 0.0:
        close(desk, market, holding, "take_profit")
    else:
        reduce = ReducePosition(action.symbol, action.side, action.quantity)
        desk.outbox.intend(reduce, "take_profit", {"mark": market.mark})


def _nearest_stop(market: Market, holding: Holding) -> float:
    """The stop price that is as close to liquidation as any may be."""
    liquidation = market.liquidation_price(holding.position)
    return liquidation * (1.0 + holding.position.side * _MIN_GAP_FRACTION)


def _exchange_stops(desk: Desk, market: Market, holding: Holding, new: RestingStop) -> None:
    """Keep the tighter of the resting and the new stop, and cancel the other, unless it alone covers all.

    A start may have read the new one before its acceptance is told: then it is the one that rests.
    """
    old, side = holding.stop, holding.position.side
    _retire_elder(desk, market, holding)
    if old is None or old.client_id == new.client_id:
        holding.stop = new
        return
    is_looser = side * (new.trigger_price - old.trigger_price) < 0.0
    holding.stop, retired = (old, new) if is_looser else (new, old)
    quantity = holding.position.quantity
    if retired.covers(quantity) and not holding.stop.covers(quantity):
        holding.elder_stop = retired.client_id
        return
    facts: dict[str, Fact] = {"trigger_price": retired.trigger_price}
    desk.outbox.intend(CancelOrder(market.instrument.symbol, retired.client_id), "stop_replaced", facts)


def _retire_elder(desk: Desk, market: Market, holding: Holding) -> None:
    """Cancel the looser stop that was kept, once the tighter one is for all that is held."""
    if holding.elder_stop and holding.stop is not None and holding.stop.covers(holding.position.quantity):
        target, holding.elder_stop = holding.elder_stop, ""
        desk.outbox.intend(CancelOrder(market.instrument.symbol, target), "stop_replaced")


def _protected(desk: Desk, market: Market, holding: Holding, ts_ms: int) -> None:
    alerts.clear(market, alerts.STOP_MISSING)
    if holding.unprotected_since_ms == 0:
        return
    tally = desk.state.tally
    tally.max_unprotected_ms = max(tally.max_unprotected_ms, ts_ms - holding.unprotected_since_ms)
    holding.unprotected_since_ms = 0
