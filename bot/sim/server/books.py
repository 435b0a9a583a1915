"""What an exchange remembers beyond the account: orders, trades, income, margin moves, settlements.

Neutral between dialects: sides are signs, amounts are floats, times are market milliseconds. Every
change is also kept as a plain row, until `take_rows` hands it to the state file.
"""

from collections.abc import Iterable
from typing import Any, Final, Literal, NamedTuple

from bot.core.intent import TriggerOn

OrderType = Literal["market", "limit", "liquidation"]
ConditionalType = Literal["stop", "take_profit", "trailing"]
OrderStatus = Literal["new", "partly_filled", "filled", "cancelled", "expired"]
ConditionalStatus = Literal["new", "triggered", "finished", "cancelled", "expired"]
OPEN: Final = ("new", "partly_filled")


class PlacedOrder(NamedTuple):
    """An order of the matching engine: `venue_id` at the venue, `algo_id` what triggered it, or 0."""

    order_id: int
    client_id: str
    venue_id: str
    symbol: str
    order_type: OrderType
    side: int
    quantity: float
    limit_price: float
    time_in_force: str
    is_reduce_only: bool
    is_close_position: bool
    status: OrderStatus
    filled_quantity: float
    filled_quote: float
    created_ms: int
    updated_ms: int
    algo_id: int = 0

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def average_price(self) -> float:
        return self.filled_quote / self.filled_quantity if self.filled_quantity else 0.0


class ConditionalOrder(NamedTuple):
    """An order that waits for a price. `quantity` 0 closes the position; `order_id` 0: not triggered."""

    algo_id: int
    client_id: str
    venue_id: str
    symbol: str
    order_type: ConditionalType
    side: int
    quantity: float
    is_reduce_only: bool
    is_close_position: bool
    trigger_price: float
    trigger_on: TriggerOn
    callback_rate: float
    activation_price: float
    status: ConditionalStatus
    created_ms: int
    updated_ms: int
    triggered_ms: int = 0
    order_id: int = 0

    @property
    def is_open(self) -> bool:
        return self.status == "new"


class TradeRow(NamedTuple):
    """One match, fee > 0 paid by the trader."""

    trade_id: int
    order_id: int
    symbol: str
    side: int
    price: float
    quantity: float
    fee_quote: float
    realised_pnl_quote: float
    is_maker: bool
    ts_ms: int


class IncomeRow(NamedTuple):
    """Money that came (> 0) or went. `kind`: "pnl", "fee", "funding", "insurance", "deposit"."""

    income_id: int
    symbol: str
    kind: str
    amount_quote: float
    ts_ms: int
    trade_id: int


class MarginMove(NamedTuple):
    """Isolated margin moved: amount > 0 added. `is_requested` False: a trade moved it."""

    symbol: str
    amount_quote: float
    is_requested: bool
    ts_ms: int


class Settlement(NamedTuple):
    """A funding settlement of the market, held or not."""

    symbol: str
    rate: float
    mark: float
    ts_ms: int


_LISTS: Final = {"trades": TradeRow, "incomes": IncomeRow, "moves": MarginMove, "settlements": Settlement}


class Books:
    """Everything remembered, by id where there is one, else in order of time."""

    def __init__(self) -> None:
        self.orders: dict[int, PlacedOrder] = {}
        self.conditionals: dict[int, ConditionalOrder] = {}
        self.trades: list[TradeRow] = []
        self.incomes: list[IncomeRow] = []
        self.moves: list[MarginMove] = []
        self.settlements: list[Settlement] = []
        self.by_venue_id: dict[str, PlacedOrder | ConditionalOrder] = {}
        self.open_clients: dict[tuple[bool, str, str], int] = {}
        self._rows: list[list[Any]] = []

    def put(self, order: PlacedOrder | ConditionalOrder) -> None:
        """Add an order, or replace the one of its id."""
        self._index(order)
        self._rows.append(["orders" if isinstance(order, PlacedOrder) else "conditionals", *order])

    def add(self, row: TradeRow | IncomeRow | MarginMove | Settlement) -> None:
        """Append a row to its list."""
        name = next(name for name, kind in _LISTS.items() if isinstance(row, kind))
        getattr(self, name).append(row)
        self._rows.append([name, *row])

    def order_of(self, client_id: str, symbol: str) -> PlacedOrder | None:
        """Return the open order of this client id, else the newest finished one."""
        number = self.open_clients.get((False, symbol, client_id))
        if number is not None:
            return self.orders[number]
        found = (each for each in reversed(self.orders.values()) if each.client_id == client_id)
        return next((each for each in found if each.symbol == symbol and not each.algo_id), None)

    def conditional_of(self, client_id: str) -> ConditionalOrder | None:
        """Return the newest conditional order of this client id."""
        found = (each for each in reversed(self.conditionals.values()) if each.client_id == client_id)
        return next(found, None)

    def is_client_open(self, client_id: str, symbol: str, *, is_conditional: bool) -> bool:
        """Return whether an open order of this kind and symbol has the client id."""
        return (is_conditional, symbol, client_id) in self.open_clients

    def open_orders(self, symbol: str | None) -> list[PlacedOrder]:
        """Return the open orders of a symbol, or of all, oldest first."""
        numbers = [number for (is_cond, _, _), number in self.open_clients.items() if not is_cond]
        return [each for each in map(self.orders.__getitem__, numbers) if symbol in (None, each.symbol)]

    def open_conditionals(self, symbol: str | None) -> list[ConditionalOrder]:
        """Return the waiting conditional orders of a symbol, or of all, oldest first."""
        numbers = [number for (is_cond, _, _), number in self.open_clients.items() if is_cond]
        return [each for each in map(self.conditionals.__getitem__, numbers) if symbol in (None, each.symbol)]

    def take_rows(self) -> list[list[Any]]:
        """Return what changed since the last call, as plain rows."""
        rows, self._rows = self._rows, []
        return rows

    def all_rows(self) -> list[list[Any]]:
        """Return everything as plain rows."""
        rows = [["orders", *each] for each in self.orders.values()]
        rows += [["conditionals", *each] for each in self.conditionals.values()]
        return rows + [[name, *each] for name in _LISTS for each in getattr(self, name)]

    def load(self, rows: Iterable[list[Any]]) -> None:
        """Take up rows of a file, oldest first."""
        for name, *values in rows:
            if name == "orders":
                self._index(PlacedOrder(*values))
            elif name == "conditionals":
                self._index(ConditionalOrder(*values))
            else:
                getattr(self, name).append(_LISTS[name](*values))

    def _index(self, order: PlacedOrder | ConditionalOrder) -> None:
        is_conditional = isinstance(order, ConditionalOrder)
        if isinstance(order, ConditionalOrder):
            number = order.algo_id
            self.conditionals[number] = order
        else:
            number = order.order_id
            self.orders[number] = order
        key = (is_conditional, order.symbol, order.client_id)
        if order.is_open:
            self.open_clients[key] = number
        elif self.open_clients.get(key) == number:
            del self.open_clients[key]
        if is_conditional and order.status in ("triggered", "finished"):
            return  # its fills belong to the order it became
        if order.is_open:
            self.by_venue_id[order.venue_id] = order
        elif order.venue_id in self.by_venue_id:
            del self.by_venue_id[order.venue_id]
