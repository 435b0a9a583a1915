"""What is read from a venue and what is asked of it, before it becomes events. Quantities in base units."""

from typing import Literal, NamedTuple

from bot.core.event import Leg
from bot.core.intent import TriggerOn
from bot.ports import OpenOrder

OrderStatus = Literal["open", "done", "cancelled"]
OrderKind = Literal["market", "limit", "stop", "take_profit", "trailing"]


class VenueOrder(NamedTuple):
    """An order as the venue tells it. quantity 0: the whole position. `child_id`: what a trigger became.

    "done" of a conditional order means that it fired, not that anything was filled.
    """

    client_id: str
    venue_id: str
    symbol: str
    leg: Leg
    order_side: int
    quantity: float
    filled_quantity: float
    trigger_price: float
    trigger_on: TriggerOn
    limit_price: float
    is_reduce_only: bool
    is_conditional: bool
    created_ms: int
    status: OrderStatus
    child_id: str

    @property
    def resting_quantity(self) -> float:
        """What a conditional order is for; 0.0: the whole position, and any other order."""
        return self.quantity if self.is_conditional else 0.0

    def as_open_order(self) -> OpenOrder:
        """Return the order as the exchange port reports it."""
        return OpenOrder(
            self.client_id,
            self.symbol,
            self.leg,
            self.order_side,
            self.quantity,
            self.trigger_price,
            self.trigger_on,
            self.limit_price,
            self.is_reduce_only,
            self.created_ms,
        )


class NewOrder(NamedTuple):
    """An order to be sent. quantity 0: close the whole position (conditional orders only)."""

    client_id: str
    symbol: str
    kind: OrderKind
    order_side: int
    quantity: float
    is_reduce_only: bool
    limit_price: float = 0.0
    trigger_price: float = 0.0
    trigger_on: TriggerOn = "mark"
    callback_rate: float = 0.0

    @property
    def is_conditional(self) -> bool:
        """Whether it waits for a trigger."""
        return self.kind not in ("market", "limit")


class Trade(NamedTuple):
    """A fill of ours. The fee is positive when it was paid. PnL None: the venue does not say it by fill."""

    ts_ms: int
    symbol: str
    trade_id: int
    venue_order_id: str
    order_side: int
    price: float
    quantity: float
    fee_quote: float
    is_maker: bool
    realised_pnl_quote: float | None


class Payment(NamedTuple):
    """A funding payment received (> 0) or paid (< 0)."""

    ts_ms: int
    symbol: str
    payment_id: str
    amount_quote: float


class MarginMove(NamedTuple):
    """Margin that was added (> 0) or released (< 0) by request."""

    ts_ms: int
    symbol: str
    amount_quote: float


class Settings(NamedTuple):
    """A symbol's leverage and margin mode, and the account's position mode.

    `is_auto_add`: the venue adds margin by itself, out of the free balance. None: it tells of that under a
    position only, and there is none. False where it never says.
    """

    leverage: int
    is_isolated: bool
    is_one_way: bool
    is_auto_add: bool | None = False


class Money(NamedTuple):
    """Free balance, and everything without unrealised PnL."""

    free_quote: float
    wallet_quote: float
