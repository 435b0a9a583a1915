"""What a person wants told, where and when: the router's settings as plain values. Times are UTC."""

from typing import Final, NamedTuple

from bot.core.alert import Alert, Grade, rank

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000


class Quiet(NamedTuple):
    """A stretch of every day, in minutes since midnight UTC; it may pass midnight. Equal ends: never."""

    start_minute: int
    end_minute: int

    def holds(self, now_ms: int) -> bool:
        """Return whether `now_ms` lies within: the first minute does, the last does not."""
        minute = now_ms % DAY_MS // MINUTE_MS
        if self.start_minute <= self.end_minute:
            return self.start_minute <= minute < self.end_minute
        return minute >= self.start_minute or minute < self.end_minute


NEVER: Final = Quiet(0, 0)


class RouteRule(NamedTuple):
    """One route. `also`: kinds taken whatever their grade; `only`: the kinds it is limited to, empty for all.

    In quiet hours everything waits for their end but what is critical, and that too where
    `does_quiet_critical`. `most_per_hour` bounds what is not critical. `only_escalations`: it hears of an
    alert when nobody has acknowledged it.
    """

    name: str
    least_grade: Grade = "warning"
    also: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    quiet: Quiet = NEVER
    does_quiet_critical: bool = False
    most_per_hour: int = 20
    only_escalations: bool = False

    def takes(self, alert: Alert) -> bool:
        """Return whether alerts of this kind and grade go this way."""
        if self.only and alert.kind not in self.only:
            return False
        return alert.kind in self.also or rank(alert.grade) >= rank(self.least_grade)

    def is_quiet(self, grade: Grade, now_ms: int) -> bool:
        """Return whether a message of this grade has to wait for the end of the quiet hours."""
        return self.quiet.holds(now_ms) and (grade != "critical" or self.does_quiet_critical)


class Rules(NamedTuple):
    """Every route, and what holds for all of them.

    An alert of one key and grade is told once in `repeat_after_ms`. A critical one that nobody has
    acknowledged is told again every `escalate_after_ms`, `escalate_most` times; 0 times: never.
    """

    routes: tuple[RouteRule, ...]
    repeat_after_ms: int = 900_000
    escalate_after_ms: int = 600_000
    escalate_most: int = 6
