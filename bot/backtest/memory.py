"""Memory that was freed goes back to the machine: loading candles leaves holes of hundreds of megabytes.

And arrays that begin where the processor's cache does: what is read row by row then costs one line a row.
"""

import ctypes
import gc
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

# ctypes.pythonapi is what the process has already; no library is loaded.
_TRIM_THRESHOLD: Final = -1  # of malloc.h
_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 2**20
_LARGEST: Final = 2**25  # that glibc takes
_LINE: Final = 64


def keep_heap_small() -> None:
    """Have every large array mapped by itself, so that it is gone when it is freed; glibc alone can."""
    _choose(mapped_from=_LARGE, given_back_from=_LARGE)


def keep_heap_warm() -> None:
    """Have what is freed used again: a page fault for every 4 kB is a tenth of a sweep's try."""
    _choose(mapped_from=_LARGEST, given_back_from=2 * _LARGEST)


def _choose(mapped_from: int, given_back_from: int) -> None:
    choose = getattr(ctypes.pythonapi, "mallopt", None)
    if choose is not None:
        choose(_MMAP_THRESHOLD, mapped_from)
        choose(_TRIM_THRESHOLD, given_back_from)


def give_back_memory() -> None:
    """Do what can be done; where the C library is another one, nothing."""
    gc.collect()
    trim = getattr(ctypes.pythonapi, "malloc_trim", None)
    if trim is not None:
        trim(0)


def zeros_in_lines(*shape: int) -> NDArray[np.float64]:
    """Return zeros whose first begins a line of the cache."""
    count = math.prod(shape)
    room = np.zeros(count + _LINE // 8)
    first = -room.ctypes.data % _LINE // 8
    return room[first : first + count].reshape(shape)
