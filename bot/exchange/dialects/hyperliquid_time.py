"""What time it is at Hyperliquid: its marks and candles do not say.

There it is the clock's. A market on this machine has a time of its own and runs at another pace; it adds
`time` to what it says, and to be a day away from the clock is how it is told.
"""

from collections.abc import Mapping
from typing import Any, Final

_DAY_MS: Final = 86_400_000


class VenueTime:
    """Follows what was told last."""

    def __init__(self) -> None:
        self._away_ms = 0

    def now_ms(self, client: Any) -> int:
        """Return the venue's time now."""
        return int(client.milliseconds()) + self._away_ms

    def told(self, client: Any, row: Mapping[str, Any]) -> int:
        """Return the time of what the venue says, which is now where it has none."""
        said_ms = row.get("time")
        if said_ms is not None:
            away_ms = int(said_ms) - int(client.milliseconds())
            self._away_ms = away_ms if abs(away_ms) > _DAY_MS else 0
        return self.now_ms(client)
