"""Actions on a coin's leverage and on the margin of its position."""

from bot.core.intent import AddMargin, ReleaseMargin, SetLeverage
from bot.sim.server.hyperliquid.desk import Desk
from bot.sim.server.hyperliquid.errors import TOO_MUCH, Refusal, margin_refusal
from bot.sim.server.hyperliquid.terms import MICRO
from bot.sim.server.hyperliquid.wire import Body, flag, whole


def set_leverage(desk: Desk, action: Body) -> None:
    """updateLeverage: leverage and mode at once; under a position leverage only rises and the mode stays."""
    symbol, leverage = desk.symbol_of_asset(action, "asset"), whole(action, "leverage")
    is_isolated = not flag(action, "isCross")
    held = desk.exchange.state.positions.get(symbol)
    if held is not None and is_isolated != desk.is_isolated(symbol):
        raise Refusal("Cannot switch leverage type with open position.")
    if held is not None and leverage < held.leverage:
        raise Refusal("Cannot decrease leverage with open position.")
    if desk.keeps_margin(symbol) and not is_isolated:
        raise Refusal("Cross margin is not allowed for this asset: its leverage is isolated.")
    refused = desk.exchange.request(SetLeverage(symbol, leverage))
    if refused:
        raise Refusal(f"Invalid leverage value: {refused.message}")
    desk.set_isolated(symbol, is_isolated)


def move_margin(desk: Desk, action: Body) -> None:
    """updateIsolatedMargin: ntli is signed, in millionths; isBuy means nothing in one-way mode.

    Not idempotent, and the reply has no amount.
    """
    symbol, ntli = desk.symbol_of_asset(action, "asset"), whole(action, "ntli")
    flag(action, "isBuy")
    held = desk.exchange.state.positions.get(symbol)
    if held is None:
        raise Refusal("No position to update margin for")
    if not desk.is_isolated(symbol):
        raise Refusal("Cannot update margin for cross position")
    if ntli < 0 and desk.keeps_margin(symbol):
        raise Refusal("Margin of a strictly isolated position cannot be removed")
    target = held.isolated_wallet + ntli / MICRO
    if target <= 0.0:
        raise Refusal(TOO_MUCH)
    refused = desk.exchange.request(AddMargin(symbol, target) if ntli > 0 else ReleaseMargin(symbol, target))
    if refused:
        raise margin_refusal(refused)
