"""The market that the kernel plays, made of a history, its closed candles and their estimates."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.backtest.estimates_table import sound_rows
from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Floats, Wholes
from bot.backtest.kernel.market import ENTERS, IS_BROKEN, IS_LONG, IS_SHORT, LEAVES, Market, Played
from bot.backtest.memory import zeros_in_lines
from bot.backtest.recital import Told
from bot.core.candles import Candles
from bot.core.signal import Signals
from bot.errors import UserError
from bot.sim.series import MarketHistory, Series


def market_of(
    history: MarketHistory, candle_ms: int, candles: Mapping[str, Candles], estimates: Floats
) -> Market:
    """Return the bars, and what was known at each closed candle. UserError: candles that do not fit.

    `estimates`: the rows of all symbols, one after the other.
    """
    for symbol, each in candles.items():
        _refuse_broken(symbol, each)
    marks, lasts, is_there = _bars(history)
    first_close_ms = -history.start_ms % candle_ms or candle_ms
    closed = [candles[series.symbol] for series in history.series]
    rows = _rows(closed, history, candle_ms, first_close_ms)
    due, due_values = _due(history)
    candle_bars = candle_ms // history.timeframe_ms
    grouped = _candles(marks, is_there, first_close_ms // history.timeframe_ms, candle_bars, rows)
    market = Market(
        history.start_ms,
        history.timeframe_ms,
        (history.end_ms - history.start_ms) // history.timeframe_ms,
        candle_ms,
        marks,
        lasts,
        is_there,
        due,
        due_values,
        rows,
        estimates,
        first_close_ms,
        candle_bars,
        grouped,
        np.where(grouped[:, :, c.G_IS_WHOLE] == 0.0, np.uint8(IS_BROKEN), np.uint8(0)),
        tuple(_begin(each) for each in rows),
    )
    return with_estimates(market, estimates)


def with_estimates(market: Market, estimates: Floats) -> Market:
    """Return the market with other estimates, written into its own candles."""
    rows, candles = market.rows, market.candles
    if len(estimates):
        sigma = estimates[rows, 0]
        candles[:, :, c.G_SIGMA] = np.where(np.isfinite(sigma), sigma, 0.0)
        candles[:, :, c.G_IS_WILD] = estimates[rows, 5]
        candles[:, :, c.G_ROW] = rows
    return market._replace(estimates=estimates)


def played_of(market: Market, told: Sequence[Told], warmup: int) -> Played:
    """Return the market with what was said of it, symbol by symbol, from the last row of the warm-up on."""
    words = [_words(each.signals, warmup) for each in told]
    strengths = _joined([each.signals.strength for each in told])
    stop_distances = _joined([each.signals.stop_distance for each in told])
    at_closes = _at_closes(market, words)
    return Played._make((*market[: len(Played._fields) - 3], at_closes, strengths, stop_distances))


def _at_closes(market: Market, words: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The words by symbol and closing candle, none where no candle closes."""
    found, count, first = np.empty(market.rows.shape, np.uint8), market.rows.shape[1], 0
    for s, each in enumerate(words):
        if (begin := market.begins[s] - first) >= 0:
            found[s] = each[begin : begin + count]
        else:
            found[s] = np.append(each, np.uint8(0))[np.maximum(market.rows[s] - first, -1)]
        first += len(each)
    found |= market.broken
    return found


def _begin(rows: Wholes) -> int:
    is_unbroken = len(rows) > 0 and rows[0] >= 0 and bool((np.diff(rows) == 1).all())
    return int(rows[0]) if is_unbroken else -1


def _joined(columns: Sequence[NDArray[np.float64]]) -> Floats:
    whole = columns[0] if len(columns) == 1 else np.concatenate(columns)
    return np.ascontiguousarray(whole, np.float64)


def _words(signals: Signals, warmup: int) -> NDArray[np.uint8]:
    words = np.asarray(signals.entries, np.bool_).view(np.uint8) * np.uint8(ENTERS)
    words |= np.asarray(signals.exits, np.bool_).view(np.uint8) * np.uint8(LEAVES)
    words |= (signals.direction > 0).view(np.uint8) * np.uint8(IS_LONG)
    words |= (signals.direction < 0).view(np.uint8) * np.uint8(IS_SHORT)
    words[: max(warmup - 1, 0)] = 0
    return words


