"""What the de-risk ladder weighs of one position, and the wallet that belongs to what a cut leaves."""

import math
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.core.instrument import Instrument
from bot.core.margin import liquidation_price, notional, unrealised_pnl
from bot.core.tiers import tier_index
from bot.risk.addition import account_ceiling, add_ceiling, amount_to_add
from bot.risk.band import Band
from bot.risk.derisk import DeriskCase, DeriskLimits, is_stop_first
from bot.risk.limits import MarginLimits
from bot.risk.permissions import Permissions
from bot.risk.view import MarginBook, MarginView
from bot.risk.wallet import minimum_step, target_wallet


class Thesis(NamedTuple):
    """What is left of the reason to hold a position.

    `does_reenter`: the strategy's newest belief would enter here now, on the same side; not known is no.
    `cuts_made`: by this ladder. `kept_share`: what cuts of any kind have left of the quantity, 1.0 before
    the first; take-profits do not count, they are no retreat.
    """

    does_reenter: bool
    cuts_made: int
    kept_share: float


def derisk_limits(limits: MarginLimits) -> DeriskLimits:
    """Return the ladder's limits as set by the user; the rest has the defaults of margin-science 3.11."""
    return DeriskLimits(max_cuts=limits.max_derisk_cuts, stop_failure=limits.stop_failure_probability)


def derisk_case(
    view: MarginView,
    band: Band,
    book: MarginBook,
    limits: MarginLimits,
    permissions: Permissions,
    thesis: Thesis,
    instrument: Instrument,
    slippage: float,
) -> DeriskCase:
    """Return the case of a position with usable numbers; `slippage` of a market order, fraction of price.

    Leaving costs the taker fee and the slippage. The thesis is given no edge (the study's default).
    """
    return case_of(
        view,
        band,
        book,
        limits,
        permissions.allow_add,
        thesis,
        instrument.liquidation_fee_rate,
        instrument.taker_fee_rate + slippage,
    )


@compiled
def case_of(
    view: MarginView,
    band: Band,
    book: MarginBook,
    limits: MarginLimits,
    may_add: bool,
    thesis: Thesis,
    liquidation_fee_rate: float,
    exit_rate: float,
) -> DeriskCase:
    """Return the same in numbers that compile."""
    return DeriskCase(
        addable(view, band, book, limits, may_add),
        liquidation_cost_rate(view, liquidation_fee_rate),
        exit_rate,
        0.0,
        view.position.side * view.trend_score,
        max(limits.max_adds - book.adds, 0),
        thesis.does_reenter,
        thesis.cuts_made,
        view.position.quantity / thesis.kept_share,
    )


@compiled
def addable(view: MarginView, band: Band, book: MarginBook, limits: MarginLimits, may_add: bool) -> float:
    """Return the add toward the band's target that the caps leave, quote; 0.0 for less than a least step."""
    wallet = view.position.isolated_wallet
    if not may_add:
        return 0.0
    ceiling = add_ceiling(wallet, book, limits)
    amount = amount_to_add(wallet, target_wallet(view, band.target), ceiling.wallet, book.margin_step_quote)
    return amount if amount >= minimum_step(wallet, limits) else 0.0


@compiled
def liquidation_cost_rate(view: MarginView, liquidation_fee_rate: float) -> float:
    """Return what a liquidation wastes as a fraction of notional: maintenance rate plus the venue's fee.

    Source: margin-science 2, c = phi * MM + clearance fee * N, with phi = 1. Behind a resting stop it is
    at most the equity left at the liquidation price: a liquidation then needs a jump past the stop, and a
    position loses its isolated wallet and never more. Without a stop the rate of the study stands, as in
    its `hurdle`: there a liquidation ends a thesis that nothing else was to end, and with the bound the
    ladder, acting later, did worse on every violent month (bot/EVIDENCE.md).
    """
    position, rules = view.position, view.rules
    row = tier_index(rules.tiers, notional(position, view.mark, rules))
    rate = float(rules.tiers.maintenance_margin_rate[row]) + liquidation_fee_rate
    liquidation = float(liquidation_price(position, rules))
    if not (is_stop_first(view, liquidation) and 0.0 < liquidation < math.inf):
        return rate
    left = position.isolated_wallet + unrealised_pnl(position, liquidation, rules)
    return min(rate, max(left, 0.0) / notional(position, liquidation, rules))


@compiled
def restored_wallet(
    view: MarginView,
    band: Band,
    book: MarginBook,
    limits: MarginLimits,
    derisk_below: float,
    target: float,
) -> float:
    """Return the isolated wallet to bring back after a cut, at least the present one; quote.

    `target` is what the ladder counted on. Less is enough where it would lie beyond the band's target and
    beyond the distances of the ladder: it would only be released again. The agreed loss, the position's
    cap and the reserve hold; the number and the sum of adds do not, because the money was in the position.
    """
    wallet = view.position.isolated_wallet
    enough = target_wallet(view, max(band.target, derisk_below))
    ceiling = account_ceiling(wallet, book, limits)
    amount = amount_to_add(wallet, min(target, enough), ceiling.wallet, book.margin_step_quote)
    return wallet + amount if amount >= minimum_step(wallet, limits) else wallet
