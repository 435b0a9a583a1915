"""Which isolated wallet puts liquidation where, and the least change of it that is worth making."""

from typing import Final

from bot.core.compiled import compiled
from bot.core.margin import distance, liquidation_price, maintenance_margin, wallet_for_distance
from bot.core.position import Position
from bot.risk.limits import MarginLimits
from bot.risk.view import MarginView

FARTHEST_LONG: Final = 0.999  # a long's liquidation price stays above zero


@compiled
def target_wallet(view: MarginView, wanted: float) -> float:
    """Return the isolated wallet (quote) that puts liquidation `wanted` away from the mark, above zero.

    At least the maintenance margin at the mark: a profit that covers it already can be lost again, and no
    venue lets a wallet be set to nothing or less.
    """
    nearest = min(wanted, FARTHEST_LONG) if view.position.side > 0 else wanted
    wallet = float(wallet_for_distance(view.position, view.mark, nearest, view.rules))
    return max(wallet, float(maintenance_margin(view.position, view.mark, view.rules)))


@compiled
def minimum_step(wallet: float, limits: MarginLimits) -> float:
    """Return the smallest move worth making, in quote currency."""
    return max(limits.min_step_quote, limits.min_step_fraction * abs(wallet))


@compiled
def with_wallet(position: Position, wallet: float) -> Position:
    """Return the same position with another isolated wallet."""
    return Position(
        position.symbol,
        position.side,
        position.quantity,
        position.entry_price,
        wallet,
        position.leverage,
        position.opened_ms,
    )


@compiled
def distance_with(view: MarginView, wallet: float) -> float:
    """Return the liquidation distance that the position would have with this isolated wallet."""
    moved = with_wallet(view.position, wallet)
    return distance(moved.side, view.mark, liquidation_price(moved, view.rules))
