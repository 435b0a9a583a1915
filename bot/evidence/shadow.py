"""The shadow: a position that had the same fills and kept the margin it was opened with.

It never gets what a policy adds, releases or cuts. Funding goes into its own wallet in proportion to its
quantity. The arithmetic of the wallet is the venue's: a fill pays the closed share of the wallet out
together with its profit, a liquidation takes the wallet and no more.
"""

from typing import NamedTuple

from bot.core.margin import liquidation_price
from bot.core.pnl import realised_pnl
from bot.core.position import Position
from bot.core.profile import MarginRules

LIQUIDATION = "liquidation"
STOP = "stop"
TAKE_PROFIT = "take_profit"

_SAME_PRICE = 1e-9  # relative: two liquidation prices this close are one price and float noise


class Shadow(NamedTuple):
    """`closed_by` is "" while it is open; its quantity and wallet are 0 afterwards. Amounts in quote."""

    position: Position
    realised_pnl_quote: float = 0.0
    fees_quote: float = 0.0
    funding_quote: float = 0.0
    closed_ms: int = 0
    closed_by: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it has not ended yet."""
        return self.closed_by == ""

    @property
    def pnl_quote(self) -> float:
        """What it did to the account so far, net of fees and funding."""
        return self.realised_pnl_quote - self.fees_quote + self.funding_quote


class Orders(NamedTuple):
    """What still protects a shadow whose real position is gone: prices, 0.0 for none.

    `cost_fraction`: how much worse than its trigger a fill is, `fee_rate`: of the notional; both as the
    real position's entry was filled.
    """

    stop_price: float
    take_profit_price: float
    cost_fraction: float
    fee_rate: float


class Exit(NamedTuple):
    """How a shadow ends at a mark: `closed_by` "" for not at all."""

    closed_by: str
    price: float


STAYS = Exit("", 0.0)


def liquidation_of(shadow: Shadow, rules: MarginRules) -> float:
    """Return the mark that liquidates the shadow; 0.0 or inf when none does, 0.0 when it has ended."""
    return float(liquidation_price(shadow.position, rules)) if shadow.is_open else 0.0


def is_liquidated_at(shadow: Shadow, mark: float, rules: MarginRules) -> bool:
    """Return whether the shadow is open and `mark` is at or beyond its liquidation price."""
    return shadow.is_open and is_reached(shadow, mark, liquidation_of(shadow, rules))


def is_reached(shadow: Shadow, mark: float, liquidation: float) -> bool:
    """Return whether `mark` is at or beyond the liquidation price of an open shadow."""
    return shadow.position.side * (mark - liquidation) <= _SAME_PRICE * mark


def is_nearer(shadow: Shadow, real: Position, rules: MarginRules) -> bool:
    """Return whether the shadow is liquidated before `real` is, by more than float noise."""
    other = float(liquidation_price(real, rules))
    return shadow.position.side * (liquidation_of(shadow, rules) - other) > _SAME_PRICE * real.entry_price


def entered(shadow: Shadow, position: Position, fee_quote: float) -> Shadow:
    """Return the shadow after one more fill of the entry: it is `position`, which nobody has moved yet."""
    return shadow._replace(position=position, fees_quote=shadow.fees_quote + fee_quote)


def reduced(shadow: Shadow, share: float, price: float, fee_per_unit: float, rules: MarginRules) -> Shadow:
    """Return the shadow after `share` (0 to 1) of its quantity was closed at `price`; 1 leaves nothing."""
    held = shadow.position
    quantity = held.quantity * share
    pnl = realised_pnl(held.side, held.entry_price, price, quantity, rules.is_inverse)
    fee = fee_per_unit * quantity
    paid_out = held.isolated_wallet * share + pnl - fee
    wallet = held.isolated_wallet + pnl - fee - max(paid_out, 0.0)
    rest = held._replace(
        quantity=held.quantity - quantity if share < 1.0 else 0.0,
        isolated_wallet=max(wallet, 0.0) if share < 1.0 else 0.0,
    )
    return shadow._replace(
        position=rest,
        realised_pnl_quote=shadow.realised_pnl_quote + pnl,
        fees_quote=shadow.fees_quote + fee,
    )


def closed(shadow: Shadow, how: Exit, fee_per_unit: float, ts_ms: int, rules: MarginRules) -> Shadow:
    """Return the shadow after all of it was closed."""
    if how.closed_by == LIQUIDATION:
        return liquidated(shadow, ts_ms)
    ended = reduced(shadow, 1.0, how.price, fee_per_unit, rules)
    return ended._replace(closed_ms=ts_ms, closed_by=how.closed_by)


def liquidated(shadow: Shadow, ts_ms: int) -> Shadow:
    """Return the shadow after the venue took its wallet."""
    lost = shadow.position.isolated_wallet
    return shadow._replace(
        position=shadow.position._replace(quantity=0.0, isolated_wallet=0.0),
        realised_pnl_quote=shadow.realised_pnl_quote - lost,
        closed_ms=ts_ms,
        closed_by=LIQUIDATION,
    )


def funded(shadow: Shadow, amount_quote: float, real_quantity: float) -> Shadow:
    """Return the shadow after funding that put `amount_quote` into a position of `real_quantity`."""
    held = shadow.position
    amount = amount_quote * (held.quantity / real_quantity)
    return shadow._replace(
        position=held._replace(isolated_wallet=held.isolated_wallet + amount),
        funding_quote=shadow.funding_quote + amount,
    )


def exit_at(shadow: Shadow, orders: Orders, mark: float, rules: MarginRules) -> Exit:
    """Return how an open shadow without a real position ends at `mark`.

    Liquidation comes first: a mark beyond it is beyond the stop as well, and a stop only wins when it
    fills short of liquidation. A stop fills at the mark that reached it, never better than its trigger,
    a take-profit at its trigger; both are worsened by the cost.
    """
    side = shadow.position.side
    worse = 1.0 - side * orders.cost_fraction
    if is_liquidated_at(shadow, mark, rules):
        return Exit(LIQUIDATION, mark)
    stop, target = orders.stop_price, orders.take_profit_price
    if stop > 0.0 and side * (mark - stop) <= 0.0:
        return Exit(STOP, mark * worse)
    if target > 0.0 and side * (mark - target) >= 0.0:
        return Exit(TAKE_PROFIT, target * worse)
    return STAYS
