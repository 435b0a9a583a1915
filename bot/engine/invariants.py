"""What must hold after every step that changed something. A breach is counted, journalled, and told once.

I1 PROTECTED: an open position has a stop at the venue, or one on its way, or is being closed.
I2 STOP_INSIDE_LIQUIDATION: the mark reaches the stop before liquidation, or a nearer stop is on its
way, or the position is being closed.
I3 BUDGET: an add never lifts the isolated wallet above the loss the user agreed to.
I9 REDUCE_ONLY: a position's numbers are finite, and no exit enlarges or turns it.
"""

import math
from collections.abc import Iterator

from bot.core.event import InvariantBroken
from bot.core.halt import NO_ENTRY, REDUCE_ONLY
from bot.core.intent import PlaceStop
from bot.core.position import Position
from bot.engine import halts
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
            _tell(desk, symbol, invariant, message)
    desk.state.broken = broken


def check_reduce_only(desk: Desk, before: Position, leg: str, after: Position) -> None:
    """Note I9 when a fill that is not an entry's enlarged the position or turned it round."""
    if leg == "entry" or (after.side == before.side and after.quantity <= before.quantity):
        return
    message = f"a {leg} fill made {before.side * before.quantity} into {after.side * after.quantity}"
    _tell(desk, after.symbol, "I9", message)


def _tell(desk: Desk, symbol: str, invariant: str, message: str) -> None:
    """Note the breach and halt: what is believed or done is wrong, and a person must see it."""
    desk.state.tally.invariant_violations += 1
    desk.outbox.note(InvariantBroken(desk.state.now_ms, symbol, invariant, message))
    # Margin may mend a stop that liquidation overtook; nothing mends numbers that are none.
    level = REDUCE_ONLY if invariant == "I9" else NO_ENTRY
    halts.latch(desk, level, f"invariant_{invariant}", f"{symbol}: {message}", symbol=symbol)


def _breaches(desk: Desk, market: Market, holding: Holding) -> Iterator[tuple[str, str]]:
    position = holding.position
    if not (0.0 < position.quantity < math.inf and math.isfinite(position.isolated_wallet)):
        yield "I9", f"quantity is {position.quantity}, isolated wallet {position.isolated_wallet}"
        return  # no price follows from such numbers
    if not holding.is_closing and not desk.is_in_flight(position.symbol, PlaceStop):
        yield from _unprotected(market, holding)
    allowed = max(holding.agreed_loss_quote, holding.initial_wallet_quote)
    if holding.adds and position.isolated_wallet > allowed + _MONEY_TOLERANCE + max(
        holding.funding_quote, 0.0
    ):
        yield "I3", f"isolated wallet {position.isolated_wallet} exceeds the agreed loss {allowed}"


def _unprotected(market: Market, holding: Holding) -> Iterator[tuple[str, str]]:
    if holding.stop is None:
        yield "I1", "no stop rests at the venue and none is on its way"
        return
    liquidation = market.liquidation_price(holding.position)
    if holding.position.side * (holding.stop.trigger_price - liquidation) <= 0.0:
        yield "I2", f"stop {holding.stop.trigger_price} is not inside liquidation {liquidation}"
