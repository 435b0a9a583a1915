"""What one change would do to one position: its risk afterwards, or why the change is not possible."""

import math
from dataclasses import dataclass

from bot.core.margin import distance, liquidation_price, margin_ratio, removable_margin
from bot.core.position import Position
from bot.core.probability import liquidation_probability
from bot.engine.state import Market
from bot.view.figures import money


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked: money into the margin or out of it, a share of the quantity closed, another mark."""

    add_quote: float = 0.0
    release_quote: float = 0.0
    reduce_fraction: float = 0.0
    price: float | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """The position after the change. `refusal`: why it would not be made; the numbers are given all the same.

    None: no price liquidates it, or the volatility is not known.
    """

    mark: float
    quantity: float
    wallet_quote: float
    liquidation_price: float | None
    distance: float | None
    probability_24h: float | None
    margin_ratio: float | None
    refusal: str | None


def what_if(market: Market, position: Position, free_quote: float, change: Change) -> Outlook:
    """Return the position after the change; a share that is closed is paid its margin out."""
    mark = market.mark if change.price is None else change.price
    kept = 1.0 - change.reduce_fraction
    wallet = position.isolated_wallet * kept + change.add_quote - change.release_quote
    changed = position._replace(quantity=position.quantity * kept, isolated_wallet=wallet)
    if changed.quantity <= 0.0:
        return Outlook(mark, 0.0, 0.0, None, None, None, None, None)
    price = float(liquidation_price(changed, market.rules))
    ratio = float(margin_ratio(changed, mark, market.rules))
    is_reachable = 0.0 < price < math.inf
    chance = float(liquidation_probability(mark, price, market.sigma_day, 1.0)) if is_reachable else None
    return Outlook(
        mark=mark,
        quantity=changed.quantity,
        wallet_quote=wallet,
        liquidation_price=price if is_reachable else None,
        distance=float(distance(changed.side, mark, price)) if is_reachable else None,
        probability_24h=chance if market.sigma_day > 0.0 else None,
        margin_ratio=ratio if math.isfinite(ratio) else None,
        refusal=_refusal(market, position, free_quote, change, changed) or None,
    )


def _refusal(market: Market, position: Position, free_quote: float, change: Change, changed: Position) -> str:
    if change.add_quote > free_quote:
        return f"only {money(free_quote)} is free"
    if change.release_quote > 0.0:
        most = float(removable_margin(position, market.mark, market.rules))
        if change.release_quote > most:
            return f"the venue lets at most {money(most)} out at this mark"
    mark = market.mark if change.price is None else change.price
    price = float(liquidation_price(changed, market.rules))
    if 0.0 < price < math.inf and changed.side * (mark - price) <= 0.0:
        return "it would be liquidated at once" if change.price is None else "it would be liquidated before"
    return ""
