"""Figures as JSON wants them: NamedTuples with their names, null where a number is not known."""

import math
from collections.abc import Mapping
from typing import Any


def named(value: Any) -> Any:
    """Return `value` with every NamedTuple as a mapping of its fields, and NaN and infinities as None."""
    if isinstance(value, Mapping):
        return {key: named(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        fields = getattr(value, "_fields", None)
        items = [named(item) for item in value]
        return items if fields is None else dict(zip(fields, items, strict=True))
    return None if isinstance(value, float) and not math.isfinite(value) else value
