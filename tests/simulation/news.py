"""What the bot writes down, held against the world at that instant: nothing invented, nothing late."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from bot.core.event import OrderCancelled, OrderFilled, Refused
from bot.core.note import Reconciled
from bot.ports import Commit
from tests.simulation.books import books_id
from tests.simulation.calls import Call
from tests.simulation.process import current_process

if TYPE_CHECKING:
    from tests.simulation.world import World

_LATE_S: Final = 2.0  # an order is looked after for so long before what came of it is written
_BEGINNING_S: Final = 4.0
_EDGE_S: Final = 0.05
_ROUNDING: Final = 1e-6
_BANS: Final = (418, 429)
_LIED_ABOUT_A_CANCEL: Final = "answered cancel"


class News:
    """Watches the commits and the requests of one world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._trades = 0
        self._traded_s: dict[int, float] = {}
        self._banned_s: dict[str, float] = {}
        self._mark_ms: dict[tuple[str, str], int] = {}
        world.exchange.embedded.flushers.append(self.look)
        world.network.watchers.append(self.hear_call)

    def look(self) -> None:
        """Note when the venue traded."""
        trades = self._world.exchange.embedded.books.trades
        for trade in trades[self._trades :]:
            self._traded_s[trade.trade_id] = self._world.seconds()
        self._trades = len(trades)

    def hear_call(self, call: Call, where: str) -> None:
        """Nothing is sent while the venue has told the process to wait."""
        now_s, name = self._world.seconds(), call.process.name
        if where == "answered" and call.status in _BANS and call.wait_s:
            self._banned_s[name] = now_s + call.wait_s
        until_s = self._banned_s.get(name, 0.0)
        if where == "sent" and now_s < until_s - _EDGE_S and not self._has_stepped():
            self._world.violate("BAN", f"{call.kind} was sent {until_s - now_s:.3f} s before it may be")

    def hear_commit(self, where: str, commit: Commit) -> None:
        """Hold what is told against the venue."""
        if where != "after":
            return
        for each in (*commit.events, *commit.notes):
            if isinstance(each, Reconciled) and each.what == "margin":
                self._look_at_foreign(each)
            elif isinstance(each, OrderCancelled):
                self._look_at_cancelled(each)
            elif isinstance(each, OrderFilled):
                self._look_at_fill(each)
            elif isinstance(each, Refused) and each.code == "no_position":
                self._look_at_refused(each, commit)
        if commit.checkpoint is not None:
            self._look_at_marks(commit.checkpoint.engine["markets"])

    def _look_at_foreign(self, note: Reconciled) -> None:
        step_quote = self._world.exchange.venue.state.instruments[note.symbol].margin_step_quote
        amount_quote = note.facts.get("amount_quote")
        # One step: sent after a move that was not answered, to read the wallet, where there is no history.
        is_probe = isinstance(amount_quote, float) and abs(amount_quote) <= (1.0 + _ROUNDING) * step_quote
        if note.symbol not in self._world.touched_by_hand and not is_probe:
            self._world.violate("I11", f"nobody else has moved margin: {note.facts}")

    def _look_at_cancelled(self, event: OrderCancelled) -> None:
        orders = self._world.exchange.venue.state.orders.of(event.symbol)
        resting = {books_id(self._world.exchange.embedded, order.client_id) for order in orders}
        if event.client_id in resting and _LIED_ABOUT_A_CANCEL not in self._world.fired:
            self._world.violate("I11", f"{event.client_id} rests and was told to have ended")

    def _look_at_fill(self, event: OrderFilled) -> None:
        traded_s = self._traded_s.get(event.trade_id)
        life = self._world.bot.life
        is_young = self._world.wall.venue_ms() - life.started_ms < 1_000.0 * _BEGINNING_S
        if traded_s is None or self._world.fired or is_young:
            return
        late_s = self._world.seconds() - traded_s
        if late_s > _LATE_S:
            self._world.violate("NEWS", f"a fill of {event.client_id} was written {late_s:.3f} s later")

    def _look_at_refused(self, event: Refused, commit: Commit) -> None:
        """What ended the position is told before the refusal that it explains."""
        if commit.checkpoint is None or self._world.fired:
            return
        if commit.checkpoint.engine["markets"][event.symbol]["holding"] is not None:
            self._world.violate("NEWS", f"{event.client_id} met no position, and one is believed")

    def _look_at_marks(self, markets: Mapping[str, Any]) -> None:
        if self._world.exchange.pump.is_paused:
            return  # what is asked for is stamped now, what streams say with the last tick
        process = current_process()
        name = process.name if process is not None else ""
        for symbol, market in markets.items():
            before = self._mark_ms.get((name, symbol), 0)
            if market["mark_ms"] < before:
                self._world.violate("I14", f"{symbol} goes back from {before} to {market['mark_ms']}")
            self._mark_ms[name, symbol] = market["mark_ms"]

    def _has_stepped(self) -> bool:
        return any(each in ("clock", "host asleep") for each in self._world.fired)
