"""The host's clocks inside the simulation: `time.time` and its kin tell the loop's virtual time.

ccxt, logging and the bot all ask the `time` module, so it is replaced there while a world runs.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.simulation.loop import VirtualLoop

_NANOSECONDS: Final = 1_000_000_000


class Wall:
    """`skew_ms` is how far the bot's host is ahead of the exchange's."""

    def __init__(self, loop: VirtualLoop, began_ms: int) -> None:
        self._loop, self.began_ms = loop, began_ms
        self.skew_ms = 0.0
        self._known = (-1.0, 0.0, 0)

    def venue_ms(self) -> int:
        """Return the exchange's time."""
        return self.began_ms + round(self._loop.time() * 1000.0)

    def time_ns(self) -> int:
        """Return the bot's host's UTC."""
        now = self._loop.time()
        at, skew_ms, told_ns = self._known
        if at != now or skew_ms != self.skew_ms:
            skew_ns = round(self.skew_ms * 1e6)
            told_ns = self.began_ms * 1_000_000 + skew_ns + round(now * _NANOSECONDS)
            self._known = (now, self.skew_ms, told_ns)
        return told_ns

    def time(self) -> float:
        """Return the bot's host's UTC in seconds."""
        return self.time_ns() / _NANOSECONDS

    def monotonic(self) -> float:
        """Return the seconds since the world began."""
        return self._loop.time()


class VenueClock:
    """The exchange's clock, which no fault of the bot's host moves."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return self._wall.venue_ms()

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        await asyncio.sleep(seconds)


@contextmanager
def on_the_wall(wall: Wall, time_zone: str) -> Iterator[None]:
    """Let the `time` module tell virtual time, in a time zone."""
    real = {name: getattr(time, name) for name in ("time", "time_ns", "monotonic", "monotonic_ns")}
    time.time, time.time_ns, time.monotonic = wall.time, wall.time_ns, wall.monotonic
    time.monotonic_ns = lambda: round(wall.monotonic() * _NANOSECONDS)
    zone = os.environ.get("TZ")
    _live_in(time_zone)
    try:
        yield
    finally:
        _live_in(zone)
        for name, function in real.items():
            setattr(time, name, function)


def _live_in(zone: str | None) -> None:
    if zone is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = zone
    time.tzset()


def cpu_seconds() -> float:
    """Return the processor time spent, which other programs on the host do not change."""
    return time.process_time()
