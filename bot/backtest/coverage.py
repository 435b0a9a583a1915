"""Which timeframe is replayed: the finest one that covers the range for every symbol."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bot.backtest.data_files import DataFile
from bot.core.timeframe import timeframe_text
from bot.core.timerange import TimeRange, utc_text
from bot.errors import UserError

Extent = tuple[int, int]
ExtentOf = Callable[[DataFile], Extent | None]


class Choice(NamedTuple):
    """`files` by symbol are the candle files of `timeframe_ms` that touch the range or its warm-up.

    `played` is a sentence that names those in the range; `notices` say what they lack.
    """

    timeframe_ms: int
    files: dict[str, list[DataFile]]
    played: str
    notices: tuple[str, ...]


def choose(
    candidates: Mapping[str, Sequence[DataFile]], timeframe_ms: int, timerange: TimeRange, extent_of: ExtentOf
) -> Choice:
    """Return the files to play: timeframes that divide `timeframe_ms`, finest first.

    `extent_of` tells the first and last open time of a file, None when it is empty.
    UserError when no timeframe covers the range for every symbol.
    """
    lacking: list[str] = []
    finer: list[str] = []
    for length_ms in _timeframes(candidates, timeframe_ms):
        extents = {symbol: _extents(files, length_ms, extent_of) for symbol, files in candidates.items()}
        missing = [
            _lacking_text(symbol, length_ms, mine, _empty_files(candidates[symbol], length_ms, mine))
            for symbol, mine in extents.items()
            if not covers(list(mine.values()), length_ms, timerange)
        ]
        if not missing:
            return _chosen(extents, length_ms, timerange, finer)
        lacking += missing
        finer += _parts(extents, length_ms, timerange)
    raise UserError(
        f"No candles of one timeframe up to {timeframe_text(timeframe_ms)} cover the timerange "
        f"{utc_text(timerange.start_ms)} to {utc_text(timerange.end_ms)} UTC for every symbol: "
        f"{'; '.join(lacking) or 'there is no such timeframe'}. Choose a range, a timeframe or symbols that "
        "the data has."
    )


def longest(
    candidates: Mapping[str, Sequence[DataFile]], timeframe_ms: int, extent_of: ExtentOf
) -> TimeRange:
    """Return the longest range that the finest candles shared by every symbol cover without a hole.

    UserError when the symbols have no time in common.
    """
    empty: list[str] = []
    for length_ms in _timeframes(candidates, timeframe_ms):
        shared: list[TimeRange] | None = None
        for files in candidates.values():
            extents = _extents(files, length_ms, extent_of)
            empty += _empty_files(files, length_ms, extents)
            mine = stretches(list(extents.values()), length_ms)
            shared = mine if shared is None else _overlaps(shared, mine)
        if shared:
            return max(shared, key=lambda stretch: stretch.end_ms - stretch.start_ms)
    raise UserError(
        f"The symbols {', '.join(candidates)} have no candles of one timeframe up to "
        f"{timeframe_text(timeframe_ms)} at the same time{_empty_text(empty)}. Choose other symbols, "
        "a longer timeframe or other data."
    )


def covers(extents: Sequence[Extent], length_ms: int, timerange: TimeRange) -> bool:
    """Return whether the files' extents, taken together, hold the whole range."""
    start_ms, end_ms = timerange
    return any(first <= start_ms and end_ms <= last for first, last in stretches(extents, length_ms))


def stretches(extents: Sequence[Extent], length_ms: int) -> list[TimeRange]:
    """Return the ranges that files of candles cover, those that touch joined, in time order."""
    joined: list[TimeRange] = []
    for first_ms, last_ms in sorted(extents):
        if joined and first_ms <= joined[-1].end_ms:
            before = joined.pop()
            joined.append(TimeRange(before.start_ms, max(before.end_ms, last_ms + length_ms)))
        else:
            joined.append(TimeRange(first_ms, last_ms + length_ms))
    return joined


def _overlaps(some: Sequence[TimeRange], others: Sequence[TimeRange]) -> list[TimeRange]:
    pairs = (TimeRange(max(a.start_ms, b.start_ms), min(a.end_ms, b.end_ms)) for a in some for b in others)
    return [pair for pair in pairs if pair.start_ms < pair.end_ms]


def _timeframes(candidates: Mapping[str, Sequence[DataFile]], timeframe_ms: int) -> list[int]:
    lengths = {file.timeframe_ms for files in candidates.values() for file in files if file.kind == "last"}
    return sorted(length for length in lengths if timeframe_ms % length == 0)


def _extents(files: Sequence[DataFile], length_ms: int, extent_of: ExtentOf) -> dict[DataFile, Extent]:
    candles = [file for file in files if file.kind == "last" and file.timeframe_ms == length_ms]
    return {file: extent for file in candles if (extent := extent_of(file)) is not None}


def _empty_files(files: Sequence[DataFile], length_ms: int, extents: Mapping[DataFile, Extent]) -> list[str]:
    """Return the paths of the candle files that have no extent."""
    candles = (file for file in files if file.kind == "last" and file.timeframe_ms == length_ms)
    return [str(file.path) for file in candles if file not in extents]


def _empty_text(empty: Sequence[str]) -> str:
    return f" (no rows in {', '.join(empty)})" if empty else ""


def _lacking_text(
    symbol: str, length_ms: int, extents: Mapping[DataFile, Extent], empty: Sequence[str]
) -> str:
    spans = (f"{utc_text(first)} to {utc_text(last + length_ms)}" for first, last in sorted(extents.values()))
    name = timeframe_text(length_ms)
    covered = f"{name} candles of {' and '.join(spans)}" if extents else f"no {name} candles"
    return f"{symbol} has {covered}{_empty_text(empty)}"


def _parts(
    extents: Mapping[str, Mapping[DataFile, Extent]], length_ms: int, timerange: TimeRange
) -> list[str]:
    """Return in words which parts of a range have candles of a length that does not cover all of it."""
    found: list[str] = []
    for symbol, mine in extents.items():
        held = _overlaps(stretches(list(mine.values()), length_ms), [timerange])
        spans = " and ".join(f"{utc_text(part.start_ms)} to {utc_text(part.end_ms)}" for part in held)
        found += [f"{symbol} has {timeframe_text(length_ms)} candles of {spans}"] if spans else []
    return found


def _chosen(
    extents: Mapping[str, Mapping[DataFile, Extent]],
    length_ms: int,
    timerange: TimeRange,
    finer: Sequence[str],
) -> Choice:
    """Return the files that reach into the range, and those that touch them from before (warm-up)."""
    files = {
        symbol: [file for file, (first_ms, _) in mine.items() if first_ms < timerange.end_ms]
        for symbol, mine in extents.items()
    }
    names = [
        file.path.name
        for symbol, mine in files.items()
        for file in mine
        if extents[symbol][file][1] >= timerange.start_ms
    ]
    played = f"Replaying {timeframe_text(length_ms)} candles from {', '.join(names)}."
    notice = f"Finer candles do not cover the range for every symbol: {'; '.join(finer)}."
    return Choice(length_ms, files, played, (notice,) if finer else ())
