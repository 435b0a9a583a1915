"""The texts that people write in settings and flags, turned into numbers: durations, speeds, symbols.

Every function raises ValueError with a sentence that says what was expected.
"""

import math
import re
from typing import Final

from pydantic import SecretStr

_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
_PEM: Final = "PRIVATE KEY-----"  # a key of several lines, which ccxt signs with where a venue has such
_TIME_OF_DAY: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SYMBOL: Final = re.compile(r"[A-Z0-9]+/[A-Z0-9]+:[A-Z0-9]+")


def seconds_from_text(text: str) -> float:
    """Return the seconds of "90s", "10m", "2h" or "1d"; a number without a unit is seconds."""
    found = _AMOUNT.fullmatch(text.strip().lower())
    if found is None or float(found[1]) == 0:
        raise ValueError('a duration above zero such as "90s", "10m" or "2h" was expected')
    return float(found[1]) * _SECONDS[found[2] or "s"]


def speed_from_text(text: str) -> float:
    """Return market seconds per wall second of "1x", "60x", "60"; inf for "max"."""
    word = text.strip().lower()
    if word == "max":
        return math.inf
    try:
        return float(word.removesuffix("x"))
    except ValueError:
        raise ValueError('a speed such as "1x", "60x" or "max" was expected') from None


def speed_text(speed: float) -> str:
    """Return "max" or "60x": the text that `speed_from_text` reads back."""
    return "max" if math.isinf(speed) else f"{speed:g}x"


def symbols_from_text(text: str) -> tuple[str, ...]:
    """Return the symbols of "BTC/USDT:USDT,ETH/USDT:USDT", in the order given."""
    return list_from_text(text)


def list_from_text(text: str) -> tuple[str, ...]:
    """Return the words of "stop,liquidation", in the order given."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def fractions_from_text(text: str) -> tuple[float, ...]:
    """Return the numbers of "0.02,0.01", in the order given."""
    try:
        return tuple(float(part) for part in list_from_text(text))
    except ValueError:
        raise ValueError('fractions separated by commas such as "0.02,0.01" were expected') from None


def whole_numbers_from_text(text: str) -> tuple[int, ...]:
    """Return the numbers of "123456789,-1001234567890", in the order given."""
    try:
        return tuple(int(part) for part in list_from_text(text))
    except ValueError:
        raise ValueError('whole numbers separated by commas such as "12345,-67890" were expected') from None


def minute_of_day(text: str) -> int:
    """Return the minutes since midnight of "07:30"."""
    found = _TIME_OF_DAY.fullmatch(text.strip())
    if found is None:
        raise ValueError('a time of day such as "07:30" was expected')
    return int(found[1]) * 60 + int(found[2])


def minutes_of_day(text: str) -> tuple[int, int]:
    """Return the ends of "22:00-07:00" in minutes since midnight."""
    begin, _, end = text.partition("-")
    try:
        return minute_of_day(begin), minute_of_day(end)
    except ValueError:
        raise ValueError('two times of day such as "22:00-07:00" were expected') from None


def checked_symbols(symbols: tuple[str, ...]) -> tuple[str, ...]:
    """Return `symbols` when each is a unified perpetual symbol, named once; ValueError otherwise."""
    if not symbols:
        raise ValueError("at least one symbol was expected")
    for symbol in symbols:
        if _SYMBOL.fullmatch(symbol) is None:
            raise ValueError(_no_symbol(symbol))
    if len(set(symbols)) != len(symbols):
        raise ValueError("a symbol is named twice")
    return symbols


def _no_symbol(text: str) -> str:
    upper = text.upper()
    is_lowercase = upper != text and _SYMBOL.fullmatch(upper) is not None
    hint = f'did you mean "{upper}"?' if is_lowercase else 'one looks like "BTC/USDT:USDT"'
    return f'"{text}" is not a unified perpetual symbol, {hint}'


def checked_secret(text: str) -> str:
    """Return a secret without what editors and shells leave around it. ValueError: it holds a line break."""
    secret = text.strip()
    if not secret.isprintable() and _PEM not in secret:
        raise ValueError("it must be one line, without line breaks and control characters")
    return secret


def plain(secret: SecretStr | None) -> str:
    """Return a secret as it was given, "" for none. For those who send it, never for those who show it."""
    return "" if secret is None else secret.get_secret_value()
