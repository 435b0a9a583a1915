"""Candle files of a market that moves enough, and the command that trades it."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

SYMBOLS: Final = ("BTC/USDT:USDT", "ETH/USDT:USDT")
_START_MS: Final = 1_738_368_000_000  # 2025-02-01 00:00 UTC
_MINUTE_MS: Final = 60_000
_PRICES: Final = {"BTC/USDT:USDT": 100_000.0, "ETH/USDT:USDT": 3_000.0}
_WALL_COLUMNS: Final = {"run_id", "started_ms", "ended_ms", "chain"}  # the chain names the run
_WALL_TABLES: Final = {"run", "checkpoint", "alert", "alert_delivery", "alert_router"}  # of their wall clock
WALL_FIELDS: Final = ("wall_seconds", "market_ms")


def write_candles(folder: Path, seed: int, days: int, warm_days: int = 1) -> str:
    """Write one-minute candles with calm and stormy hours; return the time range to trade.

    `warm_days`: before the range. A strategy has its forty hours from the start on when there are two.
    """
    random = np.random.default_rng(seed)
    count, first_ms = (warm_days + days) * 1_440, _START_MS - warm_days * 86_400_000
    storms = np.repeat(np.where(random.random(count // 240) < 0.3, 4.0, 1.0), 240)
    common = random.standard_t(4, count)
    for symbol in SYMBOLS:
        moves = 0.0005 * storms * (0.7 * common + 0.7 * random.standard_t(4, count))
        close = _PRICES[symbol] * np.exp(np.cumsum(moves))
        open_ = np.concatenate((close[:1], close[:-1]))
        reach = 1.0 + 0.0004 * storms * random.random((2, count))
        frame = pl.DataFrame(
            {
                "timestamp": first_ms + _MINUTE_MS * np.arange(count, dtype=np.int64),
                "open": open_,
                "high": np.maximum(open_, close) * reach[0],
                "low": np.minimum(open_, close) / reach[1],
                "close": close,
                "volume": np.ones(count),
            }
        )
        frame.write_parquet(folder / f"{symbol.split('/')[0]}USDT_1m.parquet")
    return f"20250201-{20250201 + days}"


def trade_command(
    data: Path, timerange: str, database: Path, summary: Path, *more: str, speed: str = "max"
) -> list[str]:
    """Return the command line of a headless replay."""
    return [
        *(sys.executable, "-m", "bot", "trade", "--feed", "replay", "--data", str(data)),
        *("--symbols", ",".join(SYMBOLS), "--timerange", timerange, "--speed", speed, "--headless"),
        *("--db", str(database), "--summary", str(summary), *more),
    ]


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment without settings of the program."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("RINGFENCE__")}
    return kept | {"RINGFENCE__WEB__ENABLED": "false"} | more


def start(command: list[str], cwd: Path, **more: Any) -> "subprocess.Popen[str]":
    """Start a command whose log lines can be read one by one."""
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def run(command: list[str], cwd: Path, **more: Any) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False, **more
    )


def totals(summary: Path) -> dict[str, Any]:
    """Return a summary without what depends on the process and the file."""
    content = json.loads(summary.read_text())
    return {name: value for name, value in content.items() if name not in WALL_FIELDS}


def tables(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table without run ids and wall times; the last cut is compared by totals."""
    connection = sqlite3.connect(database)
    names = [
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        if name not in _WALL_TABLES and not name.startswith("sqlite_")
    ]
    content = {}
    for name in names:
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
        kept = ", ".join(f'"{column}"' for column in columns if column not in _WALL_COLUMNS)
        content[name] = connection.execute(f'SELECT {kept} FROM "{name}" ORDER BY 1').fetchall()
    connection.close()
    return content


def last_cut(database: Path) -> tuple[Any, ...]:
    """Return the engine, feed and venue of the last commit as the texts they are stored as."""
    connection = sqlite3.connect(database)
    row = connection.execute("SELECT engine, feed, venue FROM checkpoint").fetchone()
    connection.close()
    return row
