"""How long things took: the median, the 99th of 100, the longest."""

from math import ceil
from typing import Final, NamedTuple

PROMISED_SECONDS: Final = 5.0


class Figures(NamedTuple):
    """Seconds of each kind, in the order in which they were measured.

    `protected_*` count from the start of a process until the exchange shows a stop for every position, where
    one had none: its bot died between the entry and its stop, or the stops were cancelled meanwhile.
    """

    recovered: list[float]
    processor_until_then: list[float]
    protected_after_death: list[float]
    protected_after_cancel: list[float]
    ended: list[float]

    def lines(self) -> list[str]:
        """Return a line for each kind."""
        return [f"{name.replace('_', ' ')}: {_told(getattr(self, name))}" for name in self._fields]

    def promise(self) -> str:
        """Return how many of the starts that had to protect something took no longer than is promised."""
        needed = [*self.protected_after_death, *self.protected_after_cancel]
        kept = sum(seconds <= PROMISED_SECONDS for seconds in needed)
        return f"protected within {PROMISED_SECONDS:g} s of a start: {kept} of {len(needed)}"


def no_figures() -> Figures:
    """Return figures of nothing."""
    return Figures([], [], [], [], [])


def share_of(seconds: list[float], share: float) -> float:
    """Return the value that this share of them does not exceed; 0.0 of none."""
    ordered = sorted(seconds)
    return ordered[ceil(share * len(ordered)) - 1] if ordered else 0.0


def _told(seconds: list[float]) -> str:
    values = (share_of(seconds, 0.5), share_of(seconds, 0.99), max(seconds, default=0.0))
    return f"{len(seconds)} times, p50 %.2f s, p99 %.2f s, max %.2f s" % values
