"""How large an entry may be and with what leverage: size from risk, leverage from the stop.

Source: margin-science 3.10. E entry, S stop, q side, N notional, Q quantity, W equity.
"""

import math
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.core.margin import (
    initial_margin,
    liquidation_price,
    maintenance_margin,
    wallet_for_liquidation_price,
)
from bot.core.position import Position
from bot.core.probability import distance_for_probability
from bot.core.profile import MarginRules
from bot.core.steps import step_down
from bot.core.tiers import tier_index

_MOST_LEVERAGE = 1e6


class EntryOrder(NamedTuple):
    """What is to be sized: prices of the entry, the stop and the (average) target, and their costs.

    `target_price` is the mean of the take-profits weighted by quantity. Rates are fractions of notional.
    """

    side: int
    entry_price: float
    stop_price: float
    target_price: float
    taker_fee_rate: float
    stop_slippage: float


class SizingRules(NamedTuple):
    """What the account allows: risk per trade, buffer beyond the stop (fraction), leverage and step."""

    equity_quote: float
    risk_fraction: float
    buffer: float
    max_leverage: float
    quantity_step: float


class Sizing(NamedTuple):
    """A sized entry; money in quote. `is_liquidation_beyond_stop`: by at least the buffer.

    `worst_case_loss_quote` is the required margin plus the entry fee: what is lost when nothing is added.
    """

    stop_distance: float
    notional_quote: float
    quantity: float
    buffer: float
    target_liquidation_price: float
    leverage: int
    required_margin_quote: float
    maintenance_margin_quote: float
    liquidation_price: float
    loss_at_stop_quote: float
    entry_fee_quote: float
    worst_case_loss_quote: float
    reward_to_risk: float
    tier: int
    tier_max_leverage: float
    is_liquidation_beyond_stop: bool


@compiled
def entry_buffer(sigma_day: float, buffer_min: float, buffer_sigmas: float, horizon_days: float) -> float:
    """Return max(buffer_min, buffer_sigmas * sigma_day * sqrt(horizon_days)), a fraction of the stop."""
    return max(buffer_min, buffer_sigmas * sigma_day * math.sqrt(horizon_days))


@compiled
def loss_fraction(order: EntryOrder) -> float:
    """Return what a fill of the stop costs per unit of entry notional, slippage and both fees included."""
    side, fee = order.side, order.taker_fee_rate
    away = side * (order.entry_price - order.stop_price) / order.entry_price
    kept = 1.0 - side * away
    return away + order.stop_slippage * kept + fee + fee * kept


@compiled
def gain_fraction(order: EntryOrder) -> float:
    """Return what a fill of the target earns per unit of entry notional, after both fees."""
    ratio = order.target_price / order.entry_price
    return order.side * (ratio - 1.0) - order.taker_fee_rate * (1.0 + ratio)


@compiled
def quantity_for(order: EntryOrder, sizing: SizingRules) -> float:
    """Return the quantity that loses `risk_fraction` of equity at the stop, on the step (down); may be 0."""
    risk_quote = sizing.risk_fraction * sizing.equity_quote
    return step_down(risk_quote / loss_fraction(order) / order.entry_price, sizing.quantity_step)


@compiled
def size_entry(order: EntryOrder, sizing: SizingRules, rules: MarginRules) -> Sizing:
    """Return the entry of `quantity_for`, which must be above 0, with its leverage and margins.

    Leverage is the highest integer whose liquidation price lies beyond the stop by the buffer; 1 when
    none does, and then `is_liquidation_beyond_stop` is False. Linear contracts only.
    """
    entry, loss = order.entry_price, loss_fraction(order)
    quantity = quantity_for(order, sizing)
    value = quantity * entry
    wanted = order.stop_price * (1.0 - order.side * sizing.buffer)
    row = tier_index(rules.tiers, value)
    cap = min(sizing.max_leverage, float(rules.tiers.max_leverage[row]))
    leverage = leverage_for(order, quantity, wanted, cap, rules)
    position = _opened(order, quantity, leverage)
    liquidation = float(liquidation_price(position, rules))
    fee = order.taker_fee_rate * value
    return Sizing(
        order.side * (entry - order.stop_price) / entry,
        value,
        quantity,
        sizing.buffer,
        wanted,
        leverage,
        position.isolated_wallet,
        float(maintenance_margin(position, entry, rules)),
        liquidation,
        loss * value,
        fee,
        position.isolated_wallet + fee,
        gain_fraction(order) / loss,
        row,
        float(rules.tiers.max_leverage[row]),
        order.side * (wanted - liquidation) >= 0.0,
    )


@compiled
def margin_without_stop(
    position: Position, mark: float, sigma_day: float, probability: float, days: float, rules: MarginRules
) -> float:
    """Return max(N / leverage, the wallet that is liquidated with `probability` within `days`), at `mark`.

    The volatility-adjusted requirement of margin-science 3.10 for a position without a stop; the log
    distance is that of the fat-tailed law, so a long's price distance is 1 - exp(-b), a short's exp(b) - 1.
    """
    away = distance_for_probability(probability, sigma_day * math.sqrt(days))
    liquidation = mark * math.exp(-position.side * away)
    needed = wallet_for_liquidation_price(position, liquidation, rules)
    return max(initial_margin(position, mark, rules), needed)


@compiled
def _opened(order: EntryOrder, quantity: float, leverage: int) -> Position:
    margin = quantity * order.entry_price / leverage
    return Position("", order.side, quantity, order.entry_price, margin, float(leverage), 0)


@compiled
def leverage_for(order: EntryOrder, quantity: float, wanted: float, cap: float, rules: MarginRules) -> int:
    """Return the highest whole leverage up to `cap` that liquidates no nearer than `wanted`; 1 if none does.

    floor(N / margin), then down while a venue's own rounding or closing fee still leaves it too near.
    """
    value = quantity * order.entry_price
    guess = _opened(order, quantity, 1)
    margin = wallet_for_liquidation_price(guess, wanted, rules)
    most = value / margin if margin > 0.0 else _MOST_LEVERAGE
    leverage = max(1, int(min(cap, math.floor(most))))
    while leverage > 1:
        liquidation = liquidation_price(_opened(order, quantity, leverage), rules)
        if order.side * (wanted - liquidation) >= 0.0:
            break
        leverage -= 1
    return leverage
