"""Replies that are of all coins at once, read once for several symbols.

Lists and histories cost 20 of the 1200 that an address has a minute, and name no coin: asked for by each
symbol, two of them spend everything. A reply serves each symbol once within a second, any number of times
within a quarter of one, and only as long as nothing was sent and no account message came since it was asked
for. The position is read anew each time, so that a fill that came in between shows as a contradiction.
Position and money are one reply: asked for together they are read once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from bot.exchange.lane import Urgency, urgency_now

_MOMENT_MS: Final = 1_000
_INSTANT_MS: Final = 1
_AT_ONCE_MS: Final = 250
_EARLIER_MS: Final = 3_600_000  # a history from further back would be long


@dataclass(slots=True)
class _Kept:
    version: int
    asked_ms: int
    begin_ms: int
    rows: list[Any]
    served: set[str] = field(default_factory=set)


class SharedReplies:
    """Belongs to one account."""

    def __init__(self) -> None:
        self._version = 0
        self._under_way: dict[tuple[int, Urgency], tuple[int, asyncio.Task[Any]]] = {}
        self._kept: dict[str, _Kept] = {}
        self._begins: dict[tuple[str, str], int] = {}

    def changed(self) -> None:
        """Serve nothing again that was asked for before now."""
        self._version += 1

    async def state(self, client: Any, fetch: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Return the reply to a question that is asked several times at one instant, and sent once."""
        now_ms, key = int(client.milliseconds()), (self._version, urgency_now.get())
        asked_ms, task = self._under_way.get(key, (0, None))
        if task is None or task.done() or not 0 <= now_ms - asked_ms <= _INSTANT_MS:
            task = asyncio.create_task(fetch())
            task.add_done_callback(_heard)
            self._under_way = {key: (now_ms, task)}
        return await asyncio.shield(task)

    async def rows(
        self,
        client: Any,
        name: str,
        symbol: str,
        begin_ms: int,
        fetch: Callable[[int], Awaitable[list[Any]]],
    ) -> list[Any]:
        """Return the rows from `begin_ms` on, or from earlier; `fetch` gets the beginning to ask from."""
        now_ms, kept = int(client.milliseconds()), self._kept.get(name)
        self._begins[(name, symbol)] = begin_ms
        if kept is not None and self._serves(kept, symbol, begin_ms, now_ms):
            kept.served.add(symbol)
            return kept.rows
        version, earliest_ms = self._version, self._earliest(name, begin_ms)
        rows = await fetch(earliest_ms)
        self._kept[name] = _Kept(version, now_ms, earliest_ms, rows, {symbol})
        return rows

    def _serves(self, kept: _Kept, symbol: str, begin_ms: int, now_ms: int) -> bool:
        age_ms = now_ms - kept.asked_ms
        most_ms = _AT_ONCE_MS if symbol in kept.served else _MOMENT_MS
        is_new = kept.version == self._version and 0 <= age_ms <= most_ms
        return is_new and kept.begin_ms <= begin_ms

    def _earliest(self, name: str, begin_ms: int) -> int:
        """Return the earliest beginning that a symbol asks from, unless it is much earlier."""
        asked = (at_ms for (kind, _), at_ms in self._begins.items() if kind == name)
        return min(each for each in (begin_ms, *asked) if each >= begin_ms - _EARLIER_MS)


def _heard(task: "asyncio.Task[Any]") -> None:
    """Take the failure of a reading whose readers have all gone away: nobody else is to be told."""
    if not task.cancelled():
        task.exception()
