"""A position that this database did not open: it is left alone, and nothing is entered beside it."""

from typing import Final

from bot.core.event import Reconciled
from bot.core.halt import NO_ENTRY
from bot.core.intent import Fact
from bot.core.position import Position
from bot.engine import halts
from bot.engine.desk import Desk

FOREIGN_POSITION: Final = "foreign_position"


def found(desk: Desk, actual: Position) -> None:
    """Halt entries and say so, once per symbol."""
    symbol, now_ms = actual.symbol, desk.state.now_ms
    message = f"{symbol} has a position that this database did not open: close it at the venue"
    known = desk.state.halts.pop(FOREIGN_POSITION, None)
    if known is not None and message in known.message:
        desk.state.halts[FOREIGN_POSITION] = known
        return
    facts: dict[str, Fact] = {"believed": None, "venue": str(actual)}
    desk.outbox.note(Reconciled(now_ms, symbol, FOREIGN_POSITION, facts))
    said = message if known is None else f"{known.message}; {message}"
    halts.latch(desk, NO_ENTRY, FOREIGN_POSITION, said, symbol=symbol)
