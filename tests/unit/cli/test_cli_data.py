"""`ringfence data check`: a table, sentences with places, exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tests.unit.cli.conftest import Outcome
from tests.unit.feeds.recorded import candle_frame


def test_a_sound_folder_is_said_to_be_one(ringfence: Callable[..., Outcome], tmp_path: Path) -> None:
    candle_frame().write_parquet(tmp_path / "BTCUSDT_1m.parquet")
    told = ringfence("data", "check", str(tmp_path))
    assert told.code == 0
    assert "1 files are sound." in told.out
    assert "BTCUSDT_1m.parquet" in told.out


def test_what_a_replay_refuses_is_exit_code_one(ringfence: Callable[..., Outcome], tmp_path: Path) -> None:
    below = tmp_path / "okx"
    below.mkdir()
    frame = candle_frame()
    pl.concat([frame[:10], frame[9:]]).write_parquet(below / "BTCUSDT_1m.parquet")
    candle_frame(seed=2).write_parquet(tmp_path / "ETHUSDT_1m.parquet")
    told = ringfence("data", "check", str(tmp_path))
    assert told.code == 1
    assert "error: okx/BTCUSDT_1m.parquet: row 11 (2025-02-01 00:09 UTC) has the same time" in told.out
    assert "1 of 2 files have rows that a replay refuses" in told.out
    rows = json.loads(ringfence("data", "check", str(tmp_path), "--json").out)
    assert [row["is_sound"] for row in rows] == [True, False]
    assert ringfence("data", "check", str(tmp_path), "--symbols", "ETH/USDT:USDT").code == 0


def test_no_folder_and_no_files_are_bad_input(ringfence: Callable[..., Outcome], tmp_path: Path) -> None:
    assert ringfence("data", "check", str(tmp_path / "nowhere")).code == 2
    assert "holds no file of market data" in ringfence("data", "check", str(tmp_path)).err
