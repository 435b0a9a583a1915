"""Loads recorded market data for a replay: candles, mark prices and funding of a folder.

The only reader of Parquet, feather and CSV. Only the rows of the range and of the warm-up before it
are read and checked.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bot.backtest.coverage import Choice, Extent, choose, covers, longest
from bot.backtest.data_check import Rows, check_candles, check_finite, check_order, refuse
from bot.backtest.data_files import DataFile, files_of
from bot.backtest.stitch import Stitched, contiguous_before, gaps_between, stitch
from bot.core.candles import Candles
from bot.core.timeframe import DAY_MS, MINUTE_MS, timeframe_text
from bot.core.timerange import TimeRange, utc_text
from bot.errors import UserError
from bot.sim.candle_builder import with_funding
from bot.sim.series import NO_FUNDING, Funding, Gap, MarketHistory, Series

DEFAULT_WARMUP_MS: Final = 60 * DAY_MS
_PRICES: Final = ("open", "high", "low", "close")
_CANDLE: Final = (*_PRICES, "volume")
FUNDING: Final = ("funding_rate",)
EVERYTHING: Final = TimeRange(-(1 << 62), 1 << 62)
_TIMES: Final = ("timestamp", "date")
_RATES: Final = (*FUNDING, "open")  # freqtrade keeps funding rates in candles, as their open
_TEXT_TIMES: Final = (
    "%Y-%m-%d %H:%M:%S%.f%:z",
    "%Y-%m-%dT%H:%M:%S%.f%:z",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
)
_LONGEST_SETTLEMENT_MS: Final = DAY_MS
FETCH_AGAIN: Final = "Delete it and fetch it again, or take it out of the folder."
# PanicException: what polars raises, outside of Exception, on some corrupt feather files.
_UNREADABLE: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


class Playable(NamedTuple):
    """What of a folder would be played: the range, the chosen candles, and every file of each symbol."""

    timerange: TimeRange
    choice: Choice
    files: Mapping[str, Sequence[DataFile]]


def load_history(
    directory: Path,
    symbols: Sequence[str],
    timerange: TimeRange | None,
    timeframe_ms: int,
    *,
    allow_gaps: bool = False,
    warmup_ms: int = DEFAULT_WARMUP_MS,
) -> MarketHistory:
    """Return the finest candles up to `timeframe_ms` that cover `timerange` for every symbol.

    Without a range it is the longest one that the finest candles of all symbols share.
    Candles before the range, up to `warmup_ms` of them without a gap, come along for warm-up. With
    `allow_gaps` missing bars are returned as gaps.
    UserError, naming file, row and reason, for anything that is not sound.
    """
    found = playable(directory, symbols, timerange, timeframe_ms)
    return load_playable(found, allow_gaps=allow_gaps, warmup_ms=warmup_ms)


def playable(
    directory: Path,
    symbols: Sequence[str],
    timerange: TimeRange | None,
    timeframe_ms: int,
    detail_ms: int | None = None,
) -> Playable:
    """Return what `load_history` would load, of candles of `detail_ms` where given. UserError: nothing."""
    everything = {symbol: files_of(directory, symbol) for symbol in symbols}
    candidates = {
        symbol: _of_detail(directory, symbol, files, detail_ms) for symbol, files in everything.items()
    }
    if timerange is None:
        timerange = longest(candidates, timeframe_ms, _extent)
    return Playable(timerange, choose(candidates, timeframe_ms, timerange, _extent), everything)


def _of_detail(
    directory: Path, symbol: str, files: Sequence[DataFile], detail_ms: int | None
) -> Sequence[DataFile]:
    """Return the files but the candles of another length. UserError: there are none of that length."""
    if detail_ms is None:
        return files
    lengths = sorted({file.timeframe_ms for file in files if file.kind == "last"})
    if detail_ms not in lengths:
        raise UserError(
            f"The data folder {directory} has no {timeframe_text(detail_ms)} candles of {symbol}; it has "
            f"{', '.join(map(timeframe_text, lengths))}. Choose another --detail, or fetch them with "
            "ringfence download-data."
        )
    return [file for file in files if file.kind != "last" or file.timeframe_ms == detail_ms]


def load_playable(
    found: Playable, *, allow_gaps: bool = False, warmup_ms: int = DEFAULT_WARMUP_MS
) -> MarketHistory:
    """Return the candles that `playable` found. UserError as of `load_history`."""
    timerange, choice = found.timerange, found.choice
    loader = _Loader(timerange, choice.timeframe_ms, allow_gaps, warmup_ms)
    series = tuple(
        loader.series(symbol, choice.files[symbol], files) for symbol, files in found.files.items()
    )
    notices = (*choice.notices, *loader.notices, *(_gap_notice(item) for item in series if item.gaps))
    start_ms, end_ms = timerange
    return MarketHistory(choice.timeframe_ms, start_ms, end_ms, series, notices, choice.played)


def _gap_notice(series: Series) -> str:
    longest = max(series.gaps, key=lambda gap: gap.until_ms - gap.from_ms)
    count = f"{len(series.gaps)} gap" + ("s" if len(series.gaps) > 1 else "")
    return (
        f"{series.symbol}: {count} in the data, each played as a feed outage; the longest lasts from "
        f"{utc_text(longest.from_ms)} to {utc_text(longest.until_ms)} UTC."
    )


class _Loader:
    """One session's range and rules; collects the notices."""

    def __init__(self, timerange: TimeRange, timeframe_ms: int, allow_gaps: bool, warmup_ms: int) -> None:
        self._range, self._timeframe_ms, self._allow_gaps = timerange, timeframe_ms, allow_gaps
        self._window = TimeRange(timerange.start_ms - warmup_ms, timerange.end_ms)
        self.notices: list[str] = []

    def series(self, symbol: str, files: Sequence[DataFile], beside: Sequence[DataFile]) -> Series:
        funding = self._funding(symbol, [file for file in beside if file.kind == "funding"])
        last = self._rows(files, _CANDLE)
        mark = self._mark_rows(symbol, [file for file in beside if file.kind == "mark"])
        if mark is not None:
            is_marked = np.isin(last.ts_ms, mark.ts_ms) | (last.ts_ms < self._range.start_ms)
            last = last.pick(is_marked)
        last = last.pick(slice(contiguous_before(last.ts_ms, self._timeframe_ms, self._range.start_ms), None))
        candles = with_funding(_candles(last), self._timeframe_ms, funding)
        gaps = gaps_between(last.ts_ms, self._timeframe_ms, *self._range)
        return Series(symbol, candles, _marks(candles, mark), funding, gaps)

    def _rows(self, files: Sequence[DataFile], columns: Sequence[str]) -> Stitched:
        """Return the checked rows of some candle files; missing bars are refused unless allowed."""
        parts = []
        for file in files:
            rows = read_rows(file.path, columns, self._window)
            check_candles(file.path, rows, self._timeframe_ms)
            parts.append((file.path, rows))
        whole = stitch(parts)
        gaps = gaps_between(whole.ts_ms, self._timeframe_ms, *self._range)
        if gaps and not self._allow_gaps:
            _refuse_gap(whole, gaps, self._timeframe_ms)
        return whole

    def _mark_rows(self, symbol: str, files: Sequence[DataFile]) -> Stitched | None:
        fitting = [file for file in files if file.timeframe_ms == self._timeframe_ms]
        extents = [extent for file in fitting if (extent := _extent(file)) is not None]
        if covers(extents, self._timeframe_ms, self._range):
            return self._rows(fitting, _PRICES)
        others = ", ".join(file.path.name for file in files)
        self.notices.append(
            f"{symbol}: no {timeframe_text(self._timeframe_ms)} mark candles cover the range"
            f"{f' (there is {others})' if others else ''}; the last price stands in for the mark."
        )
        return None

    def _funding(self, symbol: str, files: Sequence[DataFile]) -> Funding:
        parts = []
        for file in files:
            rows = read_rows(file.path, _RATES[:1], self._window)
            check_order(file.path, rows)
            check_finite(file.path, rows)
            parts.append((file.path, rows))
        whole = stitch(parts) if parts else None
        funding = NO_FUNDING if whole is None else Funding(_to_minute(whole.ts_ms), whole.columns[_RATES[0]])
        self._note_missing_funding(symbol, funding)
        return funding

    def _note_missing_funding(self, symbol: str, funding: Funding) -> None:
        start_ms, end_ms = self._range
        inside = funding.ts_ms[(funding.ts_ms >= start_ms) & (funding.ts_ms < end_ms)]
        longest = int(np.diff(np.concatenate(([start_ms], inside, [end_ms]))).max())
        if not inside.size:
            self.notices.append(f"{symbol}: no funding settlements in the range; none are charged or paid.")
        elif longest > _LONGEST_SETTLEMENT_MS:
            hours = longest // 3_600_000
            self.notices.append(f"{symbol}: {hours} hours of the range have no funding settlement.")


