"""How the bot behaves, whatever comes of it: seen at the border of each request, and in the last database.

A stop is asked for with the entry's fill, sent before any poll, and never given up before a better one
rests. No entry is late. Adds and releases keep their distance,
and no position gets more of them than the settings allow.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.core.event import Event, FundingSettled, MarginAdjusted, OrderFilled
from bot.core.intent import AddMargin, Intent, OpenPosition, PlaceStop, ReleaseMargin
from bot.core.margin import liquidation_price
from bot.core.note import SignalSeen
from bot.core.position import Position
from bot.ports import Commit
from bot.risk.limits import MarginLimits
from tests.simulation.calls import Call
from tests.simulation.oracles import JUDGED_ELSEWHERE
from tests.simulation.process import Process, current_process
from tests.simulation.storage import rows

if TYPE_CHECKING:
    from tests.simulation.world import World

_BAR_MS: Final = 60_000
_STOP_LEG: Final = "S"
# Without a stop an add may not wait, and what a cut paid out is brought back as soon as it is filled.
_NEED_NOT_WAIT: Final = ("emergency", "derisk_restore")
_BY_HAND: Final = "by_hand"
_ROUNDING: Final = 1e-6
_QUICK_S: Final = 0.15  # a read, or the cancel of a partial stop before a larger one; polls take turns
_POSITION_LAGS: Final = "stale read:position"
_Stop = tuple[int, float]  # the side of the position, and the tightest trigger; 0.0: none


class Manners:
    """Watches the requests of one world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._before: dict[int, dict[str, _Stop]] = {}
        self._wanted_s: dict[str, float] = {}
        self._writers: dict[str, Process | None] = {}
        self._approved_ms: dict[str, int] = {}  # when an entry was decided last
        world.network.watchers.append(self.hear_call)

    def hear_call(self, call: Call, where: str) -> None:
        """Look at what a request does to stops, and when an entry comes."""
        if call.kind == "cancel" and where == "arriving":
            self._before[call.number] = self._stops()
        elif call.kind == "cancel" and where == "arrived":
            self._compare(self._before.pop(call.number, {}))
        elif call.kind == "stop" and where == "sent":
            self._look_at_stop(call)
        elif call.kind == "entry" and where == "arriving":
            self._look_at_entry(call)

    def hear_commit(self, where: str, commit: Commit) -> None:
        """Look at what is written with the fill of an entry, and when stops are asked for."""
        if where != "after":
            return
        for intent in commit.intents:
            if isinstance(intent.action, PlaceStop):
                self._wanted_s[intent.client_id] = self._world.seconds()
            self._writers[intent.client_id] = current_process()
            if isinstance(intent.action, ReleaseMargin):
                self._look_at_release(intent, intent.action)
        if commit.checkpoint is not None and any(_is_move(intent) for intent in commit.intents):
            self._look_at_moves(commit.checkpoint.engine["in_flight"])
        if commit.checkpoint is not None:
            self._look_at_what_was_told(commit)
        for note in (*commit.events, *commit.notes):
            if isinstance(note, SignalSeen) and note.is_entry and note.is_approved:
                self._approved_ms[note.symbol] = self._world.wall.venue_ms()
        for event in commit.events:
            if isinstance(event, OrderFilled) and event.leg == "entry" and commit.checkpoint is not None:
                self._look_at_protection(event.symbol, commit.checkpoint.engine)

    def _look_at_what_was_told(self, commit: Commit) -> None:
        """The engine believes the position that came with the last event of it."""
        assert commit.checkpoint is not None
        told = {event.symbol: position for event in commit.events if (position := _position_of(event))}
        for symbol, position in told.items():
            holding = commit.checkpoint.engine["markets"][symbol]["holding"]
            if holding is not None and Position(*holding["position"]) != position:
                self._world.violate("I11", f"{position} was told, {holding['position']} is believed")

    def _look_at_protection(self, symbol: str, state: Mapping[str, Any]) -> None:
        holding = state["markets"][symbol]["holding"]
        if holding is None or holding["stop"] is not None or holding["is_closing"]:
            return
        if not any(name.endswith(_STOP_LEG) for name in state["in_flight"]):
            self._world.violate("I1", f"an entry of {symbol} is filled, and no stop was asked for with it")

    def _look_at_release(self, intent: Intent, release: ReleaseMargin) -> None:
        """What is released leaves the band, and the stop before liquidation, at the mark of the decision."""
        state, facts = self._world.exchange.venue.state, intent.facts
        position = state.positions.get(release.symbol)
        if position is None:
            return
        left = position._replace(isolated_wallet=release.target_wallet)
        liquidation = liquidation_price(left, state.rules[release.symbol])
        mark, stop, low = (float(facts.get(name) or 0.0) for name in ("mark", "stop_price", "band_low"))
        if position.side * (mark - liquidation) < low * mark * (1.0 - _ROUNDING):
            self._world.violate("I3", f"{intent.client_id} releases below the band, to {liquidation}")
        if stop and position.side * (stop - liquidation) <= 0.0:
            self._world.violate(
                "I2", f"{intent.client_id} puts liquidation at {liquidation}, the stop is {stop}"
            )

    def _look_at_moves(self, in_flight: Mapping[str, Any]) -> None:
        """Of each symbol's margin one move is on its way at a time."""
        known = self._world.watch.intents
        moves = [known[name] for name in in_flight if name in known and _is_move(known[name])]
        symbols = [intent.action.symbol for intent in moves]
        if len(symbols) != len(set(symbols)):
            self._world.violate("I3", f"{[intent.client_id for intent in moves]} move margin at once")

    def _look_at_stop(self, call: Call) -> None:
        for name, wanted_s in tuple(self._wanted_s.items()):
            if name not in call.text:
                continue
            waited_s = self._world.seconds() - wanted_s
            del self._wanted_s[name]
            if waited_s > _QUICK_S and not self._world.fired:
                self._world.violate("LANE", f"{name} waited {waited_s:.3f} s, and nothing was the matter")

    def _stops(self) -> dict[str, _Stop]:
        """Return the tightest stop of every position."""
        state = self._world.exchange.venue.state
        found: dict[str, _Stop] = {}
        for symbol, position in state.positions.items():
            prices = [order.trigger_price for order in state.orders.of(symbol) if order.leg == "stop"]
            tightest = max((position.side * price for price in prices), default=0.0)
            found[symbol] = (position.side, position.side * tightest)
        return found

    def _compare(self, before: dict[str, _Stop]) -> None:
        after = self._stops()
        for symbol, (side, price) in before.items():
            now_side, now_price = after.get(symbol, (0, 0.0))
            if now_side != side or not price:
                continue
            # A start that reads no position takes back the stop of an entry that it cannot see filled.
            if not now_price and _POSITION_LAGS not in self._world.fired:
                self._world.violate("I1", f"the only stop of {symbol}, at {price}, was cancelled")
            elif now_price and side * (now_price - price) < 0.0:
                self._world.violate("I1", f"the stop of {symbol} was loosened from {price} to {now_price}")

    def _look_at_entry(self, call: Call) -> None:
        intents = [each for name, each in self._world.watch.intents.items() if name in call.text]
        for intent in intents:
            if self._writers.get(intent.client_id) is not call.process:
                self._world.violate("LATE", f"{intent.client_id} was sent by a start after its decision")
            planned = int(intent.facts.get("leverage") or 0)
            there = self._world.exchange.venue.state.leverage.get(intent.action.symbol, 0)
            if not self.is_isolated(intent.action.symbol) and not self._world.touched_by_hand:
                self._world.violate("I15", f"{intent.client_id} enters a symbol in cross margin")
            if planned not in (0, there) and not self._world.touched_by_hand:
                self._world.violate("I15", f"{intent.client_id} enters with {there}x instead of {planned}x")
            late_ms = call.sent_ms - self._approved_ms.get(intent.action.symbol, call.sent_ms)
            if isinstance(intent.action, OpenPosition) and late_ms > _BAR_MS:
                self._world.violate("LATE", f"{intent.client_id} was sent {late_ms} ms after its decision")

    def is_isolated(self, symbol: str) -> bool:
        """Whether the venue has the symbol in isolated margin; at OKX each order says so itself."""
        settings, dialect = self._world.exchange.embedded.settings, self._world.dialect
        if dialect == "bybit":
            return settings["margin_mode"] == "ISOLATED_MARGIN"
        if dialect == "hyperliquid":
            return settings["isolated"].get(symbol, False)
        return dialect == "okx" or settings["margin_type"][symbol] == "ISOLATED"


