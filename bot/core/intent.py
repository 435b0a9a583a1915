"""What risk allows: the actions the engine asks a venue to perform.

An `Intent` is journalled (committed) before its action is sent; `client_id` is deterministic, at
most 32 characters of [A-Za-z0-9], and names run, sequence and leg.
"""

from typing import Literal, NamedTuple

TriggerOn = Literal["mark", "last"]
OrderKind = Literal["market", "limit"]
Fact = float | int | str | bool | None


class SetLeverage(NamedTuple):
    """Set isolated margin mode and the leverage of a symbol without a position."""

    symbol: str
    leverage: int


class OpenPosition(NamedTuple):
    """Enter: `side` +1 long / -1 short. `limit_price` is used by limit orders only (else 0)."""

    symbol: str
    side: int
    quantity: float
    order: OrderKind = "market"
    limit_price: float = 0.0


class PlaceStop(NamedTuple):
    """Rest a close-the-whole-position stop-market order for a position of `side`."""

    symbol: str
    side: int
    trigger_price: float
    trigger_on: TriggerOn = "mark"


class PlaceTakeProfit(NamedTuple):
    """Rest a reduce-only take-profit-market order. quantity 0 closes the whole position."""

    symbol: str
    side: int
    quantity: float
    trigger_price: float
    trigger_on: TriggerOn = "mark"


class PlaceTrailingStop(NamedTuple):
    """Rest a reduce-only venue trailing stop; `callback_rate` is a fraction of the extreme price."""

    symbol: str
    side: int
    quantity: float
    callback_rate: float
    activation_price: float = 0.0


class CancelOrder(NamedTuple):
    """Cancel the resting order whose client id is `target_client_id`."""

    symbol: str
    target_client_id: str


class ReducePosition(NamedTuple):
    """Reduce-only market order against a position of `side`. quantity 0 closes all of it."""

    symbol: str
    side: int
    quantity: float


class AddMargin(NamedTuple):
    """Bring the isolated wallet UP to `target_wallet` (quote); the amount is target minus what is read."""

    symbol: str
    target_wallet: float


class ReleaseMargin(NamedTuple):
    """Bring the isolated wallet DOWN to `target_wallet` (quote)."""

    symbol: str
    target_wallet: float


Action = (
    SetLeverage
    | OpenPosition
    | PlaceStop
    | PlaceTakeProfit
    | PlaceTrailingStop
    | CancelOrder
    | ReducePosition
    | AddMargin
    | ReleaseMargin
)


class Intent(NamedTuple):
    """One action with its reason. `reason` is machine-readable; `facts` hold the numbers behind it."""

    seq: int
    client_id: str
    ts_ms: int
    action: Action
    reason: str
    facts: dict[str, Fact]
