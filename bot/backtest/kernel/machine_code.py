"""The kernel's machine code: compiled once, kept beside the sources, made anew when any of them changes."""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

import bot
from bot.backtest.compiler import can_compile, compiler
from bot.backtest.kernel.books import Limits, Tables
from bot.backtest.kernel.loop import play
from bot.backtest.kernel.market import Played
from bot.backtest.kernel.record import books_in

Play = Callable[[NDArray[np.void], Played, Limits, Tables], None]

_SOURCES: Final = ("core", "risk", "sim", "backtest/kernel")
_PLAIN: Final = frozenset(
    {"run.py", "setting_up.py", "market_setting.py", "record.py", "warming.py", "kept_code.py"}
)  # of the kernel, and never compiled


@lru_cache(maxsize=1)
def compiled_play() -> Play:
    """Return the loop over all bars, compiled where numba is installed; the first call of it compiles."""
    if not can_compile():
        return play_plainly
    compile_ = compiler()
    from bot.backtest.kernel.compiled_loop import keyed  # noqa: PLC0415  needs numba
    from bot.backtest.kernel.kept_code import bring_made_code  # noqa: PLC0415  needs numba

    bring_made_code(sources_digest())
    return compile_(keyed(sources_digest()), cache=True)


def play_plainly(record: NDArray[np.void], p: Played, limits: Limits, tables: Tables) -> None:
    """Play without machine code."""
    play(books_in(record), p, limits, tables)


def sources_digest() -> str:
    """Return a digest of every source that is compiled into the kernel."""
    root, digest = Path(bot.__file__).parent, hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            if path.name not in _PLAIN:
                digest.update(path.read_bytes())
    return digest.hexdigest()