def _to_minute(ts_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return settlement times without the milliseconds that venues add to them."""
    return ts_ms - ts_ms % MINUTE_MS


def _candles(rows: Stitched) -> Candles:
    columns = (rows.columns[name] for name in _CANDLE)
    return Candles(rows.ts_ms, *columns, funding_rate=np.zeros(rows.ts_ms.size))


def _marks(candles: Candles, mark: Stitched | None) -> Candles | None:
    """Return mark candles row for row with `candles`; warm-up rows without a mark keep the last price."""
    if mark is None:
        return None
    row = np.minimum(np.searchsorted(mark.ts_ms, candles.open_ms), mark.ts_ms.size - 1)
    is_marked = mark.ts_ms[row] == candles.open_ms
    columns = {name: np.where(is_marked, mark.columns[name][row], getattr(candles, name)) for name in _PRICES}
    return candles._replace(**columns)


def _refuse_gap(rows: Stitched, gaps: Sequence[Gap], timeframe_ms: int) -> None:
    gap = gaps[0]
    count = sum(gap.until_ms - gap.from_ms for gap in gaps) // timeframe_ms
    before = max(0, int(np.searchsorted(rows.ts_ms, gap.from_ms)) - 1)
    refuse(
        rows.paths[rows.file[before]],
        int(rows.number[before]),
        int(rows.ts_ms[before]),
        f"bars are missing after it, until {utc_text(gap.until_ms)} UTC ({count} in the range, in "
        f"{len(gaps)} gap{'s' if len(gaps) > 1 else ''}; --allow-gaps would play them as feed outages)",
    )


def _extent(file: DataFile) -> Extent | None:
    """Return the first and the last open time of a file, None when it has no rows."""
    scan, schema = _scan(file.path)
    ts_ms = _time(file.path, schema)
    span = _collect(file.path, scan.select(first=ts_ms.min(), last=ts_ms.max())).row(0)
    return None if span[0] is None else (int(span[0]), int(span[1]))


def candle_columns(kind: str) -> tuple[str, ...]:
    """Return the columns of candles of a kind: marks have no volume."""
    return _PRICES if kind == "mark" else _CANDLE


def columns_of(path: Path) -> tuple[str, ...]:
    """Return the names of a file's columns. UserError: it cannot be read."""
    return tuple(_scan(path)[1])


def read_rows(path: Path, columns: Sequence[str], window: TimeRange) -> Rows:
    """Return the rows of a file in `window`, in the file's order. UserError: what it cannot hold."""
    scan, schema = _scan(path)
    wanted = {name: _number(path, schema, name) for name in columns}
    ts_ms = _time(path, schema)
    chosen = scan.with_row_index("row", offset=1).select(pl.col("row").cast(pl.Int64), ts_ms=ts_ms, **wanted)
    is_inside = pl.col("ts_ms").is_null() | pl.col("ts_ms").is_between(*window, closed="left")
    frame = _collect(path, chosen.filter(is_inside))
    timeless = frame.filter(pl.col("ts_ms").is_null())
    if timeless.height:
        refuse(path, int(timeless["row"][0]), None, "has no readable time")
    values = {name: frame[name].fill_null(float("nan")).to_numpy() for name in columns}
    return Rows(frame["row"].to_numpy(), frame["ts_ms"].to_numpy(), values)


def _scan(path: Path) -> tuple[pl.LazyFrame, Mapping[str, pl.DataType]]:
    try:
        if path.suffix == ".parquet":
            scan = pl.scan_parquet(path, glob=False)
        elif path.suffix == ".csv":
            scan = pl.scan_csv(path, infer_schema=False, glob=False)
        else:
            scan = pl.scan_ipc(path, glob=False)
        return scan, scan.collect_schema()
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def _collect(path: Path, scan: pl.LazyFrame) -> pl.DataFrame:
    try:
        return scan.collect()
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: BaseException) -> UserError:
    return UserError(
        f"{path} cannot be read as a {path.suffix[1:]} file: {str(error).partition(chr(10))[0]}. It is "
        f"corrupt or not what its name says. {FETCH_AGAIN}"
    )


