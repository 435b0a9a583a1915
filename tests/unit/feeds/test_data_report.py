"""Every flaw of recorded data is counted and placed; sound data has none."""

from pathlib import Path

import polars as pl
import pytest

from bot.backtest.data_files import folders_of_files
from bot.backtest.data_report import FileReport, report_of
from bot.errors import UserError
from tests.unit.feeds.recorded import BARS, MINUTE_MS, START_MS, candle_frame


def reported(folder: Path, frame: pl.DataFrame, name: str = "BTCUSDT_1m.parquet") -> FileReport:
    frame.write_parquet(folder / name)
    (files,) = folders_of_files(folder, None)
    return report_of(next(file for file in files if file.path.name == name), files)


def changed(row: int, **values: float) -> pl.DataFrame:
    """Return sound candles with some values of one row (counted from 1) replaced."""
    at = pl.int_range(pl.len()) == row - 1
    return candle_frame().with_columns(
        pl.when(at).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in values.items()
    )


def test_sound_candles_have_no_finding(tmp_path: Path) -> None:
    found = reported(tmp_path, candle_frame())
    assert found.findings == ()
    assert found.is_sound
    assert (found.rows, found.first_ms, found.last_ms) == (BARS, START_MS, START_MS + (BARS - 1) * MINUTE_MS)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"high": 1.0}, "has a high below its open or close"),
        ({"low": 1e9}, "has a low above its open or close"),
        ({"close": -1.0, "low": -1.0}, "has a price that is not positive"),
        ({"volume": -1.0}, "has a negative volume"),
        ({"open": float("nan")}, "has no finite number in column 'open'"),
        ({"timestamp": START_MS + 1}, "is off the 1m grid"),
        ({"timestamp": START_MS}, "is older than the row before it"),
    ],
)
def test_an_impossible_row_is_an_error_at_its_place(
    tmp_path: Path, values: dict[str, float], words: str
) -> None:
    found = reported(tmp_path, changed(7, **values))
    assert not found.is_sound
    (error,) = [each for each in found.findings if words in each.text]
    assert (error.grade, error.rows, error.row) == ("error", 1, 7)


def test_every_duplicate_is_counted_and_the_first_named(tmp_path: Path) -> None:
    frame = candle_frame()
    found = reported(tmp_path, pl.concat([frame[:10], frame[9:20], frame[19:]]))
    (error,) = found.findings
    assert (error.rows, error.row) == (2, 11)
    assert "a duplicate" in error.text


def test_the_longest_gap_is_named_and_all_are_counted(tmp_path: Path) -> None:
    frame = candle_frame()
    found = reported(tmp_path, pl.concat([frame[:10], frame[12:50], frame[90:]]))
    (gap,) = found.findings
    assert (gap.grade, gap.rows, gap.row) == ("warning", 2, 48)
    assert "42 candles are missing" in gap.text
    assert "2025-02-01 01:30" in gap.text
    assert found.is_sound


def test_a_spike_is_named_as_one_to_look_at(tmp_path: Path) -> None:
    (spike,) = reported(tmp_path, changed(30, high=140.0)).findings
    assert (spike.grade, spike.rows, spike.row) == ("warning", 1, 30)
    assert "to 140," in spike.text


def test_marks_far_from_the_last_price_are_named(tmp_path: Path) -> None:
    candle_frame().write_parquet(tmp_path / "BTCUSDT_1m.parquet")
    at = pl.int_range(pl.len()) == 99
    marks = candle_frame().select(
        "timestamp",
        *(
            pl.when(at).then(pl.col(name) * 1.05).otherwise(pl.col(name)).alias(name)
            for name in ("open", "high", "low", "close")
        ),
    )
    marks.write_parquet(tmp_path / "BTCUSDT_1m_mark.parquet")
    (files,) = folders_of_files(tmp_path, {"BTCUSDT"})
    last, mark = (report_of(file, files) for file in files)
    assert last.findings == ()
    (away,) = [each for each in mark.findings if "away from the last price" in each.text]
    assert (away.rows, away.row) == (1, 100)
    assert "5.0%" in away.text


def test_settlements_that_are_missing_or_large_are_named(tmp_path: Path) -> None:
    hour_ms = 3_600_000
    times = [START_MS + hours * hour_ms for hours in (0, 8, 16, 40, 48)]
    rates = pl.DataFrame({"timestamp": times, "funding_rate": [1e-4, 1e-4, -0.02, 1e-4, 1e-4]})
    large, late = reported(tmp_path, rates, "BTCUSDT_funding.parquet").findings
    assert "-2.0000%" in large.text
    assert (large.row, late.row) == (3, 3)
    assert "24 hours without a settlement" in late.text


def test_files_that_cannot_be_read_at_all_are_errors(tmp_path: Path) -> None:
    (tmp_path / "ETHUSDT_1m.parquet").write_bytes(b"nothing")
    candle_frame()[:0].write_parquet(tmp_path / "BTCUSDT_1m.parquet")
    candle_frame().with_columns(venue=pl.lit("okx")).write_parquet(tmp_path / "SOLUSDT_1m.parquet")
    (files,) = folders_of_files(tmp_path, None)
    texts = [report_of(file, files).findings[0].text for file in files]
    assert texts[0] == "has no rows"
    assert "cannot be read" in texts[1]
    assert "rows of several exchanges" in texts[2]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no file of market data"):
        folders_of_files(tmp_path, None)
    candle_frame().write_parquet(tmp_path / "BTCUSDT_1m.parquet")
    with pytest.raises(UserError, match="of these symbols"):
        folders_of_files(tmp_path, {"ETHUSDT"})
