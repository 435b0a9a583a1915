"""A broken invariant: counted, journalled, alerted once, and halted as far as its meaning asks for."""

from typing import Final

from bot.core.event import InvariantBroken
from bot.core.halt import NO_ENTRY, REDUCE_ONLY, Level
from bot.engine import halts
from bot.engine.desk import Desk

# Margin may mend a stop that liquidation overtook. Nothing mends numbers that are none, a request that was
# sent twice, or a model of margin that has the wrong sign: there nothing may be released either.
LEVELS: Final[dict[str, Level]] = {
    "I1": NO_ENTRY,
    "I2": NO_ENTRY,
    "I3": NO_ENTRY,
    "I4": REDUCE_ONLY,
    "I5": REDUCE_ONLY,
    "I6": REDUCE_ONLY,
    "I7": REDUCE_ONLY,
    "I8": NO_ENTRY,
    "I9": REDUCE_ONLY,
    "I10": REDUCE_ONLY,
    "I11": NO_ENTRY,
    "I12": NO_ENTRY,
    "I13": REDUCE_ONLY,
    "I14": NO_ENTRY,
    "I15": REDUCE_ONLY,
    "I16": NO_ENTRY,
    "I17": REDUCE_ONLY,
    "I20": NO_ENTRY,
    "I21": NO_ENTRY,
    "I24": NO_ENTRY,
}


def tell(desk: Desk, symbol: str, invariant: str, message: str) -> None:
    """Note the breach and halt: what is believed or done is wrong, and a person must see it."""
    desk.state.tally.invariant_violations += 1
    desk.outbox.note(InvariantBroken(desk.state.now_ms, symbol, invariant, message))
    said = f"{symbol}: {message}" if symbol else message
    halts.latch(desk, LEVELS[invariant], f"invariant_{invariant}", said, symbol=symbol)
