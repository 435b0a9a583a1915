"""A stretch of market time as users write it: YYYYMMDD-YYYYMMDD, UTC, the end not included."""

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

_PATTERN: Final = re.compile(r"(\d{8})-(\d{8})")


class TimeRange(NamedTuple):
    """UTC milliseconds, `start_ms` included and `end_ms` not."""

    start_ms: int
    end_ms: int


def parse_timerange(text: str) -> TimeRange:
    """Return the range of "20250128-20250225". ValueError: another form, no such day, or an empty range."""
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"timerange {text!r} is not YYYYMMDD-YYYYMMDD, as in 20250128-20250225")
    start_ms, end_ms = _midnight_ms(match[1]), _midnight_ms(match[2])
    if end_ms <= start_ms:
        raise ValueError(f"timerange {text!r} is empty: its end must be a later day than its start")
    return TimeRange(start_ms, end_ms)


def timerange_text(timerange: TimeRange) -> str:
    """Return "YYYYMMDD-YYYYMMDD": the text that `parse_timerange` reads back."""
    return f"{_day_text(timerange.start_ms)}-{_day_text(timerange.end_ms)}"


def utc_text(ts_ms: int) -> str:
    """Return a UTC instant for people, to the minute: "2025-02-03 02:07"."""
    return datetime.fromtimestamp(ts_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def utc_second_text(ts_ms: int) -> str:
    """Return the same to the second, the one begun counted whole: "2025-02-03 02:07:41"."""
    return datetime.fromtimestamp(-(-ts_ms // 1000), UTC).strftime("%Y-%m-%d %H:%M:%S")


def _day_text(ts_ms: int) -> str:
    return datetime.fromtimestamp(ts_ms / 1000, UTC).strftime("%Y%m%d")


def _midnight_ms(day: str) -> int:
    try:
        return int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError as error:
        raise ValueError(f"{day!r} is not a day of the calendar (YYYYMMDD)") from error
