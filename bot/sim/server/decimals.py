"""Numbers as exchanges write them: decimal text that reads back as the same float64."""

import math
from decimal import Decimal


def decimal_text(value: float) -> str:
    """Return the shortest decimal that reads back as `value`, without an exponent; "0" for infinity."""
    if not math.isfinite(value):
        return "0"
    text = repr(value + 0.0)
    return format(Decimal(text), "f") if "e" in text else text
