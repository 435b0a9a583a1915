"""The risk board of now: built while somebody looks, at most ten times a second, and serialised once."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from bot.core.event import AlertRaised, EntriesHalted, EntriesResumed, MarginMoved
from bot.ports import Commit
from bot.view.risk_maker import RiskBoardMaker, move
from bot.view.watched import Watched
from bot.web.answers import json_bytes
from bot.web.stream import Broadcast

_LEAST_SECONDS: Final = 0.1
_SECONDS_A_READER: Final = 0.001  # 200 readers get five boards a second, for an eighth of a core
_LONGEST_SECONDS: Final = 1.0


class Boards:
    """One session's board as bytes, and what happens, told to everybody who reads the stream."""

    def __init__(
        self, watched: Watched, broadcast: Broadcast, now_ms: Callable[[], int], lag_ms: Callable[[], float]
    ) -> None:
        self._watched, self._broadcast = watched, broadcast
        self.maker = RiskBoardMaker(watched, now_ms, lag_ms)
        self._bytes, self._made_at = b"", float("-inf")
        self._told_at, self._told_of = float("-inf"), None
        self.built = 0

    def hear(self, commit: Commit) -> None:
        """Take what a commit says that a person should see at once."""
        for note in commit.notes:
            if isinstance(note, MarginMoved):
                self.maker.moves.append(note)
                self._broadcast.tell("moved", json_bytes(move(note)))
            elif isinstance(note, AlertRaised):
                self._broadcast.tell("alert", json_bytes(note))
            elif isinstance(note, EntriesHalted | EntriesResumed):
                self._made_at = float("-inf")  # whoever halted sees it in the next board
                self._broadcast.tell("halt", json_bytes({"kind": type(note).__name__, **note._asdict()}))

    def current(self) -> bytes:
        """Return the board, at most a tenth of a second old."""
        now = time.monotonic()
        if now - self._made_at >= _LEAST_SECONDS:
            self._bytes, self._made_at = json_bytes(self.maker.board()), now
            self.built += 1
        return self._bytes

    async def run(self) -> None:
        """Tell the stream's readers of the board until cancelled; without a reader nothing is built."""
        while True:
            readers = self._broadcast.readers
            self._tell_readers()
            await asyncio.sleep(min(max(_LEAST_SECONDS, readers * _SECONDS_A_READER), _LONGEST_SECONDS))

    def _tell_readers(self) -> None:
        if not self._broadcast.readers:
            return
        now, seen = time.monotonic(), self._state()
        if seen != self._told_of or now - self._told_at >= _LONGEST_SECONDS - _LEAST_SECONDS:
            self._told_of, self._told_at = seen, now
            self._broadcast.tell("board", self.current())

    def _state(self) -> Any:
        """What a board shows beside its ages."""
        state = self._watched.engine.state
        return state.now_ms, state.free_quote, state.positions(), tuple(state.halts), len(self.maker.moves)
