"""What time it is at Hyperliquid: its marks and candles do not say, its account does.

A host's clock that is wrong would else be the time of every price. A market on this machine has a time of its
own and runs at another pace: it adds `time` to prices, and is told by being a day away from the clock.
"""

from collections.abc import Mapping
from typing import Any, Final

_DAY_MS: Final = 86_400_000
_TOLERABLE_MS: Final = 1_500  # how long a reply may be under way, and more


class VenueTime:
    """Follows what was told last; the client's clock as long as the two agree."""

    def __init__(self) -> None:
        self._away_ms = 0

    def now_ms(self, client: Any) -> int:
        """Return the venue's time now."""
        return int(client.milliseconds()) + self._away_ms

    def read(self, client: Any, account: Mapping[str, Any]) -> None:
        """Learn from a reading of the account how far the clock is off."""
        self._follow(client, account.get("time"), _TOLERABLE_MS)

    def told(self, client: Any, row: Mapping[str, Any]) -> int:
        """Return the time of a price, which is now where it has none."""
        self._follow(client, row.get("time"), _DAY_MS)
        return self.now_ms(client)

    def _follow(self, client: Any, said_ms: Any, tolerated_ms: int) -> None:
        if said_ms is None:
            return
        away_ms = int(said_ms) - int(client.milliseconds())
        if abs(away_ms) > tolerated_ms:
            self._away_ms = away_ms
        elif tolerated_ms < _DAY_MS:
            self._away_ms = 0
