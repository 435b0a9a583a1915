"""A process inside the simulation: everything its tasks do runs in its context, and dies with it.

A dead process gets no further step: no `finally`, no farewell. What it had sent is on its way.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any

_TIDY = 256


class Killed(BaseException):
    """Raised where a process dies in the middle of what it does; nothing may catch it."""


class Process:
    """`kill_at_step`: it dies before the step of this number; 0: never."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = self.is_over = self.is_hung = False
        self.steps = 0
        self.kill_at_step = 0
        self.on_death: list[Callable[[], None]] = []
        self.belongings: list[Any] = []  # kept so that nothing of a dead process is finalised early
        self.tasks: list[asyncio.Task[Any]] = []
        self._tidy_at = _TIDY

    def own(self, task: "asyncio.Task[Any]") -> None:
        """Take a task as one of its own; those that are done are forgotten now and then."""
        self.tasks.append(task)
        if len(self.tasks) >= self._tidy_at:
            self.tasks = [each for each in self.tasks if not each.done()]
            self._tidy_at = len(self.tasks) + _TIDY

    def step(self) -> None:
        """Count one step."""
        self.steps += 1
        if self.steps == self.kill_at_step:
            self.die()

    def die(self) -> None:
        """End at once."""
        if self.is_dead:
            return
        self.is_dead = True
        for task in self.tasks:
            task._log_destroy_pending = False  # pyright: ignore[reportAttributeAccessIssue]
        self.belongings += [task for task in self.tasks if not task.done()]
        for tell in self.on_death:
            tell()

    def finish(self) -> None:
        """Let what is left of it unwind when the world has ended; it reaches nothing any more."""
        self.is_over, self.is_dead, self.is_hung = True, False, False

    def hang(self) -> None:
        """Let it never come back from where it is: it gets no further step, and does not end either."""
        self.is_hung = True
        self.check()

    def check(self) -> None:
        """Raise Killed in a process that has died or hangs."""
        if self.is_dead or self.is_over or self.is_hung:
            raise Killed(self.name)


_CURRENT: ContextVar[Process | None] = ContextVar("simulated_process", default=None)


def process_of(context: Context) -> Process | None:
    """Return whose context it is; None: the world's."""
    return context.get(_CURRENT)


def make_task(loop: asyncio.AbstractEventLoop, coroutine: Any, context: Context | None = None) -> Any:
    """Make a task that belongs to the process whose context it runs in."""
    context = context or copy_context()
    task = asyncio.Task(coroutine, loop=loop, context=context)
    process = process_of(context)
    if process is not None:
        process.own(task)
    return task


def current_process() -> Process | None:
    """Return the process whose code runs now."""
    return _CURRENT.get()


def enter(process: Process) -> None:
    """Let the current context belong to a process."""
    _CURRENT.set(process)


def leave() -> None:
    """Let the current context belong to the world."""
    _CURRENT.set(None)