def _bars(history: MarketHistory) -> tuple[Floats, Floats, NDArray[np.uint8]]:
    bars, symbols = (history.end_ms - history.start_ms) // history.timeframe_ms, len(history.series)
    marks, is_there = zeros_in_lines(symbols, bars, 4), np.zeros((symbols, bars), np.uint8)
    is_marked = any(series.mark is not None for series in history.series)
    lasts = zeros_in_lines(symbols, bars, 4) if is_marked else marks
    for s, series in enumerate(history.series):
        last = series.candles
        inside = np.flatnonzero((last.open_ms >= history.start_ms) & (last.open_ms < history.end_ms))
        at = (last.open_ms[inside] - history.start_ms) // history.timeframe_ms
        _fill(marks[s], last if series.mark is None else series.mark, inside, at)
        if is_marked:
            _fill(lasts[s], last, inside, at)
        is_there[s, at] = 1
    return marks, lasts, is_there


def _fill(bars: Floats, candles: Candles, inside: NDArray[np.intp], at: Wholes) -> None:
    for column, values in enumerate((candles.open, candles.high, candles.low, candles.close)):
        bars[at, column] = values[inside]


def _rows(closed: Sequence[Candles], history: MarketHistory, candle_ms: int, first_close_ms: int) -> Wholes:
    closes = np.arange(history.start_ms + first_close_ms, history.end_ms + 1, candle_ms, dtype=np.int64)
    rows, first = np.full((len(closed), len(closes)), -1, np.int64), 0
    for s, each in enumerate(closed):
        times = each.open_ms
        found = np.minimum(np.searchsorted(times, closes - candle_ms), max(len(times) - 1, 0))
        is_closed = times[found] == closes - candle_ms if len(times) else np.zeros(len(closes), np.bool_)
        rows[s, is_closed] = first + found[is_closed]
        first += len(times)
    return rows


def _candles(marks: Floats, is_there: NDArray[np.uint8], first: int, size: int, rows: Wholes) -> Floats:
    """The least and the largest mark within each closing candle, its last, and whether all bars are there."""
    symbols, count = rows.shape
    candles = zeros_in_lines(symbols, count, c.CANDLE_COLUMNS)
    skipped = 0 if first == size else 1  # the first candle began before the range
    begin, groups = first if skipped else 0, count - skipped
    bars, shape = slice(begin, begin + groups * size), (symbols, groups, size)
    candles[:, skipped:, c.G_LOW] = marks[:, bars, 2].reshape(shape).min(axis=2)
    candles[:, skipped:, c.G_HIGH] = marks[:, bars, 1].reshape(shape).max(axis=2)
    candles[:, skipped:, c.G_MARK] = marks[:, bars, 3].reshape(shape)[:, :, -1]
    are_there = is_there[:, bars].reshape(shape).all(axis=2)
    candles[:, skipped:, c.G_IS_WHOLE] = are_there & (rows[:, skipped:] >= 0)
    return candles


def _refuse_broken(symbol: str, candles: Candles) -> None:
    if not sound_rows(candles).all():
        raise UserError(
            f"The kernel does not play candles whose prices do not fit together, and {symbol} has some. "
            'Nothing was simulated. Look at them with "ringfence data check", or use --engine exact.'
        )


def _due(history: MarketHistory) -> tuple[Wholes, Floats]:
    """Settlements, then gaps, by symbol; sorted by time."""
    found: list[tuple[int, int, int, float]] = []
    for s, series in enumerate(history.series):
        found += _settlements(s, series)
    for s, series in enumerate(history.series):
        found += [(gap.from_ms, s, 1, float(gap.until_ms)) for gap in series.gaps]
    inside = sorted(
        (each for each in found if history.start_ms <= each[0] < history.end_ms), key=lambda each: each[0]
    )
    due = np.array([each[:3] for each in inside], np.int64).reshape(len(inside), 3)
    return due, np.array([each[3] for each in inside], np.float64)


def _settlements(s: int, series: Series) -> list[tuple[int, int, int, float]]:
    pairs = zip(series.funding.ts_ms.tolist(), series.funding.rate.tolist(), strict=True)
    return [(ts_ms, s, 0, rate) for ts_ms, rate in pairs]
