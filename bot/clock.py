"""Time for everything that waits: the wall clock, and a virtual one that never makes a test wait."""

import asyncio
import time


class WallClock:
    """UTC of the host."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of real time; 0 lets other tasks run."""
        await asyncio.sleep(seconds)


class VirtualClock:
    """A clock that stands still until somebody sleeps: a sleep advances it at once."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ns = now_ms * 1_000_000

    def now_ms(self) -> int:
        """Return the virtual UTC milliseconds."""
        return self._now_ns // 1_000_000

    def advance(self, ms: int) -> None:
        """Move on by `ms` >= 0, as a host does that was paused. ValueError when negative."""
        if ms < 0:
            raise ValueError(f"a clock cannot go back by {-ms} ms")
        self._now_ns += ms * 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Advance by `seconds` at once and let other tasks run."""
        self._now_ns += round(max(0.0, seconds) * 1e9)
        await asyncio.sleep(0)
