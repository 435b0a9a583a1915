"""Candle timeframes: "5m" and 300_000 are the same thing."""

import re
from typing import Final

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000

_UNIT_MS: Final = {"d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS}
_PATTERN: Final = re.compile(r"([1-9]\d{0,3})([mhd])")


def timeframe_ms(text: str) -> int:
    """Return the milliseconds of a timeframe such as "1m", "4h" or "1d".

    Raises ValueError for another form, and for a length that does not divide a day: its grid would
    not start at midnight UTC.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"timeframe {text!r} is not a count and a unit (m, h or d), as in 5m, 1h, 1d")
    length_ms = int(match[1]) * _UNIT_MS[match[2]]
    if length_ms > DAY_MS or DAY_MS % length_ms:
        raise ValueError(f"timeframe {text!r} does not divide a day, so its candles have no fixed grid")
    return length_ms


def timeframe_text(length_ms: int) -> str:
    """Return the shortest text of a timeframe: 300_000 -> "5m". ValueError unless whole minutes > 0."""
    for unit, unit_ms in _UNIT_MS.items():
        if length_ms > 0 and length_ms % unit_ms == 0:
            return f"{length_ms // unit_ms}{unit}"
    raise ValueError(f"a timeframe of {length_ms} ms is not a whole number of minutes")
