"""Whether a strategy looks ahead: its signals over the past must not change when the future is cut off."""

from typing import NamedTuple

from bot.backtest.signal_rows import differing, first_rows, signals_of, telling_rows
from bot.core.candles import Candles
from bot.core.signal import Signals
from bot.errors import UserError
from bot.strategy import Strategy


class Change(NamedTuple):
    """A column that knew the future: how many of its rows changed, the first of them, and what it said there.

    `open_ms` of that row's candle; `with_future` and `without` are the values over all candles and over
    those up to the cut `cut_ms` (open time of the last one kept).
    """

    column: str
    rows: int
    open_ms: int
    cut_ms: int
    with_future: float
    without: float


class Lookahead(NamedTuple):
    """`cuts` of `candles`; after each every row up to it was compared with the row over all of them."""

    candles: int
    cuts: int
    changes: tuple[Change, ...]


def lookahead(strategy: Strategy, candles: Candles, most_cuts: int) -> Lookahead:
    """Return which columns of the strategy's signals change when later candles are cut off.

    Cuts lie where it enters or leaves and evenly between, from its warm-up on. Equal means to the bit: a
    row may only be made of its own and earlier candles. UserError: too few candles to cut.
    """
    total = len(candles.close)
    if total < strategy.warmup + 2:
        raise UserError(
            f"The strategy warms up over {strategy.warmup} candles and there are {total}: nothing is left to "
            "cut. Give it a longer --timerange or a shorter --timeframe."
        )
    whole = signals_of(strategy, candles)
    rows = telling_rows(whole, strategy.warmup - 1, most_cuts)
    rows = rows[rows < total - 1]
    changed: dict[str, set[int]] = {}
    found: dict[str, Change] = {}
    for row in rows.tolist():
        past = signals_of(strategy, first_rows(candles, row + 1))
        kept = Signals._make(column[: row + 1] for column in whole)
        for column in differing(kept, past, 0.0):
            changed.setdefault(column.name, set()).update(column.rows.tolist())
            first = int(column.rows[0])
            seen = found.get(column.name)
            if seen is None or candles.open_ms[first] < seen.open_ms:
                with_future, without = (float(getattr(each, column.name)[first]) for each in (kept, past))
                at_ms, cut_ms = int(candles.open_ms[first]), int(candles.open_ms[row])
                found[column.name] = Change(column.name, 0, at_ms, cut_ms, with_future, without)
    changes = (found[name]._replace(rows=len(changed[name])) for name in Signals._fields if name in found)
    return Lookahead(total, len(rows), tuple(changes))
