"""What must hold after every step that changed something. A breach is counted, journalled, and told once.

I1 PROTECTED: an open position has a stop at the venue, or one on its way, or is being closed.
I2 STOP_INSIDE_LIQUIDATION: the mark reaches the stop before liquidation.
I3 BUDGET: an add never lifts the isolated wallet above the loss the user agreed to.
I9 REDUCE_ONLY: a position's quantity and wallet are finite and positive.
"""

import math
from collections.abc import Iterator

from bot.core.event import InvariantBroken
from bot.core.intent import PlaceStop
from bot.core.margin import liquidation_price
from bot.engine.desk import Desk
from bot.engine.state import Holding, Market

_MONEY_TOLERANCE = 1e-6


def check(desk: Desk) -> None:
    """Note every invariant that has just broken; one that still holds broken is not told again."""
    broken: dict[str, str] = {}
    for symbol, market in desk.state.markets.items():
        if market.holding is not None:
            for invariant, message in _breaches(desk, market, market.holding):
                broken[f"{invariant}:{symbol}"] = message
    for key, message in broken.items():
        if key not in desk.state.broken:
            invariant, _, symbol = key.partition(":")
            desk.state.tally.invariant_violations += 1
            desk.outbox.note(InvariantBroken(desk.state.now_ms, symbol, invariant, message))
    desk.state.broken = broken


def _breaches(desk: Desk, market: Market, holding: Holding) -> Iterator[tuple[str, str]]:
    position = holding.position
    if not (math.isfinite(position.quantity) and position.quantity > 0.0):
        yield "I9", f"position quantity is {position.quantity}"
    if holding.stop is None:
        if not holding.is_closing and not desk.is_in_flight(position.symbol, PlaceStop):
            yield "I1", "no stop rests at the venue and none is on its way"
        return
    liquidation = liquidation_price(position, market.rules)
    if position.side * (holding.stop.trigger_price - liquidation) <= 0.0:
        yield "I2", f"stop {holding.stop.trigger_price} is not inside liquidation {liquidation}"
    allowed = max(holding.agreed_loss_quote, holding.initial_wallet_quote)
    if holding.adds and position.isolated_wallet > allowed + _MONEY_TOLERANCE + max(
        holding.funding_quote, 0.0
    ):
        yield "I3", f"isolated wallet {position.isolated_wallet} exceeds the agreed loss {allowed}"
