"""What there is to know of recorded data before it is believed: every flaw, counted, file by file."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.data_check import Flaws, Rows, candle_flaws, number_flaws, order_flaws
from bot.backtest.data_files import DataFile
from bot.backtest.history import EVERYTHING, FUNDING, candle_columns, columns_of, read_rows
from bot.backtest.stitch import gaps_between
from bot.core.timeframe import HOUR_MS
from bot.core.timerange import utc_text
from bot.errors import UserError

Grade = Literal["error", "warning"]

# A candle so many times as wide as the usual one of the thousand around it is worth a look.
_OUTLIER: Final = 50.0
_AROUND_BARS: Final = 1_000
_LEAST_SPAN: Final = 1e-4  # of a market in which nothing moves
_MARK_AWAY: Final = 0.02
_LARGE_RATE: Final = 0.0075  # the cap of most contracts is 0.75 % or less
_LONGEST_SETTLEMENT_MS: Final = 8 * HOUR_MS
_LATE_MS: Final = HOUR_MS
_NO_TRADES_SHARE: Final = 0.01


class Finding(NamedTuple):
    """One kind of flaw in a file. "error": a replay refuses the rows; "warning": a person should look.

    `rows` is how many have it; `row` (counted from 1) and `ts_ms` name the first of them, or the worst.
    """

    grade: Grade
    rows: int
    row: int
    ts_ms: int
    text: str


class FileReport(NamedTuple):
    """A file with all that was found; `kind` is last, mark or funding. Times -1: it has no rows."""

    path: Path
    symbol: str
    kind: str
    timeframe_ms: int
    rows: int
    first_ms: int
    last_ms: int
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Return whether a replay takes every row of it."""
        return all(finding.grade != "error" for finding in self.findings)


def report_of(file: DataFile, beside: Sequence[DataFile]) -> FileReport:
    """Return everything found in one file. `beside`: the folder's files, which marks are held against."""
    try:
        if "venue" in columns_of(file.path):
            several = "has a column 'venue': rows of several exchanges. Split it into a folder for each"
            return _of(file, (), (Finding("error", 0, 0, -1, several),))
        rows = read_rows(
            file.path, FUNDING if file.kind == "funding" else candle_columns(file.kind), EVERYTHING
        )
    except UserError as error:
        return _of(file, (), (Finding("error", 0, 0, -1, str(error)),))
    if not rows.ts_ms.size:
        return _of(file, rows.ts_ms, (Finding("error", 0, 0, -1, "has no rows"),))
    errors = tuple(_errors(rows, file))
    looks = _funding_warnings(rows) if file.kind == "funding" else _candle_warnings(rows, file)
    found = (*errors, *(() if errors else looks), *_mark_warnings(rows, file, beside, bool(errors)))
    return _of(file, rows.ts_ms, found)


def _of(
    file: DataFile, ts_ms: Sequence[int] | NDArray[np.int64], findings: tuple[Finding, ...]
) -> FileReport:
    count = len(ts_ms)
    first_ms, last_ms = (int(min(ts_ms)), int(max(ts_ms))) if count else (-1, -1)
    return FileReport(file.path, file.stem, file.kind, file.timeframe_ms, count, first_ms, last_ms, findings)


def _errors(rows: Rows, file: DataFile) -> Iterator[Finding]:
    yield from _counted(rows, order_flaws(rows))
    yield from _counted(rows, number_flaws(rows))
    if file.kind != "funding":
        yield from _counted(rows, candle_flaws(rows, file.timeframe_ms))


def _counted(rows: Rows, flaws: Flaws) -> Iterator[Finding]:
    for is_bad, words in flaws:
        bad = np.flatnonzero(is_bad)
        if bad.size:
            yield Finding("error", int(bad.size), int(rows.number[bad[0]]), int(rows.ts_ms[bad[0]]), words)


