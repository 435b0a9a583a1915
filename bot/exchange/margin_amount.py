"""How much margin must move for the wallet to reach its target, on the venue's own step."""

from bot.core.instrument import Instrument
from bot.core.intent import AddMargin, ReleaseMargin
from bot.core.position import Position
from bot.core.steps import step_down, step_up


def margin_amount(action: AddMargin | ReleaseMargin, held: Position, instrument: Instrument) -> float:
    """Return the quote that reaches the target: added rounded up, released (< 0) down; 0.0 if it is there."""
    half_step = 0.5 * instrument.margin_step_quote
    if isinstance(action, AddMargin):
        amount = action.target_wallet - held.isolated_wallet
        return step_up(amount, instrument.margin_step_quote) if amount >= half_step else 0.0
    amount = held.isolated_wallet - action.target_wallet
    return -step_down(amount, instrument.margin_step_quote) if amount >= half_step else 0.0


def paid_up(action: AddMargin | ReleaseMargin, held: Position, paid_quote: float) -> Position:
    """Return the position with payments that it may not show, where without them too much would move."""
    paid_quote = max(paid_quote, 0.0) if isinstance(action, AddMargin) else min(paid_quote, 0.0)
    return held._replace(isolated_wallet=held.isolated_wallet + paid_quote)