def _position_of(event: Event) -> Position | None:
    is_of_one = isinstance(event, OrderFilled | MarginAdjusted | FundingSettled)
    return event.position if is_of_one else None


def _is_move(intent: Intent) -> bool:
    return isinstance(intent.action, AddMargin | ReleaseMargin)


def breaches(world: "World", database: Path) -> list[str]:
    """Return in words what the last database shows of a bot that knows no measure."""
    limits = MarginLimits(
        add_cooldown_ms=int(world.settings["margin.limits.add_cooldown_ms"]),
        release_cooldown_ms=int(world.settings["margin.limits.release_cooldown_ms"]),
        max_adds=int(world.settings.get("margin.limits.max_adds", MarginLimits().max_adds)),
    )
    found = [*_crowded(database, limits), *_half_filled(database), *_told_twice(database)]
    noticed = rows(database, "SELECT body FROM event WHERE kind = 'InvariantBroken'")
    for body in noticed if not world.touched_by_hand else ():  # a person may go beyond any limit of ours
        if json.loads(body[0])["invariant"] not in JUDGED_ELSEWHERE:
            found.append(f"the bot noticed it itself: {body[0]}")
    return found


def _told_twice(database: Path) -> Iterator[str]:
    query = (
        "SELECT kind, json_extract(body, '$.client_id') AS client_id, count(*) FROM event "
        "WHERE kind IN ('OrderAccepted', 'OrderCancelled') AND client_id <> '' "
        "GROUP BY kind, client_id HAVING count(*) > 1"
    )
    for kind, client_id, count in rows(database, query):
        yield f"{kind} of {client_id} was told {count} times"
    query = (
        "SELECT json_extract(body, '$.client_id') AS client_id FROM event WHERE kind IN "
        "('MarginAdjusted', 'Refused') AND client_id <> '' GROUP BY client_id HAVING count(*) > 1"
    )
    for (client_id,) in rows(database, query):
        yield f"what came of {client_id} was told more than once"


