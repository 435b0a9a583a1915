"""What may never be decided, checked on every intent before it is committed; the gate asks `fault_of` again.

I3 BUDGET: no add aims beyond the loss the user agreed to, no entry at more margin than is free.
I4 MARGIN_MONOTONE: nothing is released while a request that changes the position waits for its outcome.
I13 FOREIGN: only what this database opened is protected, reduced or given margin, only its orders are
cancelled.
I14 FRESH: nothing is entered or released on prices that are old or missing.
I15 FINITE: numbers are finite, above zero, on the venue's steps and within leverage.
I16 CAPS: an entry's value stays within its limit, and the same enlarging request is not repeated.
"""

import math
from collections.abc import Iterator
from typing import Final

from bot.core.halt import ENLARGING
from bot.core.instrument import Instrument
from bot.core.intent import (
    Action,
    AddMargin,
    CancelOrder,
    Intent,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.engine import breach, by_hand
from bot.engine.desk import Desk
from bot.engine.state import Holding, Market

_MONEY_TOLERANCE: Final = 1e-6
_STEP_TOLERANCE: Final = 1e-6
_REPEATS: Final = 3
_REPEATS_MS: Final = 60_000
# The mark moves while the venue confirms the leverage.
_DRIFT: Final = 1.05

_ORDERS: Final = (PlaceStop, PlaceTakeProfit, PlaceTrailingStop)
_ON_POSITION: Final = (*_ORDERS, ReducePosition, AddMargin, ReleaseMargin)
_UNSETTLING: Final = (OpenPosition, SetLeverage, PlaceStop, ReducePosition, AddMargin, ReleaseMargin)


def check_intents(desk: Desk) -> None:
    """Tell every breach among the intents that were decided and are not committed yet."""
    for intent in desk.outbox.intents:
        market = desk.state.markets[intent.action.symbol]
        for invariant, message in _breaches(desk, market, intent):
            breach.tell(desk, market.instrument.symbol, invariant, f"{intent.client_id} {message}")


def fault_of(action: Action) -> str:
    """Return what is wrong with an action's numbers, so that it must not be sent; "" for nothing."""
    for name in ("quantity", "trigger_price", "target_wallet", "leverage", "callback_rate"):
        value = getattr(action, name, None)
        # A take-profit or exit of 0 closes whatever is left.
        least = 0.0 if name == "quantity" and not isinstance(action, OpenPosition) else 5e-324
        if value is not None and not least <= value < math.inf:
            return f"{type(action).__name__} has the {name} {value!r}"
    return ""


def _breaches(desk: Desk, market: Market, intent: Intent) -> Iterator[tuple[str, str]]:
    action = intent.action
    if fault := fault_of(action) or _off_step(market.instrument, action):
        yield "I15", fault
    if isinstance(action, _ON_POSITION):
        yield from _on_position(market, intent)
    if isinstance(action, ENLARGING):
        yield from _enlarging(desk, market, action)
    if isinstance(action, OpenPosition | SetLeverage):
        yield from _entering(desk, market, action)
    if isinstance(action, ReleaseMargin) and (open_ids := _unsettled(desk, intent)):
        yield "I4", f"releases margin while {', '.join(open_ids)} wait for their outcome"
    if isinstance(action, CancelOrder) and not action.target_client_id.startswith(desk.outbox.prefix):
        yield "I13", f"takes back {action.target_client_id}, which is not ours"


def _on_position(market: Market, intent: Intent) -> Iterator[tuple[str, str]]:
    action, holding, entry = intent.action, market.holding, market.entry
    if holding is None:
        if entry is not None and action == PlaceStop(action.symbol, entry.plan.side, entry.plan.stop_price):
            return  # the entry may be open, and nobody has told yet
        yield "I13", f"is a {type(action).__name__} where this database holds nothing"
        return
    side = getattr(action, "side", holding.position.side)
    if side != holding.position.side:
        yield "I9", f"is a {type(action).__name__} for side {side:+d}, held is {holding.position.side:+d}"
    if isinstance(action, AddMargin) and intent.reason != by_hand.REASON:  # a person may agree to lose more
        allowed = allowed_wallet(holding)
        if action.target_wallet > allowed + _MONEY_TOLERANCE:
            yield "I3", f"adds up to {action.target_wallet}, the agreed loss is {allowed}"


def allowed_wallet(holding: Holding) -> float:
    """Return the largest wallet that adds may make: the agreed loss, and what funding and others put in.

    What they took before may have been made good by adds, so that it counts again when it comes back.
    """
    agreed = max(holding.agreed_loss_quote, holding.initial_wallet_quote)
    gained = holding.funding_quote + holding.by_hand_quote
    return agreed + gained - min(holding.drained_quote, gained)


def _enlarging(desk: Desk, market: Market, action: Action) -> Iterator[tuple[str, str]]:
    if desk.is_blind(market):
        age_ms = desk.state.now_ms - market.mark_ms
        yield "I14", f"is a {type(action).__name__} on a mark that is {age_ms} ms old or in a gap"
    known, now_ms = desk.witness.enlarged, desk.state.now_ms
    known[:] = [each for each in known if each[0] > now_ms - _REPEATS_MS]
    known.append((now_ms, action))
    if (count := sum(each == action for _, each in known)) > _REPEATS:
        yield "I16", f"is the {count}th {action} within a minute"


def _entering(desk: Desk, market: Market, action: OpenPosition | SetLeverage) -> Iterator[tuple[str, str]]:
    state, limits = desk.state, desk.risk.entry_limits
    if isinstance(action, SetLeverage):
        most = min(limits.max_leverage, market.instrument.max_leverage)
        if action.leverage != int(action.leverage) or action.leverage > most:
            yield "I15", f"sets the leverage {action.leverage}, at most {most:g} may be"
        return
    value, equity = action.quantity * market.mark, state.equity_quote()
    if not value <= _DRIFT * limits.max_notional_fraction * equity:
        yield (
            "I16",
            f"enters {value:.2f}, over {limits.max_notional_fraction:g} times the equity {equity:.2f}",
        )
    pending = sum(
        each.entry.plan.required_margin_quote
        for each in state.markets.values()
        if each.entry is not None and each.holding is None
    )
    if pending > state.free_quote + _MONEY_TOLERANCE:
        yield "I3", f"needs {pending:.2f} with the other entries on their way, {state.free_quote:.2f} is free"


def _unsettled(desk: Desk, release: Intent) -> tuple[str, ...]:
    return tuple(
        intent.client_id
        for intent in desk.state.in_flight.values()
        if intent.seq < release.seq
        and intent.action.symbol == release.action.symbol
        and isinstance(intent.action, _UNSETTLING)
    )


def _off_step(instrument: Instrument, action: Action) -> str:
    if isinstance(action, OpenPosition | ReducePosition) and _is_off(
        action.quantity, instrument.quantity_step
    ):
        return f"{action} is not on the step {instrument.quantity_step}"
    if isinstance(action, OpenPosition) and action.quantity < instrument.min_quantity:
        return f"{action} is less than {instrument.min_quantity}"
    if isinstance(action, PlaceStop | PlaceTakeProfit) and _is_off(
        action.trigger_price, instrument.tick_size
    ):
        return f"{action} is not on the tick {instrument.tick_size}"
    return ""


def _is_off(value: float, step: float) -> bool:
    if step <= 0.0:
        return False
    steps = value / step
    return abs(steps - round(steps)) > _STEP_TOLERANCE * max(1.0, steps * 1e-6)
