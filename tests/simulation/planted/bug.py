"""A planted bug: one place of the bot's source, and what stands there instead.

A change that a second rule makes harmless is no bug, and is not planted.
"""

from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[3]


class Bug(NamedTuple):
    """`old` stands exactly once in `file`; `new` takes its place and breaks what `breaks` says.

    `near`: numbers of faults and names of stories that reach the place; they are tried first.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str
    near: tuple[str, ...]

    @property
    def module(self) -> str:
        """Return the name under which the file is imported."""
        return self.file.removesuffix(".py").replace("/", ".")

    def source(self) -> str:
        """Return the file with the bug in it. ValueError: `old` does not stand in it exactly once."""
        sound = (ROOT / self.file).read_text()
        if sound.count(self.old) != 1:
            raise ValueError(f"{self.name}: its text stands {sound.count(self.old)} times in {self.file}")
        return sound.replace(self.old, self.new)
