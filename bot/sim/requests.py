"""What the venue takes beyond the engine's own actions: what a foreign client may send to an exchange."""

from typing import NamedTuple

from bot.core.intent import Action, TriggerOn


class RestStop(NamedTuple):
    """Rest a reduce-only stop for a part of a position of `side`. quantity 0 closes the whole position."""

    symbol: str
    side: int
    quantity: float
    trigger_price: float
    trigger_on: TriggerOn = "mark"


class RestEntry(NamedTuple):
    """Rest a market order on the other side of `side`, as a stop of it would be, that opens when it fires."""

    symbol: str
    side: int
    quantity: float
    trigger_price: float
    trigger_on: TriggerOn = "mark"


class ReduceAtLimit(NamedTuple):
    """Reduce-only limit order against a position of `side`."""

    symbol: str
    side: int
    quantity: float
    limit_price: float


class AmendLimit(NamedTuple):
    """Give a resting limit order another remaining quantity and price."""

    symbol: str
    target_client_id: str
    quantity: float
    limit_price: float


VenueAction = Action | RestStop | RestEntry | ReduceAtLimit | AmendLimit
