"""How late the event loop runs: everything in it, trading too, waits so long."""

import asyncio
import time
from collections import deque
from typing import Final

_EVERY_SECONDS: Final = 0.05
_KEPT: Final = 1_200  # a minute


class LagMeter:
    """Measures while `run` runs."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=_KEPT)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due = time.monotonic() + _EVERY_SECONDS
            await asyncio.sleep(_EVERY_SECONDS)
            self._seen.append(max(time.monotonic() - due, 0.0))

    def newest_ms(self) -> float:
        """Return the longest delay of the last second, in milliseconds."""
        return 1_000.0 * max(list(self._seen)[-20:], default=0.0)

    def at_ms(self, share: float) -> float:
        """Return the delay that `share` (0 to 1) of the last minute stayed under, in milliseconds."""
        ordered = sorted(self._seen)
        return 1_000.0 * ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0
