"""Fills files with a venue's candles and funding: only what they lack, page by page, written as it comes."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bot.core.timeframe import MINUTE_MS, timeframe_text
from bot.core.timerange import TimeRange, utc_text

if TYPE_CHECKING:
    from bot.backtest.series_file import SeriesFile
    from bot.exchange.histories import CandleKind, Histories
    from bot.sim.series import Gap

Row = tuple[float, ...]

_PAGES_UNTIL_SAVED: Final = 20
_LONGEST_SETTLEMENT_MS: Final = 8 * 60 * MINUTE_MS  # no venue here settles more rarely
_LATE_MS: Final = MINUTE_MS  # settlements come some milliseconds after the hour


class Fetched(NamedTuple):
    """One file as it stands for the range. `note`: what it lacks, "" when it is whole."""

    file: str
    rows: int
    fetched: int
    note: str
    is_whole: bool


class Fetcher:
    """`tell(file, done, total)` hears how many of the missing candles have come."""

    def __init__(
        self,
        histories: "Histories",
        folder: Path,
        timerange: TimeRange,
        tell: Callable[[str, int, int], None],
    ) -> None:
        self._histories, self._folder, self._range, self._tell = histories, folder, timerange, tell

    async def candles(self, symbol: str, length_ms: int, kind: "CandleKind") -> Fetched:
        """Fill one candle file. UserError: rows that cannot be candles, or a file that is damaged."""
        from bot.backtest.series_file import CANDLE, MARK, SeriesFile

        tag = "_mark" if kind == "mark" else ""
        name = f"{_stem(symbol)}_{timeframe_text(length_ms)}{tag}.parquet"
        file = SeriesFile(self._folder / name, MARK if kind == "mark" else CANDLE, length_ms)
        before, gaps = len(file), file.missing(*self._range)
        total = sum(gap.until_ms - gap.from_ms for gap in gaps) // length_ms
        self._tell(name, 0, total)
        unsaved = 0
        try:
            for gap in gaps:
                async for rows in self._closed(symbol, length_ms, kind, gap):
                    file.merge(rows)
                    unsaved += 1
                    self._tell(name, len(file) - before, total)
                    if unsaved >= _PAGES_UNTIL_SAVED:
                        file.save()
                        unsaved = 0
        finally:
            if unsaved and len(file) > before:
                file.save()
        return self._verified(file, name, len(file) - before)

    async def _closed(
        self, symbol: str, length_ms: int, kind: "CandleKind", gap: "Gap"
    ) -> AsyncIterator[list[Row]]:
        """Yield the closed candles of a stretch, page by page.

        Only a later candle proves that one is closed: the clock does not, where an exchange has a time of
        its own. So the stretch is read one candle further, and the newest that is known is left out.
        """
        since_ms, newest = gap.from_ms, list[Row]()
        while since_ms <= gap.until_ms:
            rows = await self._histories.candles(symbol, length_ms, kind, since_ms)
            found = [*newest, *rows]
            newest = found[-1:]
            if rows:
                since_ms = int(newest[0][0]) + length_ms
            else:
                since_ms += self._histories.page * length_ms
                since_ms = await self._histories.first_from(symbol, kind, since_ms, gap.until_ms + 1)
            yield [row for row in found[:-1] if row[0] < gap.until_ms]

    def _verified(self, file: "SeriesFile", name: str, fetched: int) -> Fetched:
        start_ms, end_ms = self._range
        gaps = file.missing(start_ms, end_ms)
        return Fetched(name, file.count(start_ms, end_ms), fetched, _lack("candles", gaps), not gaps)

    async def funding(self, symbol: str) -> Fetched:
        """Fill the funding file. Settlements have no grid, so the range is asked for again: it is short."""
        from bot.backtest.history import FUNDING
        from bot.backtest.series_file import SeriesFile
        from bot.exchange.histories import FUNDING_WINDOW_MS

        name = f"{_stem(symbol)}_funding.parquet"
        file = SeriesFile(self._folder / name, FUNDING, 0)
        before, end_ms = len(file), self._range.end_ms
        for since_ms in range(*self._range, FUNDING_WINDOW_MS):
            rows = await self._histories.funding(symbol, since_ms)
            file.merge([row for row in rows if row[0] < end_ms])
        if len(file) > before:
            file.save()
        count, gaps = file.count(*self._range), unsettled(file.times(*self._range), self._range)
        return Fetched(name, count, len(file) - before, _lack("settlements", gaps), not gaps)


def unsettled(times: Sequence[int], timerange: TimeRange) -> "list[Gap]":
    """Return the stretches in which a settlement is missing: none for longer than any venue waits.

    Venues settle every 1, 2, 4 or 8 hours of the UTC day: a multiple of 8 hours is a settlement of all.
    """
    from bot.sim.series import Gap

    gaps, due_ms = [], -(-timerange.start_ms // _LONGEST_SETTLEMENT_MS) * _LONGEST_SETTLEMENT_MS
    for ts_ms in (*times, timerange.end_ms):
        if ts_ms - _LATE_MS >= due_ms:
            gaps.append(Gap(due_ms, ts_ms))
        due_ms = max(due_ms, ts_ms + _LONGEST_SETTLEMENT_MS)
    return gaps


def _lack(what: str, gaps: "Sequence[Gap]") -> str:
    if not gaps:
        return ""
    first = f"from {utc_text(gaps[0].from_ms)} to {utc_text(gaps[0].until_ms)} UTC"
    more = f" and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    return f"the exchange has no {what} {first}{more}"


def _stem(symbol: str) -> str:
    base, _, rest = symbol.partition("/")
    return base + rest.partition(":")[0]
