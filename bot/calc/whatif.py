"""What one shock does to a book: isolated, cross and with the exchange's automatic adding, side by side."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.calc.autoadd import added_by_exchange
from bot.calc.book import Leg, account_quote, book_equity, book_maintenance, check_isolated, shocked
from bot.calc.inputs import check_positive
from bot.calc.scenario import shocked_position
from bot.core.margin import liquidation_price

ISOLATED: Final = "isolated"
CROSS: Final = "cross"
EXCHANGE_AUTO_ADD: Final = "exchange_auto_add"


class LegOutcome(NamedTuple):
    """One leg after the shock. `pnl` is against its entry; `added` is what came out of the free balance.

    In cross margin `liquidation_price` is None: no leg has one of its own.
    """

    symbol: str
    mark: float
    pnl: float
    is_liquidated: bool
    liquidation_price: float | None
    added: float


class WhatIf(NamedTuple):
    """One way of holding the book through one shock; money in quote.

    `pnl` is against the balances paid in, `left` what the account then holds, free balance included.
    `most_to_lose` is what this way can cost at worst before anybody adds money by hand.
    """

    way: str
    legs: tuple[LegOutcome, ...]
    liquidations: int
    pnl: float
    left: float
    most_to_lose: float


def what_if(legs: Sequence[Leg], free_quote: float, shocks: Sequence[float]) -> tuple[WhatIf, ...]:
    """Return the three ways that need no decision, after each leg's mark moved by its shock (a fraction).

    A liquidated isolated leg loses exactly its wallet; a liquidated cross account everything. The shock is
    a straight walk: no leg turns back on the way. ValueError names a shock not above -1 or of no leg, and
    what makes no account.
    """
    check_isolated(legs, free_quote)
    if len(shocks) != len(legs):
        raise ValueError(f"shocks has {len(shocks)} values; it must have one per leg, {len(legs)}")
    for index, shock in enumerate(shocks):
        check_positive(f"1 + shocks[{index}]", 1.0 + shock)
    return (
        isolated(legs, free_quote, shocks),
        cross(legs, free_quote, shocks),
        auto_added(legs, free_quote, shocks),
    )


def isolated(legs: Sequence[Leg], free_quote: float, shocks: Sequence[float]) -> WhatIf:
    """Return the book whose legs stand for themselves alone."""
    outcomes = tuple(_isolated_leg(leg, 0.0) for leg in shocked(legs, shocks))
    wallets = sum(leg.position.isolated_wallet for leg in legs)
    return _summed(ISOLATED, outcomes, account_quote(legs, free_quote), wallets)


def cross(legs: Sequence[Leg], free_quote: float, shocks: Sequence[float]) -> WhatIf:
    """Return the book whose whole account stands for every leg."""
    moved, account = shocked(legs, shocks), account_quote(legs, free_quote)
    left = book_equity(moved, free_quote)
    is_liquidated = left <= book_maintenance(moved)
    outcomes = tuple(
        LegOutcome(
            leg.position.symbol,
            leg.mark,
            leg.position.side * leg.position.quantity * (leg.mark - leg.position.entry_price),
            is_liquidated,
            None,
            0.0,
        )
        for leg in moved
    )
    pnl = -account if is_liquidated else sum(leg.pnl for leg in outcomes)
    liquidations = len(legs) if is_liquidated else 0
    return WhatIf(CROSS, outcomes, liquidations, pnl, account + pnl, account)


def auto_added(legs: Sequence[Leg], free_quote: float, shocks: Sequence[float]) -> WhatIf:
    """Return the isolated book whose venue adds margin at liquidation, while the free balance lasts.

    Legs that would be liquidated are served in order of how early in the shock they would be.
    """
    moved = shocked(legs, shocks)
    order = sorted(range(len(legs)), key=lambda index: _earliness(legs[index], moved[index]))
    left, outcomes = free_quote, {}
    for index in order:
        added = added_by_exchange(moved[index].position, moved[index].mark, left, moved[index].rules)
        left -= added
        outcomes[index] = _isolated_leg(moved[index], added)
    ordered = tuple(outcomes[index] for index in range(len(legs)))
    account = account_quote(legs, free_quote)
    return _summed(EXCHANGE_AUTO_ADD, ordered, account, account)


def _earliness(before: Leg, after: Leg) -> float:
    """The part of the shock after which the leg is at its liquidation price; above 1: not within it."""
    moved = before.position.side * (before.mark - after.mark)
    away = before.position.side * (before.mark - liquidation_price(before.position, before.rules))
    return away / moved if moved > 0.0 else float("inf")


def _isolated_leg(leg: Leg, added: float) -> LegOutcome:
    position = leg.position._replace(isolated_wallet=leg.position.isolated_wallet + added)
    result = shocked_position(position, leg.mark, leg.rules)
    return LegOutcome(
        position.symbol, leg.mark, result.pnl, result.is_liquidated, result.liquidation_price, added
    )


def _summed(way: str, legs: tuple[LegOutcome, ...], account: float, most: float) -> WhatIf:
    pnl = sum(leg.pnl for leg in legs)
    return WhatIf(way, legs, sum(leg.is_liquidated for leg in legs), pnl, account + pnl, most)
