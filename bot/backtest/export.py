"""A backtest as files: trades, margin moves and equity as tables, figures as JSON, a page to read."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from bot.backtest.backtest import Backtest
from bot.backtest.document import document_of
from bot.backtest.export_folder import check_place, fill_place, write_frame
from bot.backtest.page import page_of
from bot.backtest.result import Result, Trades

PAGE: Final = "report.html"
RESULT: Final = "result.json"
TABLES: Final = ("trades", "moves", "equity")
FILES: Final = frozenset(
    {PAGE, RESULT, *(f"{name}.{kind}" for name in TABLES for kind in ("parquet", "csv"))}
)


def check_folder(folder: Path) -> None:
    """Raise UserError unless an export may be written to `folder`: new, empty, or one of ours."""
    check_place(folder, FILES)


def write_export(found: Backtest, folder: Path) -> None:
    """Write all files of an export; `folder` is replaced at once when they are complete. UserError: disk."""
    fill_place(folder, FILES, lambda beside: _write_all(found, beside))


def _write_all(found: Backtest, folder: Path) -> None:
    for name, frame in frames_of(found.result).items():
        write_frame(frame, folder, name)
    document = json.dumps(document_of(found), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / RESULT).write_text(document + "\n", "utf-8")
    (folder / PAGE).write_text(page_of(found), "utf-8")


def frames_of(result: Result) -> dict[str, pl.DataFrame]:
    """Return the tables of a result; names in words, times as UTC instants, NaN as null."""
    shadows = {} if result.shadows is None else _prefixed("static_", result.shadows)
    ended = _frame({**_trade_columns(result.trades), **shadows}, result)
    still_open = _frame(_trade_columns(result.open_trades), result)
    return {
        "trades": pl.concat([ended, still_open], how="diagonal"),
        "moves": _frame(result.moves._asdict(), result),
        "equity": _frame({**result.account._asdict(), "equity_quote": result.account.equity_quote()}, result),
    }


def _trade_columns(trades: Trades) -> dict[str, Any]:
    return {**trades._asdict(), "net_quote": trades.net_quote()}


def _prefixed(prefix: str, table: NamedTuple) -> dict[str, Any]:
    """Return what is told of the shadow alone under a prefix, and what is told of the trade without one."""
    of_shadow = {"closed_ms", "cause", "is_liquidated", "pnl_quote", "margin_quote_hours"}
    return {
        f"{prefix}{name}" if name in of_shadow else name: column for name, column in table._asdict().items()
    }


def _frame(columns: Mapping[str, Any], result: Result) -> pl.DataFrame:
    named = {"symbol": result.symbols, "cause": result.causes, "static_cause": result.causes}
    named["reason"] = result.reasons
    return pl.DataFrame([_series(name, column, named.get(name)) for name, column in columns.items()])


def _series(name: str, column: Any, names: Sequence[str] | None) -> pl.Series:
    if names is not None:
        return pl.Series(name, [names[index] if index >= 0 else None for index in column.tolist()], pl.String)
    if name == "side":
        return pl.Series(name, ["long" if side > 0 else "short" for side in column.tolist()], pl.String)
    if name.endswith(("_ms",)) and name not in {"near_miss_ms", "stop_beyond_liquidation_ms"}:
        known = [ms if ms >= 0 else None for ms in column.tolist()]
        stem = "time" if name == "ts_ms" else name.removesuffix("_ms")
        return pl.Series(stem, known, pl.Datetime("ms", "UTC"))
    series = pl.Series(name, column)
    return series.fill_nan(None) if column.dtype == np.float64 else series
