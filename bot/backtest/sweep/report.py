"""A sweep as a document and as files: every try in a table, what was chosen, and a page to read."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from bot.backtest.export_folder import check_place, fill_place, write_frame
from bot.backtest.sweep.objectives import OBJECTIVES
from bot.backtest.sweep.page import page_of
from bot.backtest.sweep.search import Search, Tried, best_of
from bot.backtest.sweep.sweep import Chosen

PAGE: Final = "report.html"
RESULT: Final = "result.json"
FILES: Final = frozenset({PAGE, RESULT, "tries.parquet", "tries.csv"})


def document_of(search: Search, found: Sequence[Chosen]) -> dict[str, Any]:
    """Return a sweep as JSON values; figures that are not known are NaN."""
    return {
        "parameters": [axis._asdict() for axis in search.axes],
        "sampler": search.sampler,
        "objectives": [objective.name for objective in search.objectives],
        "seed": search.seed,
        "batch": search.batch,
        "splits": [_split(search, each) for each in found],
    }


def check_folder(folder: Path) -> None:
    """Raise UserError unless the files of a sweep may be written to `folder`."""
    check_place(folder, FILES)


def write_report(search: Search, found: Sequence[Chosen], title: str, folder: Path) -> None:
    """Write every try as Parquet and CSV, the document and the page. UserError: disk."""
    fill_place(folder, FILES, lambda beside: _write_all(search, found, title, beside))


def frame_of(search: Search, found: Sequence[Chosen]) -> pl.DataFrame:
    """Return a row for each try: its split (from 1), values and figures, why it was refused, is it best."""
    fronts = [{each.number for each in best_of(one.tried, search.objectives)} for one in found]
    rows = [
        {
            "split": number + 1,
            "try": each.number,
            **{axis.name: value for axis, value in zip(search.axes, each.values, strict=True)},
            **{name: each.figures.get(name) for name in OBJECTIVES},
            "refusal": each.refusal,
            "is_best": each.number in fronts[number],
        }
        for number, one in enumerate(found)
        for each in one.tried
    ]
    return pl.DataFrame(rows, infer_schema_length=None).fill_nan(None)


def _write_all(search: Search, found: Sequence[Chosen], title: str, folder: Path) -> None:
    write_frame(frame_of(search, found), folder, "tries")
    document = json.dumps(_known(document_of(search, found)), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / RESULT).write_text(document + "\n", "utf-8")
    (folder / PAGE).write_text(page_of(search, found, title), "utf-8")


def _split(search: Search, each: Chosen) -> dict[str, Any]:
    return {
        "train": [list(part) for part in each.split.train],
        "test": None if each.split.test is None else list(each.split.test),
        "tried": len(each.tried),
        "refused": sum(bool(one.refusal) for one in each.tried),
        "best": [_named(search, one) for one in each.best],
        "judged": each.judged,
        "deflated_sharpe": each.deflated._asdict(),
    }


def _named(search: Search, one: Tried) -> dict[str, Any]:
    values = {axis.name: value for axis, value in zip(search.axes, one.values, strict=True)}
    return {"number": one.number, "values": values, "figures": one.figures}


def _known(value: Any) -> Any:
    """The same with null where a figure is not known."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _known(each) for name, each in value.items()}
    return [_known(each) for each in value] if isinstance(value, list | tuple) else value
