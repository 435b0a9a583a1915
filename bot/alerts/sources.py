"""From what was committed to what is worth telling: events and notes of the journal, in its order."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from bot.alerts.causes import KINDS, OF_A_MARKET, OF_THE_SESSION
from bot.alerts.router import Raised
from bot.alerts.texts import (
    Setting,
    Text,
    deleveraged_text,
    late_start_text,
    liquidated_text,
    moved_text,
    raised_text,
    with_acknowledgement,
)
from bot.alerts.words import kind_words
from bot.core.alert import Alert, Grade, Kind
from bot.core.codec import to_json
from bot.core.event import AlertRaised, EntriesHalted, Event, Liquidated, MarginMoved, PositionClosed
from bot.core.halt import BY_PERSON
from bot.engine.fills import DELEVERAGED
from bot.engine.halts import HALTED
from bot.engine.state import State

# Everything else that is committed is told by none of these, or by a look at the state.
HEARD: Final = (AlertRaised, EntriesHalted, MarginMoved, Liquidated, PositionClosed)
_ID_DIGITS: Final = 8
_LATCH: Final = "latch"
_LATE_START: Final = "late_start"


def id_of(*content: Any) -> str:
    """Return the same short id for the same content, in any process."""
    text = json.dumps(to_json(list(content)), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_DIGITS]


def key_of(*parts: str | int) -> str:
    """Return the key of a cause."""
    return " ".join(str(part) for part in parts if part != "")


def made(
    alert_id: str,
    key: str,
    ts_ms: int,
    kind: Kind,
    cause: str,
    symbol: str,
    owner: int,
    grade: Grade,
    text: Text,
) -> Raised:
    """Return an alert; a critical one says how it is acknowledged."""
    whole = with_acknowledgement(text, alert_id) if grade == "critical" else text
    return Raised(Alert(alert_id, key, ts_ms, kind, cause, symbol, owner, grade, *whole))


def happenings(events: Iterable[Event], state: State, setting: Setting) -> Iterator[Raised]:
    """Yield what is worth telling of these events; `state` is the session's after them."""
    latched: EntriesHalted | None = None
    for event in events:
        if isinstance(event, EntriesHalted):
            latched = event if event.is_latched else None
        elif isinstance(event, AlertRaised):
            is_of_latch = event.cause == HALTED and latched is not None
            yield _latched(event, latched, setting) if is_of_latch and latched else _raised(event, setting)
        elif isinstance(event, MarginMoved):
            yield _moved(event, state, setting)
        elif isinstance(event, Liquidated):
            yield _liquidated(event, state, setting)
        elif isinstance(event, PositionClosed) and event.cause == DELEVERAGED:
            yield _deleveraged(event, state, setting)


def stands(alert: Alert, state: State) -> bool | None:
    """Return whether what was told still stands in the engine's state; None: it does not end by itself."""
    if alert.key.startswith(f"{_LATCH} "):
        halt = state.halts.get(alert.cause)
        return halt is not None and key_of(_LATCH, alert.cause, halt.level) == alert.key
    if alert.cause == _LATE_START:
        return False  # whoever asks looks at a session that runs
    if alert.cause in OF_THE_SESSION:
        return alert.cause in state.halts
    if alert.cause not in OF_A_MARKET:
        return None
    market = state.markets.get(alert.symbol)
    if market is None or market.alerts.get(alert.cause) != alert.position_id:
        return False
    held = market.holding.position_id if market.holding is not None else 0
    return alert.position_id in (0, held)


def late_start(began_ms: int, now_ms: int, setting: Setting) -> Raised:
    """Return that a session has begun long ago and does not run yet; the same however often it is asked."""
    text = late_start_text(began_ms, now_ms, setting)
    alert_id = id_of(_LATE_START, began_ms)
    return made(alert_id, _LATE_START, now_ms, "venue", _LATE_START, "", 0, "critical", text)


def is_latch(alert: Alert) -> bool:
    """Return whether it is a halt that a person lifts: then an alert of its own says so."""
    return alert.key.startswith(f"{_LATCH} ")


def _raised(event: AlertRaised, setting: Setting) -> Raised:
    key = key_of(event.cause, event.symbol, event.position_id)
    text = raised_text(event, kind_words(event.cause), event.severity, setting)
    kind = KINDS.get(event.cause, "bot")
    return made(
        id_of(event),
        key,
        event.ts_ms,
        kind,
        event.cause,
        event.symbol,
        event.position_id,
        event.severity,
        text,
    )


def _latched(event: AlertRaised, halt: EntriesHalted, setting: Setting) -> Raised:
    """A latch is told by its cause; what a person ordered is news to others, and no emergency."""
    grade: Grade = "warning" if halt.by == BY_PERSON else event.severity
    text = raised_text(event, f"halted {halt.level}, {kind_words(halt.cause)}", grade, setting)
    key, kind = key_of(_LATCH, halt.cause, halt.level), KINDS.get(halt.cause, "halt")
    return made(id_of(event, halt), key, event.ts_ms, kind, halt.cause, event.symbol, 0, grade, text)


def _moved(event: MarginMoved, state: State, setting: Setting) -> Raised:
    cause = "margin_added" if event.amount_quote > 0.0 else "margin_released"
    text = moved_text(event, state.markets.get(event.symbol), setting)
    key = key_of(cause, event.symbol, event.position_id)
    return made(
        id_of(event), key, event.ts_ms, "margin_moved", cause, event.symbol, event.position_id, "info", text
    )


def _deleveraged(event: PositionClosed, state: State, setting: Setting) -> Raised:
    text = deleveraged_text(event, _cool_until_ms(event.symbol, state), setting)
    key, owner = key_of(DELEVERAGED, event.symbol, event.position_id), event.position_id
    return made(
        id_of(event), key, event.ts_ms, "liquidation", DELEVERAGED, event.symbol, owner, "warning", text
    )


def _cool_until_ms(symbol: str, state: State) -> int:
    market = state.markets.get(symbol)
    return market.cool_until_ms if market is not None else 0


def _liquidated(event: Liquidated, state: State, setting: Setting) -> Raised:
    text = liquidated_text(event, _cool_until_ms(event.symbol, state), setting)
    key = key_of("liquidated", event.symbol, event.trade_id)
    return made(
        id_of(event), key, event.ts_ms, "liquidation", "liquidated", event.symbol, 0, "critical", text
    )