def _half_filled(database: Path) -> Iterator[str]:
    query = (
        'SELECT o.client_id, o.quantity, f.quantity FROM "order" o JOIN fill f ON f.client_id = o.client_id '
        "WHERE o.status = 'filled' AND o.leg = 'entry'"
    )
    filled: dict[tuple[str, float], float] = {}
    for client_id, wanted, quantity in rows(database, query):
        if wanted is not None:
            key = (client_id, float(wanted))
            filled[key] = filled.get(key, 0.0) + float(quantity)
    for (client_id, wanted), quantity in filled.items():
        if quantity < wanted * (1.0 - _ROUNDING):
            yield f"{client_id} counts as filled with {quantity} of {wanted}"


def _crowded(database: Path, limits: MarginLimits) -> Iterator[str]:
    """Look at each position's own moves, in the order in which they were decided."""
    query = (
        "SELECT m.position_id, i.kind, i.ts_ms, i.reason FROM margin_adjustment m JOIN intent i "
        "ON i.client_id = m.client_id ORDER BY m.position_id, i.seq"
    )
    position, last, added, adds = 0, 0, 0, 0
    for position_id, kind, ts_ms, reason in rows(database, query):
        if position_id != position:
            position, last, added, adds = position_id, 0, 0, 0
        if reason == _BY_HAND:  # a person keeps no measure of ours
            continue
        is_add = kind == "AddMargin"
        before, least_ms = (added, limits.add_cooldown_ms) if is_add else (last, limits.release_cooldown_ms)
        if before and ts_ms - before < least_ms and reason not in _NEED_NOT_WAIT:
            yield f"{kind} of position {position_id} came {ts_ms - before} ms after the last"
        adds += is_add
        if adds > limits.max_adds:
            yield f"position {position_id} got {adds} adds, {limits.max_adds} are allowed"
        last = ts_ms
        added = ts_ms if is_add else added
