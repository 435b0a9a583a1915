"""A tradable perpetual: its steps, fees and leverage tiers."""

from typing import NamedTuple

import numpy as np

from bot.core.compiled import compiled
from bot.core.profile import NO_CLOSE_FEE, MarginRules, VenueProfile
from bot.core.steps import step_down
from bot.core.tiers import Tiers


class Instrument(NamedTuple):
    """What must be known of a market before an order is sized. Fractions are rates, not percent."""

    symbol: str
    tick_size: float
    quantity_step: float
    min_quantity: float
    min_notional_quote: float
    margin_step_quote: float
    contract_size: float
    is_inverse: bool
    maker_fee_rate: float
    taker_fee_rate: float
    liquidation_fee_rate: float
    max_leverage: float
    funding_interval_ms: int
    tiers: Tiers


def profile_for(instrument: Instrument, venue: VenueProfile) -> VenueProfile:
    """Return the venue's rules for this instrument: what is counted for closing is its own taker rate.

    KuCoin counts a liquidation fee, which equals the taker fee there.
    """
    if venue.close_fee == NO_CLOSE_FEE:
        return venue
    return venue._replace(close_fee_rate=instrument.taker_fee_rate)


def margin_rules(instrument: Instrument, profile: VenueProfile) -> MarginRules:
    """Return what margin arithmetic needs of this instrument at a venue with this profile."""
    return MarginRules(instrument.tiers, profile, instrument.is_inverse, instrument.tick_size)


def is_same_instrument(known: Instrument, read: Instrument, cap_tolerance: float) -> bool:
    """Return whether two readings of an instrument are the same rules.

    `cap_tolerance`: how far a tier's bounds may differ, as a fraction. Where tiers are given in contracts
    their notional follows the mark, and that alone is no change. Everything else must be equal.
    """
    if known[:-1] != read[:-1]:  # all but the tiers, which are arrays
        return False
    if len(known.tiers.notional_cap) != len(read.tiers.notional_cap):
        return False
    bounds = (
        np.allclose(was, now, rtol=cap_tolerance, atol=0.0)
        for was, now in zip(known.tiers[:2], read.tiers[:2], strict=True)
    )
    rest = (np.array_equal(was, now) for was, now in zip(known.tiers[2:], read.tiers[2:], strict=True))
    return all(bounds) and all(rest)


@compiled
def quantity_down(quantity: float, instrument: Instrument) -> float:
    """Return `quantity` on a step, never more; 0.0 when it is less than one step."""
    return step_down(quantity, instrument.quantity_step)
