"""Scheduled copies of a database: where they lie, when the next is due, and which are kept."""

import time
from pathlib import Path

_STAMP = "%Y%m%dT%H%M%SZ"


class Copies:
    """The copies of one database, in `folder` or in `<database>.backups`; the newest `kept` stay."""

    def __init__(self, database: Path, folder: Path | None, kept: int) -> None:
        self._stem = database.name
        self.folder = folder or database.with_name(f"{database.name}.backups")
        self._kept = kept

    def files(self) -> list[Path]:
        """Return every copy there is, oldest first: their names carry the time in UTC."""
        return sorted(self.folder.glob(f"{self._stem}.*Z.backup")) if self.folder.is_dir() else []

    def age_seconds(self, now: float) -> float | None:
        """Return how old the newest copy is at the wall time `now`; None: there is none."""
        files = self.files()
        return now - files[-1].stat().st_mtime if files else None

    def next_file(self, now: float) -> Path:
        """Return the file for a copy at the wall time `now`; its folder is there then. OSError passes."""
        self.folder.mkdir(exist_ok=True)
        return self.folder / f"{self._stem}.{time.strftime(_STAMP, time.gmtime(now))}.backup"

    def prune(self) -> list[Path]:
        """Remove all copies but the newest; return those removed. OSError passes."""
        surplus = self.files()[: -self._kept]
        for file in surplus:
            file.unlink(missing_ok=True)
        return surplus
