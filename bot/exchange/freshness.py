"""When a venue's rules are read again: all of them hourly, one symbol's after a refusal they may explain."""

from collections.abc import Iterable
from typing import Final

from bot.core.instrument import Instrument, is_same_instrument

_HOUR_MS: Final = 3_600_000  # Binance changes brackets several times a month
_AFTER_A_REFUSAL_MS: Final = 300_000
_AFTER_A_FAILURE_MS: Final = 60_000
_LONG_AGO_MS: Final = -(2**62)


# OKX gives tiers in contracts, valued at 0.8 of the mark: their bounds move with it and mean nothing new.
_CAP_TOLERANCE: Final = 0.05


def is_changed(known: Instrument, read: Instrument) -> bool:
    """Return whether a venue trades by other rules than those that are known."""
    return not is_same_instrument(known, read, _CAP_TOLERANCE)


class Freshness:
    """Remembers when the rules of each symbol were read and asked for. Times are UTC milliseconds."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self._read_ms = dict.fromkeys(symbols, 0)
        self._asked_ms: dict[str, int] = {}
        self._doubted_ms: dict[str, int] = {}
        self._suspects: dict[str, None] = {}

    def suspect(self, symbol: str) -> None:
        """Say that a refusal may be due to rules that are not what was read."""
        self._suspects[symbol] = None

    def due(self, now_ms: int) -> tuple[str, ...]:
        """Return the symbols to be read now, and count them as asked for.

        Refusals of one symbol cause one reading in five minutes; a reading that failed waits a minute.
        """
        doubted = [each for each in self._suspects if self._is_doubted(each, now_ms)]
        self._doubted_ms.update(dict.fromkeys(doubted, now_ms))
        old = [each for each in self._read_ms if self._is_old(each, now_ms)]
        due = tuple(dict.fromkeys((*doubted, *old)))
        self._asked_ms.update(dict.fromkeys(due, now_ms))
        return due

    def read(self, symbols: Iterable[str], now_ms: int) -> None:
        """Say that the rules of these symbols are known as of now."""
        for symbol in symbols:
            self._read_ms[symbol] = now_ms
            self._suspects.pop(symbol, None)

    def _is_old(self, symbol: str, now_ms: int) -> bool:
        asked_ms = self._asked_ms.get(symbol, _LONG_AGO_MS)
        return now_ms - self._read_ms[symbol] >= _HOUR_MS and now_ms - asked_ms >= _AFTER_A_FAILURE_MS

    def _is_doubted(self, symbol: str, now_ms: int) -> bool:
        return now_ms - self._doubted_ms.get(symbol, _LONG_AGO_MS) >= _AFTER_A_REFUSAL_MS
