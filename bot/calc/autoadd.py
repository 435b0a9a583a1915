"""What the exchange's own switch adds to an isolated position that is about to be liquidated.

Source: Bybit help centre "Auto-Margin Replenishment": at the maintenance level one initial margin per
step, the rest of the balance when it is less, and no further than leverage 1.
"""

from bot.core.compiled import compiled
from bot.core.margin import initial_margin, liquidation_price, notional
from bot.core.position import Position
from bot.core.profile import MarginRules


@compiled
def added_by_exchange(position: Position, mark: float, free_quote: float, rules: MarginRules) -> float:
    """Return what the switch takes from `free_quote` (quote) while `mark` is past liquidation; 0.0 if not.

    All of it may be gone and the position liquidated nevertheless.
    """
    step = initial_margin(position, position.entry_price, rules)
    most = min(notional(position, position.entry_price, rules) - position.isolated_wallet, free_quote)
    added = 0.0
    while added < most and _is_due(position, added, mark, rules):
        added = min(added + step, most)
    return added


@compiled
def _is_due(position: Position, added: float, mark: float, rules: MarginRules) -> bool:
    held = Position(
        position.symbol,
        position.side,
        position.quantity,
        position.entry_price,
        position.isolated_wallet + added,
        position.leverage,
        position.opened_ms,
    )
    return position.side * (mark - liquidation_price(held, rules)) <= 0.0
