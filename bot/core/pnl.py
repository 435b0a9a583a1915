"""Profit, fees and funding of one position. Linear: quote per base; inverse: base coin, quantity in USD."""

from bot.core.compiled import compiled


@compiled
def realised_pnl(
    side: int, entry_price: float, exit_price: float, quantity: float, is_inverse: bool
) -> float:
    """Return the PnL of closing `quantity` at `exit_price`, before fees."""
    if is_inverse:
        return side * quantity * (1.0 / entry_price - 1.0 / exit_price)
    return side * quantity * (exit_price - entry_price)


@compiled
def trading_fee(notional: float, fee_rate: float) -> float:
    """Return the fee paid on a trade of `notional` (>= 0); a rebate has a negative rate."""
    return notional * fee_rate


@compiled
def funding_payment(side: int, notional: float, funding_rate: float) -> float:
    """Return what the position RECEIVES at a settlement: longs pay when the rate is positive."""
    return -side * funding_rate * notional
