"""More of what must hold in every world: on commits, on requests at the venue's border, on the venue's books.

`invariants.py` has I1 to I3, I5, I6, I9 and I12 of a flat symbol; the end of a world (`books.py`) I8, I11,
I22 to I24. What the bot itself finds broken at run time is a violation too.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bot.core.event import EntriesResumed, InvariantBroken, Reconciled
from bot.core.halt import BY_PERSON, is_permitted, rank
from bot.core.intent import (
    AddMargin,
    CancelOrder,
    Intent,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    ReducePosition,
    ReleaseMargin,
)
from bot.core.margin import margin_ratio
from bot.ports import Commit, OpenOrder
from bot.sim.server.books import MarginMove
from tests.simulation.calls import Call, readable

if TYPE_CHECKING:
    from tests.simulation.world import World

Say = Callable[[str, str, str], None]
_ON_POSITION: Final = (PlaceStop, PlaceTakeProfit, ReducePosition, AddMargin, ReleaseMargin)
_UNSETTLING: Final = (OpenPosition, PlaceStop, ReducePosition, AddMargin, ReleaseMargin)
_TWO_STOPS_MS: Final = 60_000
_MOST_RATIO: Final = 0.95
_MINUTE_MS: Final = 60_000
_MOST_REQUESTS: Final = 300
_MOST_ORDERS: Final = 120
_FROM_THE_FUTURE_MS: Final = 2_000
_ORDERS: Final = ("entry", "exit", "stop")
# The venue's orders show for how long there was no stop; that the bot noticed at once is as it should be.
JUDGED_ELSEWHERE: Final = ("I1", "I2", "I21")
_SENT_ON_HALT: Final = 1  # one may be on its way when the halt is committed


class Oracles:
    """Belongs to one world; `say` notes a violation: invariant, key, words."""

    def __init__(self, world: "World", intents: dict[str, Intent], say: Say) -> None:
        self._world, self._intents, self._say = world, intents, say
        self._unknown: dict[int, Intent] = {}
        self._entered: set[str] = set()
        self._newest_seq: dict[str, int] = {}  # by life: when the power fails, what was torn is numbered anew
        self._latched: dict[str, str] = {}
        self._level = ""
        self._sent_on_halt = 0
        self._writes: deque[tuple[int, str]] = deque()
        self._writer: Call | None = None
        self._doubled_ms: dict[str, int] = {}

    # --- commits ----------------------------------------------------------------------------------

    def hear_commit(self, commit: Commit) -> None:
        """Look at what is on disk now."""
        for note in commit.notes:
            if isinstance(note, InvariantBroken) and self._is_judged(note):
                self._say(note.invariant, note.message, f"the bot says: {note.symbol} {note.message}")
            if isinstance(note, Reconciled) and note.what == "money" and not self._world.touched_by_hand:
                self._say("I23", str(note.ts_ms), f"the bot says: {note.facts}")
        for intent in commit.intents:
            self._look_at_intent(intent)
        self._look_at_ends(commit)
        if commit.checkpoint is not None:
            self._look_at_halts(commit, commit.checkpoint.engine.get("halts", {}))

    def _is_judged(self, note: InvariantBroken) -> bool:
        """While the market stands still, answers are stamped now and streams repeat the last tick."""
        is_time = note.invariant == "I21" and not self._world.exchange.pump.is_paused
        return is_time or note.invariant not in JUDGED_ELSEWHERE

    def _look_at_intent(self, intent: Intent) -> None:
        action = intent.action
        numbers = [each for each in action if isinstance(each, float)]
        if not all(math.isfinite(each) and each >= 0.0 for each in numbers):
            self._say("I15", intent.client_id, f"{intent.client_id} was written as {action}")
        if isinstance(action, OpenPosition):
            self._entered.add(action.symbol)
        if isinstance(action, _ON_POSITION) and action.symbol not in self._entered:
            self._say("I13", intent.client_id, f"{intent.client_id} {action}, and nothing was entered there")
        if isinstance(action, CancelOrder) and action.target_client_id not in self._intents:
            self._say("I13", intent.client_id, f"{intent.client_id} takes back what is not ours: {action}")
        if isinstance(action, ReleaseMargin):
            open_ids = [each.client_id for each in self._unknown.values() if _is_beside(each, action.symbol)]
            if open_ids:
                self._say("I4", intent.client_id, f"{intent.client_id} releases while {open_ids} are unknown")
        life = self._world.bots[0].life.process.name if self._world.bots else ""
        newest = self._newest_seq.get(life, 0)
        if intent.seq <= newest:
            self._say("I6", intent.client_id, f"{intent.client_id} was written after {newest}")
        self._newest_seq[life] = max(newest, intent.seq)
        if intent.ts_ms > self._world.wall.venue_ms() + _FROM_THE_FUTURE_MS:
            self._say("I21", intent.client_id, f"{intent.client_id} was decided at {intent.ts_ms}, later")

    def _look_at_ends(self, commit: Commit) -> None:
        by_seq = {intent.seq: intent for intent in self._intents.values()} if commit.resolutions else {}
        for end in commit.resolutions:
            intent = by_seq.get(end.seq)
            if intent is None:
                continue
            if end.status == "unknown":
                self._unknown[end.seq] = intent
            else:
                self._unknown.pop(end.seq, None)
            if end.status == "refused":
                self._look_at_refused(intent, end.detail)

    def _look_at_refused(self, intent: Intent, detail: str) -> None:
        """What the journal calls refused has done nothing at the venue."""
        books = self._world.exchange.embedded.books
        ours = [order for order in books.orders.values() if readable(order.client_id) == intent.client_id]
        traded = {trade.order_id for trade in books.trades}
        done = [order.status for order in ours if order.is_open or order.order_id in traded]
        if done:
            self._say(
                "I7", intent.client_id, f"{intent.client_id} is refused ({detail}), at the venue {done}"
            )

    def _look_at_halts(self, commit: Commit, halts: dict[str, list[object]]) -> None:
        latched = {cause: str(level) for cause, (level, _, _, is_latched) in halts.items() if is_latched}
        lifted = {
            note.cause for note in commit.notes if isinstance(note, EntriesResumed) and note.by == BY_PERSON
        }
        for cause, level in self._latched.items():
            if rank(latched.get(cause, "")) < rank(level) and cause not in lifted:
                self._say("I17", cause, f"{level} for {cause} was lowered by nobody")
        level = max((str(level) for level, *_ in halts.values()), key=rank, default="")
        if level != self._level:
            self._level, self._sent_on_halt = level, 0
        self._latched = latched

    # --- requests ---------------------------------------------------------------------------------

    def hear_call(self, call: Call, where: str, client_ids: list[str]) -> None:
        """Look at a request that changes something."""
        if where == "sent":
            self._look_at_sent(call, client_ids)
        if where == "arriving":
            self._look_at_writer(call)
            for client_id in client_ids:
                if not client_id.startswith("RFT"):
                    self._say("I19", client_id, f"{client_id} came to a testnet")

    def _look_at_sent(self, call: Call, client_ids: list[str]) -> None:
        now_ms = self._world.wall.venue_ms()
        self._writes.append((now_ms, call.kind))
        while self._writes[0][0] <= now_ms - _MINUTE_MS:
            self._writes.popleft()
        orders = sum(kind in _ORDERS for _, kind in self._writes)
        if len(self._writes) > _MOST_REQUESTS or orders > _MOST_ORDERS:
            self._say("I16", "", f"{len(self._writes)} requests, {orders} of them orders, within a minute")
        for client_id in client_ids:
            intent = self._intents.get(client_id)
            if intent is not None and not is_permitted(self._level, intent.action):
                self._sent_on_halt += 1
                if self._sent_on_halt > _SENT_ON_HALT:
                    self._say("I17", client_id, f"{client_id} was sent while {self._level} stood")

    def _look_at_writer(self, call: Call) -> None:
        was, self._writer = self._writer, call
        if was is not None and was.process is not call.process and not was.process.is_dead:
            self._say("I18", call.path, f"{call.process.name} writes while {was.process.name} lives")

    # --- the venue --------------------------------------------------------------------------------

    def look(self, symbol: str, orders: list[OpenOrder]) -> None:
        """Look at the stops that rest for one symbol."""
        now_ms = self._world.wall.venue_ms()
        stops = [order.client_id for order in orders if order.leg == "stop"]
        if len(stops) <= 1:
            self._doubled_ms.pop(symbol, None)
            return
        since_ms = max(self._doubled_ms.setdefault(symbol, now_ms), self._world.calm_since_ms())
        if now_ms - since_ms > _TWO_STOPS_MS:
            self._say("I12", f"{symbol} stops", f"{symbol} has {len(stops)} stops for {now_ms - since_ms} ms")

    def look_at_move(self, move: MarginMove) -> None:
        """Look at what a margin move of ours has left."""
        state = self._world.exchange.venue.state
        position = state.positions.get(move.symbol)
        if position is None or move.amount_quote > 0.0:
            return
        mark = self._world.exchange.embedded.prices.of(move.symbol).mark
        ratio = margin_ratio(position, mark, state.rules[move.symbol])
        if not ratio <= _MOST_RATIO:
            self._say("I4", f"{move}", f"{move} left maintenance at {ratio:.0%} of equity")


def _is_beside(intent: Intent, symbol: str) -> bool:
    return intent.action.symbol == symbol and isinstance(intent.action, _UNSETTLING)
