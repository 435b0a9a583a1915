"""The file of a long run: a line for each piece that is done, after a line that names the sources."""

import json
from pathlib import Path
from typing import Any, Final

UNKNOWN: Final = "unknown"
_SOURCES: Final = "sources"


class Kept:
    """What the file at `path` holds. A line that a death left half written is taken out of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, dict[str, Any]] = {}
        self._all_sources: list[str] = []
        self._sources = UNKNOWN
        self.read()

    def read(self) -> None:
        """Read the file again: another share of the run may write to it too."""
        self.done, self._all_sources, self._sources = {}, [], UNKNOWN
        text = self.path.read_bytes() if self.path.exists() else b""
        whole, _, rest = text.rpartition(b"\n")
        if rest:
            print(f"the last line of {self.path} is half written: it is taken out, its runs are run again")
            with self.path.open("r+b") as file:
                file.truncate(len(text) - len(rest))
        for number, line in enumerate(whole.splitlines(), 1):
            self._read_line(number, line)

    def _read_line(self, number: int, line: bytes) -> None:
        try:
            ((name, found),) = json.loads(line).items()
        except ValueError:
            print(f"line {number} of {self.path} cannot be read: its runs are run again")
            return
        self._take(name, found)

    def _take(self, name: str, found: Any) -> None:
        if name == _SOURCES:
            self._sources = found
            return
        self.done[name] = found
        if self._sources not in self._all_sources:
            self._all_sources.append(self._sources)

    def begin(self, sources: str) -> None:
        """Let what is written from now on belong to these sources."""
        if sources != self._sources or not self.path.exists():
            self._write(_SOURCES, sources)

    def finish(self, name: str, found: dict[str, Any]) -> None:
        """Write that a piece is done."""
        self._write(name, found)

    def _write(self, name: str, found: Any) -> None:
        with self.path.open("a") as lines:
            lines.write(json.dumps({name: found}) + "\n")
        self._take(name, found)

    def all_sources(self) -> tuple[str, ...]:
        """Return the sources of which something was run, in the order of the file."""
        return tuple(self._all_sources)
