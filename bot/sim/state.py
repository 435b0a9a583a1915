"""Everything the simulated venue knows, and the few changes all its parts are made of."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bot.core.codec import from_json, to_json
from bot.core.event import MarkPrice, OrderCancelled, VenueEvent
from bot.core.instrument import Instrument, margin_rules, profile_for
from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.core.profile import MarginRules, VenueProfile
from bot.core.steps import step_down
from bot.errors import UserError
from bot.sim.config import VenueConfig
from bot.sim.ledger import FREE, Ledger, order_account, wallet_account
from bot.sim.orders import Memory, Order, OrderBook
from bot.sim.tape import Tape

_DEFAULT_LEVERAGE: Final = 20  # what Binance gives a symbol whose leverage was never set


class Refusal(NamedTuple):
    """Why the venue says no: a RefusalCode and a sentence."""

    code: str
    message: str


class Moment(NamedTuple):
    """When something happens at the venue, and the list that its events are appended to."""

    ts_ms: int
    out: list[VenueEvent]


class Watch(NamedTuple):
    """While low < price < high for both prices, a tick of the symbol causes nothing."""

    mark_low: float
    mark_high: float
    last_low: float
    last_high: float


class State:
    """The venue's books. `outbox`: events that have happened and were not yet handed out."""

    __slots__ = (
        "config",
        "funding",
        "instruments",
        "ledger",
        "leverage",
        "liquidations",
        "memory",
        "order_count",
        "orders",
        "outbox",
        "positions",
        "profile",
        "rules",
        "tapes",
        "trade_count",
        "watches",
    )

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        profile: VenueProfile,
        config: VenueConfig,
        deposit_quote: float,
    ) -> None:
        self.instruments = dict(instruments)
        self.profile = profile
        self.rules = {symbol: self._rules_of(each) for symbol, each in instruments.items()}
        self.config = config
        self.ledger = Ledger(deposit_quote)
        self.orders = OrderBook()
        self.memory = Memory()
        self.tapes = {symbol: Tape(symbol) for symbol in instruments}
        self.positions: dict[str, Position] = {}
        self.leverage = {
            symbol: min(_DEFAULT_LEVERAGE, int(each.max_leverage)) for symbol, each in instruments.items()
        }
        self.funding: dict[str, tuple[int, int]] = {}
        self.order_count = 0
        self.trade_count = 0
        self.outbox: list[VenueEvent] = []
        self.liquidations: dict[str, float] = {}
        self.watches: dict[str, Watch] = {}

    def change_instrument(self, instrument: Instrument) -> None:
        """Replace the terms of a known symbol; its liquidation price is found anew."""
        self.instruments[instrument.symbol] = instrument
        self.rules[instrument.symbol] = self._rules_of(instrument)
        self.touch(instrument.symbol)

    def _rules_of(self, instrument: Instrument) -> MarginRules:
        return margin_rules(instrument, profile_for(instrument, self.profile))

    def touch(self, symbol: str) -> None:
        """Say that positions or orders of the symbol changed: nearest prices must be found anew."""
        self.liquidations.pop(symbol, None)
        self.watches.pop(symbol, None)

    def liquidation(self, position: Position) -> float:
        """Return the mark at which this (kept) position is liquidated."""
        known = self.liquidations.get(position.symbol)
        if known is None:
            known = liquidation_price(position, self.rules[position.symbol])
            self.liquidations[position.symbol] = known
        return known

    def is_liquidated_at(self, symbol: str, mark: float) -> bool:
        """Return whether the symbol has a position that the venue liquidates at `mark`."""
        position = self.positions.get(symbol)
        if position is None:
            return False
        return position.side * (mark - self.liquidation(position)) <= 0.0

    def quote(self, symbol: str) -> MarkPrice:
        """Return the symbol's price now. ValueError: there was no tick yet."""
        quote = self.tapes[symbol].now
        if quote is None:
            raise ValueError(f"no price of {symbol} yet")
        return quote

    @property
    def free_quote(self) -> float:
        return self.ledger.balance(FREE)

    def next_trade(self) -> int:
        """Return a new trade id: 1, 2, ..."""
        self.trade_count += 1
        return self.trade_count

    def next_order(self) -> int:
        """Return a new order number: 1, 2, ..."""
        self.order_count += 1
        return self.order_count

    def put_position(self, position: Position) -> Position:
        """Keep the position with the wallet that the ledger holds for it, and return it so."""
        wallet = self.ledger.balance(wallet_account(position.symbol))
        kept = position._replace(isolated_wallet=wallet)
        self.positions[position.symbol] = kept
        self.touch(position.symbol)
        return kept

    def drop_position(self, symbol: str, heir: str, at: Moment) -> None:
        """Forget a position, move what its wallet holds to `heir` and cancel its orders."""
        self.ledger.sweep(wallet_account(symbol), heir)
        del self.positions[symbol]
        self.touch(symbol)
        for order in self.orders.of(symbol):
            if order.is_reduce_only:
                self.cancel(order, "position_closed", at)

    def put_order(self, order: Order) -> None:
        """Add or replace an open order."""
        self.orders.put(order)
        self.touch(order.symbol)

    def drop_order(self, order: Order) -> None:
        """Forget a finished order and free the margin it had reserved."""
        self.orders.remove(order)
        self.ledger.sweep(order_account(order.client_id), FREE)
        self.touch(order.symbol)

    def cancel(self, order: Order, cause: str, at: Moment) -> None:
        """Forget an open order and say so."""
        self.drop_order(order)
        free_quote = self.free_quote if order.leg == "entry" else None
        at.out.append(OrderCancelled(at.ts_ms, order.symbol, order.client_id, order.leg, cause, free_quote))

    def snapshot(self) -> dict[str, Any]:
        """Return everything that changes as plain JSON values."""
        return {
            "ledger": self.ledger.snapshot(),
            "positions": [list(position) for position in self.positions.values()],
            "orders": self.orders.snapshot(),
            "memory": self.memory.snapshot(),
            "leverage": dict(self.leverage),
            "tapes": {symbol: tape.snapshot() for symbol, tape in self.tapes.items()},
            "funding": {symbol: list(times) for symbol, times in self.funding.items()},
            "order_count": self.order_count,
            "trade_count": self.trade_count,
            "outbox": to_json(self.outbox),
        }

    def restore(self, values: Mapping[str, Any]) -> None:
        """Replace everything by a snapshot. UserError: it knows a symbol that this venue does not."""
        _check_symbols(values["tapes"], self.instruments)
        self.ledger.restore(values["ledger"])
        self.positions = {row[0]: Position(*row) for row in values["positions"]}
        self.orders.restore(values["orders"])
        self.memory.restore(values["memory"])
        self.leverage.update(values["leverage"])
        for symbol, tape in values["tapes"].items():
            self.tapes[symbol].restore(tape)
        self.funding = {symbol: (times[0], times[1]) for symbol, times in values["funding"].items()}
        self.order_count = values["order_count"]
        self.trade_count = values["trade_count"]
        self.outbox = list(from_json(values["outbox"]))
        self.liquidations.clear()
        self.watches.clear()


def _check_symbols(known: Mapping[str, Any], instruments: Mapping[str, Instrument]) -> None:
    missing = sorted(set(known) - set(instruments))
    if missing:
        raise UserError(
            f"The saved simulated venue trades {', '.join(missing)}, which this run does not. "
            "Its positions could not be followed. Start with the same symbols, or with a new database."
        )


def on_step(quantity: float, step: float) -> float:
    """Return the multiple of `step` nearest to `quantity`: what sums and differences of steps become."""
    return step_down(quantity + 0.5 * step, step)


def value_of(quantity: float, price: float, is_inverse: bool) -> float:
    """Return the notional: quote (linear) or base coin (inverse)."""
    return quantity / price if is_inverse else quantity * price
