"""An asyncio loop whose time jumps to the next timer and whose order of ready tasks a seed decides.

What asyncio promises stays: a callback runs after those that were ready before it, unless both are steps of
tasks. Which of several ready tasks goes first is nobody's promise, so the seed permutes them.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from heapq import heappop, heappush
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


class Step:
    """What asyncio calls a handle, without what only real loops need; the heap sorts it by time."""

    __slots__ = ("_args", "_callback", "_cancelled", "_context", "_when")

    def __init__(self, callback: Any, args: Any, context: Context | None, when: float = 0.0) -> None:
        self._callback, self._args, self._when = callback, args, when
        self._context = copy_context() if context is None else context
        self._cancelled = False

    def cancel(self) -> None:
        """Let it never run."""
        self._cancelled = True
        self._callback = self._args = None

    def cancelled(self) -> bool:
        return self._cancelled

    def when(self) -> float:
        """Return the loop's time at which it is due."""
        return self._when

    def __lt__(self, other: "Step") -> bool:
        return self._when < other._when


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
        self.on_instant = on_instant
        vars(self)["get_debug"] = bool  # asked for every future; this says no without a frame

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

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        """Run a callback in the next batch."""
        step = Step(callback, args, context)
        self._ready.append(step)  # pyright: ignore[reportAttributeAccessIssue]
        return step

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        """Run a callback at a virtual time."""
        step = Step(callback, args, context, when)
        heappush(self._scheduled, step)  # pyright: ignore[reportAttributeAccessIssue]
        return step

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        """Run a callback after a virtual delay."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def create_task(self, coro: Any, *, name: object = None, context: Context | None = None) -> Any:
        """Make a task that belongs to the process of its context."""
        task = make_task(self, coro, context)
        if name is not None:
            task.set_name(str(name))
        return task

    def _run_once(self) -> None:
        scheduled, ready = self._scheduled, self._ready  # pyright: ignore[reportAttributeAccessIssue]
        while scheduled and scheduled[0]._cancelled:
            heappop(scheduled)
        if not ready:
            self._move_on(scheduled)
        end = self._now + _RESOLUTION_SECONDS
        while scheduled and scheduled[0]._when < end:
            ready.append(heappop(scheduled))
        batch = list(ready)
        ready.clear()
        self._count(len(batch))
        if len(batch) > 1:
            self._deal(batch)
        for step in batch:
            if not step._cancelled:
                self._run(step)

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

    def _run(self, step: Any) -> None:
        process = process_of(step._context)
        if process is not None and not self._may_run(process, step):
            return
        try:
            step._context.run(step._callback, *step._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001  as asyncio's own handles do
            self.call_exception_handler({"message": "Exception in callback", "exception": error})

    def _may_run(self, process: Process, step: Any) -> bool:
        """Count the step of a living process; keep that of a dead or hanging one, put off a frozen one's."""
        if not process.is_dead and process in self._frozen:
            step._when = self._frozen[process] + _RESOLUTION_SECONDS
            heappush(self._scheduled, step)  # pyright: ignore[reportAttributeAccessIssue]
            return False
        if not process.is_dead and not process.is_hung:
            process.step()
        if process.is_dead or process.is_hung:
            self._dropped.append(step)
            return False
        return True

    def _deal(self, batch: list[Any]) -> None:
        """Deal the task steps of a batch out anew over their places."""
        if self._random is None:
            return
        places = [index for index, step in enumerate(batch) if _is_of_a_task(step._callback)]
        if len(places) < 2:
            return
        dealt = [batch[index] for index in places]
        self._random.shuffle(dealt)
        for index, step in zip(places, dealt, strict=True):
            batch[index] = step

    def _process_events(self, event_list: Any) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """There are no threads to wake for."""


def _is_of_a_task(callback: Any) -> bool:
    return isinstance(getattr(callback, "__self__", None), asyncio.Task)
