"""How much one step of the exchanges' own auto-add-margin switch adds: the one place that says so.

Sources: Bybit help centre "Auto-Margin Replenishment": at the maintenance level one initial margin per step,
the rest of the balance when it is less, and no further than leverage 1. Bitget and WEEX differ: they restore
the ratio, or take the whole balance at once. Binance's switch can be set in its app only.

The switch acts inside the venue, at the touch of liquidation and before it: `bot.calc` plays that. A bot
cannot: it sees the mark late and must act a little before it, so the policy of the same name takes the
same step at a distance.
"""

from bot.core.compiled import compiled
from bot.core.margin import initial_margin, notional
from bot.core.position import Position
from bot.core.profile import MarginRules


@compiled
def one_step(position: Position, initial_margins: float, rules: MarginRules) -> float:
    """Return what one step adds when enough is free: so many initial margins, no further than leverage 1.

    At the entry price, in the settlement currency; 0.0 when the position is at leverage 1 or beyond.
    """
    step = initial_margins * initial_margin(position, position.entry_price, rules)
    room = notional(position, position.entry_price, rules) - position.isolated_wallet
    return max(min(step, room), 0.0)
