"""Positions side by side: what calculators ask of a whole account."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.calc.inputs import check_alive, check_not_negative, check_positive
from bot.core.margin import equity, maintenance_margin
from bot.core.position import Position
from bot.core.profile import MarginRules


class Leg(NamedTuple):
    """One open position at its mark, under the rules of its market. Linear, settled in the quote."""

    position: Position
    mark: float
    rules: MarginRules


def check_account(legs: Sequence[Leg], free_quote: float) -> None:
    """Raise ValueError naming the field: an empty book, a mark that is no price, a negative balance."""
    check_not_negative("free_quote", free_quote)
    if not legs:
        raise ValueError("legs is empty; at least one position is needed")
    for leg in legs:
        if leg.rules.is_inverse:
            raise ValueError(f"{leg.position.symbol} is settled in its base coin; one account needs one coin")
        check_positive(f"{leg.position.symbol}.mark", leg.mark)


def check_isolated(legs: Sequence[Leg], free_quote: float) -> None:
    """Raise ValueError as check_account does, and for a position that is past its own liquidation price."""
    check_account(legs, free_quote)
    for leg in legs:
        check_alive(leg.position, leg.mark, leg.rules)


def shocked(legs: Sequence[Leg], shocks: Sequence[float], scale: float = 1.0) -> tuple[Leg, ...]:
    """Return the legs at mark * (1 + scale * shock), each its own shock (fraction, above -1 when scaled)."""
    return tuple(
        leg._replace(mark=leg.mark * (1.0 + scale * shock)) for leg, shock in zip(legs, shocks, strict=True)
    )


def book_equity(legs: Sequence[Leg], free_quote: float) -> float:
    """Return free balance plus the equity of every leg, quote."""
    return free_quote + sum(equity(leg.position, leg.mark, leg.rules) for leg in legs)


def book_maintenance(legs: Sequence[Leg]) -> float:
    """Return the maintenance margin of all legs, quote."""
    return sum(maintenance_margin(leg.position, leg.mark, leg.rules) for leg in legs)


def account_quote(legs: Sequence[Leg], free_quote: float) -> float:
    """Return free balance plus isolated wallets, without unrealised PnL."""
    return free_quote + sum(leg.position.isolated_wallet for leg in legs)
