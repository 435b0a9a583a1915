"""What a stream message says, as far as anybody here wants to know it."""

from typing import NamedTuple


class MarkTold(NamedTuple):
    """A mark price. `next_funding_ms` 0: the message does not say."""

    ts_ms: int
    symbol: str
    mark: float
    next_funding_ms: int


class CandleTold(NamedTuple):
    """A candle as it forms; `is_closed` when the venue says that it will not change any more."""

    ts_ms: int
    symbol: str
    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    is_closed: bool


class AccountTold(NamedTuple):
    """Something happened to the account: look. No symbols: anywhere.

    `cancelled`: our orders, where all that it says is that these were.
    """

    ts_ms: int
    symbols: tuple[str, ...]
    cancelled: tuple[str, ...] = ()


class UserStreamEnded(NamedTuple):
    """The venue will say no more on this user stream: its key has expired."""

    ts_ms: int


Told = MarkTold | CandleTold | AccountTold | UserStreamEnded
