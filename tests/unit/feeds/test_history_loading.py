"""What a sound folder of candles loads as."""

import numpy as np
import polars as pl
import pytest

from bot.backtest.history import load_history
from bot.core.event import CandleClosed, FundingDue, MarkPrice
from bot.core.timerange import TimeRange, parse_timerange
from bot.sim.replay import ReplayMarket
from tests.unit.feeds.recorded import BARS, MINUTE_MS, RANGE, START_MS, candle_frame

BTC = "BTC/USDT:USDT"
HOUR_MS = 60 * MINUTE_MS


def freqtrade(frame: pl.DataFrame) -> pl.DataFrame:
    """Return our candles with freqtrade's date column."""
    date = pl.from_epoch("timestamp", time_unit="ms").dt.cast_time_unit("ns").dt.replace_time_zone("UTC")
    return frame.select(date.alias("date"), "open", "high", "low", "close", "volume")


@pytest.mark.parametrize(
    ("name", "convert"),
    [
        ("BTCUSDT_1m.parquet", lambda frame: frame),
        ("BTCUSDT_1m_2025-02.feather", lambda frame: frame),
        ("BTCUSDT_1m.csv", lambda frame: frame),
        ("BTC_USDT_USDT-1m-futures.feather", freqtrade),
        ("BTC_USDT_USDT-1m-futures.parquet", freqtrade),
        ("BTC_USDT_USDT-1m-futures.csv", freqtrade),
    ],
)
def test_both_layouts_and_all_formats_load_the_same_candles(write, name, convert):
    frame = candle_frame()
    path = write(convert(frame), name)
    candles = load_history(path.parent, [BTC], RANGE, MINUTE_MS).series[0].candles
    assert candles.open_ms.tolist() == frame["timestamp"].to_list()
    for column in ("open", "high", "low", "close", "volume"):
        assert getattr(candles, column).tolist() == frame[column].to_list()


