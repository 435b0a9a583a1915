"""Positions that cannot be managed are refused by name, the same way at every venue."""

from bot.core.position import Position
from bot.errors import Rejected, UserError


def isolated(
    symbol: str, signed: float, entry_price: float, wallet: float, leverage: float, opened_ms: int, mode: str
) -> Position:
    """Return an isolated one-way position. UserError: `mode` says that it is something else."""
    if mode:
        raise not_managed(symbol, mode)
    side = 1 if signed > 0.0 else -1
    return Position(symbol, side, abs(signed), entry_price, wallet, leverage, opened_ms)


def not_managed(symbol: str, mode: str) -> UserError:
    """Return the refusal of a position in another mode."""
    return UserError(
        f"{symbol} has an open position in {mode}. Ringfence manages isolated positions in one-way mode "
        "only and would misjudge this one. Close it at the exchange, or leave the symbol out of feed.symbols."
    )


def leverage_kept(symbol: str, title: str) -> Rejected:
    """Return the refusal to change leverage under a position, where the venue would move margin with it."""
    message = f"{symbol} has a position: changing its leverage would move its margin at {title}"
    return Rejected("leverage_refused", message)


def mode_of(*, is_hedged: bool, is_cross: bool) -> str:
    """Return what is wrong with a position's mode, "" for isolated in one-way mode."""
    return "hedge mode" if is_hedged else "cross margin" if is_cross else ""
