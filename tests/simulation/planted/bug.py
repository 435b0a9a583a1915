"""A planted bug: one place of the bot's source, and what stands there instead.

A change that a second rule makes harmless is no bug, and is not planted.
"""

from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[3]


class Change(NamedTuple):
    """`old` stands exactly once in `file`, and `new` takes its place."""

    file: str
    old: str
    new: str


class Bug(NamedTuple):
    """A change of one place that breaks what `breaks` says; `also`: the guard behind it is out as well.

    `near`: numbers of faults and names of stories that reach the place; they are tried first.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str
    near: tuple[str, ...]
    also: tuple[Change, ...] = ()

    def sources(self) -> dict[str, str]:
        """Return the changed files, whole. ValueError: a text does not stand exactly once in its file."""
        found: dict[str, str] = {}
        for change in (Change(self.file, self.old, self.new), *self.also):
            before = found.get(change.file) or (ROOT / change.file).read_text()
            if before.count(change.old) != 1:
                raise ValueError(
                    f"{self.name}: a text stands {before.count(change.old)} times in {change.file}"
                )
            found[change.file] = before.replace(change.old, change.new)
        return found


def module_of(file: str) -> str:
    """Return the name under which a file is imported."""
    return file.removesuffix(".py").replace("/", ".")
