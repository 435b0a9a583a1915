"""Space kept for the moment when the disk is full: a file that is given up so that the next commit fits."""

import os
from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 8 * 2**20
_CHUNK_BYTES: Final = 2**20


class Reserve:
    """The file `<database>.reserve`."""

    def __init__(self, database: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self._file = database.with_name(f"{database.name}.reserve")
        self._size_bytes = size_bytes

    def is_held(self) -> bool:
        """Return whether the whole reserve is there."""
        return self._file.exists() and self._file.stat().st_size == self._size_bytes

    def hold(self) -> bool:
        """Make the reserve where it is missing; return whether it is there, all of it or nothing."""
        if self.is_held():
            return True
        # Not zeros: a file system that compresses would keep no space for them.
        chunk = os.urandom(_CHUNK_BYTES)
        try:
            with self._file.open("wb", buffering=0) as file:
                for _ in range(self._size_bytes // _CHUNK_BYTES):
                    file.write(chunk)
        except OSError:
            self.release()
        if not self.is_held():
            self.release()
        return self.is_held()

    def release(self) -> bool:
        """Give the space back; return whether there was any."""
        try:
            self._file.unlink()
        except OSError:
            return False
        return True
