"""One Parquet file of market data that grows: what it lacks, merging rows in, writing it whole or not."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from bot.backtest.data_check import Rows, check_candles, check_finite, check_order
from bot.backtest.history import EVERYTHING, FETCH_AGAIN, read_rows
from bot.backtest.stitch import gaps_between
from bot.errors import UserError
from bot.sim.series import Gap

CANDLE: Final = ("open", "high", "low", "close", "volume")
MARK: Final = ("open", "high", "low", "close")
_ANEW: Final = "what it held is fetched anew, the other files are kept"


class SeriesFile:
    """`length_ms` 0: funding, which has no grid. Opening reads and checks what is there."""

    def __init__(self, path: Path, columns: Sequence[str], length_ms: int) -> None:
        self.path, self._columns, self._length_ms = path, tuple(columns), length_ms
        self._rows = Rows(
            np.empty(0, np.int64),
            np.empty(0, np.int64),
            {name: np.empty(0, np.float64) for name in columns},
        )
        if path.exists():
            try:
                self._rows = read_rows(path, columns, EVERYTHING)
                self._check(self._rows)
            except UserError as error:
                fact = str(error).removesuffix(FETCH_AGAIN).rstrip()
                raise UserError(f"{fact} Delete it and give the command again: {_ANEW}.") from None

    def __len__(self) -> int:
        return self._rows.ts_ms.size

    def count(self, start_ms: int, end_ms: int) -> int:
        """Return how many rows lie in [start_ms, end_ms)."""
        low, high = np.searchsorted(self._rows.ts_ms, (start_ms, end_ms))
        return int(high - low)

    def times(self, start_ms: int, end_ms: int) -> list[int]:
        """Return the times of the rows in [start_ms, end_ms), in order."""
        low, high = np.searchsorted(self._rows.ts_ms, (start_ms, end_ms))
        return self._rows.ts_ms[low:high].tolist()

    def missing(self, start_ms: int, end_ms: int) -> tuple[Gap, ...]:
        """Return the stretches of [start_ms, end_ms) without candles."""
        return gaps_between(self._rows.ts_ms, self._length_ms, start_ms, end_ms)

    def merge(self, rows: Sequence[Sequence[float]]) -> None:
        """Take in (ts_ms, numbers...) rows; a time that is there already keeps its row.

        UserError: a row that cannot be what it says, named.
        """
        if not rows:
            return
        fresh = np.array([row[: len(self._columns) + 1] for row in rows], dtype=np.float64)
        ts_ms = np.concatenate((self._rows.ts_ms, fresh[:, 0].astype(np.int64)))
        ts_ms, first = np.unique(ts_ms, return_index=True)
        columns = {
            name: np.concatenate((self._rows.columns[name], fresh[:, index]))[first]
            for index, name in enumerate(self._columns, 1)
        }
        merged = Rows(np.arange(1, ts_ms.size + 1), ts_ms, columns)
        self._check(merged)
        self._rows = merged

    def save(self) -> None:
        """Write the file beside its place, sync it, put it there: a reader sees the old one or the new."""
        frame = pl.DataFrame({"timestamp": self._rows.ts_ms, **self._rows.columns})
        beside = self.path.with_name(f".{self.path.name}.part")
        with beside.open("wb") as file:
            frame.write_parquet(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def _check(self, rows: Rows) -> None:
        if self._length_ms:
            check_candles(self.path, rows, self._length_ms)
        else:
            check_order(self.path, rows)
            check_finite(self.path, rows)
