"""What keeps a venue from being asked: refusals for the rate, bans, weight, outages. Each is told once."""

from collections.abc import Callable
from typing import Any, Final

from bot.core.timerange import utc_second_text
from bot.ports import Clock

Tell = Callable[..., Any]
_APART_MS: Final = 60_000  # what comes again within a minute is the same episode


class Hindrances:
    """`tell(name, **facts)` is called once for each episode. Times are of the host's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tell: Tell | None = None
        self._blocked_until_ms = self._told_until_ms = 0
        self._is_ban = False
        self._slow_until_ms = -_APART_MS
        self._out_since_ms: int | None = None
        self._is_outage_told = False
        self._outage_told_ms = -_APART_MS

    def listen(self, tell: Tell) -> None:
        """Tell what happens from now on."""
        self._tell = tell

    def blocked(self, is_ban: bool, until_ms: int) -> None:
        """The venue refuses requests until then; a ban after a refusal, or a much later end, is told too."""
        stands = self._clock.now_ms() < self._blocked_until_ms + _APART_MS
        self._blocked_until_ms = max(self._blocked_until_ms, until_ms)
        is_worse = is_ban and not self._is_ban
        if stands and not is_worse and until_ms <= self._told_until_ms + _APART_MS:
            return
        self._is_ban = is_ban or (stands and self._is_ban)
        self._told_until_ms = until_ms
        wait_seconds = (until_ms - self._clock.now_ms()) / 1_000.0
        self._say(
            "venue.banned" if is_ban else "venue.rate_limited",
            nothing_is_sent_until=f"{utc_second_text(until_ms)} UTC",
            wait_seconds=wait_seconds,
        )

    def slowed(self, wait_ms: int, used_weight: float, most_weight: float) -> None:
        """Requests wait that long, because what the venue lets us ask in this window is used."""
        now_ms = self._clock.now_ms()
        is_new = now_ms >= self._slow_until_ms + _APART_MS
        self._slow_until_ms = now_ms + wait_ms
        if is_new:
            self._say(
                "venue.waiting_for_weight",
                wait_seconds=wait_ms / 1_000.0,
                used_weight=used_weight,
                most_weight=most_weight,
            )

    def unavailable(self, message: str) -> None:
        """A read failed as often as it was tried."""
        now_ms = self._clock.now_ms()
        if self._out_since_ms is None:
            self._out_since_ms = now_ms
        if self._is_outage_told or now_ms - self._outage_told_ms < _APART_MS:
            return
        self._is_outage_told, self._outage_told_ms = True, now_ms
        self._say("venue.unavailable", message=message)

    def answered(self) -> None:
        """A read succeeded."""
        if self._out_since_ms is None:
            return
        out_seconds = (self._clock.now_ms() - self._out_since_ms) / 1_000.0
        if self._is_outage_told:
            self._say("venue.available", out_seconds=out_seconds)
        self._out_since_ms, self._is_outage_told = None, False

    def _say(self, name: str, **facts: Any) -> None:
        if self._tell is not None:
            self._tell(name, **facts)
