"""What was last known of the account, so that a new reading can be turned into what happened since.

It is part of every checkpoint (`snapshot`), with the events that were not handed out yet: a restart goes on
from the same cut and reports what happened meanwhile, once.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from bot.core.codec import from_json, to_json
from bot.core.event import InstrumentChanged, Leg, OrderCancelled, VenueEvent
from bot.core.intent import AddMargin, Intent, ReleaseMargin
from bot.core.position import Position
from bot.exchange.rows import VenueOrder

_MOST_OWNERS: Final = 400
_MOST_REPORTED: Final = 400
_MOST_ENDED: Final = 50  # lists lag by seconds
_AWAITED_MS: Final = 60_000
_CLOSING: Final = ("stop", "trailing", "exit")
_FLOAT_NOISE: Final = 1e-9
_LEAST_MOVE_QUOTE: Final = 5e-8  # half a step of the finest margin


class Owner(NamedTuple):
    """Whose an order id of the venue is: our id and leg, and how much was wanted (0: the whole position)."""

    client_id: str
    leg: Leg
    quantity: float


class Cursor(NamedTuple):
    """How far a history was read: nothing before `since_ms`, and at that instant all but `seen`."""

    since_ms: int
    seen: tuple[str, ...]

    def is_new(self, ts_ms: int, row_id: str) -> bool:
        """Return whether a row was not read yet."""
        return ts_ms > self.since_ms or (ts_ms == self.since_ms and row_id not in self.seen)

    def after(self, rows: Iterable[tuple[int, str]]) -> "Cursor":
        """Return the cursor behind these (ts_ms, id) rows."""
        cursor = self
        for ts_ms, row_id in sorted(rows):
            if ts_ms > cursor.since_ms:
                cursor = Cursor(ts_ms, (row_id,))
            elif ts_ms == cursor.since_ms and row_id not in cursor.seen:
                cursor = Cursor(ts_ms, (*cursor.seen, row_id))
        return cursor


START: Final = Cursor(0, ())


class Book:
    """The account as last reported. `version` changes with every write and reading, and voids older ones."""

    def __init__(self) -> None:
        self.is_started = False
        self.version = 0
        self.calm = asyncio.Event()  # set while no write of ours is under way
        self.calm.set()
        self.now_ms = 0
        self.handed_ms = 0
        self.free_quote = 0.0
        self.positions: dict[str, Position] = {}
        self.orders: dict[str, VenueOrder] = {}
        self.leverage: dict[str, int] = {}
        self.asked: dict[str, int] = {}  # leverage that was set by request, for a venue that keeps none
        self.trades: dict[str, Cursor] = {}
        self.payments: dict[str, Cursor] = {}
        self.payments_read_ms: dict[str, int] = {}
        self.settled_ms: dict[str, int] = {}  # the market's last settlement, as the feed saw it pass
        self.settled_at_ms: dict[str, int] = {}  # when it saw it, by this machine's clock
        self.owners: dict[str, Owner] = {}
        self.filled: dict[str, float] = {}
        self.cancelling: set[str] = set()
        self.reported: dict[str, None] = {}
        self.ended: dict[str, None] = {}  # told to have ended; a list that lags may show one again
        self.outbox: list[VenueEvent] = []
        self.doubts: dict[str, str] = {}
        self.acknowledged: dict[str, float] = {}  # margin moves that no position has shown yet
        self.wanted: dict[str, float] = {}  # what the margin moves of unknown fate would move, added > 0
        self.decided_ms: dict[str, int] = {}  # when those moves were decided
        self.written: set[str] = set()  # margin moves that this process sent
        self.awaited_ms: dict[str, int] = {}  # until when fills are expected that no reading shows
        self.awaited: dict[str, VenueOrder] = {}  # the orders that they are of
        self.shown: set[str] = set()  # orders that wait for a price and that a list has shown to this process
        self.taken_back: set[str] = set()  # cancelled by their own rows; a list may show them for seconds
        self.asked_ms: dict[str, int] = {}  # when this process first asked what became of one
        self.read_ms: dict[str, int] = {}  # when a symbol's last reading that agreed with itself began
        self.covered_ms: dict[str, int] = {}  # the same of the last one that showed stops over all of it
        self.adding: set[str] = set()  # symbols whose auto-add-margin was found on

    def saw(self, ts_ms: int) -> None:
        """Learn the market's time."""
        self.now_ms = max(self.now_ms, ts_ms)

    def settled(self, symbol: str, ts_ms: int, clock_ms: int) -> None:
        """Learn of a settlement of funding; `clock_ms`: now, which goes on when the market stands still."""
        self.settled_ms[symbol], self.settled_at_ms[symbol] = ts_ms, clock_ms

    def hand_out(self, ts_ms: int) -> None:
        """Learn how far the reader of events is, which may be behind the market.

        What has no time of its own at the venue happens then: a reply is not a reason to find the last
        mark too old.
        """
        self.handed_ms = max(self.handed_ms, ts_ms)
        self.saw(ts_ms)

    def own(self, venue_id: str, owner: Owner) -> None:
        """Remember whose a venue's order id is."""
        self.owners[venue_id] = owner
        while len(self.owners) > _MOST_OWNERS:
            del self.owners[next(iter(self.owners))]

    def report(self, client_id: str) -> None:
        """Remember that the outcome of this request was handed out; it is in doubt no more."""
        self.reported[client_id] = None
        self.acknowledged.pop(client_id, None)
        self.wanted.pop(client_id, None)
        self.decided_ms.pop(client_id, None)
        self.written.discard(client_id)
        self.asked_ms.pop(client_id, None)
        self.doubts = {symbol: each for symbol, each in self.doubts.items() if each != client_id}
        while len(self.reported) > _MOST_REPORTED:
            del self.reported[next(iter(self.reported))]

    def end(self, client_id: str) -> None:
        """Remember that an order was told to have ended."""
        self.ended[client_id] = None
        while len(self.ended) > _MOST_ENDED:
            del self.ended[next(iter(self.ended))]

    def doubt(self, intent: Intent) -> None:
        """Remember a margin move of unknown fate: when the wallet moves by itself, it was that."""
        action = intent.action
        if not isinstance(action, AddMargin | ReleaseMargin):
            return
        self.doubts[action.symbol] = intent.client_id
        self.decided_ms[intent.client_id] = intent.ts_ms
        held = self.positions.get(action.symbol)
        if held is not None:
            self.wanted.setdefault(intent.client_id, action.target_wallet - held.isolated_wallet)

    def note_shown(self, held: Position) -> None:
        """Learn of a position as it was read: a margin move of unknown fate that it shows was done.

        It may have ended with its position before the next reading, when nothing shows it any more.
        """
        client_id, before = self.doubts.get(held.symbol, ""), self.positions.get(held.symbol)
        wanted = self.wanted.get(client_id, 0.0)
        if before is None or before[:3] != held[:3] or abs(wanted) <= _LEAST_MOVE_QUOTE:
            return
        change = held.isolated_wallet - before.isolated_wallet
        if abs(change - wanted) <= _LEAST_MOVE_QUOTE:
            self.acknowledged.setdefault(client_id, wanted)

    def inherit(self, pending: Iterable[Intent]) -> None:
        """Learn of what an earlier process may have sent, before anything is read that may show it."""
        for intent in pending:
            self.doubt(intent)

    def dismiss(self, client_id: str) -> None:
        """Doubt a margin move no more that provably never arrived."""
        self.doubts = {symbol: each for symbol, each in self.doubts.items() if each != client_id}
        self.wanted.pop(client_id, None)
        self.decided_ms.pop(client_id, None)

    def await_fills(self, sent: VenueOrder, clock_ms: int) -> None:
        """Expect fills of an order that was accepted and that no reading shows yet."""
        self.awaited[sent.symbol] = sent
        self.awaited_ms[sent.symbol] = clock_ms + _AWAITED_MS

    def is_awaited(self, symbol: str, clock_ms: int) -> bool:
        """Return whether something was entered there whose fill no reading shows yet."""
        return self.awaited_ms.get(symbol, 0) > clock_ms and symbol not in self.positions

    def tell_expired(self, sent: VenueOrder, quantity: float) -> None:
        """Say what did not fill of a market order that has ended: it never rested, so no list says it."""
        if sent.status == "open" or sent.client_id in self.orders:
            return
        if self.filled.pop(sent.client_id, 0.0) < quantity * (1.0 - _FLOAT_NOISE):
            expired = OrderCancelled(self.handed_ms, sent.symbol, sent.client_id, sent.leg, "expired")
            self.outbox.append(expired)

    def end_awaited(self, symbol: str) -> None:
        """Say the same where the fills were told later, and whoever sent it did not wait so long."""
        sent = self.awaited.get(symbol)
        told = self.filled.get(sent.client_id, 0.0) if sent is not None else 0.0
        if sent is not None and told > 0.0 and told >= sent.filled_quantity * (1.0 - _FLOAT_NOISE):
            del self.awaited[symbol]
            self.tell_expired(sent, sent.quantity)

    def asked_for(self, cancelled: Collection[str]) -> bool:
        """Return whether these are what we cancel ourselves: whoever does asks what came of it."""
        return bool(cancelled) and all(each in self.cancelling or each in self.ended for each in cancelled)

    def end_taken_back(self, row: VenueOrder | None) -> bool:
        """Tell the end of an order that waited for a price and whose own row says that it was cancelled.

        A list may show it for seconds still, and each reading costs many times what the row does.
        """
        known = self.orders.get(row.client_id) if row is not None else None
        if row is None or known is None or not known.is_conditional or row.status != "cancelled":
            return False
        if row.filled_quantity or row.child_id or known.client_id in self.filled:
            return False
        self.version += 1
        del self.orders[known.client_id]
        self.cancelling.discard(known.client_id)
        self.end(known.client_id)
        self.taken_back = (self.taken_back | {known.client_id}) & self.ended.keys()
        told = OrderCancelled(self.handed_ms, known.symbol, known.client_id, known.leg, "requested")
        self.outbox.append(told)
        return True

    def unseen(self, held: Collection[str], clock_ms: int) -> list[VenueOrder]:
        """Return entries that were accepted and that nothing shows yet: they are on their way still."""
        return [
            order
            for symbol, order in self.awaited.items()
            if symbol not in held and order.leg == "entry" and self.is_awaited(symbol, clock_ms)
        ]

    def note_auto_add(self, symbol: str, is_on: bool) -> bool:
        """Remember whether the venue adds margin by itself; return whether that is news."""
        is_news = is_on != (symbol in self.adding)
        (self.adding.add if is_on else self.adding.discard)(symbol)
        return is_news

    def orders_of(self, symbol: str) -> dict[str, VenueOrder]:
        """Return the symbol's resting orders by our id."""
        return {key: order for key, order in self.orders.items() if order.symbol == symbol}

    def is_covered(self, symbol: str) -> bool:
        """Return whether stops that rest, or what closes it already, are for all that is held."""
        held = self.positions.get(symbol)
        if held is None:
            return True
        covered = sum(
            order.quantity or held.quantity
            for order in self.orders_of(symbol).values()
            if order.order_side == -held.side and order.leg in _CLOSING and not order.limit_price
        )
        return covered >= held.quantity * (1.0 - _FLOAT_NOISE)

    def take_outbox(self) -> tuple[VenueEvent, ...]:
        """Return the events that wait and forget them."""
        waiting = tuple(self.outbox)
        self.outbox.clear()
        self.hand_out(max((event.ts_ms for event in waiting), default=0))
        return waiting

    def snapshot(self) -> dict[str, Any]:
        """Return everything as plain JSON values, but rules: a restart reads those anew."""
        return {
            "is_started": self.is_started,
            "now_ms": self.now_ms,
            "handed_ms": self.handed_ms,
            "free_quote": self.free_quote,
            "positions": [list(each) for each in self.positions.values()],
            "orders": [list(each) for each in self.orders.values()],
            "leverage": dict(self.leverage),
            "asked": dict(self.asked),
            "trades": {key: [each.since_ms, list(each.seen)] for key, each in self.trades.items()},
            "payments": {key: [each.since_ms, list(each.seen)] for key, each in self.payments.items()},
            "payments_read_ms": dict(self.payments_read_ms),
            "owners": {key: list(each) for key, each in self.owners.items()},
            "filled": dict(self.filled),
            "cancelling": sorted(self.cancelling),
            "reported": list(self.reported),
            "ended": list(self.ended),
            "taken_back": sorted(self.taken_back),
            "outbox": to_json([each for each in self.outbox if not isinstance(each, InstrumentChanged)]),
            "doubts": dict(self.doubts),
            "acknowledged": dict(self.acknowledged),
            "wanted": dict(self.wanted),
            "adding": sorted(self.adding),
            "awaited_ms": dict(self.awaited_ms),
            "awaited": [list(each) for each in self.awaited.values()],
        }

    def restore(self, values: Mapping[str, Any]) -> None:
        """Become the book of a snapshot."""
        self.version += 1
        self.is_started = values["is_started"]
        self.now_ms = values["now_ms"]
        self.handed_ms = values["handed_ms"]
        self.free_quote = values["free_quote"]
        self.positions = {row[0]: Position(*row) for row in values["positions"]}
        self.orders = {row[0]: VenueOrder(*row) for row in values["orders"]}
        self.leverage = dict(values["leverage"])
        self.asked = dict(values.get("asked", {}))  # absent: written before it was kept
        self.trades = _cursors(values["trades"])
        self.payments = _cursors(values["payments"])
        self.payments_read_ms = dict(values["payments_read_ms"])
        self.owners = {key: Owner(*row) for key, row in values["owners"].items()}
        self.filled = dict(values["filled"])
        self.cancelling = set(values["cancelling"])
        self.reported = dict.fromkeys(values["reported"])
        self.ended = dict.fromkeys(values.get("ended", ()))  # absent: written before it was kept
        self.taken_back = set(values.get("taken_back", ()))  # the same
        self.outbox[:] = from_json(values["outbox"])
        self.doubts = dict(values["doubts"])
        self.acknowledged = dict(values.get("acknowledged", {}))
        self.wanted = dict(values.get("wanted", {}))
        self.adding = set(values.get("adding", ()))  # absent: written before it was looked at
        self.awaited_ms = dict(values.get("awaited_ms", {}))
        self.awaited = {row[2]: VenueOrder(*row) for row in values.get("awaited", ())}

    def keep_only(self, symbols: Collection[str]) -> None:
        """Forget other symbols: nobody follows them now, and who comes back to one begins anew there."""
        self.positions = _of(symbols, self.positions)
        self.orders = {key: row for key, row in self.orders.items() if row.symbol in symbols}
        self.trades, self.payments = _of(symbols, self.trades), _of(symbols, self.payments)
        self.payments_read_ms = _of(symbols, self.payments_read_ms)
        self.adding &= set(symbols)
        self.awaited = _of(symbols, self.awaited)
        self.outbox[:] = [event for event in self.outbox if event.symbol in symbols]


def _of(symbols: Collection[str], rows: Mapping[str, Any]) -> dict[str, Any]:
    return {symbol: row for symbol, row in rows.items() if symbol in symbols}


def _cursors(rows: Mapping[str, Any]) -> dict[str, Cursor]:
    return {key: Cursor(row[0], tuple(row[1])) for key, row in rows.items()}
