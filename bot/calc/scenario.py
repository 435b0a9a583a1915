"""What a price shock does to positions: each is marked, or liquidated and worth nothing."""

from typing import NamedTuple

from bot.core.margin import liquidation_price, unrealised_pnl
from bot.core.position import Position
from bot.core.profile import MarginRules


class ShockedPosition(NamedTuple):
    """`pnl` is relative to the isolated wallet; a liquidated position loses exactly that wallet."""

    mark: float
    liquidation_price: float
    is_liquidated: bool
    pnl: float


def shocked_position(position: Position, mark: float, rules: MarginRules) -> ShockedPosition:
    """Return the position after the mark has moved to `mark`, before fees."""
    liquidation = liquidation_price(position, rules)
    is_liquidated = position.side * (mark - liquidation) <= 0.0
    pnl = -position.isolated_wallet if is_liquidated else unrealised_pnl(position, mark, rules)
    return ShockedPosition(mark, liquidation, is_liquidated, pnl)
