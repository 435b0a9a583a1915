"""What a try frees is used by the next one."""

import platform
import subprocess
import sys

import pytest

_PROBE = """
import resource
import numpy as np
from bot.backtest import memory

def faults() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.full(400_000, 1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

memory.keep_heap_small()
memory.keep_heap_warm()
np.full(400_000, 1.0)
print(faults())
"""
_PAGES = 20 * 400_000 * 8 // 4_096


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_arrays_of_a_try_are_made_of_what_the_last_one_freed() -> None:
    told = subprocess.run([sys.executable, "-c", _PROBE], check=True, capture_output=True, text=True).stdout
    assert int(told) < 0.1 * _PAGES
