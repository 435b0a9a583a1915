"""The alerts of one session: opened with its database, begun with it, ended without holding anybody up.

A failure here is logged and never ends trading.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.alerts.alarm import Alarm
from bot.alerts.courier import in_thread
from bot.alerts.sinks import sinks_of
from bot.alerts.texts import Setting
from bot.clock import WallClock
from bot.engine.desk import Desk
from bot.ports import Commit
from bot.settings import Settings
from bot.store.alerts import AlertBook


class AlertService:
    """`hear` gets every commit of the session. UserError when made: a route leads to no service."""

    def __init__(self, settings: Settings, quote: str, logger: Any) -> None:
        self._settings, self._quote, self._logger = settings, quote, logger
        self._sends = {name: in_thread(sink.send) for name, sink in sinks_of(settings.alerts.routes).items()}
        self._alarm: Alarm | None = None
        self._task: asyncio.Task[None] | None = None

    def open(self, desk: Desk, book: AlertBook, database: Path, is_running: Callable[[], bool]) -> None:
        """Remember what an earlier process knew, before anything is committed by this one."""
        setting = Setting(self._settings.run.mode, self._quote)
        self._alarm = Alarm(
            self._settings.alerts,
            desk,
            book,
            database,
            setting,
            self._sends,
            WallClock(),
            self._logger,
            is_running,
        )

    def hear(self, commit: Commit) -> None:
        """Take what was committed."""
        if self._alarm is not None:
            self._alarm.hear(commit)

    def begin(self) -> None:
        """Look and tell from now on."""
        if self._alarm is not None:
            self._task = asyncio.create_task(self._alarm.keep())
            self._task.add_done_callback(self._tell_end)

    async def close(self) -> None:
        """Tell the last, and wait a moment until it is told."""
        if self._task is None or self._alarm is None:
            return
        task, self._task = self._task, None
        is_well = not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if is_well:
            await self._alarm.close()

    def _tell_end(self, task: "asyncio.Task[None]") -> None:
        """Nobody waits for the task: what ended it is said here, by its kind."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            kind, message = (
                type(error).__name__,
                "Alerts are told no more until the next start; trading goes on.",
            )
            self._logger.error("alert.ended", error_type=kind, message=message)
