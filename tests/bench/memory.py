"""Measures the resident memory of `ringfence trade` with its live view, as `make run` starts it.

Run by `make bench-memory`; DURATION=60s shortens it. Fails only when the goal is missed threefold.
"""

import argparse
import fcntl
import os
import pty
import signal
import struct
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

_GOAL_MB: Final = 250.0
_GOAL_GROWTH_MB: Final = 5.0  # over the second half of the run: what "flat" means here
_TOO_MUCH: Final = 3.0
_SAMPLES: Final = 20
_ROOT: Final = Path(__file__).resolve().parents[2]
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Sample(NamedTuple):
    """The resident memory of a process `after_s` seconds after its start."""

    after_s: float
    resident_mb: float


def main() -> int:
    """Print the curve and its verdict; return 1 when the goal is missed threefold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", default="10m", help='how long to watch: "90s", "10m"')
    parser.add_argument("arguments", nargs="*", help="flags of `ringfence trade`")
    chosen = parser.parse_args()
    seconds = float(chosen.duration[:-1]) * _UNITS[chosen.duration[-1]]
    with tempfile.TemporaryDirectory() as folder, _program(Path(folder), chosen.arguments) as pid:
        samples = [_shown(sample) for sample in _samples(pid, seconds)]
    return _verdict(samples)


@contextmanager
def _program(folder: Path, arguments: list[str]) -> Iterator[int]:
    """Run the program in a terminal of its own, with a new database; end it politely."""
    database = str(folder / "bench.db")
    command = [sys.executable, "-m", "bot", "trade", "--db", database, *arguments]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(_ROOT)
        os.execv(sys.executable, command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 140, 0, 0))
    threading.Thread(target=_read_all, args=(terminal,), daemon=True).start()
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        os.close(terminal)


def _read_all(terminal: int) -> None:
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        return  # the program ended and took its terminal with it


def _samples(pid: int, seconds: float) -> Iterator[Sample]:
    began = time.monotonic()
    for number in range(1, _SAMPLES + 1):
        due = began + seconds * number / _SAMPLES
        time.sleep(max(due - time.monotonic(), 0.0))
        yield Sample(time.monotonic() - began, _resident_mb(pid))


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024.0
    raise SystemExit("the program ended before the measurement, or this system has no /proc/PID/status")


def _shown(sample: Sample) -> Sample:
    print(f"{sample.after_s:8.0f} s {sample.resident_mb:8.1f} MB", flush=True)
    return sample


def _verdict(samples: list[Sample]) -> int:
    peak = max(sample.resident_mb for sample in samples)
    growth = samples[-1].resident_mb - samples[len(samples) // 2 - 1].resident_mb
    print(f"peak {peak:.1f} MB (goal: under {_GOAL_MB:.0f})")
    print(f"growth over the second half {growth:+.1f} MB (goal: at most {_GOAL_GROWTH_MB:.0f})")
    print("load average " + " ".join(f"{load:.2f}" for load in os.getloadavg()))
    return int(peak > _TOO_MUCH * _GOAL_MB or growth > _TOO_MUCH * _GOAL_GROWTH_MB)


if __name__ == "__main__":
    sys.exit(main())
