"""One log line for every intent and every outcome, told from the commits that the journal has made."""

from typing import Any, Final

from bot.core.event import (
    AlertRaised,
    BookRebalanced,
    CapBreached,
    CommandDone,
    EntriesHalted,
    EntriesResumed,
    EquityMarked,
    Event,
    ForecastResolved,
    FundingSettled,
    InvariantBroken,
    LeverageSet,
    Liquidated,
    MarginAdjusted,
    MarginHeld,
    MarginMoved,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    PositionClosed,
    PositionOpened,
    PositionRisk,
    Reconciled,
    Refused,
    SignalSeen,
    TradeEvidence,
    VenueDiffers,
)
from bot.core.intent import Intent
from bot.core.position import Position
from bot.ports import Commit

_NAMES: Final[dict[type, str]] = {
    LeverageSet: "leverage.set",
    OrderAccepted: "order.accepted",
    OrderFilled: "order.filled",
    OrderCancelled: "order.cancelled",
    Refused: "intent.refused",
    MarginAdjusted: "margin.adjusted",
    FundingSettled: "funding.settled",
    Liquidated: "position.liquidated",
    SignalSeen: "signal.seen",
    PositionOpened: "position.opened",
    PositionClosed: "position.closed",
    MarginMoved: "margin.moved",
    MarginHeld: "margin.held",
    BookRebalanced: "book.rebalanced",
    CapBreached: "book.cap_breached",
    AlertRaised: "alert.raised",
    EquityMarked: "equity.marked",
    EntriesHalted: "entries.halted",
    EntriesResumed: "entries.resumed",
    CommandDone: "command.done",
    Reconciled: "state.reconciled",
    InvariantBroken: "invariant.broken",
    TradeEvidence: "evidence.trade",
    ForecastResolved: "evidence.forecast",
    VenueDiffers: "venue.differs",
}
_SEVERE: Final = (
    AlertRaised,
    Liquidated,
    EntriesHalted,
    InvariantBroken,
    Refused,
    Reconciled,
    CapBreached,
    VenueDiffers,
)
_QUIET: Final = (EquityMarked, MarginHeld, TradeEvidence, ForecastResolved)


class Narrator:
    """Writes commits to a structlog logger. Market time is `ts_ms`; the line's own time is wall time."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger

    def __call__(self, commit: Commit) -> None:
        """Log what the commit holds: outcomes first, then notes, then what will be sent."""
        for event in (*commit.events, *commit.notes):
            self._event(event)
        for intent in commit.intents:
            self._intent(intent)

    def _event(self, event: Event) -> None:
        name = _NAMES.get(type(event))
        if name is None:
            return
        if isinstance(event, _SEVERE):
            write = self._logger.warning
        elif isinstance(event, _QUIET):
            write = self._logger.debug
        else:
            write = self._logger.info
        write(name, **_facts(event))

    def _intent(self, intent: Intent) -> None:
        action = intent.action._asdict()
        facts = {"seq": intent.seq, "client_id": intent.client_id, "ts_ms": intent.ts_ms, **action}
        self._logger.info(
            f"intent.{_snake(type(intent.action).__name__)}",
            reason=intent.reason,
            **facts,
            facts=intent.facts,
        )


def _facts(event: Event) -> dict[str, Any]:
    return {
        name: value._asdict() if isinstance(value, Position | PositionRisk) else value
        for name, value in zip(event._fields, event, strict=True)
    }


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
