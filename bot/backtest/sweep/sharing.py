"""What every try of a sweep plays on, laid out once in a file: workers map it, and hold one copy together.

A worker reads its pages from where the operating system keeps the file; what it writes stays its own. The
file holds numbers only: what they belong to is given to the workers with their work.
"""

import mmap
from collections.abc import Callable
from copy import copy
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Final, NamedTuple

import numpy as np

from bot.backtest.stage import Stage

_LINE: Final = 64  # of the processor's cache: where an array begins


class Page(NamedTuple):
    """Where an array lies in the file, and what it is."""

    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class LaidOut(NamedTuple):
    """The file, and what was laid out, with a page for each of its arrays."""

    path: Path
    thing: Any


def lay_out(thing: Any, folder: Path) -> LaidOut:
    """Write the arrays of something to a new file. OSError: there is no room for them."""
    known: dict[int, Page] = {}
    with NamedTemporaryFile(dir=folder, delete=False) as file:

        def page_of(array: Any) -> Page:
            if id(array) not in known:
                known[id(array)] = _written(array, file)
            return known[id(array)]

        return LaidOut(Path(file.name), _changed(thing, np.ndarray, page_of))


def picked_up(laid: LaidOut) -> Any:
    """Return what was laid out; its arrays are the file's pages until written to."""
    with laid.path.open("rb") as file:
        pages = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    known: dict[Page, Any] = {}

    def array_of(page: Any) -> Any:
        if page not in known:
            length = page.dtype.itemsize * int(np.prod(page.shape))
            flat = np.frombuffer(pages[page.offset : page.offset + length], page.dtype)
            known[page] = flat.reshape(page.shape)
        return known[page]

    return _changed(laid.thing, Page, array_of)


def _written(array: Any, file: IO[bytes]) -> Page:
    offset = file.tell()
    file.write(np.ascontiguousarray(array).data)
    file.write(bytes(-array.nbytes % _LINE))
    return Page(offset, array.dtype, array.shape)


def _changed(thing: Any, kind: type[Any], change: Callable[[Any], Any]) -> Any:
    """Return the same with another in place of everything of a kind."""

    def inside(part: Any) -> Any:
        return _changed(part, kind, change)

    if isinstance(thing, kind):
        return change(thing)
    if isinstance(thing, tuple):
        parts = map(inside, thing)
        return thing._make(parts) if hasattr(thing, "_make") else tuple(parts)  # pyright: ignore
    if isinstance(thing, list):
        return list(map(inside, thing))
    if isinstance(thing, dict):
        return type(thing)((key, inside(value)) for key, value in thing.items())
    if isinstance(thing, Stage):
        other = copy(thing)
        vars(other).update({name: inside(value) for name, value in vars(thing).items()})
        return other
    return thing
