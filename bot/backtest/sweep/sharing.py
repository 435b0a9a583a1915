"""What every try of a sweep plays on, laid out once in a file: workers map it, and hold one copy together.

A worker reads its pages from where the operating system keeps the file; what it writes stays its own.
"""

import mmap
import pickle
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final, NamedTuple

_LINE: Final = 64  # of the processor's cache: where an array begins


class LaidOut(NamedTuple):
    """Where something lies: the file, and the length of its description and of each of its arrays."""

    path: Path
    lengths: tuple[int, ...]


def lay_out(thing: Any, folder: Path) -> LaidOut:
    """Write something that holds large arrays to a new file. OSError: there is no room for it."""
    arrays: list[pickle.PickleBuffer] = []
    description = pickle.dumps(thing, pickle.HIGHEST_PROTOCOL, buffer_callback=arrays.append)
    parts = [memoryview(description), *(array.raw() for array in arrays)]
    with NamedTemporaryFile(dir=folder, delete=False) as file:
        for part in parts:
            file.write(part)
            file.write(bytes(-part.nbytes % _LINE))
    return LaidOut(Path(file.name), tuple(part.nbytes for part in parts))


def picked_up(laid: LaidOut) -> Any:
    """Return what was laid out, by this very sweep; its arrays are the file's pages until written to."""
    with laid.path.open("rb") as file:
        pages = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    description, *arrays = _parts(pages, laid.lengths)
    return pickle.loads(description, buffers=arrays)


def _parts(pages: memoryview, lengths: Iterable[int]) -> Iterable[memoryview]:
    first = 0
    for length in lengths:
        yield pages[first : first + length]
        first += length + -length % _LINE
