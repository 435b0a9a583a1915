"""Request weights and order rates: counted in fixed windows of wall time, as exchanges do."""

from typing import NamedTuple

from bot.ports import Clock


class Window(NamedTuple):
    """At most `most` within each `length_ms`."""

    length_ms: int
    most: int


class Counter:
    """Counts in the current window; a new window begins at zero."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._number, self._used = -1, 0

    def used(self, now_ms: int) -> int:
        """Return what was used in the window of `now_ms`."""
        return self._used if now_ms // self.window.length_ms == self._number else 0

    def add(self, amount: int, now_ms: int) -> bool:
        """Count `amount`; return whether the window still allows it."""
        self._used = self.used(now_ms) + amount
        self._number = now_ms // self.window.length_ms
        return self._used <= self.window.most

    def left_ms(self, now_ms: int) -> int:
        """Return the time until the window ends."""
        return self.window.length_ms - now_ms % self.window.length_ms


class Ban:
    """Who goes on asking after being told to stop is banned for a while."""

    def __init__(self, clock: Clock, tolerated: int, length_ms: int) -> None:
        self._clock, self._tolerated, self._length_ms = clock, tolerated, length_ms
        self._ignored = 0
        self.until_ms = 0

    @property
    def is_on(self) -> bool:
        return self._clock.now_ms() < self.until_ms

    def note_excess(self) -> bool:
        """Note one more request over the limit; return whether it is now banned."""
        self._ignored += 1
        if self._ignored > self._tolerated:
            self._ignored = 0
            self.until_ms = self._clock.now_ms() + self._length_ms
        return self.is_on

    def note_calm(self) -> None:
        """Note a request within the limit."""
        self._ignored = 0
