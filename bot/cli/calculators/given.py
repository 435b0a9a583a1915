"""What a flag or a key of a file says, as a number; every refusal names it, its value and what it may be."""

import math
import re
from typing import Any, Final

from bot.errors import UserError

_DURATION: Final = re.compile(r"(\d{1,6})(m|h|d)")
_UNIT_MS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


def refused(where: str, value: Any, reason: str) -> UserError:
    """Return the refusal of one value: `where` is a flag or a key, `reason` a clause."""
    shown = f'"{value}"' if isinstance(value, str) else f"{value}"
    return UserError(f"{where} is {shown}; {reason}. Correct it and try again.")


def number(where: str, value: Any) -> float:
    """Return a finite number of either sign."""
    found = _float(value)
    if found is None or not math.isfinite(found):
        raise refused(where, value, "it must be a finite number, such as 60000 or 0.25")
    return found


def positive(where: str, value: Any) -> float:
    """Return a finite number above 0."""
    found = _float(value)
    if found is None or not 0.0 < found < math.inf:
        raise refused(where, value, "it must be a finite number above 0, such as 60000 or 0.25")
    return found


def not_negative(where: str, value: Any) -> float:
    """Return a finite number that is at least 0."""
    found = _float(value)
    if found is None or not 0.0 <= found < math.inf:
        raise refused(where, value, "it must be a finite number, at least 0")
    return found


def leverage(where: str, value: Any) -> float:
    """Return a leverage of at least 1; "10x" is 10."""
    found = _float(value.strip().removesuffix("x") if isinstance(value, str) else value)
    if found is None or not 1.0 <= found < math.inf:
        raise refused(where, value, "it must be a finite number, at least 1, such as 10")
    return found


def signed_fraction(where: str, value: Any) -> float:
    """Return "5%" or 0.05 as 0.05. A bare number of 1 or more is refused: nobody can tell what it means."""
    text = value.strip() if isinstance(value, str) else value
    is_percent = isinstance(text, str) and text.endswith("%")
    found = _float(text[:-1] if is_percent and isinstance(text, str) else text)
    if found is None or not math.isfinite(found):
        raise refused(where, value, "it must be a percentage such as 5% or a fraction such as 0.05")
    if is_percent:
        return found / 100.0
    if abs(found) >= 1.0:
        raise refused(where, value, f"a fraction is below 1; write {found:g}% if you mean {found:g} per cent")
    return found


def fraction(where: str, value: Any) -> float:
    """Return a fraction above 0: "5%" or 0.05."""
    found = signed_fraction(where, value)
    if not found > 0.0:
        raise refused(where, value, "it must be above 0, such as 5% or 0.05")
    return found


def share(where: str, value: Any) -> float:
    """Return a fraction above 0 and below 1."""
    found = fraction(where, value)
    if not found < 1.0:
        raise refused(where, value, "it must be below 100 %")
    return found


def rate(where: str, value: Any) -> float:
    """Return a fee rate, at least 0 and below 1."""
    found = signed_fraction(where, value)
    if not 0.0 <= found < 1.0:
        raise refused(where, value, "it must be at least 0 and below 100 %")
    return found


def shock(where: str, value: Any) -> float:
    """Return a price move above -100 %."""
    found = signed_fraction(where, value)
    if not found > -1.0:
        raise refused(where, value, "no price falls by 100 % or more; it must be above -100%")
    return found


def duration_ms(where: str, value: str) -> int:
    """Return the milliseconds of "90m", "24h" or "3d", at least one minute."""
    match = _DURATION.fullmatch(value.strip())
    if match is None or int(match[1]) == 0:
        raise refused(where, value, 'it must be a length of time such as "90m", "24h" or "3d"')
    return int(match[1]) * _UNIT_MS[match[2]]


def side(where: str, value: Any) -> int:
    """Return +1 for "long" and -1 for "short"."""
    sides = {"long": 1, "short": -1}
    if not isinstance(value, str) or value.strip().lower() not in sides:
        raise refused(where, value, 'it must be "long" or "short"')
    return sides[value.strip().lower()]


def text(where: str, value: Any) -> str:
    """Return a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise refused(where, value, "it must be a text")
    return value.strip()


def switch(where: str, value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise refused(where, value, "it must be true or false")
    return value


def _float(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value.strip().replace("_", "") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
