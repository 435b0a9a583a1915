"""How a sweep's figures are written, in a terminal and on a page."""

import math
from typing import Final

SURE: Final = 0.95  # from which probability on skill is believed
FEW_TRADES: Final = 100

_SHARES: Final = frozenset({"return", "drawdown", "worst", "win-rate"})
_COUNTS: Final = frozenset({"liquidations", "trades"})


def is_share(name: str) -> bool:
    """Return whether a figure is a fraction, written in percent."""
    return name in _SHARES


def figure(name: str, value: float) -> str:
    """Return a figure in words; "-" where it is not known."""
    if not math.isfinite(value):
        return "-"
    if is_share(name):
        return f"{value:+.2%}"
    return f"{value:.0f}" if name in _COUNTS else f"{value:.2f}"
