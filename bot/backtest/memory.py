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
_MMAP_THRESHOLD: Final = -3  # of malloc.h
_LARGE: Final = 2**20
_LINE: Final = 64


def keep_heap_small() -> None:
    """Have every large array mapped by itself, so that it is gone when it is freed; glibc alone can."""
    choose = getattr(ctypes.pythonapi, "mallopt", None)
    if choose is not None:
        choose(_MMAP_THRESHOLD, _LARGE)


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