def _candle_warnings(rows: Rows, file: DataFile) -> Iterator[Finding]:
    yield from _gap_warning(rows, file.timeframe_ms)
    yield from _outlier_warning(rows)
    if "volume" in rows.columns:
        still = np.flatnonzero(rows.columns["volume"] == 0.0)
        if still.size > _NO_TRADES_SHARE * rows.ts_ms.size:
            share = still.size / rows.ts_ms.size
            yield _warning(rows, still, int(still[0]), f"{share:.1%} of the candles have no volume")


def _gap_warning(rows: Rows, length_ms: int) -> Iterator[Finding]:
    gaps = gaps_between(rows.ts_ms, length_ms, int(rows.ts_ms[0]), int(rows.ts_ms[-1]) + length_ms)
    if not gaps:
        return
    bars = sum(gap.until_ms - gap.from_ms for gap in gaps) // length_ms
    longest = max(gaps, key=lambda gap: gap.until_ms - gap.from_ms)
    row = int(np.searchsorted(rows.ts_ms, longest.from_ms)) - 1
    until = f"nothing until {utc_text(longest.until_ms)} UTC, the longest gap"
    words = f"is followed by {until}; {bars} candles are missing in all"
    yield Finding("warning", len(gaps), int(rows.number[row]), longest.from_ms, words)


def _outlier_warning(rows: Rows) -> Iterator[Finding]:
    """A range is held against the median around it: real crashes stand out too, and are named."""
    span = np.log(rows.columns["high"] / rows.columns["low"])
    blocks = np.split(span, np.arange(_AROUND_BARS, span.size, _AROUND_BARS))
    usual = np.concatenate([np.full(block.size, np.median(block)) for block in blocks])
    times = span / np.maximum(usual, _LEAST_SPAN)
    wide = np.flatnonzero(times > _OUTLIER)
    if wide.size:
        worst = int(wide[np.argmax(times[wide])])
        low, high = (rows.columns[name][worst] for name in ("low", "high"))
        words = f"spans {low:.10g} to {high:.10g}, {times[worst]:.0f} times the usual candle around it"
        yield _warning(rows, wide, worst, words)


def _funding_warnings(rows: Rows) -> Iterator[Finding]:
    rates = rows.columns[FUNDING[0]]
    large = np.flatnonzero(np.abs(rates) > _LARGE_RATE)
    if large.size:
        worst = int(large[np.argmax(np.abs(rates[large]))])
        yield _warning(rows, large, worst, f"pays {rates[worst]:.4%} in one settlement")
    apart = np.diff(rows.ts_ms)
    late = np.flatnonzero(apart > _LONGEST_SETTLEMENT_MS + _LATE_MS)
    if late.size:
        worst = int(late[np.argmax(apart[late])])
        hours = apart[worst] / HOUR_MS
        yield _warning(rows, late, worst, f"is followed by {hours:.0f} hours without a settlement")


def _mark_warnings(
    rows: Rows, file: DataFile, beside: Sequence[DataFile], is_flawed: bool
) -> Iterator[Finding]:
    """Marks far from the last price are real in a crash, and a wrong file otherwise."""
    if file.kind != "mark" or is_flawed:
        return
    for other in beside:
        if (other.kind, other.stem, other.timeframe_ms) != ("last", file.stem, file.timeframe_ms):
            continue
        try:
            last = read_rows(other.path, candle_columns("last"), EVERYTHING)
        except UserError:  # said in that file's own report
            continue
        _, mine, theirs = np.intersect1d(rows.ts_ms, last.ts_ms, return_indices=True)
        with np.errstate(all="ignore"):
            away = np.abs(rows.columns["close"][mine] / last.columns["close"][theirs] - 1.0)
        far = np.flatnonzero(away > _MARK_AWAY)
        if far.size:
            worst = int(far[np.argmax(away[far])])
            words = f"closes {away[worst]:.1%} away from the last price in {other.path.name}"
            yield _warning(rows, mine[far], int(mine[worst]), words)


def _warning(rows: Rows, which: NDArray[np.int64], row: int, words: str) -> Finding:
    return Finding("warning", int(which.size), int(rows.number[row]), int(rows.ts_ms[row]), words)
