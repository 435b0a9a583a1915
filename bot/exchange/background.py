"""Tasks beside a feed: one that fails ends the feed, what is unavailable now is asked for again."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from bot.errors import Transient, Unavailable

PASSING: Final = (Transient, Unavailable)


class Background:
    """`wake` is called whenever a task has ended, so that the feed looks why."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a task."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def raise_failure(self) -> None:
        """Raise what a task has died of, unless it passes by itself."""
        for task in [each for each in self._tasks if each.done()]:
            self._tasks.discard(task)
            error = task.exception()
            if error is not None and not isinstance(error, PASSING):
                raise error

    async def end(self) -> None:
        """Cancel what still runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)
        self._wake()
