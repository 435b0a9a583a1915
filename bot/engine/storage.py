"""The disk under the journal: while it runs short, entries halt; protection goes on, because it must.

What is found is told by a shell that looks at the disk; nothing here reads it and nothing is sent.
"""

from typing import Final

from bot.core.event import AlertRaised, Severity
from bot.core.halt import NO_ENTRY
from bot.core.intent import Fact
from bot.engine import halts
from bot.engine.desk import Desk

DISK_LOW: Final = "disk_low"
DATABASE_DAMAGED: Final = "database_damaged"
BACKUP_FAILED: Final = "backup_failed"
# Space that only just came back would go and come with every checkpoint of the database.
_ENOUGH_AGAIN: Final = 1.25


class Storage:
    """What a session knows of its own storage."""

    def __init__(self, desk: Desk, min_free_bytes: int) -> None:
        self._desk, self._min_free_bytes = desk, min_free_bytes

    @property
    def words(self) -> str:
        """What to say of storage that is not as it should be; "" while it is."""
        known = self._desk.state.halts
        return "; ".join(known[cause].message for cause in (DISK_LOW, DATABASE_DAMAGED) if cause in known)

    def look(self, free_bytes: int, has_reserve: bool) -> bool:
        """Halt entries or let them go on, as is due; return whether something was noted.

        A reserve that was given up says that a write has failed already, whatever the disk reports.
        """
        is_halted = DISK_LOW in self._desk.state.halts
        is_short = free_bytes < self._min_free_bytes or not has_reserve
        if is_short and not is_halted:
            self._halt_for_space(free_bytes, has_reserve)
            return True
        if is_halted and has_reserve and free_bytes >= _ENOUGH_AGAIN * self._min_free_bytes:
            halts.end(self._desk, DISK_LOW)
            return True
        return False

    def found_sound(self) -> bool:
        """Take back what `found_damaged` halted; return whether something was noted."""
        if DATABASE_DAMAGED not in self._desk.state.halts:
            return False
        halts.end(self._desk, DATABASE_DAMAGED)
        return True

    def found_damaged(self, finding: str) -> bool:
        """Halt entries because the database is damaged; return whether something was noted."""
        if DATABASE_DAMAGED in self._desk.state.halts:
            return False
        said = f"the database is damaged ({finding})"
        message = (
            f"{said}. Nothing is entered; open positions are still looked after and their stops rest at the "
            "exchange. Stop the bot and put the newest sound copy in place with `ringfence db restore COPY`, "
            "which keeps this file; what happened since is read from the exchange at the next start."
        )
        self._halt(DATABASE_DAMAGED, said, message, "critical", {})
        return True

    def backup_failed(self, reason: str) -> None:
        """Tell a person that the scheduled copy was not made."""
        message = f"the scheduled backup of the database was not made: {reason} Trading is not affected."
        self._alert(BACKUP_FAILED, message, "warning", {})

    def _halt_for_space(self, free_bytes: int, has_reserve: bool) -> None:
        free, least = free_bytes / 2**20, self._min_free_bytes / 2**20
        said = f"the disk of the database has {free:.0f} MB left, less than {least:.0f} (storage.min_free_mb)"
        if free_bytes >= self._min_free_bytes:
            said = "a write to the database failed for want of space (a quota?), and its reserve is in use"
        has_positions = bool(self._desk.state.positions())
        message = (
            f"{said}. Nothing is entered; stops, exits and margin of open positions go on"
            f"{'' if has_reserve else ', without a reserve'}. Free some space: entries go on by "
            "themselves then. When it is used up the bot stops, and stops rest at the exchange."
        )
        facts: dict[str, Fact] = {"free_bytes": free_bytes, "min_free_bytes": self._min_free_bytes}
        self._halt(DISK_LOW, said, message, "critical" if has_positions else "warning", facts)

    def _halt(self, cause: str, said: str, message: str, severity: Severity, facts: dict[str, Fact]) -> None:
        halts.begin(self._desk, NO_ENTRY, cause, said)
        self._alert(cause, message, severity, facts)

    def _alert(self, cause: str, message: str, severity: Severity, facts: dict[str, Fact]) -> None:
        desk = self._desk
        desk.state.tally.alerts += 1
        desk.outbox.note(AlertRaised(desk.state.now_ms, "", 0, severity, cause, message, facts))
