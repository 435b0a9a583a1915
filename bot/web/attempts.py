"""Failed logins: after a few, each one doubles the wait, for its address and for all of them together."""

from collections.abc import Callable
from typing import Final

_FREE: Final = 3
_FREE_TOGETHER: Final = 20
_LONGEST_SECONDS: Final = 900.0
_MOST_ADDRESSES: Final = 1_000
_TOGETHER: Final = ""


class Attempts:
    """`now` is any clock that never goes back, in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failed: dict[str, tuple[int, float]] = {}  # by address: how often, and until when it waits

    def wait_seconds(self, address: str) -> float:
        """Return how long this address has to wait before it may try again, 0.0 if it may now."""
        until = max(self._failed.get(key, (0, 0.0))[1] for key in (address, _TOGETHER))
        return max(until - self._now(), 0.0)

    def failed(self, address: str) -> None:
        """Count a failure."""
        for key, free in ((address, _FREE), (_TOGETHER, _FREE_TOGETHER)):
            count = self._failed.get(key, (0, 0.0))[0] + 1
            wait = 0.0 if count < free else min(2.0 ** min(count - free, 20), _LONGEST_SECONDS)
            self._failed[key] = (count, self._now() + wait)
        if len(self._failed) > _MOST_ADDRESSES:
            oldest = min((key for key in self._failed if key), key=lambda key: self._failed[key][1])
            del self._failed[oldest]

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address, and those of all together."""
        self._failed.pop(address, None)
        self._failed.pop(_TOGETHER, None)
