"""How much history a strategy needs: its newest signal over short windows against the one over everything.

The bot shows a strategy the last `warmup` candles, a backtest all of them. Where both say different things a
backtest is not what the bot would do.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.signal_rows import TOLERANCE, differing, signals_of, telling_rows
from bot.core.candles import Candles
from bot.core.signal import Signals
from bot.errors import UserError
from bot.strategy import Strategy

_SHARES: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_DECISIONS: Final = ("entries", "exits", "direction")
# A window is held against at least so many times the candles that the strategy asks for.
_BEYOND: Final = 2


class Window(NamedTuple):
    """What the newest signal over the last `candles` differs in from the one over all before it.

    `decisions`: rows that enter or leave otherwise, or to another side. The largest change of strength, and
    of stop distance relative to it, both 0 to 1. `open_ms`: candle of the first row that differs, -1: none.
    """

    candles: int
    decisions: int
    strength: float
    stop_distance: float
    open_ms: int

    @property
    def is_enough(self) -> bool:
        """Return whether nothing differs but what a recursive average may still know of its start."""
        return self.open_ms < 0


class Recursive(NamedTuple):
    """`rows` of `candles` were asked for again over every window; `warmup` is what the strategy asks for."""

    candles: int
    rows: int
    warmup: int
    windows: tuple[Window, ...]

    @property
    def is_warmup_enough(self) -> bool:
        """Return whether the bot, which shows `warmup` candles, hears what a backtest hears."""
        return next(window for window in self.windows if window.candles == self.warmup).is_enough

    @property
    def enough(self) -> int:
        """Return the shortest window from which on nothing differs; 0: none of them."""
        found = 0
        for window in reversed(self.windows):
            if not window.is_enough:
                break
            found = window.candles
        return found


def recursive(strategy: Strategy, candles: Candles, most_rows: int) -> Recursive:
    """Return how the newest signal changes with the history before it, from a quarter to eight warm-ups.

    Differences of up to a millionth of strength and stop distance are none. UserError: too few candles.
    """
    total, warmup = len(candles.close), strategy.warmup
    least = _BEYOND * warmup
    if total <= least:
        raise UserError(
            f"The strategy warms up over {warmup} candles; {total} are too few to hold that against more "
            f"history (more than {least} are needed). Give it a longer --timerange or a shorter --timeframe."
        )
    whole = signals_of(strategy, candles)
    lengths = sorted({max(round(share * warmup), 1) for share in _SHARES})
    lengths = [length for length in lengths if length <= warmup or _BEYOND * length < total]
    rows = telling_rows(whole, least, most_rows)
    windows = tuple(_windows(strategy, candles, whole, rows, lengths))
    return Recursive(total, len(rows), warmup, windows)


def _windows(
    strategy: Strategy, candles: Candles, whole: Signals, rows: NDArray[np.int64], lengths: list[int]
) -> Iterator[Window]:
    for length in lengths:
        try:
            yield _window(strategy, candles, whole, rows, length)
        except UserError:
            if length >= strategy.warmup:  # a shorter window need not be readable
                raise


def _window(
    strategy: Strategy, candles: Candles, whole: Signals, rows: NDArray[np.int64], length: int
) -> Window:
    # Only rows before which there is more than the window are told from all history.
    asked = [row for row in rows.tolist() if row + 1 > length]
    newest = [_newest(strategy, candles, row, length) for row in asked]
    said = Signals._make(np.concatenate(column) for column in zip(*newest, strict=True))
    known = Signals._make(column[asked] for column in whole)
    apart = {column.name: column for column in differing(known, said, TOLERANCE)}
    decisions = {int(row) for name in _DECISIONS if name in apart for row in apart[name].rows}
    firsts = [int(column.rows[0]) for column in apart.values()]
    return Window(
        length,
        len(decisions),
        *(apart[name].largest if name in apart else 0.0 for name in ("strength", "stop_distance")),
        open_ms=int(candles.open_ms[asked[min(firsts)]]) if firsts else -1,
    )


def _newest(strategy: Strategy, candles: Candles, row: int, length: int) -> Signals:
    window = Candles._make(column[row + 1 - length : row + 1] for column in candles)
    return Signals._make(column[-1:] for column in signals_of(strategy, window))
