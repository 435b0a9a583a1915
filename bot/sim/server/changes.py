"""What subscribers are told: one change of the account or the market at a time, right when it happened."""

from typing import NamedTuple

from bot.core.event import CandleClosed, FundingDue, MarkPrice
from bot.core.position import Position
from bot.sim.server.books import ConditionalOrder, PlacedOrder, TradeRow


class OrderChanged(NamedTuple):
    """An order was taken, filled, cancelled or changed; `trade` when it was filled."""

    ts_ms: int
    order: PlacedOrder
    execution: str
    trade: TradeRow | None = None


class ConditionalChanged(NamedTuple):
    ts_ms: int
    order: ConditionalOrder


class AccountChanged(NamedTuple):
    """Money or a position moved. `position` None: flat (or not concerned)."""

    ts_ms: int
    cause: str
    symbol: str
    position: Position | None
    change_quote: float


class LeverageChanged(NamedTuple):
    ts_ms: int
    symbol: str
    leverage: int


AccountChange = OrderChanged | ConditionalChanged | AccountChanged | LeverageChanged
MarketChange = MarkPrice | CandleClosed | FundingDue
Change = AccountChange | MarketChange
