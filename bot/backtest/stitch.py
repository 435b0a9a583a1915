"""Rows of several files of one symbol put together: overlaps must agree, holes are found."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.data_check import Floats, Rows, refuse
from bot.sim.series import Gap


class Stitched(NamedTuple):
    """Rows in time order, each with the file (an index of `paths`) and the row number it came from."""

    ts_ms: NDArray[np.int64]
    columns: dict[str, Floats]
    file: NDArray[np.int64]
    number: NDArray[np.int64]
    paths: tuple[Path, ...]

    def pick(self, rows: slice | NDArray[np.bool_]) -> "Stitched":
        """Return the chosen rows."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return Stitched(self.ts_ms[rows], columns, self.file[rows], self.number[rows], self.paths)


def stitch(parts: list[tuple[Path, Rows]]) -> Stitched:
    """Return the rows of all files in time order, each instant once.

    UserError when two files tell different things about the same instant. ValueError: no files.
    """
    ts_ms = np.concatenate([rows.ts_ms for _, rows in parts])
    order = np.argsort(ts_ms, kind="stable")
    names = parts[0][1].columns
    whole = Stitched(
        ts_ms[order],
        {name: np.concatenate([rows.columns[name] for _, rows in parts])[order] for name in names},
        np.concatenate([np.full(rows.ts_ms.size, index) for index, (_, rows) in enumerate(parts)])[order],
        np.concatenate([rows.number for _, rows in parts])[order],
        tuple(path for path, _ in parts),
    )
    is_again = np.diff(whole.ts_ms, prepend=whole.ts_ms[:1] - 1) == 0
    _refuse_conflict(whole, np.flatnonzero(is_again))
    return whole.pick(~is_again)


def _refuse_conflict(whole: Stitched, again: NDArray[np.intp]) -> None:
    for name, values in whole.columns.items():
        differing = again[values[again] != values[again - 1]]
        if differing.size:
            row = int(differing[0])
            other = whole.paths[whole.file[row - 1]]
            reason = f"differs in '{name}' from row {whole.number[row - 1]} of {other} at the same time"
            refuse(whole.paths[whole.file[row]], int(whole.number[row]), int(whole.ts_ms[row]), reason)


def gaps_between(ts_ms: NDArray[np.int64], step_ms: int, start_ms: int, end_ms: int) -> tuple[Gap, ...]:
    """Return the stretches of [start_ms, end_ms) without a bar, `ts_ms` being the bars' open times."""
    inside = ts_ms[(ts_ms >= start_ms) & (ts_ms < end_ms)]
    edges = np.concatenate(([start_ms - step_ms], inside, [end_ms]))
    holes = np.flatnonzero(np.diff(edges) != step_ms)
    return tuple(Gap(int(edges[hole]) + step_ms, int(edges[hole + 1])) for hole in holes)


def contiguous_before(ts_ms: NDArray[np.int64], step_ms: int, start_ms: int) -> int:
    """Return the first row of the gap-free stretch that ends right before `start_ms`."""
    end = int(np.searchsorted(ts_ms, start_ms))
    if end == 0 or ts_ms[end - 1] != start_ms - step_ms:
        return end
    breaks = np.flatnonzero(np.diff(ts_ms[:end]) != step_ms)
    return int(breaks[-1]) + 1 if breaks.size else 0
