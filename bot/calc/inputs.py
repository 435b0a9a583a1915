"""What every calculator asks of its numbers; each check raises ValueError naming the field and its value."""

import math

from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.core.profile import MarginRules


def check_positive(name: str, value: float) -> None:
    """Raise unless `value` is finite and above 0."""
    if not 0.0 < value < math.inf:
        raise ValueError(f"{name} is {value!r}; it must be finite and above 0")


def check_not_negative(name: str, value: float) -> None:
    """Raise unless `value` is finite and at least 0."""
    if not 0.0 <= value < math.inf:
        raise ValueError(f"{name} is {value!r}; it must be finite and not negative")


def check_finite(name: str, value: float) -> None:
    """Raise for NaN and infinity."""
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}; it must be a finite number")


def check_side(side: int) -> None:
    """Raise unless `side` is +1 or -1."""
    if side not in (1, -1):
        raise ValueError(f"side is {side!r}; it must be 1 (long) or -1 (short)")


def check_alive(position: Position, mark: float, rules: MarginRules) -> None:
    """Raise unless `mark` is a price on the safe side of the liquidation price."""
    check_positive("mark", mark)
    liquidation = liquidation_price(position, rules)
    if not position.side * (mark - liquidation) > 0.0:
        raise ValueError(f"mark is {mark!r}; the position is past its liquidation price {liquidation!r}")
