"""What must hold after every step that changed something. A breach is counted, journalled, and told once.

I1 PROTECTED: an open position has a stop over all of it at the venue, one on its way (or due again, where the
venue made the last for less) for at most 30 s, or is being closed.
I2 STOP_INSIDE_LIQUIDATION: the mark reaches the stop before liquidation, or a nearer stop is on its
way, or the position is being closed.
I3 BUDGET: an add never lifts the isolated wallet above the loss the user agreed to.
I9 REDUCE_ONLY: a position's numbers are finite, and no exit enlarges or turns it.
I10 REPLAY: a start continues from what was saved, to the last digit.
I12 NO_ORPHANS: one stop is on its way, and at most one beside it whose reply was lost.
I17 HALT: a latch goes only when a person lifts it.
I20 LIVENESS: no request waits for its outcome for ten minutes, and not many wait.
I21 TIME: the marks of a symbol do not go back.
The others: conduct.py (what is decided), transitions.py (what an event changes), sendings.py (what is sent),
money.py (I23). bot/INVARIANTS.md lists all of them.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.core.event import EntriesResumed, MarkPrice
from bot.core.halt import BY_PERSON
from bot.core.intent import CancelOrder, Intent, OpenPosition, PlaceStop
from bot.core.position import Position
from bot.engine import breach
from bot.engine.conduct import allowed_wallet
from bot.engine.desk import Desk
from bot.engine.state import Holding, Market, snapshot

_MONEY_TOLERANCE: Final = 1e-6
_STOP_COMING_MS: Final = 30_000
_LONGEST_WAIT_MS: Final = 600_000
_MOST_IN_FLIGHT: Final = 256
_MOST_STOPS_COMING: Final = 2  # one whose reply was lost, and the one that was placed because none rests
BACK_MS: Final = 2_000


def check(desk: Desk) -> None:
    """Note every invariant that has just broken; one that still holds broken is not told again."""
    state, broken = desk.state, {}
    for symbol, market in state.markets.items():
        if market.holding is not None:
            for invariant, message in _breaches(desk, market, market.holding):
                broken[f"{invariant}:{symbol}"] = message
    if state.in_flight:
        for intent, invariant, message in _waits(desk):
            broken[f"{invariant}:{intent.action.symbol}"] = message
    for key, message in broken.items():
        if key not in state.broken:
            invariant, _, symbol = key.partition(":")
            breach.tell(desk, symbol, invariant, message)
    state.broken = broken
    _check_latches(desk)


def check_time(desk: Desk, market: Market, event: MarkPrice) -> None:
    """Note I21 when a mark is older than one that was seen before, by more than streams mix up."""
    if event.ts_ms < market.mark_ms - BACK_MS * desk.pace:
        message = f"a mark of {event.ts_ms} came after one of {market.mark_ms}"
        breach.tell(desk, event.symbol, "I21", message)


def check_restored(desk: Desk, saved: Mapping[str, Any]) -> None:
    """Note I10 when the state is not what was saved; fields that only one of the two knows do not count."""
    lost = _difference("", saved, snapshot(desk.state))
    if lost:
        breach.tell(desk, "", "I10", f"the checkpoint was not restored: {lost}")


def _difference(path: str, saved: Any, now: Any) -> str:
    if isinstance(saved, Mapping) and isinstance(now, Mapping):
        both = (key for key in saved if key in now)
        found = (_difference(f"{path}.{key}", saved[key], now[key]) for key in both)
        return next((each for each in found if each), "")
    if isinstance(saved, list | tuple) and isinstance(now, list | tuple):
        if len(saved) != len(now):
            return f"{path} had {len(saved)} rows, has {len(now)}"
        pairs = enumerate(zip(saved, now, strict=True))
        found = (_difference(f"{path}.{row}", was, is_) for row, (was, is_) in pairs)
        return next((each for each in found if each), "")
    # NaN is never equal to itself.
    return "" if repr(saved) == repr(now) or saved == now else f"{path} was {saved!r}, is {now!r}"


def check_reduce_only(desk: Desk, before: Position, leg: str, after: Position) -> None:
    """Note I9 when a fill that is not an entry's enlarged the position or turned it round."""
    if leg == "entry" or (after.side == before.side and after.quantity <= before.quantity):
        return
    message = f"a {leg} fill made {before.side * before.quantity} into {after.side * after.quantity}"
    breach.tell(desk, after.symbol, "I9", message)


