"""What becomes of every request, from the commit to its end; asked by the loop right before each is sent.

I5 INTENT_FIRST: what is sent was committed before. I6 AT_MOST_ONCE: it is sent once, and again only when the
venue has proved that it never arrived. I7 UNKNOWN_IS_NOT_FAILED: a request whose reply was lost ends only
after the venue was asked. I17 HALT: what a halt forbids is not sent.
"""

from bot.core.halt import is_permitted
from bot.core.intent import Intent
from bot.engine import breach
from bot.engine.desk import Desk
from bot.ports import Commit


class Sendings:
    """The open requests of one session."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._written: set[int] = set()
        self._sent: set[int] = set()

    def hear(self, commit: Commit) -> None:
        """Take note of a commit that is on disk: what it began, and what it ended."""
        self._written.update(intent.seq for intent in commit.intents)
        for resolution in commit.resolutions:
            if resolution.status != "unknown":
                self._written.discard(resolution.seq)
                self._sent.discard(resolution.seq)

    def inherit(self, pending: tuple[Intent, ...]) -> None:
        """Take over what an earlier process committed and may have sent."""
        seqs = [intent.seq for intent in pending]
        self._written.update(seqs)
        self._sent.update(seqs)

    def may_leave(self, intent: Intent, *, is_absent: bool) -> bool:
        """Return whether an intent may be sent, and tell why not. `is_absent`: it provably never arrived."""
        if intent.seq not in self._written:
            self._tell(intent, "I5", "was not committed before it was to be sent")
            return False
        if intent.seq in self._sent and not is_absent:
            self._tell(intent, "I6", "was to be sent again while its fate is not known")
            return False
        level = self._desk.state.halt_level()
        if not is_permitted(level, intent.action):
            self._tell(intent, "I17", f"was to be sent while {level} stands")
            return False
        self._sent.add(intent.seq)
        return True

    def ends(self, intent: Intent, *, was_asked_for: bool, is_in_doubt: bool) -> None:
        """Tell when a request in doubt ends without the venue having been asked."""
        if is_in_doubt and not was_asked_for:
            self._tell(intent, "I7", "ended, and the venue was not asked what became of it")

    def _tell(self, intent: Intent, invariant: str, message: str) -> None:
        breach.tell(self._desk, intent.action.symbol, invariant, f"{intent.client_id} {message}")
