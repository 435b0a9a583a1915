"""Isolated-margin arithmetic: maintenance, ratio, liquidation, and the margin for a wanted distance.

One straight line per leverage tier. With x = price (linear) or x = 1/price (inverse), both equity and
maintenance margin are linear in x, so every threshold is one division per tier:

    equity(x) = a + b*x                 a = W - s*q*E, b = +s*q     (linear)
                                        a = W + s*q/E, b = -s*q     (inverse, q in USD)
    maintenance(x) = q*(m + f)*x - D    m, D of the tier that holds the notional q*x

Symbols: s side, q quantity, E entry, W isolated wallet (no unrealised PnL), f close-fee rate.
Units: quote per base for prices; quote (linear) or base coin (inverse) for money.
Sources: Binance FAQ b3c689c1 (liquidation), 360038447311 (removable margin); the other venues in
bot/core/profile.py. Every venue is checked against its own reported prices in tests/golden.
"""

import math

from bot.core.compiled import compiled
from bot.core.position import Position
from bot.core.profile import (
    AT_ENTRY,
    FROM_WALLET,
    IN_MAINTENANCE,
    IN_MAINTENANCE_AT_LEVERAGE_BANKRUPTCY,
    KEEP_ALL,
    KEEP_INITIAL_OF_EQUITY_AND_MAINTENANCE,
    KEEP_INITIAL_OR_TENTH_OF_EQUITY,
    ONE_TICK_EARLY,
    TO_TICK_EARLY,
    MarginRules,
)
from bot.core.steps import step_down, step_up
from bot.core.tiers import tier_index


@compiled
def notional(position: Position, price: float, rules: MarginRules) -> float:
    """Return the position's value at `price`: quote (linear) or base coin (inverse)."""
    return position.quantity / price if rules.is_inverse else position.quantity * price


@compiled
def unrealised_pnl(position: Position, mark: float, rules: MarginRules) -> float:
    """Return the PnL of closing at `mark`, before fees, in the settlement currency."""
    if rules.is_inverse:
        return position.side * position.quantity * (1.0 / position.entry_price - 1.0 / mark)
    return position.side * position.quantity * (mark - position.entry_price)


@compiled
def equity(position: Position, mark: float, rules: MarginRules) -> float:
    """Return isolated wallet plus unrealised PnL: what the venue compares with maintenance margin."""
    return _counted_wallet(position, rules) + unrealised_pnl(position, mark, rules)


@compiled
def initial_margin(position: Position, price: float, rules: MarginRules) -> float:
    """Return notional / leverage at `price` (the article's "required margin")."""
    return notional(position, price, rules) / position.leverage


@compiled
def maintenance_margin(position: Position, mark: float, rules: MarginRules) -> float:
    """Return the margin at which the venue liquidates, closing fee included where the venue counts it.

    The tier is the one of the notional at `mark` (of the entry, for entry-valued venues).
    """
    # The most called function of a decision: nothing is called that adds zero for the venue.
    profile, tiers = rules.profile, rules.tiers
    price = position.entry_price if profile.valuation == AT_ENTRY else mark
    value = position.quantity / price if rules.is_inverse else position.quantity * price
    row = tier_index(tiers, value)
    rate, amount = float(tiers.maintenance_margin_rate[row]), float(tiers.maintenance_amount[row])
    if profile.close_fee == IN_MAINTENANCE:
        rate += profile.close_fee_rate
    elif profile.close_fee == IN_MAINTENANCE_AT_LEVERAGE_BANKRUPTCY:
        return value * rate - amount + _leverage_bankruptcy_fee(position, rules)
    return value * rate - amount


@compiled
def margin_ratio(position: Position, mark: float, rules: MarginRules) -> float:
    """Return maintenance margin / equity: 1.0 is liquidation; inf when equity is gone (Binance's sense)."""
    available = equity(position, mark, rules)
    if available <= 0.0:
        return math.inf
    return maintenance_margin(position, mark, rules) / available


@compiled
def effective_leverage(position: Position, mark: float, rules: MarginRules) -> float:
    """Return notional / equity at `mark`; inf when equity is gone."""
    available = equity(position, mark, rules)
    return notional(position, mark, rules) / available if available > 0.0 else math.inf


@compiled
def liquidation_price(position: Position, rules: MarginRules) -> float:
    """Return the mark at which the venue liquidates, rounded as the venue reports it.

    0.0 for a long (inf for a short) that no price can liquidate. The tier is the one of the notional
    AT the returned price.
    """
    exact = mark_at_ratio(position, 1.0, rules)
    return _as_reported(exact, position.side, rules)


