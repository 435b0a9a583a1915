"""What the disk under a folder takes to make one write durable: the floor of every commit."""

import os
import time
from pathlib import Path

_WRITES = 100
_PAGE = bytes(4096)


def sync_ms(folder: Path) -> list[float]:
    """Return how many milliseconds each of some overwrites of 4 KiB took until the disk had it."""
    descriptor = os.open(folder / "floor", os.O_RDWR | os.O_CREAT)
    try:
        return [_overwrite(descriptor) for _ in range(_WRITES)]
    finally:
        os.close(descriptor)


def _overwrite(descriptor: int) -> float:
    began = time.perf_counter()
    os.pwrite(descriptor, _PAGE, 0)
    os.fsync(descriptor)
    return 1000.0 * (time.perf_counter() - began)
