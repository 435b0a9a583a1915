"""Turns what the venue says into book rows and changes: the exchange's clerk."""

from collections.abc import Callable
from typing import Any, Final

from bot.core.event import (
    FundingSettled,
    LeverageSet,
    Liquidated,
    MarginAdjusted,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    VenueEvent,
)
from bot.sim.server.books import (
    Books,
    ConditionalOrder,
    IncomeRow,
    MarginMove,
    PlacedOrder,
    TradeRow,
)
from bot.sim.server.changes import (
    AccountChange,
    AccountChanged,
    ConditionalChanged,
    LeverageChanged,
    OrderChanged,
)
from bot.sim.state import State, on_step

_FIRST_ORDER: Final = 1_000_000
_FIRST_CONDITIONAL: Final = 3_000_000


class Recorder:
    """Keeps the books. `tell` is called with every change, in order, while the venue is at that moment."""

    def __init__(self, books: Books, state: State, tell: Callable[[AccountChange], None]) -> None:
        self._books, self._state, self._tell = books, state, tell
        self._drafts: dict[str, PlacedOrder | ConditionalOrder] = {}
        self.counts = {
            "orders": _FIRST_ORDER,
            "conditionals": _FIRST_CONDITIONAL,
            "incomes": 0,
            "requests": 0,
        }
        self.position_ms: dict[str, int] = {}

    def next(self, kind: str) -> int:
        """Return a new number of this kind: "orders", "conditionals", "incomes", "requests"."""
        self.counts[kind] += 1
        return self.counts[kind]

    def draft(self, order: PlacedOrder | ConditionalOrder) -> None:
        """Announce an order that the venue is about to be asked for; it is booked when accepted."""
        self._drafts[order.venue_id] = order

    def drop_draft(self, venue_id: str) -> None:
        """Forget an order that the venue refused."""
        self._drafts.pop(venue_id, None)

    def record(self, event: VenueEvent) -> None:
        """Book one event of the venue."""
        handler = _HANDLERS.get(type(event))
        if handler:
            handler(self, event)

    def deposit(self, amount_quote: float, ts_ms: int) -> None:
        """Book the money the account starts with."""
        self._earn("", "deposit", amount_quote, ts_ms, 0)

    # --- events -----------------------------------------------------------------------------------

    def _accepted(self, event: OrderAccepted) -> None:
        order = self._drafts.pop(event.client_id)
        self._books.put(order)
        if isinstance(order, ConditionalOrder):
            self._tell(ConditionalChanged(event.ts_ms, order))
        else:
            self._tell(OrderChanged(event.ts_ms, order, "NEW"))

    def _filled(self, event: OrderFilled) -> None:
        order = self._books.by_venue_id[event.client_id]
        if isinstance(order, ConditionalOrder):
            order = self._trigger(order, event)
        filled = on_step(
            order.filled_quantity + event.quantity, self._state.instruments[event.symbol].quantity_step
        )
        order = order._replace(
            status="partly_filled" if event.remaining_quantity else "filled",
            filled_quantity=filled,
            filled_quote=order.filled_quote + event.quantity * event.price,
            updated_ms=event.ts_ms,
        )
        self._books.put(order)
        trade = self._trade(event, order)
        self._tell(OrderChanged(event.ts_ms, order, "TRADE", trade))
        self._moved(event.ts_ms, "ORDER", event.symbol, 0.0)
        self._finish(order, event.ts_ms)

    def _trigger(self, parent: ConditionalOrder, event: OrderFilled) -> PlacedOrder:
        """Return the market order that a conditional order became; both are booked."""
        child = PlacedOrder(
            self.next("orders"),
            parent.client_id,
            parent.venue_id,
            parent.symbol,
            "market",
            parent.side,
            event.quantity + event.remaining_quantity,
            0.0,
            "GTC",
            parent.is_reduce_only,
            parent.is_close_position,
            "new",
            0.0,
            0.0,
            event.ts_ms,
            event.ts_ms,
            parent.algo_id,
        )
        parent = parent._replace(
            status="triggered", triggered_ms=event.ts_ms, updated_ms=event.ts_ms, order_id=child.order_id
        )
        self._books.put(parent)
        self._books.put(child)
        self._tell(ConditionalChanged(event.ts_ms, parent))
        self._tell(OrderChanged(event.ts_ms, child, "NEW"))
        return child

    def _trade(self, event: OrderFilled, order: PlacedOrder) -> TradeRow:
        trade = TradeRow(
            event.trade_id,
            order.order_id,
            event.symbol,
            event.order_side,
            event.price,
            event.quantity,
            event.fee_quote,
            event.realised_pnl_quote,
            event.is_maker,
            event.ts_ms,
        )
        self._books.add(trade)
        if event.realised_pnl_quote:
            self._earn(event.symbol, "pnl", event.realised_pnl_quote, event.ts_ms, event.trade_id)
        self._earn(event.symbol, "fee", -event.fee_quote, event.ts_ms, event.trade_id)
        return trade

    def _cancelled(self, event: OrderCancelled) -> None:
        order = self._books.by_venue_id[event.client_id]
        status = "cancelled" if event.cause == "requested" else "expired"
        if isinstance(order, ConditionalOrder):
            order = order._replace(status=status, updated_ms=event.ts_ms)
            self._books.put(order)
            self._tell(ConditionalChanged(event.ts_ms, order))
            return
        if order.time_in_force in {"IOC", "FOK"}:
            status = "expired"  # nobody asked: the rest of it does not wait
        order = order._replace(status=status, updated_ms=event.ts_ms)
        self._books.put(order)
        self._tell(OrderChanged(event.ts_ms, order, "CANCELED" if status == "cancelled" else "EXPIRED"))
        self._finish(order, event.ts_ms)

    def _finish(self, order: PlacedOrder, ts_ms: int) -> None:
        """Say that the conditional order behind a finished order is finished too."""
        if order.algo_id and not order.is_open:
            parent = self._books.conditionals[order.algo_id]._replace(status="finished", updated_ms=ts_ms)
            self._books.put(parent)
            self._tell(ConditionalChanged(ts_ms, parent))

    def _margin(self, event: MarginAdjusted) -> None:
        self._books.add(MarginMove(event.symbol, round(event.amount_quote, 8), True, event.ts_ms))
        self._moved(event.ts_ms, "MARGIN_TRANSFER", event.symbol, 0.0)

    def _funding(self, event: FundingSettled) -> None:
        self._earn(event.symbol, "funding", event.amount_quote, event.ts_ms, 0)
        self._moved(event.ts_ms, "FUNDING_FEE", event.symbol, event.amount_quote)

    def _liquidated(self, event: Liquidated) -> None:
        pnl = event.clearance_fee_quote + event.insurance_quote - event.loss_quote
        order = self._liquidation_order(event)
        self._books.put(order)
        trade = TradeRow(
            event.trade_id,
            order.order_id,
            event.symbol,
            order.side,
            event.mark,
            event.quantity,
            event.clearance_fee_quote,
            pnl,
            False,
            event.ts_ms,
        )
        self._books.add(trade)
        self._earn(event.symbol, "pnl", pnl, event.ts_ms, event.trade_id)
        self._earn(event.symbol, "fee", -event.clearance_fee_quote, event.ts_ms, event.trade_id)
        self._earn(event.symbol, "insurance", -event.insurance_quote, event.ts_ms, 0)
        self._tell(OrderChanged(event.ts_ms, order, "TRADE", trade))
        self._moved(event.ts_ms, "ORDER", event.symbol, -event.insurance_quote)

    def _liquidation_order(self, event: Liquidated) -> PlacedOrder:
        number = self.next("orders")
        return PlacedOrder(
            number,
            f"autoclose-{event.ts_ms}{event.trade_id}",
            f"liquidation-{number}",
            event.symbol,
            "liquidation",
            -event.side,
            event.quantity,
            event.mark,
            "IOC",
            True,
            False,
            "filled",
            event.quantity,
            event.quantity * event.mark,
            event.ts_ms,
            event.ts_ms,
        )

    def _leverage(self, event: LeverageSet) -> None:
        self.position_ms[event.symbol] = event.ts_ms
        self._tell(LeverageChanged(event.ts_ms, event.symbol, event.leverage))

    def _earn(self, symbol: str, kind: str, amount_quote: float, ts_ms: int, trade_id: int) -> None:
        self._books.add(IncomeRow(self.next("incomes"), symbol, kind, amount_quote, ts_ms, trade_id))

    def _moved(self, ts_ms: int, cause: str, symbol: str, change_quote: float) -> None:
        self.position_ms[symbol] = ts_ms
        position = self._state.positions.get(symbol)
        self._tell(AccountChanged(ts_ms, cause, symbol, position, change_quote))


_HANDLERS: Final[dict[type, Callable[[Recorder, Any], None]]] = {
    OrderAccepted: Recorder._accepted,
    OrderFilled: Recorder._filled,
    OrderCancelled: Recorder._cancelled,
    MarginAdjusted: Recorder._margin,
    FundingSettled: Recorder._funding,
    Liquidated: Recorder._liquidated,
    LeverageSet: Recorder._leverage,
}
