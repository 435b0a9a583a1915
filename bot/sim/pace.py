"""How fast recorded or invented market time passes on the clock."""

import math
from typing import Final

from bot.ports import Clock

_EVENTS_BETWEEN_YIELDS: Final = 256
_TOLERATED_LAG_MS: Final = 5_000
_SHORTEST_WAIT_MS: Final = 2.0


class Pace:
    """Keeps market time at `speed` times the clock; an infinite speed never waits.

    After a pause of the host, or a step of its clock, of more than five seconds it starts counting
    anew: the missed market time is not played in a burst.
    """

    def __init__(self, clock: Clock, speed: float) -> None:
        self._clock, self._speed = clock, speed
        self._is_paced = math.isfinite(speed)
        self._anchor_market_ms = self._anchor_clock_ms = 0.0
        self._previous_ms: int | None = None
        self._until_yield = _EVENTS_BETWEEN_YIELDS

    async def keep(self, ts_ms: int) -> None:
        """Return when the clock has come to market time `ts_ms`; lets other tasks run now and then."""
        if self._is_paced and ts_ms != self._previous_ms:
            await self._wait_for(ts_ms)
        self._until_yield -= 1
        if self._until_yield == 0:
            self._until_yield = _EVENTS_BETWEEN_YIELDS
            await self._clock.sleep(0)

    async def _wait_for(self, ts_ms: int) -> None:
        if self._previous_ms is None:
            self._anchor(ts_ms, self._clock.now_ms())
            return
        step_ms = (ts_ms - self._previous_ms) / self._speed
        self._previous_ms = ts_ms
        wait_ms = self._due_ms(ts_ms) - self._clock.now_ms()
        if not -_TOLERATED_LAG_MS <= wait_ms <= step_ms + _TOLERATED_LAG_MS:
            self._anchor(ts_ms, self._clock.now_ms() + step_ms)
            wait_ms = step_ms
        if wait_ms >= _SHORTEST_WAIT_MS:
            self._until_yield = _EVENTS_BETWEEN_YIELDS
            await self._clock.sleep(wait_ms / 1000.0)

    def _anchor(self, ts_ms: int, clock_ms: float) -> None:
        self._anchor_market_ms, self._anchor_clock_ms, self._previous_ms = ts_ms, clock_ms, ts_ms

    def _due_ms(self, ts_ms: int) -> float:
        return self._anchor_clock_ms + (ts_ms - self._anchor_market_ms) / self._speed
