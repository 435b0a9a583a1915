"""One trading process per database, held by the operating system until the process ends."""

import os
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from bot.errors import UserError
from bot.store.location import writable_directory


class DatabaseLock:
    """The lock file `<database>.lock`. Released by the system when its process dies, however it dies.

    `flag` is what names the file on the command line.
    """

    def __init__(self, path: Path, flag: str = "--db") -> None:
        self._flag = flag
        self._database = writable_directory(path)
        self._file = self._database.with_name(f"{self._database.name}.lock")
        self._lock = FileLock(self._file, timeout=0, mode=0o600)

    def acquire(self) -> None:
        """Take the lock. UserError: another process has it, or the file cannot be made."""
        try:
            self._file.touch()  # says what is wrong where the lock would only say that it is not free
            self._lock.acquire()
        except Timeout as error:
            raise UserError(
                f"{self._database} is in use by another ringfence process{self._holder()}. "
                f"Stop that process first (Ctrl-C there), or name another file with {self._flag}."
            ) from error
        except OSError as error:
            raise UserError(
                f"The lock file {self._file} cannot be made: {error.strerror}. "
                f"Give this user write access to the directory, or name a file elsewhere with {self._flag}."
            ) from error
        self._write_holder()

    def release(self) -> None:
        """Give the lock back; the file stays, because removing it would let two processes hold it."""
        self._lock.release()

    def exists(self) -> bool:
        """Return whether the lock file is there, held or not."""
        return self._file.exists()

    def remove(self) -> None:
        """Remove the file, for a start that was refused before anything was written."""
        self._file.unlink(missing_ok=True)

    def __enter__(self) -> "DatabaseLock":
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _write_holder(self) -> None:
        try:
            self._file.write_text(f"{os.getpid()}\n")
        except OSError as error:
            self.release()
            raise UserError(
                f"The lock file {self._file} cannot be written: {error.strerror}. "
                f"Free some space or name a file elsewhere with {self._flag}."
            ) from error

    def _holder(self) -> str:
        """Return " (process N)" as the holder wrote it, or nothing when it is not known."""
        try:
            process_id = self._file.read_text().strip()
        except OSError:
            return ""
        return f" (process {process_id})" if process_id.isdigit() else ""
