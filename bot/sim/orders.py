"""Open orders of the simulated venue and its memory of client ids."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal, NamedTuple

from bot.core.event import Leg
from bot.core.intent import TriggerOn
from bot.ports import OpenOrder

Kind = Literal["market", "limit", "trigger", "trailing"]

REMEMBERED_IDS: Final = 200
REMEMBERED_OUTCOMES: Final = 16
NEVER: Final = -1


class Order(NamedTuple):
    """An order the venue still works on. A trigger that fired becomes a market order.

    `quantity` is what is left; 0 closes the whole position. `due_ms`: not executed before.
    `fill_tick`: number of the tick that last filled a part (NEVER: none), because the book gives each
    order its depth once per tick. `extreme_price`: the best mark since a trailing order became
    active (0: not active yet).
    """

    number: int
    client_id: str
    symbol: str
    leg: Leg
    kind: Kind
    order_side: int
    quantity: float
    is_reduce_only: bool
    created_ms: int
    due_ms: int
    trigger_price: float = 0.0
    trigger_on: TriggerOn = "mark"
    limit_price: float = 0.0
    callback_rate: float = 0.0
    activation_price: float = 0.0
    extreme_price: float = 0.0
    fill_tick: int = NEVER

    @property
    def current_trigger(self) -> float:
        """The price that fires the order now; 0 for a trailing order that is not active yet."""
        if self.kind == "trailing":
            return self.extreme_price * (1.0 + self.order_side * self.callback_rate)
        return self.trigger_price

    def as_open_order(self) -> OpenOrder:
        """Return the order as the exchange port reports it."""
        return OpenOrder(
            self.client_id,
            self.symbol,
            self.leg,
            self.order_side,
            self.quantity,
            self.current_trigger,
            self.trigger_on,
            self.limit_price,
            self.is_reduce_only,
            self.created_ms,
        )


class OrderBook:
    """Open orders by symbol in order of arrival."""

    __slots__ = ("_orders",)

    def __init__(self) -> None:
        self._orders: dict[str, dict[str, Order]] = {}

    def __iter__(self) -> Iterator[Order]:
        for orders in self._orders.values():
            yield from orders.values()

    def of(self, symbol: str) -> tuple[Order, ...]:
        """Return the symbol's orders, oldest first."""
        return tuple(self._orders.get(symbol, {}).values())

    def get(self, symbol: str, client_id: str) -> Order | None:
        """Return the open order, or None."""
        return self._orders.get(symbol, {}).get(client_id)

    def is_open(self, client_id: str) -> bool:
        """Return whether any symbol has an open order of this id."""
        return any(client_id in orders for orders in self._orders.values())

    def put(self, order: Order) -> None:
        """Add the order, or replace the one of the same id in its place."""
        self._orders.setdefault(order.symbol, {})[order.client_id] = order

    def remove(self, order: Order) -> None:
        """Forget the order. KeyError: it is not open."""
        del self._orders[order.symbol][order.client_id]

    def snapshot(self) -> list[list[Any]]:
        """Return every order, oldest first, as the list of its fields."""
        return [list(order) for order in sorted(self)]

    def restore(self, rows: Iterable[Iterable[Any]]) -> None:
        """Replace the orders by a snapshot's."""
        self._orders = {}
        for row in rows:
            self.put(Order(*row))


class Memory:
    """The last client ids, and what the most recent of them did, as JSON values."""

    __slots__ = ("_ids", "_outcomes")

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}
        self._outcomes: dict[str, list[Any]] = {}

    def knows(self, client_id: str) -> bool:
        return client_id in self._ids

    def outcome(self, client_id: str) -> list[Any]:
        """Return the events of a known id as JSON; empty when only the id is still remembered."""
        return self._outcomes.get(client_id, [])

    def keep(self, client_id: str, outcome: list[Any]) -> None:
        """Remember one more id, forgetting the oldest beyond the limits."""
        self._ids[client_id] = None
        self._outcomes[client_id] = outcome
        if len(self._ids) > REMEMBERED_IDS:
            del self._ids[next(iter(self._ids))]
        if len(self._outcomes) > REMEMBERED_OUTCOMES:
            del self._outcomes[next(iter(self._outcomes))]

    def snapshot(self) -> dict[str, Any]:
        return {"ids": list(self._ids), "outcomes": dict(self._outcomes)}

    def restore(self, values: dict[str, Any]) -> None:
        self._ids = dict.fromkeys(values["ids"])
        self._outcomes = dict(values["outcomes"])
