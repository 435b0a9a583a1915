"""What Hyperliquid says to a request that it does not carry out: words in a reply of HTTP 200.

Words of orders and cancels: its document "Error responses". The others are in no document; they hold the
words that are known of them.
"""

from typing import Final, NamedTuple

from bot.core.event import Refused
from bot.errors import RingfenceError


class OrderError(NamedTuple):
    """`status`: what a lookup of the order says afterwards; "" for one refused before it was an order."""

    words: str
    status: str = ""


TICK: Final = OrderError("Price must be divisible by tick size.")
INVALID_SIZE: Final = OrderError("Order has invalid size.")
ZERO_SIZE: Final = OrderError("Order has zero size.")
TOO_SMALL: Final = OrderError("Order must have minimum value of $10.", "minTradeNtlRejected")
NO_MARGIN: Final = OrderError("Insufficient margin to place order.", "perpMarginRejected")
REDUCE_ONLY: Final = OrderError("Reduce only order would increase position.", "reduceOnlyRejected")
POST_ONLY: Final = OrderError(
    "Post only order would have immediately matched, bbo was {bbo}.", "badAloPxRejected"
)
NO_MATCH: Final = OrderError(
    "Order could not immediately match against any resting orders.", "iocCancelRejected"
)
BAD_TRIGGER: Final = OrderError("Invalid TP/SL price.", "badTriggerPxRejected")
BEYOND_TIER: Final = OrderError(
    "Order would cause position to exceed margin tier limit at current leverage", "perpMaxPositionRejected"
)
TAKEN_CLOID: Final = OrderError("Order with this cloid is open already.")
MISSING: Final = "Order was never placed, already canceled, or filled."
TOO_MUCH: Final = "Too much to remove: the position would keep less than its initial margin"
NOT_SIMULATED: Final = "This exchange does not simulate that: {why}."


class Refusal(RingfenceError):
    """A whole action is refused: {"status": "err"} in a reply of HTTP 200."""


class OrderRefusal(RingfenceError):
    """One order or cancel of an action is refused: a row of its statuses says so."""

    def __init__(self, error: OrderError, **facts: object) -> None:
        self.status = error.status
        super().__init__(error.words.format(**facts) if facts else error.words)


class Malformed(RingfenceError):
    """A request that the venue cannot read: HTTP 422."""


_OF_ORDERS: Final = {
    "insufficient_balance": NO_MARGIN,
    "no_position": REDUCE_ONLY,
    "reduce_only": REDUCE_ONLY,
    "would_trigger_immediately": BAD_TRIGGER,
    "below_minimum": TOO_SMALL,
}


def order_refusal(refused: Refused) -> OrderRefusal:
    """Return the venue's words for a refusal of an order."""
    if refused.code == "precision":
        return OrderRefusal(TICK if "price" in refused.message else INVALID_SIZE)
    if refused.code == "position_limit" and "of notional allows" in refused.message:
        return OrderRefusal(BEYOND_TIER)
    known = _OF_ORDERS.get(refused.code)
    return OrderRefusal(known or OrderError(f"Order rejected ({refused.message})"))


_OF_MARGIN: Final = {
    "insufficient_balance": "Insufficient margin for this addition",
    "beyond_removable": TOO_MUCH,
    "no_position": "No position to update margin for",
}


def margin_refusal(refused: Refused) -> Refusal:
    """Return the venue's refusal of a margin move."""
    return Refusal(_OF_MARGIN.get(refused.code, refused.message))