def test_finer_candles_of_other_times_are_no_news(write):
    other_day_ms = 3 * 86_400_000
    write(candle_frame(START_MS + other_day_ms))
    path = write(candle_frame(bars=BARS // 5, step_ms=5 * MINUTE_MS), "BTCUSDT_5m.parquet")
    assert not any("Finer" in text for text in load_history(path.parent, [BTC], RANGE, 5 * MINUTE_MS).notices)


def test_freqtrade_files_in_the_folder_futures_are_found(write, tmp_path):
    (tmp_path / "futures").mkdir()
    write(freqtrade(candle_frame()), "futures/BTC_USDT_USDT-1m-futures.feather")
    assert load_history(tmp_path, [BTC], RANGE, MINUTE_MS).series[0].candles.open_ms.size == BARS


def test_freqtrade_funding_is_the_open_of_its_candles(write):
    rates = candle_frame(bars=2, step_ms=8 * HOUR_MS).with_columns(open=pl.Series([0.0001, -0.0002]))
    path = write(freqtrade(candle_frame()), "BTC_USDT_USDT-1m-futures.feather")
    write(freqtrade(rates), "BTC_USDT_USDT-8h-funding_rate.feather")
    funding = load_history(path.parent, [BTC], RANGE, MINUTE_MS).series[0].funding
    assert funding.ts_ms.tolist() == [START_MS, START_MS + 8 * HOUR_MS]
    assert funding.rate.tolist() == [0.0001, -0.0002]


def test_milliseconds_that_venues_add_to_settlements_are_dropped(write):
    path = write(candle_frame())
    write(pl.DataFrame({"timestamp": [START_MS + 7], "funding_rate": [0.0003]}), "BTCUSDT_funding.parquet")
    assert load_history(path.parent, [BTC], RANGE, MINUTE_MS).series[0].funding.ts_ms.tolist() == [START_MS]


def test_the_finest_timeframe_that_covers_the_range_is_chosen_and_named(write):
    write(candle_frame(bars=BARS - 1))
    path = write(candle_frame(bars=BARS // 5, step_ms=5 * MINUTE_MS), "BTCUSDT_5m.parquet")
    write(candle_frame(bars=BARS // 15, step_ms=15 * MINUTE_MS), "BTCUSDT_15m.parquet")
    history = load_history(path.parent, [BTC], RANGE, 15 * MINUTE_MS)
    assert history.timeframe_ms == 5 * MINUTE_MS
    assert history.played == "Replaying 5m candles from BTCUSDT_5m.parquet."
    assert "BTC/USDT:USDT has 1m candles of 2025-02-01 00:00 to 2025-02-01 09:59" in history.notices[0]


def test_one_timeframe_is_chosen_for_all_symbols(write):
    write(candle_frame())
    write(candle_frame(bars=BARS // 5, step_ms=5 * MINUTE_MS), "BTCUSDT_5m.parquet")
    path = write(candle_frame(bars=BARS // 5, step_ms=5 * MINUTE_MS), "ETHUSDT_5m.parquet")
    history = load_history(path.parent, [BTC, "ETH/USDT:USDT"], RANGE, 5 * MINUTE_MS)
    assert history.timeframe_ms == 5 * MINUTE_MS


def test_several_files_are_stitched_and_equal_overlaps_kept_once(write):
    frame = candle_frame()
    write(frame[:250], "BTCUSDT_1m_1.parquet")
    write(frame[240:400], "BTCUSDT_1m_2.feather")
    path = write(frame[400:], "BTCUSDT_1m_3.csv")
    candles = load_history(path.parent, [BTC], RANGE, MINUTE_MS).series[0].candles
    assert candles.close.tolist() == frame["close"].to_list()


def test_warm_up_is_the_gap_free_stretch_before_the_range(write):
    frame = candle_frame()
    path = write(pl.concat([frame[:50], frame[60:]]))
    timerange = TimeRange(START_MS + 100 * MINUTE_MS, RANGE.end_ms)
    candles = load_history(path.parent, [BTC], timerange, MINUTE_MS).series[0].candles
    assert candles.open_ms[0] == START_MS + 60 * MINUTE_MS


def test_rows_outside_the_range_and_its_warm_up_are_not_judged(write):
    frame = candle_frame().with_columns(
        high=pl.when(pl.int_range(pl.len()) < 10).then(1.0).otherwise(pl.col("high"))
    )
    path = write(frame)
    timerange = TimeRange(START_MS + 100 * MINUTE_MS, RANGE.end_ms)
    history = load_history(path.parent, [BTC], timerange, MINUTE_MS, warmup_ms=90 * MINUTE_MS)
    assert history.series[0].candles.open_ms[0] == START_MS + 10 * MINUTE_MS


def test_mark_candles_of_the_same_timeframe_are_used(write):
    path = write(candle_frame())
    mark = candle_frame(seed=2)
    write(mark, "BTCUSDT_1m_mark.parquet")
    history = load_history(path.parent, [BTC], RANGE, MINUTE_MS)
    assert history.series[0].mark is not None
    assert history.series[0].mark.low.tolist() == mark["low"].to_list()
    assert not any("stands in" in notice for notice in history.notices)


def test_mark_candles_of_another_timeframe_are_not_used_and_it_is_said(write):
    path = write(candle_frame())
    write(candle_frame(bars=10, step_ms=HOUR_MS), "BTCUSDT_1h_mark.parquet")
    history = load_history(path.parent, [BTC], RANGE, MINUTE_MS)
    assert history.series[0].mark is None
    assert any(
        "BTCUSDT_1h_mark.parquet" in note and "stands in for the mark" in note for note in history.notices
    )


def test_a_bar_without_its_mark_is_a_gap(write):
    path = write(candle_frame())
    mark = candle_frame(seed=2)
    write(pl.concat([mark[:30], mark[31:]]), "BTCUSDT_1m_mark.parquet")
    series = load_history(path.parent, [BTC], RANGE, MINUTE_MS, allow_gaps=True).series[0]
    assert [gap.from_ms for gap in series.gaps] == [START_MS + 30 * MINUTE_MS]
    assert series.mark is not None
    assert series.mark.open_ms.tolist() == series.candles.open_ms.tolist()
    assert 30 * MINUTE_MS + START_MS not in series.candles.open_ms


def test_missing_funding_is_said(write):
    path = write(candle_frame())
    notices = load_history(path.parent, [BTC], RANGE, MINUTE_MS).notices
    assert "BTC/USDT:USDT: no funding settlements in the range; none are charged or paid." in notices


def test_without_a_range_it_is_the_longest_stretch_all_symbols_share(write):
    write(candle_frame(bars=100), "BTCUSDT_1m_1.parquet")
    write(candle_frame(START_MS + 200 * MINUTE_MS, bars=400), "BTCUSDT_1m_2.parquet")
    path = write(candle_frame(START_MS + 50 * MINUTE_MS, bars=450), "ETHUSDT_1m.parquet")
    history = load_history(path.parent, [BTC, "ETH/USDT:USDT"], None, 5 * MINUTE_MS)
    assert (history.start_ms, history.end_ms) == (START_MS + 200 * MINUTE_MS, START_MS + 500 * MINUTE_MS)


def test_the_real_february_of_2025_loads_and_plays(shared):
    symbols = [BTC, "ETH/USDT:USDT", "SOL/USDT:USDT"]
    folder = shared / "data" / "binance_usdm_perp"
    history = load_history(folder, symbols, parse_timerange("20250203-20250204"), 5 * MINUTE_MS)
    assert history.timeframe_ms == MINUTE_MS
    assert all(series.candles.open_ms.size > 7 * 1440 for series in history.series)
    events = list(iter(ReplayMarket(history, 5 * MINUTE_MS, side_of=lambda _: 1).next, None))
    ether = [event.last for event in events if isinstance(event, MarkPrice) and event.symbol == symbols[1]]
    assert min(ether) == 2080.19
    assert sum(isinstance(event, CandleClosed) for event in events) == 3 * 288
    assert sum(isinstance(event, FundingDue) for event in events) == 9
    assert np.all(np.diff([event.ts_ms for event in events]) >= 0)
