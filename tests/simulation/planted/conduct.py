"""Planted bugs in what the engine decides: entries, stops and exits."""

from typing import Final

from tests.simulation.planted.bug import Bug

_ENGINE: Final = "bot/engine/engine.py"
_ENTRIES: Final = "bot/engine/entries.py"
_FILLS: Final = "bot/engine/fills.py"
_PROTECTION: Final = "bot/engine/protection.py"
_ORDERS: Final = "bot/exchange/orders.py"

CONDUCT: Final = (
    Bug(
        "hung-strategy-asked-again",
        "bot/engine/beliefs.py",
        "    if STRATEGY_HALT in standing or halts.STRATEGY_HUNG in standing:\n",
        "    if STRATEGY_HALT in standing:\n",
        "a start asks the strategy that did not answer the process before",
        ("F70",),
    ),
    # --- entries ---------------------------------------------------------------------------------
    Bug(
        "entered-twice",
        _ENTRIES,
        '    entry.client_id = desk.outbox.intend(order, "entry", plan.facts).client_id\n',
        '    desk.outbox.intend(order, "entry", plan.facts)\n'
        '    entry.client_id = desk.outbox.intend(order, "entry", plan.facts).client_id\n',
        "an entry is sent twice",
        ("entry",),
    ),
    Bug(
        "entered-on-stale-marks",
        _ENTRIES,
        "    if desk.is_blind(market):\n        age_ms",
        "    if desk.timeframe_ms < 0:\n        age_ms",
        "an entry is decided on marks that are too old",
        ("stale", "F57", "F52"),
    ),
    Bug(
        "entered-late-after-the-leverage",
        _ENTRIES,
        "    if event.ts_ms - decided_ms >= desk.timeframe_ms:\n",
        "    if event.ts_ms - decided_ms >= 1_000 * desk.timeframe_ms:\n",
        "an entry whose leverage took longer than its bar is sent",
        ("long_leverage", "F48", "F57", "F59"),
    ),
    Bug(
        "rest-of-an-entry-not-taken-back",
        _FILLS,
        'take_back(desk, market, "position_closed")',
        "_ = take_back",
        "what is left of an entry whose position has ended opens a new one",
        ("thin", "F08", "F26"),
    ),
    # --- fills -----------------------------------------------------------------------------------
    Bug(
        "partial-fill-ignored",
        _FILLS,
        '    holding.position = event.position\n    if event.leg == "entry":\n',
        "    if event.remaining_quantity <= 0.0:\n        holding.position = event.position\n"
        '    if event.leg == "entry":\n',
        "the position is believed as it was until an order has filled whole",
        ("F08",),
    ),
    Bug(
        "part-of-an-entry-unprotected",
        _FILLS,
        """        _protect_entry(desk, market, holding, entry)
""",
        """        if event.remaining_quantity <= 0.0:
            _protect_entry(desk, market, holding, entry)
""",
        "an entry that fills in part gets no stop",
        ("F08",),
    ),
    Bug(
        "entry-without-a-stop",
        _FILLS,
        """        protect(desk, market, holding, entry.plan.stop_price, "entry")
""",
        """        holding.stop_again_ms = desk.state.now_ms
""",
        "the stop of an entry waits for the next mark that is looked at",
        ("entry",),
    ),
    Bug(
        "ladder-forgotten",
        _FILLS,
        "        place_take_profits(desk, market, holding)\n",
        "        holding.wake()\n",
        "an entry gets no take-profits",
        ("entry",),
    ),
    Bug(
        "ladder-not-resized",
        _PROTECTION,
        "        quantity = 0.0 if rung is plan[-1] else rung.quantity\n",
        "        quantity = 0.0 if rung is plan[0] else rung.quantity\n",
        "the first rung of the ladder closes everything",
        ("ladder",),
    ),
    Bug(
        "funding-not-booked",
        _FILLS,
        "    holding.position = event.position\n    holding.gain(funding_quote=event.amount_quote)\n",
        "    holding.gain(funding_quote=event.amount_quote)\n",
        "funding leaves the engine's wallet as it was",
        ("funding", "F36"),
    ),
    Bug(
        "liquidation-not-booked",
        _FILLS,
        '    _end(desk, market, holding, event.ts_ms, "liquidation", event.mark)\n',
        "    holding.wake()\n",
        "a position is still held after its liquidation",
        ("F43",),
    ),
    # --- protection ------------------------------------------------------------------------------
    Bug(
        "stop-dropped-on-amend",
        _PROTECTION,
        "holding.stop, retired = (old, new) if is_looser else (new, old)",
        "holding.stop, retired = (old, new) if is_looser else (new, new)",
        "the new stop is cancelled instead of the old one, and believed to stand",
        ("trailing",),
    ),
    Bug(
        "looser-stop-kept",
        _PROTECTION,
        "is_looser = side * (new.trigger_price - old.trigger_price) < 0.0",
        "is_looser = side * (new.trigger_price - old.trigger_price) > 0.0",
        "of two stops the looser one is kept",
        ("trailing",),
    ),
    Bug(
        "cancel-before-place",
        _PROTECTION,
        "    action = PlaceStop(market.instrument.symbol, holding.position.side, price)\n",
        """    if holding.stop is not None:
        desk.outbox.intend(CancelOrder(market.instrument.symbol, holding.stop.client_id), "replace")
    action = PlaceStop(market.instrument.symbol, holding.position.side, price)
""",
        "the old stop is cancelled before the new one is placed",
        ("trailing", "F22"),
    ),
    Bug(
        "old-stop-left",
        _PROTECTION,
        "    desk.outbox.intend(CancelOrder(market.instrument.symbol, retired.client_id), "
        '"stop_replaced", facts)\n',
        "    del facts\n",
        "the stop that was replaced stays at the venue",
        ("trailing",),
    ),
    Bug(
        "stop-for-the-old-quantity",
        _ORDERS,
        """            "stop",
            -action.side,
            0.0,
""",
        """            "stop",
            -action.side,
            held.quantity,
""",
        "a stop is for what was held when it was sent, whatever fills later",
        ("F08",),
    ),
    Bug(
        "stop-for-a-part",
        _ORDERS,
        """            "stop",
            -action.side,
            0.0,
""",
        """            "stop",
            -action.side,
            self._instruments[action.symbol].min_quantity,
""",
        "a stop is for the least quantity instead of the whole position",
        ("entry",),
    ),
    Bug(
        "stop-on-the-wrong-side",
        _ORDERS,
        """            "stop",
            -action.side,
""",
        """            "stop",
            action.side,
""",
        "a stop would enlarge the position",
        ("entry",),
    ),
    Bug(
        "stop-beyond-liquidation",
        "bot/risk/brackets.py",
        "    return on_tick_toward_mark(side, entry_price * (1.0 - side * stop_distance), tick)\n",
        "    return on_tick_toward_mark(side, entry_price * (1.0 - side * 30.0 * stop_distance), tick)\n",
        "a stop stands beyond liquidation",
        ("entry", "F41"),
    ),
    Bug(
        "vanished-stop-believed",
        _PROTECTION,
        """    holding.stop, holding.lost_stop, holding.lost_stop_ms = None, price, counted_ms
    holding.unprotected_since_ms = event.ts_ms
    doing =""",
        """    holding.unprotected_since_ms = event.ts_ms
    return
    doing =""",
        "a stop that the venue dropped is believed to stand",
        ("F27",),
    ),
    Bug(
        "vanished-stop-in-a-loop",
        _PROTECTION,
        "    if event.ts_ms < again_ms:\n",
        "    if event.ts_ms < 0:\n",
        "a stop that keeps vanishing is placed again and again, until no request is left",
        ("F74",),
    ),
    Bug(
        "refused-stop-shrugged-off",
        _PROTECTION,
        """    if stop is None or not is_covered or side * (stop.trigger_price - nearest) < 0.0:
        close(desk, market, holding, "protection")
""",
        """    if stop is None or not is_covered or side * (stop.trigger_price - nearest) < 0.0:
        holding.stop = RestingStop(event.client_id, nearest)
""",
        "a stop that was refused is believed to rest",
        ("F20", "F28"),
    ),
    Bug(
        "exit-given-up",
        _PROTECTION,
        "    holding.is_closing = False\n    holding.close_again_ms",
        "    holding.close_again_ms",
        "a position whose close was refused counts as being closed for ever",
        ("F13", "F14"),
    ),
    Bug(
        "exit-never-sent",
        _PROTECTION,
        '    desk.outbox.intend(ReducePosition(symbol, side, 0.0), reason, {"mark": market.mark})\n',
        "    del symbol, side\n",
        "a close is decided and not sent",
        ("leave",),
    ),
    Bug(
        "never-trailed",
        _PROTECTION,
        "    if desk.state.now_ms < holding.stop_again_ms:\n        return\n    price",
        "    if desk.state.now_ms >= holding.stop_again_ms:\n        return\n    price",
        "the stop never follows the price",
        ("trailing",),
    ),
    Bug(
        "trailed-the-wrong-way",
        "bot/risk/trailing.py",
        "wanted = on_tick_toward_mark(side, best_mark - side * bracket.trail_distance_r * risk, tick)",
        "wanted = on_tick_toward_mark(side, current_stop - side * bracket.trail_distance_r * risk, tick)",
        "the stop is moved away from the price",
        ("trailing",),
    ),
    Bug(
        "best-mark-forgotten",
        _ENGINE,
        "        if holding.position.side * (market.mark - holding.best_mark) > 0.0:\n",
        "        if holding.position.side * (market.mark - holding.best_mark) < 0.0:\n",
        "the stop follows the worst mark instead of the best",
        ("trailing",),
    ),
)
