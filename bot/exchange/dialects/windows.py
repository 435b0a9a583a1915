"""Histories that answer for a few days at a time: what happened in a longer absence is read in windows.

The last row that was reported is within what a venue lists unasked, or the list does not reach back to it.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from bot.core.timeframe import DAY_MS, HOUR_MS

WEEK_MS: Final = 7 * DAY_MS
_QUIET_MS: Final = HOUR_MS


def reaches(times_ms: Iterable[int], since_ms: int | None) -> bool:
    """Return whether a list goes back to the last row that is known; None: none is."""
    return since_ms is None or any(ts_ms <= since_ms for ts_ms in times_ms)


async def in_windows(
    read: Callable[[int, int], Awaitable[list[Any]]], begin_ms: int, end_ms: int, window_ms: int = WEEK_MS
) -> list[Any]:
    """Return the rows of [begin_ms, end_ms], read by `read(first_ms, last_ms)` a window at a time."""
    rows: list[Any] = []
    for first_ms in range(begin_ms, end_ms + 1, window_ms):
        rows += await read(first_ms, first_ms + window_ms - 1)
    return rows


class Quiet:
    """Remembers which histories held nothing new: a symbol that nobody trades is not walked every sweep."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, int]] = {}

    def is_known(self, name: str, since_ms: int, now_ms: int) -> bool:
        """Return whether nothing was found after `since_ms` less than an hour ago, by the host's clock."""
        known_ms, walked_ms = self._found.get(name, (-1, 0))
        return known_ms == since_ms and now_ms - walked_ms < _QUIET_MS

    def learn(self, name: str, since_ms: int, now_ms: int, times_ms: Iterable[int]) -> None:
        """Take note of the times of all rows from `since_ms` on."""
        if all(ts_ms <= since_ms for ts_ms in times_ms):
            self._found[name] = (since_ms, now_ms)