@compiled
def liquidation_price_given_maintenance(
    position: Position, maintenance_margin: float, rules: MarginRules
) -> float:
    """Return the mark at which equity equals a fixed `maintenance_margin`, rounded as the venue reports it.

    For venues whose reply states the amount and holds it until the position changes (KuCoin before
    2025-05-22: posMaint, with a funding estimate that no other field carries).
    """
    free = _counted_wallet(position, rules) - maintenance_margin
    return _as_reported(_mark_where_spent(position, free, rules), position.side, rules)


@compiled
def bankruptcy_price(position: Position, rules: MarginRules) -> float:
    """Return the price at which equity is zero; 0.0 (long) or inf (inverse short) if there is none."""
    return _mark_where_spent(position, position.isolated_wallet, rules)


@compiled
def mark_at_ratio(position: Position, ratio: float, rules: MarginRules) -> float:
    """Return the mark at which margin_ratio equals `ratio` (> the tier's maintenance rate), unrounded.

    0.0 (long) or inf (short) if no price does it. Where tiers are not continuous (venues without a
    maintenance amount) it is the first such price on the way from the safe side.
    """
    if rules.profile.valuation == AT_ENTRY:
        needed = maintenance_margin(position, position.entry_price, rules) / ratio
        return _mark_where_spent(position, _counted_wallet(position, rules) - needed, rules)
    coordinate = _coordinate_at_ratio(position, ratio, rules)
    if not rules.is_inverse:
        return coordinate
    return 1.0 / coordinate if coordinate > 0.0 else math.inf


@compiled
def distance(side: int, mark: float, liquidation: float) -> float:
    """Return side * (mark - liquidation) / mark: the adverse move, as a fraction, until liquidation."""
    return side * (mark - liquidation) / mark


@compiled
def liquidation_distance(position: Position, mark: float, rules: MarginRules) -> float:
    """Return `distance` to the position's liquidation price; 1.0 for a long that cannot be liquidated."""
    return distance(position.side, mark, liquidation_price(position, rules))


@compiled
def mark_at_distance(side: int, liquidation: float, wanted: float) -> float:
    """Return the mark at which `distance` equals `wanted` for this liquidation price.

    inf for a long with wanted >= 1 (no such mark).
    """
    denominator = 1.0 - side * wanted
    return liquidation / denominator if denominator > 0.0 else math.inf


@compiled
def wallet_for_liquidation_price(position: Position, wanted: float, rules: MarginRules) -> float:
    """Return the isolated wallet that puts liquidation at the mark `wanted`. May be negative (profit).

    Inverse of the unrounded liquidation price; the position's own wallet does not matter.
    """
    needed = maintenance_margin(position, wanted, rules)
    uncounted = position.isolated_wallet - _counted_wallet(position, rules)
    return needed - unrealised_pnl(position, wanted, rules) + uncounted


@compiled
def wallet_for_distance(position: Position, mark: float, wanted: float, rules: MarginRules) -> float:
    """Return the isolated wallet that puts liquidation at mark * (1 - side * wanted)."""
    return wallet_for_liquidation_price(position, mark * (1.0 - position.side * wanted), rules)


@compiled
def removable_margin(position: Position, mark: float, rules: MarginRules) -> float:
    """Return the most the venue lets out of the isolated wallet at `mark`; never negative.

    IMR is 1 / leverage SETTING; a closing fee that the venue reserves from the wallet is not removable.
    Sources: Binance FAQ 360038447311; Hyperliquid margining docs.
    """
    value = notional(position, mark, rules)
    spare = equity(position, mark, rules)
    kept = value / position.leverage
    rule = rules.profile.removal_rule
    if rule == KEEP_ALL:
        return 0.0
    if rule == KEEP_INITIAL_OR_TENTH_OF_EQUITY:
        return max(spare - max(kept, 0.1 * value), 0.0)
    removable = spare - kept
    if rule == KEEP_INITIAL_OF_EQUITY_AND_MAINTENANCE:
        removable = min(removable, position.isolated_wallet - maintenance_margin(position, mark, rules))
    return max(min(removable, position.isolated_wallet), 0.0)