def _check_latches(desk: Desk) -> None:
    """Note I17 when a latch is gone and no order of a person came since the last look."""
    state, witness = desk.state, desk.witness
    if not state.halts and not witness.latched:
        return
    latched = frozenset(cause for cause, halt in state.halts.items() if halt.is_latched)
    command = state.commands[-1] if state.commands else ""
    gone = witness.latched - latched - _lifted_now(desk)
    if gone and command == witness.newest_command:
        breach.tell(desk, "", "I17", f"{', '.join(sorted(gone))} ended, and no person lifted it")
    witness.latched, witness.newest_command = latched, command


def _lifted_now(desk: Desk) -> frozenset[str]:
    """Return the latches whose end is noted as a person's wish and not committed yet."""
    ended = (note for note in desk.outbox.notes if isinstance(note, EntriesResumed))
    return frozenset(note.cause for note in ended if note.by == BY_PERSON)


def _waits(desk: Desk) -> Iterator[tuple[Intent, str, str]]:
    """Yield what waits too long, or too much."""
    in_flight, now_ms = desk.state.in_flight, desk.state.now_ms
    for client_id, intent in in_flight.items():
        if now_ms - intent.ts_ms <= _LONGEST_WAIT_MS * desk.pace:
            continue
        is_resting = isinstance(intent.action, OpenPosition) and intent.action.order == "limit"
        if not is_resting and not _is_being_taken_back(desk, client_id):
            seconds = (now_ms - intent.ts_ms) / 1000
            yield intent, "I20", f"{intent.client_id} has had no outcome for {seconds:.0f} s"
    if len(in_flight) > _MOST_IN_FLIGHT:
        first = next(iter(in_flight.values()))
        yield first, "I20", f"{len(in_flight)} requests wait for their outcome"


def _is_being_taken_back(desk: Desk, client_id: str) -> bool:
    """Whether its cancellation waits instead, which is looked at by itself."""
    return any(
        isinstance(intent.action, CancelOrder) and intent.action.target_client_id == client_id
        for intent in desk.state.in_flight.values()
    )


def _breaches(desk: Desk, market: Market, holding: Holding) -> Iterator[tuple[str, str]]:
    position = holding.position
    if not (0.0 < position.quantity < math.inf and math.isfinite(position.isolated_wallet)):
        yield "I9", f"quantity is {position.quantity}, isolated wallet {position.isolated_wallet}"
        return  # no price follows from such numbers
    coming = _stops_coming(desk, position.symbol) if desk.state.in_flight else 0
    if coming > _MOST_STOPS_COMING:
        yield "I12", f"{coming} stops are on their way"
    if not holding.is_closing and coming == 0 and not _is_due_again(desk, holding):
        yield from _unprotected(market, holding)
    elif not holding.is_closing and not _is_covered(holding):
        yield from _overdue(desk, holding)
    allowed = allowed_wallet(holding)
    if holding.adds and position.isolated_wallet > allowed + _MONEY_TOLERANCE:
        yield "I3", f"isolated wallet {position.isolated_wallet} exceeds the agreed loss {allowed}"


def _stops_coming(desk: Desk, symbol: str) -> int:
    return sum(
        intent.action.symbol == symbol and isinstance(intent.action, PlaceStop)
        for intent in desk.state.in_flight.values()
    )


def _is_due_again(desk: Desk, holding: Holding) -> bool:
    """Whether one for less rests that will be replaced: the venue knows of a fill that is not told yet."""
    return holding.stop is not None and desk.state.now_ms < holding.cover_again_ms


def _overdue(desk: Desk, holding: Holding) -> Iterator[tuple[str, str]]:
    naked_ms = desk.state.now_ms - holding.unprotected_since_ms
    if holding.unprotected_since_ms and naked_ms > _STOP_COMING_MS * desk.pace:
        yield "I1", f"a stop is on its way, and none has rested over all of it for {naked_ms / 1000:.0f} s"


def _is_covered(holding: Holding) -> bool:
    return holding.stop is not None and holding.stop.covers(holding.position.quantity)


def _unprotected(market: Market, holding: Holding) -> Iterator[tuple[str, str]]:
    if holding.stop is None:
        yield "I1", "no stop rests at the venue and none is on its way"
        return
    if not _is_covered(holding):
        yield "I1", f"the stop is for {holding.stop.quantity} of {holding.position.quantity}"
    liquidation = market.liquidation_price(holding.position)
    if holding.position.side * (holding.stop.trigger_price - liquidation) <= 0.0:
        yield "I2", f"stop {holding.stop.trigger_price} is not inside liquidation {liquidation}"
