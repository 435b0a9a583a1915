"""Every kind of damaged or missing data is refused by file, row and reason."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bot.backtest.history import load_history
from bot.core.candles import Candles
from bot.core.timerange import TimeRange
from bot.errors import UserError
from tests.unit.feeds.recorded import BARS, MINUTE_MS, RANGE, START_MS, candle_frame

BTC = "BTC/USDT:USDT"


def refusal(folder: Path, symbol: str = BTC, timerange: TimeRange = RANGE, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        load_history(folder, [symbol], timerange, MINUTE_MS, **options)
    return str(caught.value)


def loaded_or_refused(folder: Path) -> Candles | str:
    try:
        return load_history(folder, [BTC], RANGE, MINUTE_MS).series[0].candles
    except UserError as error:
        return str(error)


def damaged(row: int, **values: float | None) -> pl.DataFrame:
    """Return sound candles with some values of one row (counted from 1) replaced."""
    frame = candle_frame().with_row_index("row", offset=1)
    changes = [
        pl.when(pl.col("row") == row).then(pl.lit(value, dtype=frame[name].dtype)).otherwise(pl.col(name))
        for name, value in values.items()
    ]
    named = [change.alias(name) for change, name in zip(changes, values, strict=True)]
    return frame.with_columns(named).drop("row")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"timestamp": START_MS + 40 * MINUTE_MS}, "duplicate"),
        ({"timestamp": START_MS + 7 * MINUTE_MS}, "not sorted"),
        ({"timestamp": START_MS + 41 * MINUTE_MS + 1}, "off the 1m grid"),
        ({"timestamp": None}, "no readable time"),
        ({"close": float("nan")}, "no finite number in column 'close'"),
        ({"open": None}, "no finite number in column 'open'"),
        ({"high": float("inf")}, "no finite number in column 'high'"),
        ({"volume": float("nan")}, "no finite number in column 'volume'"),
        ({"volume": -1.0}, "negative volume"),
        ({"low": 0.0}, "not positive"),
        ({"low": -5.0}, "not positive"),
        ({"high": 50.0}, "high below its open or close"),
        ({"low": 500.0, "high": 600.0}, "low above its open or close"),
    ],
)
@pytest.mark.parametrize("name", ["BTCUSDT_1m.parquet", "BTC_USDT_USDT-1m-futures.feather", "BTCUSDT_1m.csv"])
def test_a_damaged_row_is_refused_by_file_row_and_reason(write, values, reason, name):
    path = write(damaged(42, **values), name)
    message = refusal(path.parent)
    assert f"{path}, row 42" in message
    assert reason in message


def test_a_row_thrown_far_out_of_order_is_refused(write):
    path = write(damaged(42, timestamp=START_MS + 10 * BARS * MINUTE_MS))
    assert f"{path}, row 42" in (message := refusal(path.parent))
    assert "not sorted" in message


def test_text_among_the_numbers_of_a_csv_is_refused_by_row(write):
    path = write(candle_frame(), "BTCUSDT_1m.csv")
    lines = path.read_text().splitlines()
    lines[42] = re.sub(r",[\d.]+$", ",lots", lines[42])
    path.write_text("\n".join(lines))
    assert f"{path}, row 42" in (message := refusal(path.parent))
    assert "column 'volume'" in message


def test_missing_bars_are_refused_by_the_row_before_them(write):
    frame = candle_frame()
    path = write(pl.concat([frame[:100], frame[103:200], frame[201:]]))
    message = refusal(path.parent)
    assert f"{path}, row 100 (2025-02-01 01:39 UTC)" in message
    assert "until 2025-02-01 01:43 UTC (4 in the range, in 2 gaps;" in message


def test_one_gap_is_said_in_the_singular(write):
    frame = candle_frame()
    path = write(pl.concat([frame[:100], frame[103:]]))
    assert "3 in the range, in 1 gap;" in refusal(path.parent)


@pytest.mark.parametrize("timerange", [RANGE, None])
@pytest.mark.parametrize("name", ["BTCUSDT_1m.parquet", "BTC_USDT_USDT-1m-futures.feather", "BTCUSDT_1m.csv"])
def test_a_file_without_rows_is_refused_by_name(write, name, timerange):
    path = write(candle_frame()[:0], name)
    with pytest.raises(UserError) as caught:
        load_history(path.parent, [BTC], timerange, MINUTE_MS)
    assert f"(no rows in {path})" in str(caught.value)


def test_a_file_of_no_bytes_is_refused_by_name(tmp_path):
    path = tmp_path / "BTCUSDT_1m.csv"
    path.write_bytes(b"")
    assert str(path) in refusal(tmp_path)


def test_missing_bars_become_gaps_when_allowed(write):
    frame = candle_frame()
    path = write(pl.concat([frame[:100], frame[103:200], frame[201:]]))
    series = load_history(path.parent, [BTC], RANGE, MINUTE_MS, allow_gaps=True).series[0]
    spans = [
        ((gap.from_ms - START_MS) // MINUTE_MS, (gap.until_ms - START_MS) // MINUTE_MS) for gap in series.gaps
    ]
    assert spans == [(100, 103), (200, 201)]
    assert series.candles.open_ms.size == BARS - 4


def test_zero_volume_flat_bars_are_sound(write):
    flat = candle_frame().with_columns(volume=pl.lit(0.0), open=pl.lit(7.0), high=pl.lit(7.0))
    write(flat.with_columns(low=pl.lit(7.0), close=pl.lit(7.0)), name := "BTCUSDT_1m.parquet")
    path = write(flat.with_columns(low=pl.lit(7.0), close=pl.lit(7.0)), name)
    assert load_history(path.parent, [BTC], RANGE, MINUTE_MS).series[0].candles.volume.max() == 0.0


@pytest.mark.parametrize("name", ["BTCUSDT_1m.parquet", "BTCUSDT_1m.feather", "BTCUSDT_1m.csv"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe garbage" * 50])
def test_an_unreadable_file_is_refused_by_name(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert str(tmp_path / name) in refusal(tmp_path)


@pytest.mark.parametrize("name", ["BTCUSDT_1m.parquet", "BTCUSDT_1m.feather"])
@pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
def test_a_truncated_file_is_refused_by_name(write, name, part):
    path = write(candle_frame(), name)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    assert f"{path} cannot be read" in refusal(path.parent)


@pytest.mark.parametrize("name", ["BTCUSDT_1m.parquet", "BTCUSDT_1m.feather"])
def test_a_file_with_bytes_overwritten_is_refused_by_name(write, name):
    path = write(candle_frame(), name)
    content = bytearray(path.read_bytes())
    content[200:4000] = b"\xab" * 3800
    path.write_bytes(bytes(content))
    assert str(path) in refusal(path.parent)


@pytest.mark.parametrize("column", ["timestamp", "open", "high", "low", "close", "volume"])
def test_a_missing_column_is_named(write, column):
    path = write(candle_frame().drop(column))
    assert f"{path} has no column {column}" in refusal(path.parent)


@pytest.mark.parametrize(
    ("column", "kind"), [("open", pl.String), ("timestamp", pl.Float64), ("close", pl.Boolean)]
)
def test_a_column_of_another_type_is_named(write, column, kind):
    path = write(candle_frame().with_columns(pl.col(column).cast(kind)))
    assert re.search(f"{path} holds .* in column {column}", refusal(path.parent))


def test_a_symbol_without_candles_is_refused_with_what_there_is(write):
    path = write(candle_frame())
    message = refusal(path.parent, "ADA/USDT:USDT")
    assert "no candle file for ADA/USDT:USDT" in message
    assert "it has BTCUSDT" in message


def test_a_folder_of_folders_is_refused_with_the_names_of_those_that_fit(write, tmp_path):
    for name in ("one_venue", "other_venue"):
        (tmp_path / name).mkdir()
        write(candle_frame(), f"{name}/BTCUSDT_1m.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="in it have: one_venue, other_venue"):
        load_history(tmp_path, [BTC], RANGE, MINUTE_MS)


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    assert "cannot be listed" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize(("first", "last"), [(-1, BARS), (0, BARS + 1), (BARS + 10, BARS + 20), (-20, -10)])
def test_a_timerange_beyond_the_data_is_refused(write, first, last):
    path = write(candle_frame())
    timerange = TimeRange(START_MS + first * MINUTE_MS, START_MS + last * MINUTE_MS)
    message = refusal(path.parent, timerange=timerange)
    assert "BTC/USDT:USDT has 1m candles of 2025-02-01 00:00 to 2025-02-01 10:00" in message


def test_candles_coarser_than_the_timeframe_are_no_cover(write):
    path = write(candle_frame(step_ms=5 * MINUTE_MS), "BTCUSDT_5m.parquet")
    assert "there is no such timeframe" in refusal(path.parent)


def test_files_that_contradict_each_other_are_refused_by_both_names(write):
    first = write(candle_frame(), "BTCUSDT_1m_a.parquet")
    second = write(damaged(42, volume=0.5), "BTCUSDT_1m_b.parquet")
    message = refusal(first.parent)
    assert f"{second}, row 42" in message
    assert f"differs in 'volume' from row 42 of {first}" in message


@pytest.mark.parametrize(("rate", "reason"), [(float("nan"), "no finite number"), (None, "no finite number")])
def test_a_damaged_funding_row_is_refused_by_row(write, rate, reason):
    write(candle_frame())
    rates = pl.DataFrame({"timestamp": [START_MS, START_MS + 1000], "funding_rate": [0.0001, rate]})
    path = write(rates, "BTCUSDT_funding.parquet")
    assert f"{path}, row 2" in (message := refusal(path.parent))
    assert reason in message


def test_a_damaged_mark_row_is_refused_by_row(write):
    write(candle_frame())
    path = write(damaged(42, low=-1.0), "BTCUSDT_1m_mark.parquet")
    assert f"{path}, row 42" in refusal(path.parent)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["BTCUSDT_1m.parquet", "BTCUSDT_1m.feather", "BTCUSDT_1m.csv"])
def test_scattered_wrong_bytes_end_in_a_refusal_or_sound_candles(write, name, seed):
    """A wrong byte may also change a number into another sound one, which no reader can know."""
    path, random = write(candle_frame(), name), np.random.default_rng(seed)
    content = np.frombuffer(path.read_bytes(), np.uint8).copy()
    content[random.integers(0, content.size, 20)] = random.integers(0, 256, 20)
    path.write_bytes(content.tobytes())
    outcome = loaded_or_refused(path.parent)
    if isinstance(outcome, str):
        assert str(path) in outcome or BTC in outcome
    else:
        assert np.all(outcome.high >= outcome.low)


def test_a_folder_with_brackets_in_its_name_is_read_as_it_is_called(write, tmp_path):
    (folder := tmp_path / "binance [futures] *").mkdir()
    write(candle_frame(), f"{folder.name}/BTCUSDT_1m.parquet")
    assert load_history(folder, [BTC], RANGE, MINUTE_MS).series[0].candles.open_ms.size == BARS
