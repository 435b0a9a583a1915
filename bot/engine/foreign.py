"""A position that this database did not open: it is left alone, and nothing is entered beside it."""

from typing import Final

from bot.core.event import EntriesHalted, Reconciled
from bot.core.intent import Fact
from bot.core.position import Position
from bot.engine.desk import Desk

FOREIGN_POSITION: Final = "foreign_position"


def found(desk: Desk, actual: Position) -> None:
    """Halt entries and say so, once per symbol."""
    symbol, now_ms = actual.symbol, desk.state.now_ms
    message = f"{symbol} has a position that this database did not open: close it at the venue"
    if desk.state.halts.get(FOREIGN_POSITION) == message:
        return
    facts: dict[str, Fact] = {"believed": None, "venue": str(actual)}
    desk.outbox.note(Reconciled(now_ms, symbol, FOREIGN_POSITION, facts))
    desk.state.halts[FOREIGN_POSITION] = message
    desk.outbox.note(EntriesHalted(now_ms, symbol, FOREIGN_POSITION, message))
