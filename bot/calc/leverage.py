"""The highest leverage whose liquidation still lies beyond a stop, and what every leverage would do."""

from typing import NamedTuple

from bot.calc.inputs import check_not_negative, check_positive, check_side
from bot.calc.position import new_position, quantity_for_margin
from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.core.profile import MarginRules
from bot.core.tiers import tier_index
from bot.risk.sizing import EntryOrder, leverage_for


class LeverageAnswer(NamedTuple):
    """Money in quote, distances as fractions of price.

    `stop_gap` is how far liquidation lies beyond the stop, of the stop; `is_beyond_stop` False: even 1x
    liquidates before stop and buffer. `limit` says what bounds it: "stop", "venue" (its tier) or "asked".
    """

    leverage: int
    required_margin: float
    liquidation_price: float
    wanted_liquidation_price: float
    stop_gap: float
    is_beyond_stop: bool
    limit: str


class LeveragePoint(NamedTuple):
    """What one leverage asks for and where it liquidates; margin in quote."""

    leverage: int
    required_margin: float
    liquidation_price: float


def highest_leverage(
    side: int,
    *,
    quantity: float,
    entry_price: float,
    stop_price: float,
    buffer: float,
    max_leverage: float,
    rules: MarginRules,
) -> LeverageAnswer:
    """Return the highest whole leverage that liquidates beyond `stop_price` by `buffer` (fraction of it).

    Linear contracts. Source: margin-science 3.10. ValueError names the field: a stop on the wrong side of
    the entry, or a number out of range.
    """
    _check(side, quantity, entry_price, stop_price, buffer, max_leverage)
    order = EntryOrder(side, entry_price, stop_price, entry_price, 0.0, 0.0)
    value = quantity * entry_price
    of_tier = float(rules.tiers.max_leverage[tier_index(rules.tiers, value)])
    wanted = stop_price * (1.0 - side * buffer)
    leverage = leverage_for(order, quantity, wanted, min(max_leverage, of_tier), rules)
    position = Position("", side, quantity, entry_price, value / leverage, float(leverage))
    liquidation = liquidation_price(position, rules)
    return LeverageAnswer(
        leverage,
        position.isolated_wallet,
        liquidation,
        wanted,
        side * (stop_price - liquidation) / stop_price,
        side * (wanted - liquidation) >= 0.0,
        _limit(leverage, of_tier, max_leverage),
    )


def highest_leverage_for_margin(
    side: int,
    *,
    margin: float,
    entry_price: float,
    stop_price: float,
    buffer: float,
    max_leverage: float,
    rules: MarginRules,
) -> tuple[float, LeverageAnswer]:
    """Return the quantity that `margin` opens at its highest leverage, and that leverage's answer.

    Each leverage opens another quantity, which may stand in another tier; the highest that bears its own
    quantity is taken. Raises as highest_leverage does, and ValueError for a margin that is not positive.
    """
    check_positive("margin", margin)
    _check(side, 1.0, entry_price, stop_price, buffer, max_leverage)
    tried = int(min(max_leverage, float(rules.tiers.max_leverage.max())))
    while True:
        quantity = quantity_for_margin(margin, tried, entry_price, is_inverse=False)
        answer = highest_leverage(
            side,
            quantity=quantity,
            entry_price=entry_price,
            stop_price=stop_price,
            buffer=buffer,
            max_leverage=max(tried, 1),
            rules=rules,
        )
        if answer.leverage >= tried:
            of_tier = float(rules.tiers.max_leverage[tier_index(rules.tiers, quantity * entry_price)])
            return quantity, answer._replace(limit=_limit(tried, of_tier, max_leverage))
        tried -= 1


def leverage_points(
    side: int, *, quantity: float, entry_price: float, max_leverage: float, rules: MarginRules
) -> tuple[LeveragePoint, ...]:
    """Return every whole leverage from 1 up to `max_leverage` and to what the tier of the notional allows.

    Linear contracts. ValueError names the field: a side, price or quantity that makes no position.
    """
    _check_size(side, quantity, entry_price, max_leverage)
    of_tier = float(rules.tiers.max_leverage[tier_index(rules.tiers, quantity * entry_price)])
    positions = (
        new_position("", side, quantity=quantity, entry_price=entry_price, leverage=leverage, rules=rules)
        for leverage in range(1, int(min(max_leverage, of_tier)) + 1)
    )
    return tuple(
        LeveragePoint(int(held.leverage), held.isolated_wallet, float(liquidation_price(held, rules)))
        for held in positions
    )


def _limit(leverage: int, of_tier: float, max_leverage: float) -> str:
    if leverage < int(min(of_tier, max_leverage)):
        return "stop"
    return "venue" if of_tier < max_leverage else "asked"


def _check(side: int, quantity: float, entry: float, stop: float, buffer: float, max_leverage: float) -> None:
    _check_size(side, quantity, entry, max_leverage)
    check_positive("stop_price", stop)
    check_not_negative("buffer", buffer)
    if side * (entry - stop) <= 0.0:
        raise ValueError(f"stop_price is {stop!r}; it must be on the losing side of the entry {entry!r}")


def _check_size(side: int, quantity: float, entry: float, max_leverage: float) -> None:
    check_side(side)
    check_positive("quantity", quantity)
    check_positive("entry_price", entry)
    if not max_leverage >= 1.0:
        raise ValueError(f"max_leverage is {max_leverage!r}; it must be at least 1")
