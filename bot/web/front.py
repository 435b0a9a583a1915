"""The web framework's side of the pages: application, socket, server and what runs beside them."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from bot.commands.orders import Orders
from bot.core.event import MarginMoved
from bot.errors import UserError
from bot.ports import Commit
from bot.settings import Settings
from bot.store.alerts import open_count
from bot.store.queries import margin_history
from bot.view.forms import Calculators
from bot.view.history import moved_of
from bot.view.risk_maker import MOVES_KEPT
from bot.view.watched import Watched
from bot.web.answers import Failure
from bot.web.application import application
from bot.web.attempts import Attempts
from bot.web.boards import Boards
from bot.web.guards import Guards
from bot.web.lag import LagMeter
from bot.web.office import Office
from bot.web.serving import server_for
from bot.web.sessions import Sessions
from bot.web.stream import Broadcast
from bot.web.vault import Vault

_COUNT_SECONDS: Final = 1.0


class Front:
    """One session's pages: `serve` until `stop`."""

    def __init__(
        self,
        watched: Watched,
        settings: Settings,
        calculators: Calculators,
        logger: Any,
        now_ms: Callable[[], int],
    ) -> None:
        self._logger, lag = logger, LagMeter()
        broadcast = Broadcast(now_ms())
        boards = Boards(watched, broadcast, now_ms, lag.newest_ms)
        sessions, attempts = Sessions(time.monotonic), Attempts(time.monotonic)
        guards = Guards(settings, Vault(watched.path), sessions, attempts)
        orders = Orders(watched.path, watched.engine.state, time.monotonic, now_ms)
        self.office = Office(
            *(watched, settings, broadcast, boards, lag, calculators, guards, orders),
            *(logger, now_ms, now_ms()),
        )
        self._server = server_for(application(self.office), settings.web)

    def hear(self, commit: Commit) -> None:
        """Take a commit of the session."""
        self.office.boards.hear(commit)

    async def serve(self, listener: socket.socket) -> None:
        """Serve those who come to the socket until `stop`."""
        beside = [asyncio.create_task(each) for each in (self.office.lag.run(), self.office.boards.run())]
        beside += [asyncio.create_task(each) for each in (self._read_moves(), self._count_alerts())]
        try:
            with _logged_by(self._logger):
                await self._server.serve(sockets=[listener])
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            self.office.close()

    def stop(self) -> None:
        """End every stream and the server."""
        self.office.broadcast.close()
        self._server.stop()

    async def _count_alerts(self) -> None:
        """Keep the number of open alerts, once a second while somebody looks."""
        boards, built = self.office.boards, -1
        while True:
            if boards.built != built:
                built = boards.built
                with suppress(UserError, Failure):  # busy: asked again with the next board
                    boards.maker.alerts_open = await self.office.read(open_count)
            await asyncio.sleep(_COUNT_SECONDS)

    async def _read_moves(self) -> None:
        """Take the margin moves of before the pages stood from the database."""
        moves = self.office.boards.maker.moves
        rows = await self.office.read(margin_history, limit=MOVES_KEPT)
        before = [moved for moved in map(moved_of, reversed(rows)) if moved is not None]
        heard: list[MarginMoved] = list(moves)
        known = {moved.client_id for moved in before}
        moves.clear()
        moves.extend([*before, *(moved for moved in heard if moved.client_id not in known)])


class _Lines(logging.Handler):
    """The server's own log lines: what failed by its kind and place, never a text of a request."""

    def __init__(self, logger: Any) -> None:
        super().__init__(logging.WARNING)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        error = record.exc_info[1] if record.exc_info else None
        place, trace = "", getattr(error, "__traceback__", None)
        while trace is not None:
            code = trace.tb_frame.f_code
            place, trace = f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}", trace.tb_next
        kind = "" if error is None else type(error).__name__
        self._logger.warning("web.trouble", error_type=kind, place=place)


@contextmanager
def _logged_by(logger: Any) -> Iterator[None]:
    """Let the server write to our log and nowhere else, as long as it serves."""
    own = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi")]
    before = [(each.handlers, each.propagate) for each in own]
    for each in own:
        is_first = each.name == "uvicorn"
        each.handlers, each.propagate = ([_Lines(logger)] if is_first else []), not is_first
    try:
        yield
    finally:
        for each, (handlers, propagate) in zip(own, before, strict=True):
            each.handlers, each.propagate = handlers, propagate
