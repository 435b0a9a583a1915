"""The pages of one session: begun when what is held is protected, ended without holding anybody up.

Nothing of a web framework is imported before that, and a failure here never ends trading.
"""

import asyncio
import socket
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from bot.clock import WallClock
from bot.errors import UserError
from bot.ports import Commit
from bot.settings import Settings
from bot.settings.web import Web
from bot.view.forms import Calculators
from bot.view.watched import Watched
from bot.web.listening import address_of, listen, needs_login

_LOOK_SECONDS: Final = 0.05
_END_SECONDS: Final = 2.0


class WebService:
    """`listen`, then `begin` serves until `close`, which may be called twice; `hear` gets every commit."""

    def __init__(self, watched: Watched, settings: Settings, calculators: Calculators, logger: Any) -> None:
        self._watched, self._settings = watched, settings
        self._calculators, self._logger = calculators, logger
        self._listener: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None
        self._front: Any = None
        self.url = ""

    def hear(self, commit: Commit) -> None:
        """Take what was committed; what comes before the pages stand is in the database, and read there."""
        if self._front is not None:
            self._front.hear(commit)

    def listen(self, *, may_show_secret: bool) -> str:
        """Open the socket and return what a person should know of it; "" where no pages are wanted.

        Whoever comes before the pages stand waits. Where the socket cannot be had there are no pages.
        `may_show_secret`: a person sees the words and no log keeps them.
        """
        choice = self._settings.web
        if not choice.enabled:
            return ""
        try:
            password = self._password(may_show_secret=may_show_secret)
            found = listen(choice.host, choice.port, may_take_next=self._settings.run.mode == "paper")
        except (OSError, UserError) as error:
            reason = str(error) if isinstance(error, UserError) else _of_socket(choice, error)
            self._logger.error("web.unavailable", host=choice.host, port=choice.port, message=reason)
            return f"No pages are served, and trading goes on: {reason}"
        self._listener, self.url = found, address_of(choice, found)
        port = found.getsockname()[1]
        self._logger.info("web.listening", url=self.url, port=port)
        busy = f" ({choice.port} is taken)" if choice.port not in (0, port) else ""
        return f"Risk board: {self.url}{busy}{password}"

    def _password(self, *, may_show_secret: bool) -> str:
        """Return the words that say a new password, "" where none is needed or one was set before."""
        if not needs_login(self._settings):
            return ""
        from bot.web.vault import Vault  # noqa: PLC0415  no paper session on this machine needs it

        vault = Vault(self._watched.path)
        if vault.has_password:
            return ""
        if not may_show_secret:
            self._logger.warning("web.no_password", next_step="ringfence web password")
            return "\nNobody is let in until `ringfence web password` made one; the bot takes it at once."
        return f"\nIts password, shown this once: {vault.new_password()}"

    def begin(self, is_ready: Callable[[], bool]) -> None:
        """Serve as soon as `is_ready`, beside everything else."""
        if self._listener is None:
            return
        self._task = asyncio.create_task(self._run(self._listener, is_ready))
        self._task.add_done_callback(self._tell_end)

    async def close(self) -> None:
        """End the pages and every open stream, within a moment."""
        if self._front is not None:
            self._front.stop()
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=_END_SECONDS if self._front is not None else 0.0)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        self._front = self._task = self._listener = None

    async def _run(self, listener: socket.socket, is_ready: Callable[[], bool]) -> None:
        while not is_ready():
            await asyncio.sleep(_LOOK_SECONDS)
        # In a thread: the loop goes on between its instructions.
        module = await asyncio.to_thread(import_module, "bot.web.front")
        given = (self._watched, self._settings, self._calculators, self._logger, WallClock().now_ms)
        self._front = module.Front(*given)
        await self._front.serve(listener)

    def _tell_end(self, task: "asyncio.Task[None]") -> None:
        """Say that there are no pages any more, where nobody wanted that; trading goes on."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            words = f"No pages are served any more: {error}. Trading goes on."
            self._logger.error("web.ended", error_type=type(error).__name__, message=words)


def _of_socket(choice: Web, error: OSError) -> str:
    reason = error.strerror or str(error)
    return (
        f"{choice.host}:{choice.port} cannot be listened on ({reason}). Set another web.port at the next "
        "start, or 0 for any that is free."
    )
