"""The care of a running bot's database: free space, a check of every page, copies. Beside the loop.

What takes long runs in a thread over a connection that only reads; what is found is said through the session.
"""

import asyncio
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bot.engine.run import Session
from bot.engine.storage import Storage
from bot.errors import RingfenceError, UserError
from bot.ports import Clock
from bot.settings.model import Storage as Choice
from bot.store.backup import GivenUp
from bot.store.chain import Head
from bot.store.copies import Copies
from bot.store.journal import SqliteJournal
from bot.store.maintenance import copy_in_use, damage, head
from bot.store.reserve import RESERVE_BYTES, Reserve

_LOOK_SECONDS: Final = 1.0
# The boot check reads every page too; this one compares every index with its table as well.
_FIRST_CHECK_SECONDS: Final = 600.0
_CHECK_SECONDS: Final = 86_400.0
_TRY_AGAIN_SECONDS: Final = 3_600.0
_MEGABYTE: Final = 2**20


class Upkeep:
    """Cares for one database while its session runs. `failure` is set when the session had to be ended."""

    def __init__(
        self,
        session: Session,
        journal: SqliteJournal,
        path: Path,
        choice: Choice,
        clock: Clock,
        logger: Any,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.failure: RingfenceError | None = None
        self._session, self._path, self._choice, self._clock = session, path, choice, clock
        self._logger, self._free_bytes = logger, free_bytes
        self._storage = Storage(session.engine.desk, choice.min_free_mb * _MEGABYTE)
        self._reserve = journal.reserve = Reserve(path)
        self._copies = Copies(path, choice.backup_folder, choice.backups_kept)
        self._has_news, self._is_first_look = False, True
        self._ending = threading.Event()
        self._work: asyncio.Task[None] | None = None
        self._check_due = self._now() + _FIRST_CHECK_SECONDS
        self._copy_due = self._now() + self._copy_wait(journal.first_start_ms())

    @property
    def words(self) -> str:
        """What to say of storage that is not as it should be; "" while it is."""
        return self._storage.words

    async def keep(self) -> None:
        """Look, check and copy until cancelled; ends the session when the journal cannot be written to."""
        try:
            while True:
                self.look()
                self._begin_work()
                await self._clock.sleep(_LOOK_SECONDS)
        except RingfenceError as error:
            self.failure = error
            self._session.stop()
        finally:
            await self._end_work()

    def close(self) -> None:
        """Give the reserve back: only a running bot needs it."""
        self._reserve.release()

    def look(self) -> None:
        """Look at the disk once, and say what became of it. RingfenceError: it could not be written down."""
        free = self._free_bytes(self._path.parent)
        least = self._choice.min_free_mb * _MEGABYTE
        # A disk that is short at the start may be full later; what was given up is not taken back so soon.
        needed = RESERVE_BYTES + (RESERVE_BYTES if self._is_first_look else least)
        self._is_first_look = False
        has_reserve = self._reserve.is_held() or (free >= needed and self._reserve.hold())
        self._note(self._storage.look(free, has_reserve))

    def _begin_work(self) -> None:
        """Begin what is due, in a task of its own: the look at the disk goes on meanwhile."""
        if self._work is not None and not self._work.done():
            return
        if self._work is not None:
            self._work.result()
        is_due = self._now() >= min(self._check_due, self._copy_due)
        self._work = asyncio.create_task(self.do_due()) if is_due else None

    async def _end_work(self) -> None:
        """Have a thread that still works give up, within a fraction of a second."""
        self._ending.set()
        if self._work is not None:
            await asyncio.gather(self._work, return_exceptions=True)

    async def do_due(self) -> None:
        """Check and copy, where one of them is due."""
        try:
            if self._now() >= self._check_due:
                await self._check()
            if self._now() >= self._copy_due:
                await self._copy()
        except GivenUp:
            return

    async def _check(self) -> None:
        began = time.monotonic()
        findings = await asyncio.to_thread(damage, self._path, self._goes_on)
        self._check_due = self._now() + _CHECK_SECONDS
        self._logger.info(
            "storage.checked", is_sound=not findings, seconds=round(time.monotonic() - began, 3)
        )
        if findings:
            self._note(self._storage.found_damaged(findings[0].message))
        else:
            self._note(self._storage.found_sound())

    async def _copy(self) -> None:
        try:
            file, end = await asyncio.to_thread(self._copied)
        except (UserError, OSError) as error:
            self._copy_due = self._now() + min(_TRY_AGAIN_SECONDS, self._choice.backup_every)
            self._storage.backup_failed(str(error))
            self._note(True)
            return
        self._copy_due = self._now() + self._choice.backup_every
        told = {"journal_rows": end.last_id, "journal_link": end.link}
        self._logger.info("storage.copied", file=str(file), bytes=file.stat().st_size, **told)

    def _copied(self) -> tuple[Path, Head]:
        """Make one copy, prove that it can be used, and remove the oldest beyond those kept.

        Return it and the head of its journal, which a log that is kept elsewhere proves later.
        """
        needed = self._path.stat().st_size + self._choice.min_free_mb * _MEGABYTE
        file = self._copies.next_file(self._now())
        if self._free_bytes(file.parent) < needed:
            raise UserError(f"{file.parent} has too little space for a copy. Free some space.")
        copy_in_use(self._path, file, self._goes_on)
        findings = damage(file, self._goes_on)
        if findings:
            file.unlink()
            raise UserError(f"the copy was damaged ({findings[0].message}). Run `ringfence db check`.")
        self._copies.prune()
        return file, head(file)

    def _goes_on(self) -> bool:
        return not self._ending.is_set()

    def _note(self, is_news: bool) -> None:
        """Have the session say what was noted; while requests are under way it waits for the next look."""
        self._has_news = (self._has_news or is_news) and not self._session.say()

    def _copy_wait(self, first_start_ms: int | None) -> float:
        """Return the seconds to the first copy: counted from the last one, else from the database's birth."""
        if not self._choice.backups_kept:
            return float("inf")
        born = self._now() if first_start_ms is None else first_start_ms / 1000
        age = self._copies.age_seconds(self._now())
        return self._choice.backup_every - (self._now() - born if age is None else age)

    def _now(self) -> float:
        return self._clock.now_ms() / 1000
