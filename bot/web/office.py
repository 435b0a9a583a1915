"""What the API's handlers work with: the bot as it is seen, its boards, its database, its calculators."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from bot.commands.orders import Orders
from bot.settings import Settings
from bot.store.reader import Reader, open_in_use
from bot.view.forms import Calculators
from bot.view.watched import Watched
from bot.web.answers import Failure
from bot.web.boards import Boards
from bot.web.guards import Guards
from bot.web.lag import LagMeter
from bot.web.stream import Broadcast

Answer = TypeVar("Answer")

_THREADS: Final = 2
_MOST_WAITING: Final = 64


@dataclass(slots=True)
class Office:
    """One per session. Heavy questions are answered in two threads of their own, beside the loop."""

    watched: Watched
    settings: Settings
    broadcast: Broadcast
    boards: Boards
    lag: LagMeter
    calculators: Calculators
    guards: Guards
    orders: Orders
    logger: Any
    now_ms: Callable[[], int]
    began_ms: int
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "web"))
    waiting: int = 0

    async def ask(self, question: Callable[..., Answer], *given: Any) -> Answer:
        """Return what a function says that takes its time, asked in a thread. Failure 503: too many wait."""
        if self.waiting >= _MOST_WAITING:
            raise Failure(503, "Too many questions wait already.", headers={"Retry-After": "1"})
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, question, *given)
        finally:
            self.waiting -= 1

    async def read(self, question: Callable[..., Answer], **given: Any) -> Answer:
        """Return what `question` reads from a snapshot of the database."""

        def asked() -> Answer:
            with open_in_use(self.watched.path) as reader:
                return question(reader, **given)

        return await self.ask(asked)

    def close(self) -> None:
        """Let the threads go."""
        self.threads.shutdown(wait=False, cancel_futures=True)


Question = Callable[[Reader], Any]