@compiled
def mark_at_removable(position: Position, amount: float, cushion: float, rules: MarginRules) -> float:
    """Return the mark from which the initial-margin rule lets `amount` out, on top of `cushion` * notional.

    Beyond it, in the position's favour, more may be removed. 0.0 (long) or inf (short): at every mark;
    inf (long) or 0.0 (short): at none. At leverage 1 the price does not matter, only the wallet does.
    The maintenance part of Binance's rule is weaker while leverage * maintenance rate < 1.
    """
    side, quantity, entry = position.side, position.quantity, position.entry_price
    if rules.profile.removal_rule == KEEP_ALL:
        return math.inf if side > 0 else 0.0
    kept = 1.0 / position.leverage
    if rules.profile.removal_rule == KEEP_INITIAL_OR_TENTH_OF_EQUITY:
        kept = max(kept, 0.1)
    spare = _counted_wallet(position, rules) - amount
    free = spare + side * quantity / entry if rules.is_inverse else spare - side * quantity * entry
    slope = side + kept + cushion if rules.is_inverse else side - kept - cushion
    if slope * side <= 0.0:
        is_always = free >= 0.0
        return 0.0 if is_always == (side > 0) else math.inf
    if rules.is_inverse:
        return quantity * slope / free if free * side > 0.0 else math.inf
    return max(-free / (quantity * slope), 0.0)


@compiled
def addable_margin(
    available_quote: float,
    cross_wallet_quote: float,
    open_order_margin_quote: float,
    cross_maintenance_quote: float,
) -> float:
    """Return the most the venue lets into an isolated wallet; never negative.

    Source: Binance FAQ 360038447311: min(cross wallet - initial margin of open isolated orders
    - maintenance of cross positions, available balance).
    """
    uncommitted = cross_wallet_quote - open_order_margin_quote - cross_maintenance_quote
    return max(min(uncommitted, available_quote), 0.0)


@compiled
def _mark_where_spent(position: Position, free: float, rules: MarginRules) -> float:
    """The mark at which losses have used up `free`: 0.0 (long) or inf (inverse short) if there is none."""
    side, quantity, entry = position.side, position.quantity, position.entry_price
    if rules.is_inverse:
        inverse_price = 1.0 / entry + side * free / quantity
        return 1.0 / inverse_price if inverse_price > 0.0 else math.inf
    return max(entry - side * free / quantity, 0.0)


@compiled
def _mark_fee_rate(rules: MarginRules) -> float:
    return rules.profile.close_fee_rate if rules.profile.close_fee == IN_MAINTENANCE else 0.0


@compiled
def _leverage_bankruptcy_fee(position: Position, rules: MarginRules) -> float:
    value = notional(position, position.entry_price, rules)
    return value * (1.0 - position.side / position.leverage) * rules.profile.close_fee_rate


@compiled
def _fixed_close_fee(position: Position, rules: MarginRules) -> float:
    """The closing fee that does not depend on the mark and is part of maintenance margin."""
    if rules.profile.close_fee == IN_MAINTENANCE_AT_LEVERAGE_BANKRUPTCY:
        return _leverage_bankruptcy_fee(position, rules)
    return 0.0


@compiled
def _counted_wallet(position: Position, rules: MarginRules) -> float:
    """The wallet less a closing fee that the venue reserves from it."""
    if rules.profile.close_fee == FROM_WALLET:
        return position.isolated_wallet - _leverage_bankruptcy_fee(position, rules)
    return position.isolated_wallet


@compiled
def _coordinate_at_ratio(position: Position, ratio: float, rules: MarginRules) -> float:
    """Solve equity(x) = maintenance(x) / ratio, tier by tier from the safe side; see the first lines."""
    side, quantity, entry = position.side, position.quantity, position.entry_price
    wallet = _counted_wallet(position, rules) - _fixed_close_fee(position, rules) / ratio
    if rules.is_inverse:
        base, slope = wallet + side * quantity / entry, -side * quantity
    else:
        base, slope = wallet - side * quantity * entry, side * quantity
    tiers, fee_rate = rules.tiers, _mark_fee_rate(rules)
    rates, amounts = tiers.maintenance_margin_rate, tiers.maintenance_amount
    floors, caps = tiers.notional_floor, tiers.notional_cap
    last = len(floors) - 1
    falls = slope > 0.0  # liquidation is reached as x falls
    for step in range(last + 1):
        row = last - step if falls else step
        steepness = quantity * ((float(rates[row]) + fee_rate) / ratio) - slope
        if falls and steepness >= 0.0:
            continue
        root = (base + float(amounts[row]) / ratio) / steepness
        if falls and root > float(floors[row]) / quantity:
            return min(root, float(caps[row]) / quantity) if row < last else root
        if not falls and (row == last or root <= float(caps[row]) / quantity):
            return max(root, float(floors[row]) / quantity)
    return 0.0 if falls else math.inf


@compiled
def _as_reported(price: float, side: int, rules: MarginRules) -> float:
    tick = rules.tick_size
    if tick <= 0.0 or price <= 0.0 or math.isinf(price):
        return price
    if rules.profile.rounding == ONE_TICK_EARLY:
        return price + side * tick
    if rules.profile.rounding == TO_TICK_EARLY:
        return step_up(price, tick) if side > 0 else step_down(price, tick)
    return price
