"""What the exchange's own switch adds to an isolated position that is about to be liquidated.

It acts at the touch, step by step, by the arithmetic and with the sources of bot/risk/autoadd.py.
"""

from bot.core.compiled import compiled
from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.core.profile import MarginRules
from bot.risk.autoadd import one_step
from bot.risk.wallet import with_wallet


@compiled
def added_by_exchange(position: Position, mark: float, free_quote: float, rules: MarginRules) -> float:
    """Return what the switch takes from `free_quote` (quote) while `mark` is past liquidation; 0.0 if not.

    All of it may be gone and the position liquidated nevertheless.
    """
    added = 0.0
    while added < free_quote and _is_due(position, added, mark, rules):
        step = one_step(with_wallet(position, position.isolated_wallet + added), 1.0, rules)
        if step <= 0.0:
            break
        added = min(added + step, free_quote)
    return added


@compiled
def _is_due(position: Position, added: float, mark: float, rules: MarginRules) -> bool:
    held = with_wallet(position, position.isolated_wallet + added)
    return position.side * (mark - liquidation_price(held, rules)) <= 0.0
