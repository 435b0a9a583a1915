"""A tradable perpetual: its steps, fees and leverage tiers."""

from typing import NamedTuple

from bot.core.compiled import compiled
from bot.core.profile import MarginRules, VenueProfile
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


def margin_rules(instrument: Instrument, profile: VenueProfile) -> MarginRules:
    """Return what margin arithmetic needs of this instrument at a venue with this profile."""
    return MarginRules(instrument.tiers, profile, instrument.is_inverse, instrument.tick_size)


@compiled
def quantity_down(quantity: float, instrument: Instrument) -> float:
    """Return `quantity` on a step, never more; 0.0 when it is less than one step."""
    return step_down(quantity, instrument.quantity_step)
