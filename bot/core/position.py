"""An open isolated-margin position, as the venue holds it. Side is a sign: +1 long, -1 short."""

from typing import Final, Literal, NamedTuple

Side = Literal[1, -1]

LONG: Final = 1
SHORT: Final = -1


class Position(NamedTuple):
    """One isolated position in one-way mode.

    `quantity` is positive, in base units (linear) or in USD of contract value (inverse).
    `isolated_wallet` is the margin WITHOUT unrealised PnL (Binance `isolatedWallet`), in the
    settlement currency; opening fee and funding are already settled into it where the venue does so.
    `leverage` is the venue's leverage setting of the symbol, not the effective leverage.
    """

    symbol: str
    side: int
    quantity: float
    entry_price: float
    isolated_wallet: float
    leverage: float
    opened_ms: int = 0


def side_name(side: int) -> str:
    """Return "long" for +1 and "short" for -1."""
    return "long" if side > 0 else "short"
