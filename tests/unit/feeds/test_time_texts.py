"""Timeframes and timeranges as users write them."""

import pytest

from bot.core.timeframe import timeframe_ms, timeframe_text
from bot.core.timerange import TimeRange, parse_timerange, timerange_text, utc_text


@pytest.mark.parametrize(
    ("text", "length_ms"), [("1m", 60_000), ("5m", 300_000), ("4h", 14_400_000), ("1d", 86_400_000)]
)
def test_a_timeframe_reads_and_writes_as_the_same_text(text, length_ms):
    assert timeframe_ms(text) == length_ms
    assert timeframe_text(length_ms) == text


@pytest.mark.parametrize(
    "text", ["", "m", "0m", "05m", "7m", "5h", "2d", "1w", "1M", "5 m", "-5m", "1.5h", "٣m"]
)
def test_another_timeframe_is_refused(text):
    with pytest.raises(ValueError, match="timeframe"):
        timeframe_ms(text)


@pytest.mark.parametrize("length_ms", [0, -60_000, 59_999, 90_500])
def test_a_length_that_is_no_whole_minutes_has_no_text(length_ms):
    with pytest.raises(ValueError, match="whole number of minutes"):
        timeframe_text(length_ms)


def test_a_timerange_runs_from_midnight_to_midnight_utc():
    assert parse_timerange("20250128-20250225") == TimeRange(1_738_022_400_000, 1_740_441_600_000)
    assert timerange_text(parse_timerange("20250128-20250225")) == "20250128-20250225"
    assert utc_text(1_738_022_400_000) == "2025-01-28 00:00"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not YYYYMMDD-YYYYMMDD"),
        ("20250128", "is not YYYYMMDD-YYYYMMDD"),
        ("20250128-", "is not YYYYMMDD-YYYYMMDD"),
        ("2025-01-28-2025-02-25", "is not YYYYMMDD-YYYYMMDD"),
        ("20250230-20250301", "not a day of the calendar"),
        ("20250225-20250128", "is empty"),
        ("20250128-20250128", "is empty"),
    ],
)
def test_another_timerange_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_timerange(text)
