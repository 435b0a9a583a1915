"""What one step of the engine wants done and said. Sequence numbers and client ids are given here."""

from typing import Final, NamedTuple

from bot.core.event import Note
from bot.core.intent import (
    Action,
    AddMargin,
    CancelOrder,
    Fact,
    Intent,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.engine.rates import count_request
from bot.engine.state import State


class Decision(NamedTuple):
    """The answer of one step: intents in the order they must be sent, and notes for the journal."""

    intents: tuple[Intent, ...]
    notes: tuple[Note, ...]


NOTHING: Final = Decision((), ())

_DIGITS: Final = 7
_MOST_NUMBERS: Final = 10**_DIGITS
_RUNS_KEPT: Final = 200
_LEG: Final[dict[type, str]] = {
    OpenPosition: "E",
    PlaceStop: "S",
    PlaceTakeProfit: "T",
    PlaceTrailingStop: "W",
    ReducePosition: "X",
    AddMargin: "A",
    ReleaseMargin: "R",
    SetLeverage: "L",
    CancelOrder: "C",
}


def _numbered(epoch: str, seq: int) -> str:
    """Return epoch and number in one length for ever: Hyperliquid has room for 17 characters in all.

    After ten million the epoch, 16 million of which are possible, counts on by one.
    """
    rounds, number = divmod(seq, _MOST_NUMBERS)
    if not epoch or rounds == 0:
        return f"{epoch}{seq:07d}"
    length = len(epoch)
    return f"{(int(epoch, 16) + rounds) % 16**length:0{length}x}{number:07d}"


def _remember(runs: list[str], run: str) -> None:
    """Keep the runs of which a request may still be on its way, or rest at the venue."""
    if not runs or runs[-1] != run:
        runs.append(run)
        del runs[:-_RUNS_KEPT]


class Outbox:
    """Collects the intents and notes of one step. `prefix` names the mode in every client id."""

    def __init__(self, state: State, prefix: str) -> None:
        self._state = state
        self.prefix = prefix
        self._intents: list[Intent] = []
        self._notes: list[Note] = []

    def intend(self, action: Action, reason: str, facts: dict[str, Fact] | None = None) -> Intent:
        """Queue an action; it is in flight until its outcome comes back."""
        state = self._state
        seq = state.next_seq
        state.next_seq = seq + 1
        numbered = _numbered(state.epoch, seq)
        _remember(state.runs, numbered[:-_DIGITS])
        client_id = f"{self.prefix}{numbered}{_LEG[type(action)]}"
        intent = Intent(seq, client_id, state.now_ms, action, reason, facts or {})
        state.in_flight[client_id] = intent
        self._intents.append(intent)
        count_request(state, action)
        return intent

    def note(self, note: Note) -> None:
        """Queue a note for the journal."""
        self._notes.append(note)

    @property
    def intents(self) -> tuple[Intent, ...]:
        """What was queued and not taken yet."""
        return tuple(self._intents)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was noted and not taken yet."""
        return tuple(self._notes)

    def take(self) -> Decision:
        """Return what was collected and forget it."""
        if not self._intents and not self._notes:
            return NOTHING
        decision = Decision(tuple(self._intents), tuple(self._notes))
        self._intents.clear()
        self._notes.clear()
        return decision
