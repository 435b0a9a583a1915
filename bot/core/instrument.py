"""A tradable perpetual: its steps, fees and leverage tiers. Rounding goes to the safe side."""

from typing import NamedTuple

from bot.core.compiled import compiled
from bot.core.profile import MarginRules, VenueProfile
from bot.core.steps import step_down, step_up
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
def price_away(price: float, side: int, instrument: Instrument) -> float:
    """Return `price` on a tick, never nearer to the liquidation of a position of `side`: long up, short down.

    For stops: the rounded stop lies at least as far from liquidation as the wanted one.
    """
    tick = instrument.tick_size
    return step_up(price, tick) if side > 0 else step_down(price, tick)


@compiled
def price_toward(price: float, side: int, instrument: Instrument) -> float:
    """Return `price` on a tick, never farther from liquidation: long down, short up.

    For limit entries and take-profits: a long never pays more, and is never asked to wait longer.
    """
    return price_away(price, -side, instrument)


@compiled
def quantity_down(quantity: float, instrument: Instrument) -> float:
    """Return `quantity` on a step, never more; 0.0 when it is less than one step."""
    return step_down(quantity, instrument.quantity_step)


@compiled
def margin_up(amount_quote: float, instrument: Instrument) -> float:
    """Return a margin to ADD on the venue's margin step, never less."""
    return step_up(amount_quote, instrument.margin_step_quote)


@compiled
def margin_down(amount_quote: float, instrument: Instrument) -> float:
    """Return a margin to RELEASE on the venue's margin step, never more."""
    return step_down(amount_quote, instrument.margin_step_quote)
