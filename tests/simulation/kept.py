"""The file of a long run: a line for each piece that is done, after a line that names the commit."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

UNKNOWN: Final = "unknown"
_COMMIT: Final = "commit"
_ROOT: Final = Path(__file__).parents[2]


class Kept:
    """What the file at `path` holds. A line that a death left half written is taken out of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, dict[str, Any]] = {}
        self._commits: list[str] = []
        self._commit = UNKNOWN
        self.read()

    def read(self) -> None:
        """Read the file again: another share of the run may write to it too."""
        self.done, self._commits, self._commit = {}, [], UNKNOWN
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
        if name == _COMMIT:
            self._commit = found
            return
        self.done[name] = found
        if self._commit not in self._commits:
            self._commits.append(self._commit)

    def begin(self, commit: str) -> None:
        """Let what is written from now on belong to a commit."""
        if commit != self._commit or not self.path.exists():
            self._write(_COMMIT, commit)

    def finish(self, name: str, found: dict[str, Any]) -> None:
        """Write that a piece is done."""
        self._write(name, found)

    def _write(self, name: str, found: Any) -> None:
        with self.path.open("a") as lines:
            lines.write(json.dumps({name: found}) + "\n")
        self._take(name, found)

    def commits(self) -> tuple[str, ...]:
        """Return the commits of which something was done, in the order of the file."""
        return tuple(self._commits)


def described_commit() -> str:
    """Return the commit of this checkout, `-dirty` when files differ from it; `unknown` without git."""
    words = ("git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=12")
    try:
        found = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return UNKNOWN
    return found.stdout.strip() or UNKNOWN
