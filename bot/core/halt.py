"""Halts: how much the bot may still do, by level, and which actions each level refuses to send.

A latched halt stays until a person lifts it, over every restart; a condition ends with its cause.
Source of the levels: reliability study, section 2.
"""

from typing import Final, Literal, NamedTuple

from bot.core.intent import Action, OpenPosition, ReleaseMargin, SetLeverage

Level = Literal["NO_ENTRY", "REDUCE_ONLY", "FLATTEN", "DISCONNECTED"]

NO_ENTRY: Final = "NO_ENTRY"
REDUCE_ONLY: Final = "REDUCE_ONLY"
FLATTEN: Final = "FLATTEN"
DISCONNECTED: Final = "DISCONNECTED"
LEVELS: Final[tuple[Level, ...]] = (NO_ENTRY, REDUCE_ONLY, FLATTEN, DISCONNECTED)

BY_PERSON: Final = "person"

# Setting the leverage is the first half of an entry; it also moves the margin of what is held.
_ENTRIES: Final = (OpenPosition, SetLeverage)
# A release brings liquidation nearer. An add moves it away, within limits of its own: it protects.
ENLARGING: Final = (*_ENTRIES, ReleaseMargin)

MEANINGS: Final[dict[str, str]] = {
    NO_ENTRY: "nothing is entered; open positions are managed as ever",
    REDUCE_ONLY: "nothing is entered, no margin is released; adds, stops and exits go on",
    FLATTEN: "every position is closed at market, then nothing is entered",
    DISCONNECTED: "nothing is sent but what protects: stops, margin adds, exits",
}


class Halt(NamedTuple):
    """One cause for which the bot is halted. Latched: only a person lifts it."""

    level: Level
    message: str
    since_ms: int
    is_latched: bool


def rank(level: str) -> int:
    """Return the place of a level, 1 to 4; 0 for "", which is none."""
    return LEVELS.index(level) + 1 if level in LEVELS else 0


def is_permitted(level: str, action: Action) -> bool:
    """Return whether an action may be sent while the highest level that stands is `level` ("": none).

    Whatever protects or reduces may always be: stops, take-profits, reduce-only orders, margin adds,
    cancellations.
    """
    if level == "":
        return True
    return not isinstance(action, _ENTRIES if level == NO_ENTRY else ENLARGING)
