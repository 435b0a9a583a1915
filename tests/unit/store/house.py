"""A running bot's database with everything that its care needs around it, and a clock that a test sets."""

import asyncio
from pathlib import Path
from typing import Any

from bot.core.event import AlertRaised, EntriesHalted, EntriesResumed, Note
from bot.errors import UserError
from bot.settings.model import Storage as Choice
from bot.store.database import open_journal
from bot.store.lock import DatabaseLock
from bot.upkeep import Upkeep
from tests.unit.engine.desk_builder import Bench
from tests.unit.store.story import BINDING, RUN, whole_life, write

MB = 2**20
DAY_MS = 86_400_000


class Clock:
    """Wall time that the test sets; a sleep only lets other tasks run."""

    def __init__(self) -> None:
        self.ms = RUN.started_ms

    def now_ms(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Talk:
    """Stands for the session: it is busy or not, and keeps what it was asked to say."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.engine = self.bench.engine
        self.notes: list[Note] = []
        self.is_busy = self.is_stopped = False
        self.failure: UserError | None = None

    def say(self) -> bool:
        if self.failure is not None:
            raise self.failure
        if self.is_busy:
            return False
        self.notes.extend(self.engine.desk.outbox.take().notes)
        return True

    def stop(self) -> None:
        self.is_stopped = True

    def causes(self) -> list[tuple[str, str]]:
        told = [note for note in self.notes if isinstance(note, AlertRaised | EntriesHalted | EntriesResumed)]
        self.notes.clear()
        return [(type(note).__name__, note.cause) for note in told]


class Log:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def info(self, name: str, **facts: Any) -> None:
        self.lines.append((name, facts))


class House:
    """A running bot on a real database; `free_mb` is what the disk seems to have."""

    def __init__(self, path: Path, **choice: Any) -> None:
        self.path, self.free_mb = path, 10_000
        self.lock = DatabaseLock(path)
        self.lock.acquire()
        self.journal = open_journal(path, BINDING)
        self.journal.start_run(RUN)
        write(self.journal, whole_life())
        self.talk, self.clock, self.log = Talk(), Clock(), Log()
        self.upkeep = Upkeep(
            self.talk,  # pyright: ignore[reportArgumentType]
            self.journal,
            path,
            Choice(**choice),
            self.clock,
            self.log,
            lambda _folder: self.free_mb * MB,
        )

    def leave(self) -> None:
        self.upkeep.close()
        self.journal.close()
        self.lock.release()

    def copies(self) -> list[Path]:
        return sorted((self.path.parent / f"{self.path.name}.backups").glob("*"))
