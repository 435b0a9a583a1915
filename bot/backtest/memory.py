"""Memory that was freed goes back to the machine: loading candles leaves holes of hundreds of megabytes."""

import ctypes
import gc


def give_back_memory() -> None:
    """Do what can be done; where the C library is another one, nothing."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
