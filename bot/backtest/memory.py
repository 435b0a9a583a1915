"""Memory that was freed goes back to the machine: loading candles leaves holes of hundreds of megabytes."""

import ctypes
import gc
from typing import Final

# ctypes.pythonapi is what the process has already; no library is loaded.
_MMAP_THRESHOLD: Final = -3  # of malloc.h
_LARGE: Final = 2**20


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
