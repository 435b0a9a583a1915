"""What must hold in every world, seen from outside: the venue's books against what the bots have written.

Numbers in the names are those of the catalogue of invariants. `Watch` looks whenever the venue shows a
change, which is at least once a second; bounds count from the end of the last fault.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from bot.core.intent import AddMargin, Intent, OpenPosition, ReleaseMargin
from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.ports import Commit, OpenOrder
from bot.sim.state import State
from tests.simulation.calls import Call, readable
from tests.simulation.oracles import Oracles

if TYPE_CHECKING:
    from tests.simulation.world import World

_OUR_ID: Final = re.compile(r"RF[TLP][0-9a-f]{6}\d{7}[A-Z]")
_ORPHAN_MS: Final = 60_000
_QUANTITY: Final = 1e-9
_MONEY: Final = 1e-6
_OLD_TARGET_MS: Final = 120_000


def is_covered(state: State, position: Position, orders: Iterable[OpenOrder]) -> bool:
    """Whether resting stops cover all of it, on the near side of liquidation, or it is being closed."""
    liquidation = liquidation_price(position, state.rules[position.symbol])
    covered = 0.0
    for order in orders:
        if order.order_side == -position.side and order.leg in ("stop", "trailing"):
            if order.trigger_price and position.side * (order.trigger_price - liquidation) < 0.0:
                continue
            covered += order.quantity or position.quantity
        elif order.leg == "exit" and order.order_side == -position.side and not order.limit_price:
            covered += order.quantity or position.quantity
    return covered >= position.quantity * (1.0 - _QUANTITY)


class Watch:
    """Looks at one world and notes what does not hold, once each."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._embedded = world.exchange.embedded
        self._state = world.exchange.venue.state
        self.intents: dict[str, Intent] = {}
        self.stretches_ms: list[int] = []
        self.after_ms: list[int] = []  # of each of our own, how much of it came after the last fault
        self._unprotected_ms: dict[str, int] = {}
        self._after_ms: dict[str, int] = {}
        self._flat_ms: dict[str, int] = {}
        self._moves = self._trades = 0
        self._said: set[str] = set()
        self._oracles = Oracles(world, self.intents, self._say)
        self._embedded.flushers.append(self.look)
        world.network.watchers.append(self.hear_call)

    def hear_commit(self, where: str, commit: Commit) -> None:
        """Take note of the intents that are on disk now."""
        if where == "after":
            for intent in commit.intents:
                self.intents[intent.client_id] = intent
            self._oracles.hear_commit(commit)

    def look(self) -> None:
        """Check everything that the venue's books can show."""
        orders = [order.as_open_order() for order in self._state.orders]
        for symbol in self._world.symbols:
            mine = [order for order in orders if order.symbol == symbol]
            position = self._state.positions.get(symbol)
            self._look_at_protection(symbol, position, mine)
            self._oracles.look(symbol, mine)
            if position is None:
                self._look_for_orphans(symbol, mine)
            else:
                self._flat_ms.pop(symbol, None)
        self._look_at_moves()
        self._look_at_trades()

    # --- I1, I2 -----------------------------------------------------------------------------------

    def _look_at_protection(self, symbol: str, position: Position | None, orders: list[OpenOrder]) -> None:
        now_ms = self._now_ms()
        if position is None or is_covered(self._state, position, orders):
            began_ms = self._unprotected_ms.pop(symbol, None)
            after_ms = self._after_ms.pop(symbol, 0)
            if began_ms is not None and position is not None:
                self.stretches_ms.append(now_ms - began_ms)
                self.after_ms += [] if self._is_foreign(symbol) else [after_ms]
            return
        began_ms = self._unprotected_ms.setdefault(symbol, now_ms)
        naked_ms = now_ms - max(began_ms, self._world.calm_since_ms())
        self._after_ms[symbol] = max(naked_ms, self._after_ms.get(symbol, 0))
        if naked_ms > self._world.bound_ms and not self._is_foreign(symbol):
            self._say("I1", symbol, f"{symbol} {position.side:+d} has had no stop for {naked_ms} ms")

    # --- I12 --------------------------------------------------------------------------------------

    def _look_for_orphans(self, symbol: str, orders: list[OpenOrder]) -> None:
        began_ms = self._flat_ms.setdefault(symbol, self._now_ms())
        resting = [name for order in orders if order.leg != "entry" and _is_ours(name := self._name(order))]
        since_ms = max(began_ms, self._world.calm_since_ms())
        if resting and self._now_ms() - since_ms > _ORPHAN_MS:
            self._say("I12", symbol, f"{symbol} is flat and {resting} still rest")

    # --- I3, I6: margin ---------------------------------------------------------------------------

    def _look_at_moves(self) -> None:
        moves = self._embedded.books.moves
        for move in moves[self._moves :]:
            if move.is_requested and not self._is_foreign(move.symbol):
                self._check_move(move.symbol, move.amount_quote)
                self._oracles.look_at_move(move)
        self._moves = len(moves)

    def _check_move(self, symbol: str, amount_quote: float) -> None:
        position = self._state.positions.get(symbol)
        if position is None:
            return
        kind, sign = (AddMargin, 1.0) if amount_quote > 0.0 else (ReleaseMargin, -1.0)
        targets = [
            intent.action.target_wallet
            for intent in self.intents.values()
            if isinstance(intent.action, kind)
            and intent.action.symbol == symbol
            and self._embedded.market_ms - intent.ts_ms < _OLD_TARGET_MS
        ]
        step = self._state.instruments[symbol].margin_step_quote
        wallet = position.isolated_wallet
        furthest = max((sign * target for target in targets), default=-float("inf"))
        if sign * wallet > furthest + 2.0 * step + _MONEY * abs(wallet):
            self._say(
                "I6",
                f"{symbol}{len(self._embedded.books.moves)}",
                f"{symbol}: margin moved by {amount_quote:.8f} to {wallet:.8f}, asked for {targets}",
            )

    # --- I6, I9: orders ---------------------------------------------------------------------------

    def _look_at_trades(self) -> None:
        books = self._embedded.books
        for trade in books.trades[self._trades :]:
            order = books.orders.get(trade.order_id)
            client_id = "" if order is None else readable(order.client_id)
            if order is None or not _is_ours(client_id):
                continue
            intent = self.intents.get(client_id)
            is_entry = intent is not None and isinstance(intent.action, OpenPosition)
            if not is_entry and not (order.is_reduce_only or order.is_close_position or order.algo_id):
                self._say("I9", client_id, f"{client_id} may open and is no entry")
            if is_entry:
                self._check_entry(order.symbol, intent)
        self._trades = len(books.trades)

    def _check_entry(self, symbol: str, intent: Intent | None) -> None:
        position = self._state.positions.get(symbol)
        if position is None or intent is None or not isinstance(intent.action, OpenPosition):
            return
        if position.quantity > intent.action.quantity * (1.0 + _QUANTITY) and not self._is_foreign(symbol):
            self._say(
                "I6",
                f"{symbol}{position}",
                f"{position.quantity} held after an entry of {intent.action.quantity}",
            )

    # --- I5 ---------------------------------------------------------------------------------------

    def hear_call(self, call: Call, where: str) -> None:
        """Note every request; one that changes something must have been written before."""
        if where == "sent":
            self._world.note("sent", f"{call.number} {call.kind} {call.path}")
        if not call.is_write:
            return
        client_ids = _OUR_ID.findall(call.text)
        self._oracles.hear_call(call, where, client_ids)
        if where != "arriving":
            return
        self._world.note("arriving", f"{call.number} {call.kind} {_unsigned(call.text)}")
        for client_id in client_ids:
            if client_id not in self.intents:
                self._say("I5", client_id, f"{call.kind} {client_id} was sent before it was written")

    def _name(self, order: OpenOrder) -> str:
        known = self._embedded.books.by_venue_id.get(order.client_id)
        return readable(known.client_id) if known is not None else order.client_id

    # --- inside -----------------------------------------------------------------------------------

    def _is_foreign(self, symbol: str) -> bool:
        return symbol in self._world.touched_by_hand

    def _now_ms(self) -> int:
        return self._world.wall.venue_ms()

    def _say(self, name: str, key: str, message: str) -> None:
        if f"{name} {key}" not in self._said:
            self._said.add(f"{name} {key}")
            self._world.violate(name, message)


def _is_ours(client_id: str) -> bool:
    return _OUR_ID.fullmatch(client_id) is not None


def _unsigned(text: str) -> str:
    return re.sub(r"(signature|sign)=\w+", "", text)
