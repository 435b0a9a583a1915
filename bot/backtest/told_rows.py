"""What the kernel writes down for the shadows: one row of numbers for every change of a position."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.position import Position


class Row(NamedTuple):
    """One change, in the order of the columns of kernel/story.py.

    `heard_ms`, `known_row`: the newest mark and candle that the engine had heard. `ticked_ms` and
    `ticked_symbol`: the newest tick of any symbol; `own_tick_ms`: of this one. `was_...`: before the change.
    """

    kind: int
    symbol: int
    ts_ms: int
    position_id: int
    leg: int
    reason: int
    order_id: int
    heard_ms: int
    known_row: int
    ticked_ms: int
    ticked_symbol: int
    own_tick_ms: int
    was_held: int
    is_held: int
    is_trailed: int
    side: int
    opened_ms: int
    quantity: float
    entry_price: float
    wallet: float
    leverage: float
    was_quantity: float
    was_entry_price: float
    was_wallet: float
    price: float
    traded: float
    left: float
    fee: float
    amount: float
    mark: float
    last: float
    stop_price: float
    net_quote: float

    def held(self, symbol: str) -> Position:
        """Return the position after the change."""
        return Position(
            symbol,
            self.side,
            self.quantity,
            self.entry_price,
            self.wallet,
            self.leverage,
            self.opened_ms,
        )

    def was(self, symbol: str) -> Position:
        """Return the position before the change."""
        return self.held(symbol)._replace(
            quantity=self.was_quantity, entry_price=self.was_entry_price, isolated_wallet=self.was_wallet
        )


WHOLES = 17  # of the columns


def rows_of(table: NDArray[np.float64]) -> list[Row]:
    """Return the rows of a table."""
    return [Row(*map(int, row[:WHOLES]), *row[WHOLES:]) for row in table.tolist()]
