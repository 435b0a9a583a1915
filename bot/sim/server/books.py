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
        self._open_orders: dict[int, None] = {}
        self._open_conditionals: dict[int, None] = {}
        self._newest: dict[tuple[bool, str, str], int] = {}
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
        """Return the newest order of this client id."""
        number = self._newest.get((False, symbol, client_id))
        return None if number is None else self.orders[number]

    def conditional_of(self, client_id: str) -> ConditionalOrder | None:
        """Return the newest conditional order of this client id."""
        number = self._newest.get((True, "", client_id))
        return None if number is None else self.conditionals[number]

    def is_client_open(self, client_id: str, symbol: str, *, is_conditional: bool) -> bool:
        """Return whether an open order of this kind and symbol has the client id."""
        order = self.conditional_of(client_id) if is_conditional else self.order_of(client_id, symbol)
        return order is not None and order.is_open

    def open_orders(self, symbol: str | None) -> list[PlacedOrder]:
        """Return the open orders of a symbol, or of all, oldest first."""
        found = map(self.orders.__getitem__, self._open_orders)
        return [each for each in found if symbol in (None, each.symbol)]

    def open_conditionals(self, symbol: str | None) -> list[ConditionalOrder]:
        """Return the waiting conditional orders of a symbol, or of all, oldest first."""
        found = map(self.conditionals.__getitem__, self._open_conditionals)
        return [each for each in found if symbol in (None, each.symbol)]

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
        if isinstance(order, ConditionalOrder):
            self.conditionals[order.algo_id] = order
            self._newest[(True, "", order.client_id)] = order.algo_id
            _mark(self._open_conditionals, order.algo_id, order.is_open)
            if order.status in ("triggered", "finished"):
                return  # its fills belong to the order it became
        else:
            self.orders[order.order_id] = order
            self._newest[(False, order.symbol, order.client_id)] = order.order_id
            _mark(self._open_orders, order.order_id, order.is_open)
        if order.is_open:
            self.by_venue_id[order.venue_id] = order
        else:
            self.by_venue_id.pop(order.venue_id, None)


def _mark(numbers: dict[int, None], number: int, is_open: bool) -> None:
    if is_open:
        numbers.setdefault(number)
    else:
        numbers.pop(number, None)
