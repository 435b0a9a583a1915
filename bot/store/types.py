"""The column type of money and prices, and JSON text that gives back what it was given."""

import json
import math
from decimal import Decimal
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy import Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no JSON value")


_EXACT_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), default=_plain)
_FLOATS: Final = (float, np.floating)
_SEQUENCES: Final = (list, tuple)
# What Python cannot read back as it was (a dataclass, a date) must fail instead of being written.
_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def exact_text(value: float | Decimal | int) -> str:
    """Return `value` as decimal text that reads back as the same number.

    A float gives its shortest exact form, a Decimal its own digits. ValueError: not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"an amount must be finite, not {value}")
    if isinstance(value, float):
        return float.__repr__(value)  # numpy's float64 is a float with another repr
    return str(value)


def exact_text_or_none(value: float | Decimal | int | None) -> str | None:
    """Return `exact_text(value)`, or None for an absent or infinite figure (a ratio without equity)."""
    return None if value is None or not math.isfinite(value) else exact_text(value)


class DecimalText(TypeDecorator[Decimal]):
    """A TEXT column of exact decimal digits; SQLite's NUMERIC would turn them into a binary REAL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else exact_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Flag(TypeDecorator[bool]):
    """An INTEGER column of 0 or 1; STRICT tables know no BOOLEAN."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


def _has_non_finite(value: Any) -> bool:
    # A loop over exact types: the checkpoint of every commit passes here, hundreds of texts in it.
    waiting = [value]
    for item in waiting:
        kind = type(item)
        if kind is str or kind is int:
            continue
        if isinstance(item, _FLOATS):
            if not math.isfinite(item):
                return True
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, _SEQUENCES):
            waiting.extend(item)
    return False


def json_text(value: Any) -> str:
    """Return compact JSON text of plain values; `json_value` reads it back unchanged.

    Infinities and NaN are kept (as Python's json writes them). TypeError: a value JSON cannot hold.
    """
    text = orjson.dumps(value, default=_plain, option=_OPTIONS)
    # orjson is many times faster but writes null for infinity and NaN.
    if b"null" in text and _has_non_finite(value):
        return _EXACT_ENCODER.encode(value)
    return text.decode()


def json_value(text: str) -> Any:
    """Return the value that `json_text` was given, tuples as lists."""
    return json.loads(text)