def _time(path: Path, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """Return the open time in UTC milliseconds, null where it cannot be told."""
    name = next((name for name in _TIMES if name in schema), None)
    if name is None:
        raise _wrong_columns(path, schema, "timestamp (or date)")
    column, kind = pl.col(name), schema[name]
    if kind.is_integer():
        return column.cast(pl.Int64)
    if isinstance(kind, pl.Datetime):
        return column.dt.timestamp("ms")
    if kind == pl.String and path.suffix == ".csv":
        texts = (column.str.to_datetime(form, strict=False).dt.timestamp("ms") for form in _TEXT_TIMES)
        return pl.coalesce(column.cast(pl.Int64, strict=False), *texts)
    raise _wrong_type(path, name, kind, "whole milliseconds or a date")


def _number(path: Path, schema: Mapping[str, pl.DataType], name: str) -> pl.Expr:
    choices = _RATES if name == _RATES[0] else (name,)
    found = next((choice for choice in choices if choice in schema), None)
    if found is None:
        raise _wrong_columns(path, schema, name)
    kind = schema[found]
    if not kind.is_numeric() and not (kind == pl.String and path.suffix == ".csv"):
        raise _wrong_type(path, found, kind, "numbers")
    return pl.col(found).cast(pl.Float64, strict=False)


def _wrong_columns(path: Path, schema: Mapping[str, pl.DataType], name: str) -> UserError:
    return UserError(
        f"{path} has no column {name}; it has {', '.join(schema) or 'none'}. Candle files need timestamp (or "
        "date), open, high, low, close, volume; funding files timestamp (or date), funding_rate (or open). "
        "Convert the file or take it out of the folder."
    )


def _wrong_type(path: Path, name: str, kind: pl.DataType, wanted: str) -> UserError:
    return UserError(
        f"{path} holds {kind} in column {name} instead of {wanted}. Convert the column or take the file out "
        "of the folder."
    )
