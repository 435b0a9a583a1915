"""What time it is at Hyperliquid: its marks and candles do not say, its account does.

A host's clock that is wrong, or that is set meanwhile, would else be the time of every price. Between two
readings of the account the steady clock counts, which nobody sets. A market on this machine has a time of its
own and runs at another pace: it adds `time` to prices, and is told by being a day away from the clock.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

_DAY_MS: Final = 86_400_000
_TOLERABLE_MS: Final = 1_500  # how long a reply may be under way, and more
_DRIFT: Final = 1e-4  # two clocks that nobody sets part by less


class VenueTime:
    """Begins with the host's clock. A reply is as old as its way was long, or older, and never from later.

    `_away_ms`: how far the venue is ahead of the steady clock; `_least_ms`: how far it is at least, by the
    replies, as of `_least_at_ms` of the steady clock.
    """

    def __init__(self) -> None:
        self._away_ms: int | None = None
        self._least_ms, self._least_at_ms = 0.0, 0

    def now_ms(self, client: Any) -> int:
        """Return the venue's time now."""
        if self._away_ms is None:
            self._away_ms = int(client.milliseconds()) - _steady_ms()
        return _steady_ms() + self._away_ms

    def read(self, client: Any, account: Mapping[str, Any]) -> None:
        """Learn the time from a reading of the account."""
        said_ms = account.get("time")
        if said_ms is not None:
            self.learn(client, int(said_ms))

    def learn(self, client: Any, ts_ms: int) -> None:
        """Learn of a time that has come at the venue."""
        self._follow(self.now_ms(client), ts_ms)

    def told(self, client: Any, row: Mapping[str, Any]) -> int:
        """Return the time of a price, which is now where it has none."""
        now_ms, said_ms = self.now_ms(client), row.get("time")
        if said_ms is not None and abs(int(said_ms) - now_ms) > _DAY_MS:
            self._follow(now_ms, int(said_ms))
        return self.now_ms(client)

    def _follow(self, now_ms: int, said_ms: int) -> None:
        steady_ms = _steady_ms()
        known_ms = self._least_ms - _DRIFT * (steady_ms - self._least_at_ms)
        at_least_ms = said_ms - steady_ms
        is_first = self._least_at_ms == 0 or abs(said_ms - now_ms) > _DAY_MS
        self._least_ms = at_least_ms if is_first else max(at_least_ms, known_ms)
        self._least_at_ms = steady_ms
        if not 0 <= now_ms - steady_ms - self._least_ms <= _TOLERABLE_MS:
            self._away_ms = round(self._least_ms)


def _steady_ms() -> int:
    return round(time.monotonic() * 1_000.0)


class LateReadings:
    """Whether readings of the account are newer than what was sent, by the time that they carry.

    An action is refused unread once its window has passed: a reading of after that holds all that it did.
    """

    def __init__(self, time: VenueTime, window_ms: int) -> None:
        self._time, self._window_ms = time, window_ms
        self._until_ms: dict[str, int] = {}
        self._oldest_ms: int | None = None

    def sent(self, client: Any, symbol: str) -> None:
        """Learn that something is sent now."""
        self._until_ms[symbol], self._oldest_ms = self._time.now_ms(client) + self._window_ms, None

    def read(self, account: Mapping[str, Any]) -> None:
        """Learn of a reading."""
        said_ms = int(account.get("time") or 0)
        self._oldest_ms = said_ms if self._oldest_ms is None else min(said_ms, self._oldest_ms)

    def may_hide(self, client: Any, symbol: str) -> bool:
        """Return whether one since the last question may be of before the end of what was sent.

        Where nothing was, a process that is dead may have sent it, before the first question at the latest.
        """
        if symbol not in self._until_ms:
            self.sent(client, symbol)
        oldest_ms, self._oldest_ms = self._oldest_ms or 0, None
        return oldest_ms <= self._until_ms[symbol]
