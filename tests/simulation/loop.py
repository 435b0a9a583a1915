"""An asyncio loop whose time jumps to the next timer and whose order of ready tasks a seed decides.

What asyncio promises stays: a callback runs after those that were ready before it, unless both are steps of
tasks. Which of several ready tasks goes first is nobody's promise, so the seed permutes them.
"""

import asyncio
import heapq
from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.simulation.process import Process, make_task, process_of

_MOST_STEPS_AT_ONE_INSTANT: Final = 200_000
_RESOLUTION_SECONDS: Final = 1e-9


class Stuck(Exception):
    """Nothing will ever happen again, or everything happens at one instant."""


class _NoSockets:
    """Stands where a selector would; there is nothing to select."""

    def close(self) -> None:
        """Nothing is open."""

    def get_map(self) -> dict[int, Any]:
        return {}


class VirtualLoop(asyncio.BaseEventLoop):
    """`random` None: tasks run in asyncio's own order. `on_instant` is called before time moves on."""

    def __init__(self, random: Random | None, on_instant: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._selector = _NoSockets()
        self._random = random
        self._now = 0.0
        self._clock_resolution = _RESOLUTION_SECONDS
        self._steps_now = 0
        self.steps = 0
        self._dropped: list[Any] = []
        self._frozen: dict[Process, float] = {}
        self.set_task_factory(make_task)
        self.on_instant = on_instant

    def time(self) -> float:
        """Return the seconds since this loop was made."""
        return self._now

    def stand_still(self, seconds: float) -> None:
        """Let time pass while nothing runs, as a slow disk or a paused host does."""
        self._now += seconds

    def freeze(self, process: Process, seconds: float) -> None:
        """Hold back every step of a process for a while, as a paused host does."""
        self._frozen[process] = self._now + seconds
        self.call_later(seconds, self._frozen.pop, process, None)

    def take_up_dropped(self) -> None:
        """Run what the dead have left undone after all: they have to unwind when the world has ended."""
        self._ready.extend(self._dropped)  # pyright: ignore[reportAttributeAccessIssue]
        self._dropped.clear()

    def _run_once(self) -> None:
        scheduled, ready = self._scheduled, self._ready  # pyright: ignore[reportAttributeAccessIssue]
        while scheduled and scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(scheduled)._scheduled = False
        if not ready:
            self._move_on(scheduled)
        end = self._now + self._clock_resolution
        while scheduled and scheduled[0]._when < end:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            ready.append(handle)
        batch = list(ready)
        ready.clear()
        self._count(len(batch))
        for handle in self._ordered(batch):
            self._run(handle)

    def _move_on(self, scheduled: list[Any]) -> None:
        if self._stopping:  # pyright: ignore[reportAttributeAccessIssue]
            return
        if self.on_instant is not None:
            self.on_instant()
        if not scheduled:
            raise Stuck("no task is ready and no timer is set")
        if scheduled[0]._when > self._now:
            self._now = scheduled[0]._when
            self._steps_now = 0

    def _count(self, steps: int) -> None:
        self.steps += steps
        self._steps_now += steps
        if self._steps_now > _MOST_STEPS_AT_ONE_INSTANT:
            raise Stuck(f"{self._steps_now} callbacks ran at one instant")

    def _run(self, handle: Any) -> None:
        if handle._cancelled:
            return
        process = process_of(handle._context)
        if process is not None:
            if process.is_dead:
                self._dropped.append(handle)
                return
            if process in self._frozen:
                thawed = self.call_at(
                    self._frozen[process] + _RESOLUTION_SECONDS, _nothing, context=handle._context
                )
                thawed._callback, thawed._args = handle._callback, handle._args
                return
            process.step()
            if process.is_dead:
                self._dropped.append(handle)
                return
        handle._run()

    def _ordered(self, batch: list[Any]) -> list[Any]:
        """Return the batch with its task steps dealt out anew over their places."""
        if self._random is None or len(batch) < 2:
            return batch
        places = [index for index, handle in enumerate(batch) if _task_of(handle) is not None]
        if len(places) < 2:
            return batch
        dealt = [batch[index] for index in places]
        self._random.shuffle(dealt)
        for index, handle in zip(places, dealt, strict=True):
            batch[index] = handle
        return batch

    def _process_events(self, event_list: Any) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """There are no threads to wake for."""


def _nothing() -> None:
    """Stands where a callback is put that has to wait."""


def _task_of(handle: Any) -> Any:
    owner = getattr(handle._callback, "__self__", None)
    return owner if isinstance(owner, asyncio.Task) else None
